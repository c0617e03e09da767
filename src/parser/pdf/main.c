/* cria-pdf - reads PDF documents, in a sandbox. The one program that links poppler, which is GPL;
 * the server talks to it over pipes alone. One document, then it ends: what a document did to the
 * library dies with the process. */
#include "parser/child.h"
#include "parser/pdf/words.h"

enum { PAGES_MAX = 100000 };

static const char data_folder[] = "/usr/share";

static void read_title(PopplerDocument *pdf, struct cria_doc *doc)
{
    char *title = poppler_document_get_title(pdf);
    struct cria_str text = cria_str_trim(cria_str_from(title ? title : ""));
    /* Word processors write the name of their file there. */
    bool is_file = cria_str_ends(text, ".doc") || cria_str_ends(text, ".docx") ||
                   cria_str_ends(text, ".dvi") || cria_str_ends(text, ".tex") ||
                   cria_str_starts(text, "Microsoft ") || cria_str_is(text, "untitled");
    if (text.len > 2 && !is_file) cria_doc_set_title(doc, text);
    g_free(title);
}

static void draw(PopplerPage *page, uint32_t number, struct cria_doc *doc)
{
    struct cria_buf jpeg;
    cria_buf_init(&jpeg, 16 << 20);
    if (cria_pdf_picture(page, &jpeg)) cria_doc_picture(doc, number, cria_buf_str(&jpeg));
    cria_buf_release(&jpeg);
}

static void read_pages(PopplerDocument *pdf, const struct cria_parse_options *options,
                       bool wants_pictures, struct cria_doc *doc)
{
    int total = poppler_document_get_n_pages(pdf);
    size_t count = 0, words = 0;
    if (total < 1 || total > PAGES_MAX) {
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE,
                      total < 1 ? "not a readable PDF: it has no pages"
                                : "the PDF has more than %d pages",
                      PAGES_MAX);
        return;
    }
    struct cria_pdf_page *pages = CRIA_NEW_ARRAY(&doc->arena, (size_t)total, struct cria_pdf_page);
    if (!pages) return;
    for (int i = 0; i < total && cria_doc_ok(doc); i++) {
        uint32_t number = (uint32_t)i + 1;
        if (!cria_parse_options_take(options, number)) continue;
        PopplerPage *page = poppler_document_get_page(pdf, i);
        struct cria_pdf_page *out = &pages[count];
        out->number = number;
        if (page && !cria_pdf_words(page, options, &doc->arena, out))
            cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
        if (page && wants_pictures) draw(page, number, doc);
        words += out->word_count;
        count++;
        if (page) g_object_unref(page);
    }
    if (!cria_doc_ok(doc)) return;
    if (count == 0)
        cria_doc_fail(doc, CRIA_DOC_NO_TEXT, "none of the pages asked for is in the PDF: it has %d",
                      total);
    else if (words == 0)
        cria_doc_fail(doc, CRIA_DOC_NO_TEXT,
                      "the PDF has no text: it may be a scan, and reading scans is not supported");
    else
        cria_pdf_layout(pages, count, doc);
}

static void read_pdf(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_parse_options options;
    GError *error = NULL;
    cria_parse_options_read(&doc->arena, source->options, &options);
    doc->format = "pdf";
    GBytes *bytes = g_bytes_new_static(source->bytes.ptr, source->bytes.len);
    PopplerDocument *pdf = poppler_document_new_from_bytes(bytes, NULL, &error);
    if (pdf) {
        read_title(pdf, doc);
        read_pages(pdf, &options, source->wants_pictures, doc);
        g_object_unref(pdf);
    } else if (g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)) {
        cria_doc_fail(doc, CRIA_DOC_ENCRYPTED,
                      "the PDF is encrypted and cannot be read without its password");
    } else {
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable PDF: it is damaged or cut off");
    }
    g_clear_error(&error);
    g_bytes_unref(bytes);
}

/* A page with text in a standard font: drawing it makes the libraries find fonts and their own data
 * while files can still be opened by name. */
static void prepare(void)
{
    static const char page[] =
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R/Resources<</Font<<"
        "/A<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
        "/B<</Type/Font/Subtype/Type1/BaseFont/Times-Bold>>"
        "/C<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>>>>>endobj\n"
        "4 0 obj<</Length 61>>stream\n"
        "BT /A 9 Tf 9 50 Td (Ab) Tj /B 9 Tf (Cd) Tj /C 9 Tf (Ef) Tj ET \nendstream endobj\n"
        "trailer<</Root 1 0 R>>\n";
    struct cria_buf jpeg;
    cria_buf_init(&jpeg, 1 << 20);
    GBytes *bytes = g_bytes_new_static(page, sizeof(page) - 1);
    PopplerDocument *pdf = poppler_document_new_from_bytes(bytes, NULL, NULL);
    PopplerPage *first = pdf ? poppler_document_get_page(pdf, 0) : NULL;
    if (first) cria_pdf_picture(first, &jpeg);
    if (first) g_object_unref(first);
    if (pdf) g_object_unref(pdf);
    g_bytes_unref(bytes);
    cria_buf_release(&jpeg);
}

int main(int argc, char **argv)
{
    static const struct cria_child child = {.name = "cria-pdf",
                                            .read_folder = data_folder,
                                            .max_documents = 1,
                                            .prepare = prepare,
                                            .read = read_pdf};
    return cria_child_main(argc, argv, &child);
}
