#include <stdio.h>

#include "base/json.h"
#include "base/json_out.h"
#include "parser/formats.h"

enum { PATH_BYTES = 2048 };

/* JSON as one line a value, `orders[0].customer.name: Ada`, so that a chunk says where its values
 * belong and a phrase stands as it was written. */
struct writer {
    struct cria_doc *doc;
    char path[PATH_BYTES];
    size_t len; /* a path that is too long is cut at its front end, never a value */
};

static size_t push(struct writer *w, struct cria_str name, bool is_index)
{
    size_t before = w->len, need = name.len + 2;
    if (w->len + need >= PATH_BYTES) return before;
    if (is_index) {
        w->path[w->len++] = '[';
    } else if (w->len) {
        w->path[w->len++] = '.';
    }
    if (name.len) memcpy(w->path + w->len, name.ptr, name.len);
    w->len += name.len;
    if (is_index) w->path[w->len++] = ']';
    return before;
}

static void write_scalar(struct writer *w, const struct cria_json *value)
{
    if (w->len) {
        cria_doc_add(w->doc, cria_str_make(w->path, w->len));
        cria_doc_add_z(w->doc, ": ");
    }
    if (value->kind == CRIA_JSON_STRING) {
        cria_doc_add(w->doc, value->text);
    } else {
        struct cria_json_out out = cria_json_out_to(&w->doc->text);
        cria_out_json(&out, value);
    }
    cria_doc_add_z(w->doc, "\n");
}

/* At most 64 levels: base/json.h sees to it. */
static void write_value(struct writer *w, const struct cria_json *value)
{
    if (!cria_doc_ok(w->doc)) return;
    bool is_tree = value->kind == CRIA_JSON_ARRAY || value->kind == CRIA_JSON_OBJECT;
    if (!is_tree || value->count == 0) {
        write_scalar(w, value);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct cria_json *item = &value->items[i];
        char index[24];
        size_t before;
        if (value->kind == CRIA_JSON_ARRAY) {
            snprintf(index, sizeof(index), "%zu", i);
            before = push(w, cria_str_from(index), true);
        } else {
            before = push(w, item->name, false);
        }
        write_value(w, item);
        w->len = before;
        /* Records stand apart, so that chunks end between them. */
        if (value->kind == CRIA_JSON_ARRAY && item->kind == CRIA_JSON_OBJECT && item->count)
            cria_doc_blank_line(w->doc);
    }
}

/* One value a line (JSON Lines); false when a line is no JSON. */
static bool write_lines(struct cria_doc *doc, struct cria_str text)
{
    struct cria_str rest = text, line;
    const char *why;
    size_t count = 0;
    while (rest.len) {
        const struct cria_json *value;
        cria_str_cut(&rest, '\n', &line);
        line = cria_str_trim(line);
        if (line.len == 0) continue;
        if (cria_json_parse(&doc->arena, line, &value, &why) != CRIA_OK) return false;
        struct writer writer = {.doc = doc};
        write_value(&writer, value);
        cria_doc_blank_line(doc);
        count++;
    }
    return count > 0;
}

static bool write_whole(struct cria_doc *doc, struct cria_str text)
{
    const struct cria_json *value;
    const char *why;
    if (cria_json_parse(&doc->arena, text, &value, &why) != CRIA_OK) return false;
    struct writer writer = {.doc = doc};
    write_value(&writer, value);
    return true;
}

void cria_format_json(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_str text;
    if (!cria_source_text(source, doc, CRIA_STR(""), &text)) return;
    if (write_whole(doc, text) || !cria_doc_ok(doc)) return;
    doc->arena.failed = false;
    cria_buf_clear(&doc->text);
    if (write_lines(doc, text) || !cria_doc_ok(doc)) return;
    /* Comments, trailing commas, a cut-off end: what is there can still be read and found. */
    doc->arena.failed = false;
    cria_buf_clear(&doc->text);
    cria_doc_add(doc, text);
}
