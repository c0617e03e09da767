/* dictionary.c - blocks of 16 terms: the first whole, the others as what they share with the one
 * before and the rest. Behind the blocks lie the first 8 bytes of each block's first term as
 * numbers in byte order, so that the search for a block looks at the blocks seldom; then where each
 * block begins; then 64 bytes that tell where all is.
 *   block:  length, bytes; { shared, length of the rest, bytes } up to 15 times */
#include "search/dictionary.h"

#include <stdlib.h>

#include "base/fault.h"

enum { BLOCK_TERMS = 16, FOOTER_BYTES = 64 };
static const uint64_t MAGIC = UINT64_C(0x3130746369645243); /* "CRdict01" */

static uint64_t prefix_of(const char *term, size_t len)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < len ? (uint8_t)term[i] : 0);
    return prefix;
}

static size_t common(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t n = 0, most = a_len < b_len ? a_len : b_len;
    while (n < most && a[n] == b[n]) n++;
    return n;
}

/* ---- writing */

void cria_dictionary_begin(struct cria_dictionary_builder *builder, const struct cria_sink *sink)
{
    memset(builder, 0, sizeof(*builder));
    builder->put.sink = sink;
}

static bool grow(struct cria_dictionary_builder *builder)
{
    size_t capacity = builder->capacity ? builder->capacity * 2 : 256;
    if (cria_fault_fires(CRIA_FAULT_ALLOC)) return false;
    uint64_t *prefixes = realloc(builder->prefixes, capacity * sizeof(*prefixes));
    if (!prefixes) return false;
    builder->prefixes = prefixes;
    uint32_t *offsets = realloc(builder->offsets, capacity * sizeof(*offsets));
    if (!offsets) return false;
    builder->offsets = offsets;
    builder->capacity = capacity;
    return true;
}

static enum cria_status start_block(struct cria_dictionary_builder *builder, struct cria_str term)
{
    if (builder->block_count == builder->capacity && !grow(builder)) return CRIA_E_NO_MEMORY;
    builder->prefixes[builder->block_count] = prefix_of(term.ptr, term.len);
    builder->offsets[builder->block_count++] = (uint32_t)builder->put.written;
    const uint8_t len = (uint8_t)term.len;
    cria_put(&builder->put, &len, 1);
    cria_put(&builder->put, term.ptr, term.len);
    return CRIA_OK;
}

enum cria_status cria_dictionary_add(struct cria_dictionary_builder *builder, struct cria_str term)
{
    const char *last = (const char *)builder->last;
    if (builder->status != CRIA_OK) return builder->status;
    if (term.len == 0 || term.len > CRIA_DICTIONARY_MAX_TERM || builder->count == UINT32_MAX - 1 ||
        (builder->count && cria_str_compare(term, cria_str_make(last, builder->last_len)) <= 0))
        return builder->status = CRIA_E_BAD_REQUEST;
    if (builder->put.written > UINT32_MAX - 2 - CRIA_DICTIONARY_MAX_TERM)
        return builder->status = CRIA_E_TOO_LARGE;
    if (builder->count % BLOCK_TERMS == 0) {
        builder->status = start_block(builder, term);
    } else {
        size_t shared = common(last, builder->last_len, term.ptr, term.len);
        const uint8_t head[2] = {(uint8_t)shared, (uint8_t)(term.len - shared)};
        cria_put(&builder->put, head, sizeof(head));
        cria_put(&builder->put, term.ptr + shared, term.len - shared);
    }
    if (builder->put.failed) builder->status = CRIA_E_IO;
    memcpy(builder->last, term.ptr, term.len);
    builder->last_len = term.len;
    builder->count += builder->status == CRIA_OK;
    return builder->status;
}

enum cria_status cria_dictionary_end(struct cria_dictionary_builder *builder)
{
    struct cria_put *put = &builder->put;
    uint64_t blocks_len = put->written, prefixes_at, offsets_at;
    if (builder->status != CRIA_OK) return builder->status;
    cria_put_align(put);
    prefixes_at = put->written;
    cria_put(put, builder->prefixes, builder->block_count * sizeof(uint64_t));
    offsets_at = put->written;
    cria_put(put, builder->offsets, builder->block_count * sizeof(uint32_t));
    cria_put32(put, (uint32_t)blocks_len);
    cria_put_align(put);
    cria_put64(put, blocks_len);
    cria_put64(put, prefixes_at);
    cria_put64(put, offsets_at);
    cria_put32(put, builder->count);
    cria_put32(put, (uint32_t)builder->block_count);
    for (size_t i = 0; i < 3; i++) cria_put64(put, 0);
    cria_put64(put, MAGIC);
    if (!cria_put_flush(put)) builder->status = CRIA_E_IO;
    return builder->status;
}

void cria_dictionary_release(struct cria_dictionary_builder *builder)
{
    if (!builder) return;
    free(builder->prefixes);
    free(builder->offsets);
    builder->prefixes = NULL;
    builder->offsets = NULL;
}

/* ---- reading */

enum cria_status cria_dictionary_open(struct cria_bytes bytes, struct cria_dictionary *out)
{
    if (bytes.len < FOOTER_BYTES || !cria_bytes_check(&bytes, bytes.len - FOOTER_BYTES, 64))
        return CRIA_E_CORRUPT;
    const uint8_t *footer = bytes.ptr + bytes.len - FOOTER_BYTES;
    uint64_t end = bytes.len - FOOTER_BYTES, blocks_len = cria_load64(footer),
             prefixes_at = cria_load64(footer + 8), offsets_at = cria_load64(footer + 16);
    uint32_t count = cria_load32(footer + 24), block_count = cria_load32(footer + 28);
    if (cria_load64(footer + 56) != MAGIC || blocks_len > end || prefixes_at > end ||
        offsets_at > end || blocks_len > UINT32_MAX ||
        block_count != count / BLOCK_TERMS + (count % BLOCK_TERMS != 0))
        return CRIA_E_CORRUPT;
    if (prefixes_at < blocks_len || offsets_at < prefixes_at ||
        (offsets_at - prefixes_at) / sizeof(uint64_t) < block_count ||
        (end - offsets_at) / sizeof(uint32_t) < (uint64_t)block_count + 1)
        return CRIA_E_CORRUPT;
    *out = (struct cria_dictionary){.bytes = bytes,
                                    .count = count,
                                    .block_count = block_count,
                                    .blocks_len = (size_t)blocks_len,
                                    .prefixes_at = (size_t)prefixes_at,
                                    .offsets_at = (size_t)offsets_at};
    return CRIA_OK;
}

/* Where a block lies, checked; false when its bytes are bad. */
static bool block_range(const struct cria_dictionary *d, uint32_t block, size_t *start, size_t *end)
{
    size_t at = d->offsets_at + (size_t)block * sizeof(uint32_t);
    if (!cria_bytes_check(&d->bytes, at, 2 * sizeof(uint32_t))) return false;
    *start = cria_load32(d->bytes.ptr + at);
    *end = cria_load32(d->bytes.ptr + at + sizeof(uint32_t));
    return *start < *end && *end <= d->blocks_len &&
           cria_bytes_check(&d->bytes, *start, *end - *start);
}

/* The first term of a block that lies at [start, end), as it lies there. */
static struct cria_str head_of(const struct cria_dictionary *d, size_t start, size_t end)
{
    size_t len = d->bytes.ptr[start];
    if (len > end - start - 1) return (struct cria_str){0};
    return cria_str_make((const char *)d->bytes.ptr + start + 1, len);
}

/* The last block whose first term is not behind the term; UINT32_MAX: there is none. */
static uint32_t find_block(const struct cria_dictionary *d, struct cria_str term)
{
    uint64_t prefix = prefix_of(term.ptr, term.len);
    uint32_t low = 0, high = d->block_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        size_t at = d->prefixes_at + (size_t)middle * sizeof(uint64_t), start, end;
        if (!cria_bytes_check(&d->bytes, at, sizeof(uint64_t))) return UINT32_MAX;
        uint64_t there = cria_load64(d->bytes.ptr + at);
        bool is_behind = there > prefix;
        if (there == prefix) {
            if (!block_range(d, middle, &start, &end)) return UINT32_MAX;
            is_behind = cria_str_compare(head_of(d, start, end), term) > 0;
        }
        if (is_behind)
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? UINT32_MAX : low - 1;
}

static uint32_t terms_in(const struct cria_dictionary *d, uint32_t block)
{
    uint32_t rest = d->count - block * BLOCK_TERMS;
    return rest < BLOCK_TERMS ? rest : BLOCK_TERMS;
}

uint32_t cria_dictionary_find(const struct cria_dictionary *d, struct cria_str term)
{
    size_t at, end;
    if (term.len == 0 || term.len > CRIA_DICTIONARY_MAX_TERM) return UINT32_MAX;
    uint32_t block = find_block(d, term);
    if (block == UINT32_MAX || !block_range(d, block, &at, &end)) return UINT32_MAX;
    struct cria_str head = head_of(d, at, end);
    /* `match` bytes of the term are those of the entry before it in the block, which is smaller. An
     * entry that shares more with that one is smaller as well, one that shares less is larger. */
    size_t match = common(head.ptr, head.len, term.ptr, term.len);
    if (match == term.len) return head.len == match ? block * BLOCK_TERMS : UINT32_MAX;
    at += 1 + head.len;
    for (uint32_t i = 1, count = terms_in(d, block); i < count; i++) {
        if (end - at < 2) return UINT32_MAX;
        size_t shared = d->bytes.ptr[at], len = d->bytes.ptr[at + 1];
        const char *rest = (const char *)d->bytes.ptr + at + 2;
        at += 2;
        if (len > end - at || shared < match) return UINT32_MAX;
        at += len;
        if (shared > match) continue;
        size_t n = common(rest, len, term.ptr + match, term.len - match);
        match += n;
        if (match == term.len) return n == len ? block * BLOCK_TERMS + i : UINT32_MAX;
        if (n < len && (uint8_t)rest[n] > (uint8_t)term.ptr[match]) return UINT32_MAX;
    }
    return UINT32_MAX;
}

/* Moves from one term of a block to the next; `len` is of the term before in `term`. */
static bool next_in_block(const struct cria_dictionary *d, size_t *at, size_t end, bool is_first,
                          char term[CRIA_DICTIONARY_MAX_TERM + 1], size_t *len)
{
    const uint8_t *bytes = d->bytes.ptr;
    size_t shared = 0, rest;
    if (end - *at < (is_first ? 1 : 2)) return false;
    if (!is_first) shared = bytes[(*at)++];
    rest = bytes[(*at)++];
    if (shared > *len || shared + rest > CRIA_DICTIONARY_MAX_TERM || rest > end - *at) return false;
    memcpy(term + shared, bytes + *at, rest);
    *len = shared + rest;
    term[*len] = 0;
    *at += rest;
    return true;
}

struct cria_str cria_dictionary_term(const struct cria_dictionary *d, uint32_t ordinal,
                                     char out[CRIA_DICTIONARY_MAX_TERM + 1])
{
    size_t at, end, len = 0;
    if (ordinal >= d->count || !block_range(d, ordinal / BLOCK_TERMS, &at, &end))
        return (struct cria_str){0};
    for (uint32_t i = 0; i <= ordinal % BLOCK_TERMS; i++)
        if (!next_in_block(d, &at, end, i == 0, out, &len)) return (struct cria_str){0};
    return cria_str_make(out, len);
}

void cria_dictionary_cursor_init(struct cria_dictionary_cursor *cursor,
                                 const struct cria_dictionary *dictionary)
{
    memset(cursor, 0, sizeof(*cursor));
    cursor->dictionary = dictionary;
}

bool cria_dictionary_cursor_next(struct cria_dictionary_cursor *cursor, struct cria_str *term)
{
    const struct cria_dictionary *d = cursor->dictionary;
    uint32_t within = cursor->next % BLOCK_TERMS;
    if (cursor->failed || cursor->next >= d->count) return false;
    if ((within == 0 && !block_range(d, cursor->next / BLOCK_TERMS, &cursor->at, &cursor->end)) ||
        !next_in_block(d, &cursor->at, cursor->end, within == 0, cursor->term, &cursor->len)) {
        cursor->failed = true;
        return false;
    }
    cursor->next++;
    *term = cria_str_make(cursor->term, cursor->len);
    return true;
}
