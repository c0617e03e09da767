#include <md4c.h>

#include "parser/formats.h"

/* Markdown stays as it is; md4c says where its headings are. Its text callbacks get pointers into
 * the source, so a heading's place is exact. */
struct walk {
    struct cria_doc *doc;
    const char *base;   /* what md4c reads */
    size_t shift, size; /* its place in doc->text; its bytes */
    size_t start, end;  /* of the heading's text; SIZE_MAX: none seen yet */
    unsigned level;     /* 0: not in a heading */
};

/* From the line's own marks to the line's end; the underline of a setext heading stays outside. */
static void note(struct walk *walk)
{
    const char *text = walk->base;
    size_t start = walk->start, end = walk->end;
    while (start > 0 && text[start - 1] != '\n' && strchr("# \t*_`[!~<", text[start - 1])) start--;
    while (start < walk->start && (text[start] == ' ' || text[start] == '\t')) start++;
    while (end < walk->size && text[end] != '\n') end++;
    while (end > walk->end && (text[end - 1] == ' ' || text[end - 1] == '\t')) end--;
    cria_doc_note_heading(walk->doc, walk->level, walk->shift + start, walk->shift + end);
    if (walk->level == 1)
        cria_doc_set_title(walk->doc, cria_str_make(text + walk->start, walk->end - walk->start));
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct walk *walk = userdata;
    if (type == MD_BLOCK_H) {
        walk->level = ((const MD_BLOCK_H_DETAIL *)detail)->level;
        walk->start = SIZE_MAX;
    }
    return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *userdata)
{
    struct walk *walk = userdata;
    (void)detail;
    if (type == MD_BLOCK_H) {
        if (walk->start != SIZE_MAX) note(walk);
        walk->level = 0;
    }
    return 0;
}

static int nothing(MD_SPANTYPE type, void *detail, void *userdata)
{
    (void)type, (void)detail, (void)userdata;
    return 0;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *ptr, MD_SIZE size, void *userdata)
{
    struct walk *walk = userdata;
    uintptr_t at = (uintptr_t)ptr, base = (uintptr_t)walk->base;
    (void)type;
    /* Line breaks and the like are static texts elsewhere. */
    if (walk->level == 0 || size == 0 || at < base || at - base > walk->size) return 0;
    if (walk->start == SIZE_MAX) walk->start = at - base;
    walk->end = at - base + size;
    return 0;
}

/* The bytes of a YAML head between two lines `---`; its title is the document's. */
static size_t front_matter(struct cria_doc *doc, struct cria_str source)
{
    if (!cria_str_starts(source, "---\n")) return 0;
    size_t end = cria_str_find(cria_str_sub(source, 3, 1 << 16), CRIA_STR("\n---\n"));
    if (end == SIZE_MAX) return 0;
    struct cria_str rest = cria_str_sub(source, 4, end), line;
    while (rest.len) {
        cria_str_cut(&rest, '\n', &line);
        if (!cria_str_starts(line, "title:")) continue;
        struct cria_str title = cria_str_trim(cria_str_sub(line, 6, line.len));
        if (title.len >= 2 && (title.ptr[0] == '"' || title.ptr[0] == '\'') &&
            title.ptr[title.len - 1] == title.ptr[0])
            title = cria_str_sub(title, 1, title.len - 2);
        cria_doc_set_title(doc, title);
    }
    return end + 3 + 5;
}

void cria_format_markdown(const struct cria_source *source, struct cria_doc *doc)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = nothing,
        .leave_span = nothing,
        .text = text,
    };
    struct cria_str all;
    if (!cria_source_text(source, doc, CRIA_STR(""), &all)) return;
    cria_doc_add(doc, all);
    if (!cria_doc_ok(doc) || doc->text.len > UINT32_MAX) return;
    /* md4c 0.4 looks for the end of links with strcspn(): a NUL stops it where the text ends. */
    if (!cria_buf_reserve(&doc->text, 1)) return;
    doc->text.ptr[doc->text.len] = '\0';
    size_t head = front_matter(doc, cria_buf_str(&doc->text));
    struct walk walk = {
        .doc = doc, .base = doc->text.ptr + head, .shift = head, .size = doc->text.len - head};
    md_parse(walk.base, (MD_SIZE)walk.size, &parser, &walk);
}
