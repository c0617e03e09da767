#include <gumbo.h>
#include <stdio.h>

#include "parser/formats.h"
#include "parser/html_content.h"
#include "parser/markdown.h"
#include "parser/table.h"

enum { PRESCAN_BYTES = 4096, LAYOUT_CELL_LETTERS = 1500, MAX_LIST_NUMBER = 99999 };

struct page {
    struct cria_html html;
    struct cria_md md;
    unsigned list_depth;
};

static void block(struct page *page, const GumboNode *node, unsigned depth);

static bool is_block(GumboTag tag)
{
    static const unsigned char blocks[] = {
        GUMBO_TAG_ADDRESS,    GUMBO_TAG_ARTICLE, GUMBO_TAG_ASIDE,   GUMBO_TAG_BLOCKQUOTE,
        GUMBO_TAG_BODY,       GUMBO_TAG_CENTER,  GUMBO_TAG_DD,      GUMBO_TAG_DETAILS,
        GUMBO_TAG_DIV,        GUMBO_TAG_DL,      GUMBO_TAG_DT,      GUMBO_TAG_FIELDSET,
        GUMBO_TAG_FIGCAPTION, GUMBO_TAG_FIGURE,  GUMBO_TAG_FOOTER,  GUMBO_TAG_FORM,
        GUMBO_TAG_HEADER,     GUMBO_TAG_HGROUP,  GUMBO_TAG_HR,      GUMBO_TAG_HTML,
        GUMBO_TAG_LI,         GUMBO_TAG_MAIN,    GUMBO_TAG_NAV,     GUMBO_TAG_OL,
        GUMBO_TAG_P,          GUMBO_TAG_PRE,     GUMBO_TAG_SECTION, GUMBO_TAG_SUMMARY,
        GUMBO_TAG_TABLE,      GUMBO_TAG_UL,      GUMBO_TAG_CAPTION, GUMBO_TAG_TR,
        GUMBO_TAG_TD,         GUMBO_TAG_TH,      GUMBO_TAG_TBODY,   GUMBO_TAG_THEAD,
        GUMBO_TAG_TFOOT,      GUMBO_TAG_H1,      GUMBO_TAG_H2,      GUMBO_TAG_H3,
        GUMBO_TAG_H4,         GUMBO_TAG_H5,      GUMBO_TAG_H6};
    for (size_t i = 0; i < CRIA_COUNT(blocks); i++)
        if (blocks[i] == tag) return true;
    return false;
}

/* All text in a node on one line, without recursion. */
static void flat_text(struct page *page, const GumboNode *root, struct cria_md *out)
{
    for (const GumboNode *node = root; node;) {
        bool is_dropped = cria_html_is_dropped(&page->html, node);
        if (cria_html_is_text(node)) {
            cria_md_text(out, cria_str_from(node->v.text.text));
        } else if (node->type == GUMBO_NODE_ELEMENT && !is_dropped) {
            if (is_block(node->v.element.tag) || cria_html_is(node, GUMBO_TAG_BR))
                cria_md_space(out);
            if (cria_html_is(node, GUMBO_TAG_IMG))
                cria_md_text(out, cria_html_attribute(node, "alt"));
        }
        node = cria_html_next(root, node, !is_dropped);
    }
}

static void raw_text(struct page *page, const GumboNode *root, struct cria_buf *out)
{
    for (const GumboNode *node = root; node;) {
        bool is_dropped = cria_html_is_dropped(&page->html, node);
        if (cria_html_is_text(node)) cria_buf_add_z(out, node->v.text.text);
        if (cria_html_is(node, GUMBO_TAG_BR)) cria_buf_add_char(out, '\n');
        node = cria_html_next(root, node, !is_dropped);
    }
}

static unsigned span_of(const GumboNode *cell, const char *name)
{
    int64_t span;
    if (!cria_str_to_int64(cria_html_attribute(cell, name), &span) || span < 1) return 1;
    return span > CRIA_TABLE_MAX_COLUMNS ? CRIA_TABLE_MAX_COLUMNS : (unsigned)span;
}

static bool is_cell(const GumboNode *node)
{
    return cria_html_is(node, GUMBO_TAG_TD) || cria_html_is(node, GUMBO_TAG_TH);
}

/* A table of data has two or more rows of two or more cells, and no page's layout in its cells. */
static bool is_data_table(const GumboNode *table)
{
    size_t rows = 0, cells = 0, in_row = 0, wide_rows = 0, cell_letters = 0, blocks = 0;
    struct cria_str role = cria_html_attribute(table, "role");
    if (cria_str_is(role, "presentation") || cria_str_is(role, "none")) return false;
    for (const GumboNode *node = cria_html_next(table, table, true); node;
         node = cria_html_next(table, node, true)) {
        if (cria_html_is(node, GUMBO_TAG_TABLE) || cria_html_is(node, GUMBO_TAG_H1) ||
            cria_html_is(node, GUMBO_TAG_H2) || cria_html_is(node, GUMBO_TAG_ARTICLE))
            return false;
        if (cria_html_is(node, GUMBO_TAG_TR)) {
            rows++;
            in_row = 0;
        }
        if (is_cell(node)) {
            cells++;
            cell_letters = blocks = 0;
            wide_rows += ++in_row == 2;
        }
        if (cria_html_is(node, GUMBO_TAG_P)) blocks++;
        if (node->type == GUMBO_NODE_TEXT) cell_letters += strlen(node->v.text.text);
        if (cell_letters > LAYOUT_CELL_LETTERS || blocks > 6) return false;
    }
    return rows >= 2 && wide_rows >= 1 && cells >= 3;
}

static void data_table(struct page *page, const GumboNode *root)
{
    struct cria_table *table = cria_table_new();
    struct cria_md cell;
    if (!table) return;
    cria_md_flush(&page->md);
    cria_md_init(&cell, page->md.doc);
    for (const GumboNode *node = root; node;) {
        bool is_done = cria_html_is_dropped(&page->html, node);
        if (!is_done && cria_html_is(node, GUMBO_TAG_TR)) cria_table_row(table);
        if (!is_done && cria_html_is(node, GUMBO_TAG_CAPTION)) {
            flat_text(page, node, &page->md);
            cria_md_flush(&page->md);
            is_done = true;
        }
        if (!is_done && is_cell(node)) {
            cria_buf_clear(&cell.line);
            cell.gap = false;
            flat_text(page, node, &cell);
            cria_table_cell(table, cria_buf_str(&cell.line), span_of(node, "colspan"),
                            span_of(node, "rowspan"));
            is_done = true;
        }
        node = cria_html_next(root, node, !is_done);
    }
    cria_table_write(table, page->md.doc);
    page->md.is_tight = false;
    cria_md_release(&cell);
    cria_table_free(table);
}

/* A row of a layout: cells with blocks in them stand one below the other, others side by side. */
static void layout_cell(struct page *page, const GumboNode *cell, unsigned depth)
{
    bool has_blocks = false;
    for (const GumboNode *node = cria_html_next(cell, cell, true); node && !has_blocks;
         node = cria_html_next(cell, node, true))
        has_blocks = node->type == GUMBO_NODE_ELEMENT && is_block(node->v.element.tag);
    if (has_blocks) {
        cria_md_flush(&page->md);
        block(page, cell, depth);
        cria_md_flush(&page->md);
    } else {
        cria_md_space(&page->md);
        flat_text(page, cell, &page->md);
        cria_md_space(&page->md);
    }
}

static void layout_table(struct page *page, const GumboNode *root, unsigned depth)
{
    cria_md_flush(&page->md);
    for (const GumboNode *node = cria_html_next(root, root, true); node;) {
        bool is_done = cria_html_is_dropped(&page->html, node);
        if (!is_done && cria_html_is(node, GUMBO_TAG_TR)) cria_md_flush(&page->md);
        if (!is_done && (is_cell(node) || cria_html_is(node, GUMBO_TAG_CAPTION))) {
            layout_cell(page, node, depth);
            is_done = true;
        }
        node = cria_html_next(root, node, !is_done);
    }
    cria_md_flush(&page->md);
}

static void list(struct page *page, const GumboNode *node, unsigned depth)
{
    const GumboVector *children = cria_html_children(node);
    bool is_ordered = cria_html_is(node, GUMBO_TAG_OL);
    int64_t number;
    char marker[CRIA_MD_MARKER_BYTES] = "- ";
    if (!is_ordered || !cria_str_to_int64(cria_html_attribute(node, "start"), &number)) number = 1;
    cria_md_flush(&page->md);
    page->list_depth++;
    for (unsigned i = 0; i < children->length; i++) {
        const GumboNode *item = children->data[i];
        if (cria_html_is_dropped(&page->html, item)) continue;
        if (cria_html_is(item, GUMBO_TAG_LI)) {
            if (is_ordered && number >= 0 && number <= MAX_LIST_NUMBER)
                snprintf(marker, sizeof(marker), "%d. ", (int)number++);
            cria_md_item(&page->md, marker, page->list_depth - 1);
        }
        block(page, item, depth);
        cria_md_flush(&page->md);
        page->md.marker[0] = '\0';
    }
    page->list_depth--;
}

static void code(struct page *page, const GumboNode *node)
{
    struct cria_buf text;
    cria_buf_init(&text, CRIA_DOC_MAX_TEXT_BYTES);
    raw_text(page, node, &text);
    cria_md_code(&page->md, cria_buf_str(&text));
    cria_buf_release(&text);
}

static void children_of(struct page *page, const GumboNode *node, unsigned depth)
{
    const GumboVector *children = cria_html_children(node);
    for (unsigned i = 0; children && i < children->length; i++)
        block(page, children->data[i], depth);
}

static unsigned heading_level(GumboTag tag)
{
    return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? (unsigned)(tag - GUMBO_TAG_H1) + 1 : 0;
}

/* Renders a node; recursion ends at CRIA_HTML_MAX_DEPTH, where the rest becomes plain text. */
static void block(struct page *page, const GumboNode *node, unsigned depth)
{
    struct cria_md *md = &page->md;
    if (cria_html_is_text(node)) {
        cria_md_text(md, cria_str_from(node->v.text.text));
        return;
    }
    if (node->type != GUMBO_NODE_ELEMENT || cria_html_is_dropped(&page->html, node)) return;
    GumboTag tag = node->v.element.tag;
    if (depth >= CRIA_HTML_MAX_DEPTH) {
        flat_text(page, node, md);
    } else if (tag == GUMBO_TAG_BR) {
        cria_md_break(md);
    } else if (tag == GUMBO_TAG_IMG) {
        cria_md_text(md, cria_html_attribute(node, "alt"));
    } else if (heading_level(tag)) {
        cria_md_flush(md);
        flat_text(page, node, md);
        if (heading_level(tag) == 1) cria_doc_set_title(md->doc, cria_buf_str(&md->line));
        cria_md_flush_heading(md, heading_level(tag));
    } else if (tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL) {
        list(page, node, depth + 1);
    } else if (tag == GUMBO_TAG_TABLE) {
        if (is_data_table(node))
            data_table(page, node);
        else
            layout_table(page, node, depth + 1);
    } else if (tag == GUMBO_TAG_PRE) {
        code(page, node);
    } else {
        if (is_block(tag) && tag != GUMBO_TAG_LI) cria_md_flush(md);
        children_of(page, node, depth + 1);
        if (is_block(tag)) cria_md_flush(md);
    }
}

/* The encoding that a <meta> near the start declares. */
static struct cria_str declared_charset(struct cria_str bytes)
{
    struct cria_str head = cria_str_sub(bytes, 0, PRESCAN_BYTES);
    for (size_t i = 0; i + 8 < head.len; i++) {
        if (!cria_str_equal_nocase(cria_str_sub(head, i, 8), CRIA_STR("charset="))) continue;
        size_t start = i + 8;
        while (start < head.len && strchr("\"' ", head.ptr[start])) start++;
        size_t end = start;
        while (end < head.len && !strchr("\"' >;/\r\n\t", head.ptr[end])) end++;
        return cria_str_sub(head, start, end - start);
    }
    return (struct cria_str){0};
}

static void find_title(struct cria_doc *doc, GumboOutput *output)
{
    for (const GumboNode *node = output->root; node;
         node = cria_html_next(output->root, node, true)) {
        if (cria_html_is(node, GUMBO_TAG_BODY)) return;
        if (!cria_html_is(node, GUMBO_TAG_TITLE)) continue;
        const GumboVector *children = cria_html_children(node);
        if (children->length && cria_html_is_text(children->data[0])) {
            const GumboNode *text = children->data[0];
            cria_doc_set_title(doc, cria_str_from(text->v.text.text));
        }
        return;
    }
}

void cria_format_html(const struct cria_source *source, struct cria_doc *doc)
{
    GumboOptions options = kGumboDefaultOptions;
    struct cria_str text;
    options.max_errors = 0;
    if (!cria_source_text(source, doc, declared_charset(source->bytes), &text)) return;
    GumboOutput *output = gumbo_parse_with_options(&options, text.ptr, text.len);
    if (!output) {
        cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
        return;
    }
    struct page page = {.html = cria_html_find_content(output)};
    cria_md_init(&page.md, doc);
    find_title(doc, output);
    block(&page, page.html.root, 0);
    cria_md_flush(&page.md);
    if (doc->text.len == 0 && page.html.is_strict) { /* a page of nothing but navigation */
        page.html.is_strict = false;
        block(&page, page.html.root, 0);
        cria_md_flush(&page.md);
    }
    cria_md_release(&page.md);
    /* gumbo frees by recursion: a tree that would overflow the stack is left to the process. */
    if (page.html.depth < 10 * CRIA_HTML_MAX_DEPTH) gumbo_destroy_output(&options, output);
}
