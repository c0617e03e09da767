#include "model/sse_reader.h"

void cria_sse_init(struct cria_sse_reader *reader, size_t cap_bytes,
                   void (*on_event)(void *arg, const struct cria_sse_event *event), void *arg)
{
    *reader = (struct cria_sse_reader){.on_event = on_event, .arg = arg, .cap = cap_bytes};
    cria_buf_init(&reader->line, cap_bytes);
    cria_buf_init(&reader->data, cap_bytes);
    cria_buf_init(&reader->name, 256);
}

void cria_sse_release(struct cria_sse_reader *reader)
{
    cria_buf_release(&reader->line);
    cria_buf_release(&reader->data);
    cria_buf_release(&reader->name);
}

static void dispatch(struct cria_sse_reader *reader)
{
    if (reader->has_data) {
        struct cria_sse_event event = {cria_buf_str(&reader->name), cria_buf_str(&reader->data)};
        reader->on_event(reader->arg, &event);
    }
    reader->has_data = false;
    cria_buf_clear(&reader->data);
    cria_buf_clear(&reader->name);
}

static void take_line(struct cria_sse_reader *reader, struct cria_str line)
{
    struct cria_str field, value = line;
    if (!reader->started && cria_str_starts(line, "\xEF\xBB\xBF"))
        value = line = cria_str_sub(line, 3, SIZE_MAX);
    reader->started = true;
    if (line.len == 0) {
        dispatch(reader);
        return;
    }
    if (line.ptr[0] == ':') return; /* a comment */
    cria_str_cut(&value, ':', &field);
    if (value.len && value.ptr[0] == ' ') value = cria_str_sub(value, 1, SIZE_MAX);
    if (cria_str_is(field, "data")) {
        if (reader->has_data) cria_buf_add_char(&reader->data, '\n');
        cria_buf_add(&reader->data, value);
        reader->has_data = true;
        reader->failed |= reader->data.failed;
    } else if (cria_str_is(field, "event")) {
        cria_buf_clear(&reader->name);
        cria_buf_add(&reader->name, cria_str_sub(value, 0, 200));
    } else if (cria_str_is(field, "error")) {
        struct cria_sse_event event = {CRIA_STR("error"), value};
        reader->on_event(reader->arg, &event);
    }
}

bool cria_sse_feed(struct cria_sse_reader *reader, struct cria_str bytes)
{
    size_t from = 0;
    for (size_t at = 0; at < bytes.len && !reader->failed; at++) {
        char c = bytes.ptr[at];
        bool is_second = c == '\n' && reader->after_cr; /* the LF of a CRLF, seen as its CR */
        reader->after_cr = c == '\r';
        if (c != '\n' && c != '\r') continue;
        if (!is_second) {
            struct cria_str part = cria_str_sub(bytes, from, at - from);
            if (reader->line.len) {
                cria_buf_add(&reader->line, part);
                part = cria_buf_str(&reader->line);
            } else if (part.len > reader->cap) {
                reader->failed = true;
            }
            reader->failed |= reader->line.failed;
            if (!reader->failed) take_line(reader, part);
            cria_buf_clear(&reader->line);
        }
        from = at + 1;
    }
    if (!reader->failed) cria_buf_add(&reader->line, cria_str_sub(bytes, from, SIZE_MAX));
    reader->failed |= reader->line.failed;
    return !reader->failed;
}

bool cria_sse_end(struct cria_sse_reader *reader)
{
    if (reader->failed) return false;
    if (reader->line.len) take_line(reader, cria_buf_str(&reader->line));
    cria_buf_clear(&reader->line);
    if (!reader->failed) dispatch(reader);
    return !reader->failed;
}
