#include "parser/markdown.h"

#include <stdio.h>

#include "base/utf8.h"

void cria_md_init(struct cria_md *md, struct cria_doc *doc)
{
    *md = (struct cria_md){.doc = doc};
    cria_buf_init(&md->line, CRIA_DOC_MAX_TEXT_BYTES);
}

void cria_md_release(struct cria_md *md)
{
    cria_buf_release(&md->line);
}

/* What a byte position holds besides a letter: how many bytes of white space (kind 1) or of
 * invisible marks (kind 2). */
static size_t blank_at(struct cria_str text, size_t at, int *kind)
{
    unsigned char c = (unsigned char)text.ptr[at];
    *kind = 1;
    if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
    if (c < 0xC2) return 0;
    const char *p = text.ptr + at;
    size_t left = text.len - at;
    if (left >= 2 && memcmp(p, "\xC2\xA0", 2) == 0) return 2;     /* NBSP */
    if (left >= 3 && memcmp(p, "\xE2\x80\xAF", 3) == 0) return 3; /* narrow NBSP */
    if (left >= 3 && c == 0xE2 && (unsigned char)p[1] == 0x80 && (unsigned char)p[2] >= 0x80 &&
        (unsigned char)p[2] <= 0x8A)
        return 3; /* en quad to hair space */
    *kind = 2;
    if (left >= 2 && memcmp(p, "\xC2\xAD", 2) == 0) return 2;     /* soft hyphen */
    if (left >= 3 && memcmp(p, "\xE2\x80\x8B", 3) == 0) return 3; /* zero-width space */
    if (left >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) return 3; /* BOM */
    return 0;
}

void cria_md_text(struct cria_md *md, struct cria_str text)
{
    size_t i = 0;
    if (md->is_pre) {
        cria_buf_add(&md->line, text);
        return;
    }
    while (i < text.len) {
        int kind;
        size_t start = i, blank = 0;
        while (i < text.len && (blank = blank_at(text, i, &kind)) == 0) i++;
        if (i > start) {
            bool at_border = md->line.len == 0 || md->line.ptr[md->line.len - 1] == '\n';
            if (md->gap && !at_border) cria_buf_add_char(&md->line, ' ');
            cria_buf_add(&md->line, cria_str_sub(text, start, i - start));
            md->gap = false;
        }
        if (blank && kind == 1) md->gap = true;
        i += blank;
    }
}

void cria_md_space(struct cria_md *md)
{
    md->gap = true;
}

void cria_md_break(struct cria_md *md)
{
    if (md->line.len && md->line.ptr[md->line.len - 1] != '\n') cria_buf_add_char(&md->line, '\n');
    md->gap = false;
}

void cria_md_item(struct cria_md *md, const char *marker, unsigned depth)
{
    snprintf(md->marker, sizeof(md->marker), "%s", marker);
    md->depth = depth < CRIA_MD_MAX_DEPTH ? depth : CRIA_MD_MAX_DEPTH;
}

static void indent(struct cria_doc *doc, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) cria_doc_add_z(doc, "  ");
}

void cria_md_flush(struct cria_md *md)
{
    struct cria_str text = cria_str_trim(cria_buf_str(&md->line)), line;
    md->gap = false;
    if (md->line.failed)
        cria_doc_fail(md->doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
    if (text.len == 0) {
        cria_buf_clear(&md->line);
        return;
    }
    bool is_item = md->marker[0] != '\0';
    if (is_item && md->is_tight)
        cria_doc_end_line(md->doc);
    else
        cria_doc_blank_line(md->doc);
    indent(md->doc, is_item ? md->depth : 0);
    cria_doc_add_z(md->doc, md->marker);
    while (text.len) {
        cria_str_cut(&text, '\n', &line);
        cria_doc_add(md->doc, line);
        if (text.len) {
            cria_doc_add_z(md->doc, "\n");
            indent(md->doc, is_item ? md->depth + 1 : 0);
        }
    }
    cria_doc_end_line(md->doc);
    if (!is_item) cria_doc_blank_line(md->doc);
    md->is_tight = is_item;
    md->marker[0] = '\0';
    cria_buf_clear(&md->line);
}

void cria_md_flush_heading(struct cria_md *md, unsigned level)
{
    struct cria_str text = cria_str_trim(cria_buf_str(&md->line));
    md->gap = false;
    if (text.len) {
        struct cria_buf full;
        cria_buf_init(&full, CRIA_DOC_MAX_TEXT_BYTES);
        cria_buf_add_z(&full, md->marker); /* a number, if any */
        cria_buf_add(&full, text);
        cria_doc_heading(md->doc, level, cria_buf_str(&full));
        cria_buf_release(&full);
        md->marker[0] = '\0';
        md->is_tight = false;
    }
    cria_buf_clear(&md->line);
}

void cria_md_code(struct cria_md *md, struct cria_str text)
{
    cria_md_flush(md);
    while (text.len && text.ptr[0] == '\n') text = cria_str_sub(text, 1, text.len);
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1])) text.len--;
    if (text.len == 0) return;
    cria_doc_blank_line(md->doc);
    cria_doc_add_z(md->doc, "```\n");
    cria_doc_add(md->doc, text);
    cria_doc_add_z(md->doc, "\n```\n");
    cria_doc_blank_line(md->doc);
    md->is_tight = false;
}
