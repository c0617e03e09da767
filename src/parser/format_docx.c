/* format_docx.c - Word documents (ECMA-376): paragraphs, headings by style, lists with their
 * numbers, tables, notes, comments, text boxes; deleted text stays out, inserted text is in. */
#include <stdio.h>

#include "base/utf8.h"
#include "parser/docx.h"
#include "parser/formats.h"
#include "parser/markdown.h"
#include "parser/table.h"

enum { TABLE_DEPTH = 8, NOTE_BYTES = 24 };

struct open_table {
    struct cria_table *table;
    struct cria_buf cell;
    unsigned span;
    bool is_merged_down; /* the cell goes on from the one above, which holds the text */
};

struct docx {
    struct cria_doc *doc;
    struct cria_docx_lists lists;
    struct cria_md md;
    struct open_table tables[TABLE_DEPTH];
    unsigned table_depth, tables_beyond; /* beyond: deeper ones, whose text goes to the cell */
    struct cria_buf box;                 /* text of text boxes, told behind their paragraph */
    unsigned box_depth, skip_depth;
    bool in_text;
    /* The paragraph at hand. */
    unsigned heading, list, level;
    bool has_list, has_own_list;
    /* Notes, comments: what stands before the text of the next paragraph. */
    char note[NOTE_BYTES];
    const char *note_element; /* "footnote", …; NULL in the main part */
    bool skips_note;
};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static struct open_table *cell_table(struct docx *x)
{
    return x->table_depth ? &x->tables[x->table_depth - 1] : NULL;
}

static void put(struct docx *x, struct cria_str text)
{
    if (x->box_depth)
        cria_buf_add(&x->box, text);
    else if (x->table_depth)
        cria_buf_add(&cell_table(x)->cell, text);
    else
        cria_md_text(&x->md, text);
}

/* ---- paragraphs */

static void begin_paragraph(struct docx *x)
{
    if (x->box_depth) return; /* the one around it goes on */
    x->heading = x->list = x->level = 0;
    x->has_list = x->has_own_list = false;
    if (x->note[0] && !x->table_depth) {
        put(x, cria_str_from(x->note));
        x->note[0] = '\0';
    }
}

static void flush_boxes(struct docx *x)
{
    struct cria_str rest = cria_buf_str(&x->box), line;
    while (rest.len) {
        cria_str_cut(&rest, '\n', &line);
        cria_md_text(&x->md, line);
        cria_md_flush(&x->md);
    }
    cria_buf_clear(&x->box);
}

static void end_paragraph(struct docx *x)
{
    if (x->box_depth) {
        cria_buf_add_char(&x->box, '\n');
        return;
    }
    if (x->table_depth) {
        cria_buf_add_char(&cell_table(x)->cell, ' ');
        cria_buf_add(&cell_table(x)->cell, cria_buf_str(&x->box));
        cria_buf_clear(&x->box);
        return;
    }
    bool is_empty = cria_str_trim(cria_buf_str(&x->md.line)).len == 0;
    if (x->has_list && x->list && !is_empty) {
        char label[CRIA_MD_MARKER_BYTES];
        cria_docx_label(&x->lists, x->list, x->level, label, sizeof(label));
        bool is_bullet = strcmp(label, "- ") == 0;
        if (label[0] && !(x->heading && is_bullet))
            cria_md_item(&x->md, label, x->heading ? 0 : x->level);
    }
    if (x->heading)
        cria_md_flush_heading(&x->md, x->heading);
    else
        cria_md_flush(&x->md);
    if (x->box.len) flush_boxes(x);
}

static void read_property(struct docx *x, const char *name, const char **attributes)
{
    const char *value = cria_xml_attribute(attributes, "val");
    if (!value || x->box_depth) return;
    if (strcmp(name, "pStyle") == 0) {
        struct cria_docx_style style = cria_docx_style_of(&x->lists, value);
        x->heading = style.heading;
        if (!x->has_own_list) {
            x->has_list = style.has_list;
            x->list = style.list;
            x->level = style.level;
        }
    } else if (strcmp(name, "outlineLvl") == 0) {
        unsigned level = cria_xml_number(value, 9, 9);
        if (level < 6) x->heading = level + 1;
    } else if (strcmp(name, "ilvl") == 0) {
        x->level = cria_xml_number(value, 0, CRIA_DOCX_LEVELS - 1);
    } else if (strcmp(name, "numId") == 0) {
        x->list = cria_xml_number(value, 0, 1 << 30);
        x->has_list = x->list != 0;
        x->has_own_list = true;
    }
}

/* ---- tables */

static void begin_table(struct docx *x)
{
    if (x->box_depth || x->table_depth == TABLE_DEPTH) {
        x->tables_beyond++;
        return;
    }
    if (!x->table_depth) cria_md_flush(&x->md);
    struct open_table *table = &x->tables[x->table_depth];
    *table = (struct open_table){.table = cria_table_new(), .span = 1};
    cria_buf_init(&table->cell, CRIA_DOC_MAX_TEXT_BYTES);
    if (!table->table) {
        cria_doc_fail(x->doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
        x->tables_beyond++;
        return;
    }
    x->table_depth++;
}

static void end_table(struct docx *x)
{
    if (x->tables_beyond) {
        x->tables_beyond--;
        return;
    }
    if (!x->table_depth) return;
    struct open_table *table = &x->tables[--x->table_depth];
    if (x->table_depth) {
        struct open_table *outer = cell_table(x);
        cria_buf_add_char(&outer->cell, ' ');
        cria_table_write_line(table->table, &outer->cell);
    } else {
        cria_table_write(table->table, x->doc);
        x->md.is_tight = false;
    }
    cria_table_free(table->table);
    cria_buf_release(&table->cell);
}

static void table_element(struct docx *x, const char *name, const char **attributes)
{
    struct open_table *table = cell_table(x);
    if (!table || x->tables_beyond || x->box_depth) return;
    const char *value = cria_xml_attribute(attributes, "val");
    if (strcmp(name, "tr") == 0) {
        cria_table_row(table->table);
    } else if (strcmp(name, "tc") == 0) {
        table->span = 1;
        table->is_merged_down = false;
        cria_buf_clear(&table->cell);
    } else if (strcmp(name, "gridSpan") == 0) {
        table->span = cria_xml_number(value, 1, CRIA_TABLE_MAX_COLUMNS);
    } else if (strcmp(name, "vMerge") == 0) {
        table->is_merged_down = !value || strcmp(value, "restart") != 0;
    }
}

static void end_cell(struct docx *x)
{
    struct open_table *table = cell_table(x);
    if (!table || x->tables_beyond || x->box_depth) return;
    struct cria_str text = cria_buf_str(&table->cell);
    cria_table_cell(table->table, table->is_merged_down ? CRIA_STR("") : text, table->span, 1);
    cria_buf_clear(&table->cell);
}

/* ---- elements */

/* What is deleted, moved away, said twice for old programs, or no text at all. */
static const char *const skipped[] = {"del",       "moveFrom",    "Fallback",
                                      "instrText", "delText",     "rPrChange",
                                      "pPrChange", "tblPrChange", NULL};

static void begin_note(struct docx *x, const char *name, const char **attributes)
{
    const char *type = cria_xml_attribute(attributes, "type"), *id;
    if (!x->note_element || strcmp(name, x->note_element) != 0) return;
    id = cria_xml_attribute(attributes, "id");
    x->skips_note = type && strcmp(type, "normal") != 0; /* separators */
    if (strcmp(name, "comment") == 0) {
        const char *author = cria_xml_attribute(attributes, "author");
        snprintf(x->note, sizeof(x->note), "Comment%s%.12s: ", author && author[0] ? " by " : "",
                 author ? author : "");
        if (cria_utf8_valid(cria_str_from(x->note))) return;
        snprintf(x->note, sizeof(x->note), "Comment: ");
    } else if (id) {
        snprintf(x->note, sizeof(x->note), "[^%s%.8s]: ", name[0] == 'e' ? "e" : "", id);
    }
}

static void refer(struct docx *x, const char *name, const char **attributes)
{
    const char *id = cria_xml_attribute(attributes, "id");
    char text[NOTE_BYTES];
    if (!id) return;
    snprintf(text, sizeof(text), "[^%s%.8s]", name[0] == 'e' ? "e" : "", id);
    put(x, cria_str_from(text));
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct docx *x = arg;
    static const char *const breaks[] = {"br", "cr", NULL}, *const texts[] = {"t", "m:t", NULL},
                             *const refs[] = {"footnoteReference", "endnoteReference", NULL};
    if (x->skip_depth || is_one_of(name, skipped)) {
        x->skip_depth++;
        return;
    }
    begin_note(x, name, attributes);
    if (strcmp(name, "p") == 0)
        begin_paragraph(x);
    else if (strcmp(name, "txbxContent") == 0)
        x->box_depth++;
    else if (is_one_of(name, texts))
        x->in_text = true;
    else if (strcmp(name, "tab") == 0 && !x->box_depth && !x->table_depth)
        cria_md_space(&x->md);
    else if (strcmp(name, "tab") == 0)
        put(x, CRIA_STR(" "));
    else if (strcmp(name, "noBreakHyphen") == 0)
        put(x, CRIA_STR("-"));
    else if (is_one_of(name, breaks) && !x->box_depth && !x->table_depth)
        cria_md_break(&x->md);
    else if (is_one_of(name, breaks))
        put(x, CRIA_STR(" "));
    else if (strcmp(name, "tbl") == 0)
        begin_table(x);
    else if (is_one_of(name, refs))
        refer(x, name, attributes);
    else {
        read_property(x, name, attributes);
        table_element(x, name, attributes);
    }
}

static void on_end(void *arg, const char *name)
{
    struct docx *x = arg;
    if (x->skip_depth) {
        x->skip_depth--;
        return;
    }
    if (strcmp(name, "t") == 0 || strcmp(name, "m:t") == 0)
        x->in_text = false;
    else if (strcmp(name, "p") == 0)
        end_paragraph(x);
    else if (strcmp(name, "txbxContent") == 0)
        x->box_depth -= x->box_depth > 0;
    else if (strcmp(name, "tc") == 0)
        end_cell(x);
    else if (strcmp(name, "tbl") == 0)
        end_table(x);
    else if (x->note_element && strcmp(name, x->note_element) == 0) {
        x->skips_note = false;
        x->note[0] = '\0';
    }
}

static void on_text(void *arg, struct cria_str text)
{
    struct docx *x = arg;
    if (x->in_text && !x->skip_depth && !x->skips_note) put(x, text);
}

/* ---- parts */

static void walk(struct docx *x, struct cria_zip *zip, const char *part, const char *note_element)
{
    const struct cria_xml_reader reader = {x, on_start, on_end, on_text};
    struct cria_str bytes = cria_zip_read(zip, part);
    if (!bytes.ptr || !cria_doc_ok(x->doc)) return;
    x->note_element = note_element;
    x->note[0] = '\0';
    x->skip_depth = x->box_depth = 0;
    x->in_text = x->skips_note = false;
    cria_xml_walk(x->doc, bytes, part, &reader);
    while (x->table_depth || x->tables_beyond) end_table(x); /* a damaged part left them open */
    cria_md_flush(&x->md);
}

/* Headers and footers of all sections, each once: they hold names, dates, reference numbers. */
static void walk_edges(struct docx *x, struct cria_zip *zip)
{
    const char *name;
    for (size_t i = 0; (name = cria_zip_name(zip, i)) != NULL && cria_doc_ok(x->doc); i++)
        if (strncmp(name, "word/header", 11) == 0 || strncmp(name, "word/footer", 11) == 0)
            walk(x, zip, name, NULL);
}

struct title_reader {
    struct cria_buf title;
    bool in_title;
};

static void title_start(void *arg, const char *name, const char **attributes)
{
    (void)attributes;
    if (strcmp(name, "title") == 0) ((struct title_reader *)arg)->in_title = true;
}

static void title_end(void *arg, const char *name)
{
    if (strcmp(name, "title") == 0) ((struct title_reader *)arg)->in_title = false;
}

static void title_text(void *arg, struct cria_str text)
{
    struct title_reader *reader = arg;
    if (reader->in_title) cria_buf_add(&reader->title, text);
}

static void read_title(struct cria_doc *doc, struct cria_zip *zip)
{
    struct title_reader reader = {.in_title = false};
    const struct cria_xml_reader xml = {&reader, title_start, title_end, title_text};
    struct cria_str part = cria_zip_read(zip, "docProps/core.xml");
    cria_buf_init(&reader.title, 4096);
    if (part.ptr) cria_xml_walk(doc, part, "docProps/core.xml", &xml);
    if (reader.title.len) cria_doc_set_title(doc, cria_buf_str(&reader.title));
    cria_buf_release(&reader.title);
}

void cria_format_docx(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_zip *zip = cria_zip_open(source, doc);
    struct docx *x = zip ? CRIA_NEW(&doc->arena, struct docx) : NULL;
    if (!zip) return;
    if (x && !cria_zip_has(zip, "word/document.xml"))
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE, "not a readable DOCX: it has no document in it");
    if (x && cria_doc_ok(doc)) {
        x->doc = doc;
        cria_md_init(&x->md, doc);
        cria_buf_init(&x->box, CRIA_DOC_MAX_TEXT_BYTES);
        cria_docx_lists_read(&x->lists, zip, doc);
        read_title(doc, zip);
        walk(x, zip, "word/document.xml", NULL);
        walk(x, zip, "word/footnotes.xml", "footnote");
        walk(x, zip, "word/endnotes.xml", "endnote");
        walk(x, zip, "word/comments.xml", "comment");
        walk_edges(x, zip);
        if (doc->heading_count && doc->title.len == 0) {
            const struct cria_doc_heading *first = &doc->headings[0];
            cria_doc_set_title(doc, cria_str_sub(cria_buf_str(&doc->text),
                                                 first->start + first->level + 1,
                                                 first->end - first->start - first->level - 1));
        }
        if (x->md.line.failed || x->box.failed)
            cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
        cria_docx_lists_release(&x->lists);
        cria_buf_release(&x->box);
        cria_md_release(&x->md);
    }
    cria_zip_close(zip);
}
