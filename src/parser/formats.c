#include "parser/formats.h"

#include <stdlib.h>
#include <zip.h>

#include "base/utf8.h"
#include "parser/charset.h"

enum { HEAD_BYTES = 1024 };

/* A text format is what its name says, as long as its content is text. */
static const struct format {
    const char *word;
    cria_format_read read;
    const char *extensions;  /* each between blanks */
    const char *media_types; /* likewise */
} formats[] = {
    {"html", cria_format_html, " html htm xhtml xht ", " text/html application/xhtml+xml "},
    {"markdown", cria_format_markdown, " md markdown mdown mkd ",
     " text/markdown text/x-markdown "},
    {"csv", cria_format_csv, " csv tsv tab ", " text/csv text/tab-separated-values "},
    {"json", cria_format_json, " json jsonl ndjson geojson ",
     " application/json application/x-ndjson "},
    {"docx", cria_format_docx, " docx docm dotx ",
     " application/vnd.openxmlformats-officedocument.wordprocessingml.document "},
    {"text", cria_format_text, " txt text log rst org adoc tex ", " text/plain "},
};

/* What binary content is: by its first bytes. */
static const struct {
    const char *magic;
    size_t len, at;
    const char *name; /* in a sentence: "files of type … are not supported" */
} binaries[] = {
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, 0, "Microsoft Office 97-2003"},
    {"{\\rtf", 5, 0, "RTF"},
    {"%!PS", 4, 0, "PostScript"},
    {"\x89PNG\r\n\x1A\n", 8, 0, "PNG"},
    {"\xFF\xD8\xFF", 3, 0, "JPEG"},
    {"GIF8", 4, 0, "GIF"},
    {"RIFF", 4, 0, "RIFF"},
    {"II*\0", 4, 0, "TIFF"},
    {"MM\0*", 4, 0, "TIFF"},
    {"BM", 2, 0, NULL}, /* too short to tell; the content decides */
    {"\x1F\x8B", 2, 0, "gzip"},
    {"BZh", 3, 0, "bzip2"},
    {"\xFD"
     "7zXZ",
     5, 0, "xz"},
    {"7z\xBC\xAF", 4, 0, "7-Zip"},
    {"Rar!", 4, 0, "RAR"},
    {"ustar", 5, 257, "tar"},
    {"\x7F"
     "ELF",
     4, 0, "ELF program"},
    {"ID3", 3, 0, "MP3"},
    {"OggS", 4, 0, "Ogg"},
    {"ftyp", 4, 4, "MP4"},
    {"SQLite format 3", 15, 0, "SQLite"},
};

struct cria_str cria_source_extension(const struct cria_source *source, char out[12])
{
    size_t dot = source->name.len, n = 0;
    while (dot > 0 && source->name.ptr[dot - 1] != '.' && source->name.ptr[dot - 1] != '/') dot--;
    out[0] = '\0';
    if (dot == 0 || source->name.ptr[dot - 1] != '.' || source->name.len - dot > 11)
        return cria_str_make(out, 0);
    for (size_t i = dot; i < source->name.len; i++) {
        char c = source->name.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return cria_str_make(out, 0);
        out[n++] = c;
    }
    out[n] = '\0';
    return cria_str_make(out, n);
}

static bool list_has(const char *list, struct cria_str word)
{
    struct cria_str rest = cria_str_from(list), item;
    if (word.len == 0) return false;
    while (rest.len) {
        cria_str_cut(&rest, ' ', &item);
        if (cria_str_equal_nocase(item, word)) return true;
    }
    return false;
}

static const struct format *by_word(const char *word)
{
    for (size_t i = 0; i < CRIA_COUNT(formats); i++)
        if (strcmp(formats[i].word, word) == 0) return &formats[i];
    return NULL;
}

static const struct format *by_label(const struct cria_source *source)
{
    char buffer[12];
    struct cria_str extension = cria_source_extension(source, buffer), type, rest;
    for (size_t i = 0; i < CRIA_COUNT(formats); i++)
        if (list_has(formats[i].extensions, extension)) return &formats[i];
    rest = source->media_type;
    cria_str_cut(&rest, ';', &type);
    type = cria_str_trim(type);
    for (size_t i = 0; i < CRIA_COUNT(formats) && extension.len == 0; i++)
        if (list_has(formats[i].media_types, type)) return &formats[i];
    return NULL;
}

static bool has_entry(zip_t *archive, const char *name)
{
    return zip_name_locate(archive, name, 0) >= 0;
}

/* A zip is what lies in it. Returns the format, or NULL and the document's failure. */
static const struct format *look_inside(const struct cria_source *source, struct cria_doc *doc)
{
    zip_error_t error;
    const struct format *found = NULL;
    zip_error_init(&error);
    zip_source_t *bytes = zip_source_buffer_create(source->bytes.ptr, source->bytes.len, 0, &error);
    zip_t *archive = bytes ? zip_open_from_source(bytes, ZIP_RDONLY, &error) : NULL;
    char extension[12];
    cria_source_extension(source, extension);
    if (!archive) {
        if (bytes) zip_source_free(bytes);
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE,
                      "not a readable %s: the archive is damaged or cut off",
                      extension[0] ? extension : "zip");
        zip_error_fini(&error);
        return NULL;
    }
    static const struct {
        const char *entry, *name;
    } others[] = {{"xl/workbook.xml", "XLSX"},
                  {"ppt/presentation.xml", "PPTX"},
                  {"META-INF/container.xml", "EPUB"},
                  {"content.xml", "OpenDocument"}};
    if (has_entry(archive, "word/document.xml")) found = by_word("docx");
    for (size_t i = 0; !found && i < CRIA_COUNT(others); i++)
        if (has_entry(archive, others[i].entry))
            cria_doc_fail(doc, CRIA_DOC_UNSUPPORTED, "files of type %s are not supported",
                          others[i].name);
    if (!found && has_entry(archive, "[Content_Types].xml")) found = by_word("docx");
    if (!found)
        cria_doc_fail(doc, CRIA_DOC_UNSUPPORTED,
                      "archives are not supported: upload the files in it");
    zip_discard(archive);
    zip_error_fini(&error);
    return found;
}

static bool is_html(struct cria_str head)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<body"};
    head = cria_str_trim(head);
    if (cria_str_starts(head, "\xEF\xBB\xBF"))
        head = cria_str_trim(cria_str_sub(head, 3, head.len));
    for (size_t i = 0; i < CRIA_COUNT(starts); i++) {
        struct cria_str start = cria_str_from(starts[i]);
        if (cria_str_equal_nocase(cria_str_sub(head, 0, start.len), start)) return true;
    }
    /* XHTML begins with an XML declaration and comments. */
    return cria_str_starts(head, "<?xml") && cria_str_find(head, CRIA_STR("<html")) != SIZE_MAX;
}

static const struct format *detect(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_str head = cria_str_sub(source->bytes, 0, HEAD_BYTES);
    const struct format *labelled = by_label(source);
    char extension[12];
    cria_source_extension(source, extension);
    if (cria_str_starts(head, "PK\x03\x04") || cria_str_starts(head, "PK\x05\x06"))
        return look_inside(source, doc);
    for (size_t i = 0; i < CRIA_COUNT(binaries); i++) {
        struct cria_str magic = {binaries[i].magic, binaries[i].len};
        if (binaries[i].name &&
            cria_str_equal(cria_str_sub(head, binaries[i].at, magic.len), magic)) {
            cria_doc_fail(doc, CRIA_DOC_UNSUPPORTED, "files of type %s are not supported",
                          binaries[i].name);
            return NULL;
        }
    }
    if (strcmp(extension, "pdf") == 0 || cria_str_find(head, CRIA_STR("%PDF-")) != SIZE_MAX) {
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable PDF: it has no PDF header");
        return NULL;
    }
    if (labelled && strcmp(labelled->word, "docx") == 0) {
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable DOCX: it is no zip archive");
        return NULL;
    }
    if (is_html(head) && (!labelled || strcmp(labelled->word, "text") == 0)) return by_word("html");
    return labelled ? labelled : by_word("text");
}

bool cria_source_text(const struct cria_source *source, struct cria_doc *doc,
                      struct cria_str declared, struct cria_str *out)
{
    struct cria_str text;
    if (!cria_charset_to_utf8(&doc->arena, source->bytes, declared, &text))
        return cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
    if (!cria_charset_is_text(text)) {
        char extension[12];
        cria_source_extension(source, extension);
        return cria_doc_fail(doc, CRIA_DOC_UNSUPPORTED,
                             extension[0]
                                 ? "files of type .%s are not supported, and the content is no text"
                                 : "the content is no text, and its type is not known%s",
                             extension);
    }
    if (text.len && memchr(text.ptr, '\r', text.len)) {
        char *copy = cria_arena_alloc(&doc->arena, text.len);
        size_t n = 0;
        if (!copy)
            return cria_doc_fail(doc, CRIA_DOC_NO_MEMORY,
                                 "the document needs too much memory to read");
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] != '\r')
                copy[n++] = text.ptr[i];
            else if (i + 1 == text.len || text.ptr[i + 1] != '\n')
                copy[n++] = '\n';
        }
        text = cria_str_make(copy, n);
    }
    *out = text;
    return true;
}

static bool has_words(struct cria_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > ' ') return true;
    return false;
}

void cria_formats_read(const struct cria_source *source, struct cria_doc *doc)
{
    if (source->bytes.len == 0) {
        cria_doc_fail(doc, CRIA_DOC_NO_TEXT, "the file is empty");
        return;
    }
    const struct format *format = detect(source, doc);
    if (!format) return;
    doc->format = format->word;
    format->read(source, doc);
    if (cria_doc_ok(doc) && !has_words(cria_buf_str(&doc->text)))
        cria_doc_fail(doc, CRIA_DOC_NO_TEXT, "the file has no text");
}
