/* chunk.c - one pass over the text: blocks (paragraphs, headings, table rows) are gathered until a
 * chunk is full. A block that is too long alone is cut inside, at the best place in its second
 * half. */
#include "ingest/chunk.h"

#include "base/buf.h"
#include "base/utf8.h"

enum { SMALL_SECTION_CHARS = 350, HEADING_DEPTH = 6, HEADING_PATH_BYTES = 300 };

struct mark { /* a place in the text, both ways of counting */
    size_t byte, chars;
};

struct chunker {
    struct cria_arena *arena;
    const struct cria_parsed *parsed;
    const struct cria_chunk_options *options;
    struct cria_chunk *items;
    size_t count, capacity;
    size_t next_heading;                 /* first heading that begins at or behind the scan */
    size_t page;                         /* last page that begins at or before the scan */
    struct cria_str path[HEADING_DEPTH]; /* headings in force, by level */
    struct cria_str open_path;           /* of the chunk being gathered */
    struct mark start, end;              /* of the chunk being gathered; equal when empty */
    enum cria_status status;
};

uint32_t cria_token_estimate(struct cria_str text)
{
    size_t ascii = 0, wide = 0, other = 0, at = 0;
    while (at < text.len) {
        uint32_t c = cria_utf8_next(text, &at);
        if (c < 0x80)
            ascii++;
        else if ((c >= 0x0E00 && c <= 0x0E7F) || (c >= 0x3040 && c <= 0x9FFF) ||
                 (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0x20000 && c <= 0x3FFFF))
            wide++;
        else
            other++;
    }
    return (uint32_t)((double)ascii / 3.6 + (double)wide + (double)other / 2.0 + 0.999);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The headings in force at the chunk's start, outermost first. */
static struct cria_str path_text(struct chunker *k)
{
    struct cria_buf buf;
    struct cria_str text = {0};
    cria_buf_init(&buf, HEADING_PATH_BYTES * 2);
    for (int level = 0; level < HEADING_DEPTH; level++) {
        if (k->path[level].len == 0) continue;
        if (buf.len) cria_buf_add(&buf, CRIA_STR(" > "));
        cria_buf_add(&buf, cria_utf8_cut(k->path[level], HEADING_PATH_BYTES / 3));
    }
    if (buf.len && !buf.failed)
        text = cria_arena_copy(k->arena, cria_utf8_cut(cria_buf_str(&buf), HEADING_PATH_BYTES));
    cria_buf_release(&buf);
    return text;
}

static uint32_t page_at(struct chunker *k, size_t byte)
{
    const struct cria_parsed *parsed = k->parsed;
    if (!parsed->has_pages || parsed->page_count == 0) return 0;
    while (k->page + 1 < parsed->page_count && parsed->pages[k->page + 1].byte_start <= byte)
        k->page++;
    return parsed->pages[k->page].number;
}

static void emit(struct chunker *k)
{
    struct cria_str text = k->parsed->text;
    while (k->start.byte < k->end.byte && is_blank(text.ptr[k->start.byte])) {
        k->start.byte++;
        k->start.chars++;
    }
    while (k->end.byte > k->start.byte && is_blank(text.ptr[k->end.byte - 1])) {
        k->end.byte--;
        k->end.chars--;
    }
    if (k->start.byte == k->end.byte || k->status != CRIA_OK) return;
    if (k->count == k->capacity) {
        size_t capacity = k->capacity ? k->capacity * 2 : 16;
        struct cria_chunk *grown = CRIA_NEW_ARRAY(k->arena, capacity, struct cria_chunk);
        if (!grown) {
            k->status = CRIA_E_NO_MEMORY;
            return;
        }
        if (k->count) memcpy(grown, k->items, k->count * sizeof(*grown));
        k->items = grown;
        k->capacity = capacity;
    }
    struct cria_str content = cria_str_sub(text, k->start.byte, k->end.byte - k->start.byte);
    uint32_t first_page = page_at(k, k->start.byte);
    k->items[k->count] = (struct cria_chunk){
        .n = (uint32_t)k->count,
        .byte_start = k->start.byte,
        .byte_end = k->end.byte,
        .char_start = k->start.chars,
        .char_end = k->end.chars,
        .page_start = first_page,
        .page_end = page_at(k, k->end.byte - 1),
        .token_count = cria_token_estimate(content),
        .heading = k->open_path,
    };
    k->count++;
}

static void close_chunk(struct chunker *k, struct mark next)
{
    emit(k);
    k->start = k->end = next;
    k->open_path = path_text(k);
}

/* How good a cut right behind `at` is: 3 line end, 2 sentence end, 1 blank, 0 none. */
static int cut_quality(struct cria_str text, size_t at)
{
    char c = text.ptr[at];
    if (c == '\n') return 3;
    if (at + 3 <= text.len && (memcmp(text.ptr + at, "\xE3\x80\x82", 3) == 0 ||
                               memcmp(text.ptr + at, "\xEF\xBC\x81", 3) == 0 ||
                               memcmp(text.ptr + at, "\xEF\xBC\x9F", 3) == 0))
        return 2; /* 。！？ */
    if (c == ' ' && at > 0 && strchr(".!?;:", text.ptr[at - 1])) return 2;
    return is_blank(c) ? 1 : 0;
}

/* Cuts a block that is too long alone into chunks; what is left stays open. */
static struct mark split_block(struct chunker *k, struct mark from, struct mark to)
{
    struct cria_str text = k->parsed->text;
    while (to.chars - from.chars > k->options->max_chars) {
        struct mark at = from, best = {0};
        int best_quality = -1;
        while (at.chars - from.chars < k->options->max_chars) {
            int quality = at.chars - from.chars >= k->options->target_chars / 2
                              ? cut_quality(text, at.byte)
                              : -1;
            do at.byte++;
            while (at.byte < to.byte && is_continuation(text.ptr[at.byte]));
            at.chars++;
            if (quality >= best_quality && quality >= 0) {
                best_quality = quality;
                best = at;
            }
        }
        if (best_quality <= 0) best = at;
        k->start = from;
        k->end = best;
        close_chunk(k, best);
        from = best;
    }
    return from;
}

/* A block: [from, to) with the blank lines behind it. */
static void take_block(struct chunker *k, struct mark from, struct mark to, bool is_heading)
{
    size_t have = k->end.chars - k->start.chars, more = to.chars - from.chars;
    bool is_full = have >= k->options->target_chars || have + more > k->options->max_chars;
    bool new_section = is_heading && have >= SMALL_SECTION_CHARS;
    if (have && (is_full || new_section)) close_chunk(k, from);
    if (k->start.byte == k->end.byte) {
        k->start = from;
        k->open_path = path_text(k);
    }
    if (more > k->options->max_chars) from = split_block(k, from, to);
    if (k->start.byte == k->end.byte) k->start = from;
    k->end = to;
}

static void note_heading(struct chunker *k, const struct cria_parsed_heading *heading)
{
    struct cria_str text = k->parsed->text;
    int level = heading->level < 1               ? 0
                : heading->level > HEADING_DEPTH ? HEADING_DEPTH - 1
                                                 : (int)heading->level - 1;
    struct cria_str title =
        cria_str_sub(text, heading->byte_start, heading->byte_end - heading->byte_start);
    while (title.len && (title.ptr[0] == '#' || is_blank(title.ptr[0])))
        title = cria_str_sub(title, 1, title.len);
    k->path[level] = cria_str_trim(title);
    for (int i = level + 1; i < HEADING_DEPTH; i++) k->path[i] = (struct cria_str){0};
}

/* The end of the block that begins at `at`: behind the next blank line, or before the next heading,
 * or at the end. */
static struct mark block_end(const struct chunker *k, struct mark at, size_t stop_byte)
{
    struct cria_str text = k->parsed->text;
    bool in_gap = false;
    unsigned newlines = 0;
    while (at.byte < stop_byte) {
        char c = text.ptr[at.byte];
        if (c == '\n')
            newlines++;
        else if (!is_blank(c)) {
            if (in_gap) break;
            newlines = 0;
        }
        in_gap = newlines >= 2;
        at.byte++;
        if (at.byte >= text.len || !is_continuation(text.ptr[at.byte])) at.chars++;
    }
    return at;
}

enum cria_status cria_chunk_text(struct cria_arena *arena, const struct cria_parsed *parsed,
                                 const struct cria_chunk_options *options,
                                 struct cria_chunk_list *out)
{
    struct chunker k = {.arena = arena, .parsed = parsed, .options = options, .status = CRIA_OK};
    struct mark at = {0, 0};
    while (at.byte < parsed->text.len && k.status == CRIA_OK) {
        bool is_heading = false;
        while (k.next_heading < parsed->heading_count &&
               parsed->headings[k.next_heading].byte_start < at.byte)
            k.next_heading++;
        if (k.next_heading < parsed->heading_count &&
            parsed->headings[k.next_heading].byte_start == at.byte) {
            is_heading = true;
            if (k.end.chars - k.start.chars >= SMALL_SECTION_CHARS) close_chunk(&k, at);
            note_heading(&k, &parsed->headings[k.next_heading++]);
        }
        size_t stop = k.next_heading < parsed->heading_count
                          ? parsed->headings[k.next_heading].byte_start
                          : parsed->text.len;
        struct mark to = block_end(&k, at, stop > at.byte ? stop : parsed->text.len);
        take_block(&k, at, to, is_heading);
        at = to;
    }
    if (k.status == CRIA_OK) emit(&k);
    if (arena->failed) k.status = CRIA_E_NO_MEMORY;
    *out = (struct cria_chunk_list){k.items, k.count};
    return k.status;
}
