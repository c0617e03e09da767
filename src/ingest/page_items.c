#include "ingest/page_items.h"

#include <stdio.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/blobs.h"

struct walk {
    const struct cria_parsed *parsed;
    size_t heading;           /* next heading at or behind the walk */
    size_t byte, chars, stop; /* where we are, and where the page ends */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void step(struct walk *walk)
{
    const char *text = walk->parsed->text.ptr;
    do walk->byte++;
    while (walk->byte < walk->stop && ((unsigned char)text[walk->byte] & 0xC0) == 0x80);
    walk->chars++;
}

/* The next item: a heading, or what stands until a blank line, a heading or the page's end. */
static bool next_item(struct walk *walk, struct cria_str *item, unsigned *level, size_t *char_start)
{
    const struct cria_parsed *parsed = walk->parsed;
    const char *text = parsed->text.ptr;
    while (walk->byte < walk->stop && is_blank(text[walk->byte])) step(walk);
    if (walk->byte >= walk->stop) return false;
    while (walk->heading < parsed->heading_count &&
           parsed->headings[walk->heading].byte_end <= walk->byte)
        walk->heading++;
    size_t from = walk->byte, stop = walk->stop;
    *char_start = walk->chars;
    *level = 0;
    if (walk->heading < parsed->heading_count) {
        const struct cria_parsed_heading *heading = &parsed->headings[walk->heading];
        if (heading->byte_start <= from) {
            *level = heading->level;
            if (heading->byte_end < stop) stop = heading->byte_end;
        } else if (heading->byte_start < stop) {
            stop = heading->byte_start;
        }
    }
    while (walk->byte < stop) {
        bool gap =
            text[walk->byte] == '\n' && walk->byte + 1 < stop && text[walk->byte + 1] == '\n';
        if (gap && *level == 0) break;
        step(walk);
    }
    *item = cria_str_trim(cria_str_sub(parsed->text, from, walk->byte - from));
    return true;
}

static void write_page(struct cria_buf *buf, struct walk *walk, uint32_t number)
{
    struct cria_json_out out = cria_json_out_to(buf);
    struct cria_str item;
    unsigned level;
    size_t char_start;
    cria_out_object(&out);
    cria_out_member_int(&out, "page", number);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    while (next_item(walk, &item, &level, &char_start)) {
        struct cria_str value = item;
        while (level && value.len && (value.ptr[0] == '#' || value.ptr[0] == ' '))
            value = cria_str_sub(value, 1, value.len);
        cria_out_object(&out);
        cria_out_member_z(&out, "type", level ? "heading" : item.ptr[0] == '|' ? "table" : "text");
        if (level) cria_out_member_int(&out, "lvl", level);
        cria_out_member_str(&out, "value", value);
        cria_out_member_str(&out, "md", item);
        cria_out_member_int(&out, "char_start", (int64_t)char_start);
        cria_out_member_int(&out, "char_end", (int64_t)(char_start + cria_utf8_count(item)));
        cria_out_end(&out);
    }
    cria_out_end(&out);
    cria_out_end(&out);
}

static bool add_row(struct cria_attachments *list, const struct cria_attachment *row)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        struct cria_attachment *grown =
            CRIA_NEW_ARRAY(list->arena, capacity, struct cria_attachment);
        if (!grown) return false;
        if (list->count) memcpy(grown, list->rows, list->count * sizeof(*grown));
        list->rows = grown;
        list->capacity = capacity;
    }
    struct cria_attachment *out = &list->rows[list->count];
    *out = *row;
    out->name = cria_arena_copy(list->arena, row->name);
    out->sha256 = cria_arena_copy(list->arena, row->sha256);
    if (!out->name.ptr || !out->sha256.ptr) return false;
    list->count++;
    return true;
}

enum cria_status cria_attachments_keep(struct cria_attachments *list, struct cria_call *call,
                                       const char *name, const char *media_type, uint32_t page,
                                       struct cria_str bytes)
{
    char sha[CRIA_SHA256_HEX];
    bool moved;
    cria_sha256_hex(bytes, sha);
    struct cria_blob_source source = {
        .bytes = bytes, .spool_fd = -1, .size_bytes = bytes.len, .sha256 = sha};
    enum cria_status st = cria_blob_put(list->store, call, list->project, &source, &moved);
    if (st != CRIA_OK) return st;
    const struct cria_attachment row = {.entry_id = list->entry_id,
                                        .name = cria_str_from(name),
                                        .media_type = cria_str_from(media_type),
                                        .sha256 = cria_str_from(sha),
                                        .size_bytes = bytes.len,
                                        .sort_key = page,
                                        .last_modified_us = cria_wall_us()};
    pthread_mutex_lock(list->lock);
    bool added = add_row(list, &row);
    pthread_mutex_unlock(list->lock);
    if (!added) cria_blob_unpin(list->store, call, list->project, sha);
    return added ? CRIA_OK : cria_fail_memory(call);
}

void cria_attachments_end(struct cria_attachments *list, struct cria_call *call)
{
    char sha[CRIA_SHA256_HEX];
    for (size_t i = 0; i < list->count; i++) {
        if (!cria_str_copy_z(list->rows[i].sha256, sha, sizeof(sha))) continue;
        cria_blob_unpin(list->store, call, list->project, sha);
        cria_blob_release(list->store, call, list->project, sha);
    }
    list->count = 0;
}

enum cria_status cria_page_items_keep(struct cria_attachments *list, struct cria_call *call,
                                      const struct cria_parsed *parsed)
{
    size_t pages = parsed->has_pages && parsed->page_count ? parsed->page_count : 1;
    struct walk walk = {.parsed = parsed};
    struct cria_buf buf;
    enum cria_status st = CRIA_OK;
    cria_buf_init(&buf, SIZE_MAX);
    for (size_t i = 0; i < pages && st == CRIA_OK; i++) {
        bool counted = parsed->has_pages && parsed->page_count > 0;
        uint32_t number = counted ? parsed->pages[i].number : 1;
        char name[40];
        walk.stop = i + 1 < pages ? parsed->pages[i + 1].byte_start : parsed->text.len;
        cria_buf_clear(&buf);
        write_page(&buf, &walk, number);
        snprintf(name, sizeof(name), "items/page_%u.json", number);
        st = buf.failed ? cria_fail_memory(call)
                        : cria_attachments_keep(list, call, name, "application/json", number,
                                                cria_buf_str(&buf));
    }
    cria_buf_release(&buf);
    return st;
}
