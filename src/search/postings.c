/* postings.c - packs lists of postings, and reads them.
 * A list of 1 to 3 postings: the maximum (1 byte), then for each the gap to the one before (the id
 * itself for the first), doubled, plus 1 if a tf follows, as a varint; and the tf less 1 likewise.
 * Of 4 to 127: the maximum, the widths (1), gaps less 1, tfs less 1, packed one behind the other.
 * From 128 on, b blocks of 128, the last of 1 to 128: the list's maximum (1), the last ids (4 b),
 * the places of the blocks behind all this in units of 16 bytes (4 b), the maxima (b), the widths
 * (b), the blocks. Widths: that of the gaps, 0 to 31, in the low 5 bits, a row of tf_bits above. */
#include "search/postings.h"

#include <assert.h>
#include <math.h>

#include "search/norms.h"
#include "search/pack.h"

enum {
    BLOCK = CRIA_POSTINGS_BLOCK,
    FEW = 4,
    NEAR = 16, /* so many are compared at once */
    ENTRY_BYTES = 10,
    MAX_BLOCK_BYTES = 16 * (31 + 16)
};
static const uint8_t tf_bits[8] = {0, 1, 2, 3, 4, 6, 8, 16};
static const uint32_t TOP_BIT = 1u << 31;

double cria_bm25(double tf, double length, double average)
{
    const double k1 = CRIA_BM25_K1, b = CRIA_BM25_B;
    return tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / (average > 0 ? average : 1)));
}

/* ---- maxima ---- */

double cria_postings_bound(uint8_t code)
{
    return (CRIA_BM25_K1 + 1) / 255 * code;
}

/* The least code whose bound is not below. */
static uint8_t code_of(double bound)
{
    double code = ceil(bound / (CRIA_BM25_K1 + 1) * 255);
    if (!(code < 255)) return 255;
    return (uint8_t)(cria_postings_bound((uint8_t)code) < bound ? code + 1 : code);
}

/* Let s be the segment's average length, q the query's, f(x) = tf (k1 + 1) / d(x) with d(x) = tf +
 * k1 (1 - b) + k1 b length / x. If q <= s, then d(q) >= d(s) and f(q) <= f(s). Else let r = q / s
 * > 1: of the parts of d(s), k1 b length / s is r times that of d(q), the others are the same; so
 * d(s) <= r d(q), and f(q) = f(s) d(s) / d(q) <= r f(s). Whatever the lengths, f < k1 + 1. */
double cria_postings_stretch(double average, double segment_average)
{
    double q = average > 0 ? average : 1, s = segment_average > 0 ? segment_average : 1;
    return q > s ? q / s : 1;
}

double cria_postings_max(const struct cria_postings *at, double average, double segment_average)
{
    double bound =
        cria_postings_bound(at->max_code) * cria_postings_stretch(average, segment_average);
    return bound < CRIA_BM25_K1 + 1 ? bound : CRIA_BM25_K1 + 1;
}

/* ---- writing ---- */

struct block {
    uint32_t gaps[BLOCK], tfs[BLOCK]; /* less 1 */
    uint32_t gap_bits;
    uint8_t max_code, widths;
};

static uint32_t bits_of(uint32_t any)
{
    return any ? 32 - (uint32_t)__builtin_clz(any) : 0;
}

static uint8_t widths_of(uint32_t any_gap, uint32_t any_tf)
{
    uint8_t row = 0;
    while (tf_bits[row] < bits_of(any_tf)) row++;
    return (uint8_t)(bits_of(any_gap) | row << 5);
}

/* before: the id before ids[0], UINT32_MAX for none. */
static void make_block(struct block *block, const uint32_t *ids, const uint32_t *tfs, size_t n,
                       uint32_t before, const uint8_t *norms, double average)
{
    uint32_t any_gap = 0, any_tf = 0;
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t tf = tfs[i] < CRIA_POSTINGS_MAX_TF ? tfs[i] : CRIA_POSTINGS_MAX_TF;
        assert(tf >= 1 && ids[i] < CRIA_POSTINGS_MAX_CHUNKS);
        assert(before == UINT32_MAX || ids[i] > before);
        any_gap |= block->gaps[i] = ids[i] - before - 1;
        any_tf |= block->tfs[i] = tf - 1;
        before = ids[i];
        double adds = cria_bm25(tf, cria_norm_length(norms[ids[i]]), average);
        if (adds > most) most = adds;
    }
    block->max_code = code_of(most);
    block->widths = widths_of(any_gap, any_tf);
}

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
    for (; value >= 128; value >>= 7) *to++ = (uint8_t)(value | 128);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *put_few(uint8_t *to, const struct block *block, size_t n)
{
    uint32_t bits = block->widths & 31, bits_of_tf = tf_bits[block->widths >> 5];
    cria_pack_few(to, block->gaps, n, bits);
    to += cria_pack_few_bytes(n, bits);
    cria_pack_few(to, block->tfs, n, bits_of_tf);
    return to + cria_pack_few_bytes(n, bits_of_tf);
}

static uint8_t *put_block(uint8_t *to, const struct block *block, size_t n)
{
    uint32_t bits = block->widths & 31, bits_of_tf = tf_bits[block->widths >> 5];
    if (n < BLOCK) return put_few(to, block, n);
    cria_pack(to, block->gaps, bits);
    cria_pack(to + (size_t)16 * bits, block->tfs, bits_of_tf);
    return to + (size_t)16 * (bits + bits_of_tf);
}

static void write_short(struct cria_buf *out, const struct block *block, size_t n)
{
    uint8_t *start = (uint8_t *)out->ptr + out->len, *to = start;
    *to++ = block->max_code;
    if (n < FEW) {
        for (size_t i = 0; i < n; i++) {
            uint64_t gap = (uint64_t)block->gaps[i] + (i > 0); /* not less 1: see the top */
            to = put_varint(to, gap << 1 | (block->tfs[i] > 0));
            if (block->tfs[i]) to = put_varint(to, block->tfs[i]);
        }
    } else {
        *to++ = block->widths;
        to = put_few(to, block, n);
    }
    out->len += (size_t)(to - start);
}

bool cria_postings_write(struct cria_buf *out, const uint32_t *ids, const uint32_t *tfs, size_t n,
                         const uint8_t *norms, double average)
{
    struct block block;
    size_t blocks = (n + BLOCK - 1) / BLOCK, head = out->len, data;
    uint8_t most = 0;
    assert(n >= 1);
    if (n < BLOCK) {
        if (!cria_buf_reserve(out, MAX_BLOCK_BYTES + 2)) return false;
        make_block(&block, ids, tfs, n, UINT32_MAX, norms, average);
        write_short(out, &block, n);
        return true;
    }
    if (!cria_buf_reserve(out, 1 + ENTRY_BYTES * blocks)) return false;
    data = out->len += 1 + ENTRY_BYTES * blocks;
    for (size_t b = 0, i = 0; b < blocks; b++, i += BLOCK) {
        size_t count = n - i < BLOCK ? n - i : BLOCK;
        uint32_t place = (uint32_t)((out->len - data) / 16);
        if (!cria_buf_reserve(out, MAX_BLOCK_BYTES)) return false;
        make_block(&block, ids + i, tfs + i, count, i ? ids[i - 1] : UINT32_MAX, norms, average);
        uint8_t *at = (uint8_t *)out->ptr, *entries = at + head + 1;
        out->len = (size_t)(put_block(at + out->len, &block, count) - at);
        memcpy(entries + 4 * b, &ids[i + count - 1], 4);
        memcpy(entries + 4 * blocks + 4 * b, &place, 4);
        entries[8 * blocks + b] = block.max_code;
        entries[9 * blocks + b] = block.widths;
        if (block.max_code > most) most = block.max_code;
    }
    out->ptr[head] = (char)most;
    return true;
}

/* ---- reading ---- */

static bool damaged(struct cria_postings *at)
{
    at->damaged = true;
    at->id = CRIA_POSTINGS_END;
    at->block = at->block_count;
    at->count = 0;
    return false;
}

/* UINT64_MAX: no varint. */
static uint64_t take_varint(const uint8_t **from, const uint8_t *end)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 42 && *from < end; shift += 7) {
        uint8_t byte = *(*from)++;
        value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) return value;
    }
    return UINT64_MAX;
}

static bool read_varints(struct cria_postings *at, const uint8_t *from, const uint8_t *end)
{
    uint64_t id = 0;
    for (uint32_t i = 0; i < at->df; i++) {
        uint64_t gap = take_varint(&from, end), tf = 0;
        if (gap == UINT64_MAX || (i > 0 && gap < 2)) return damaged(at);
        id += gap >> 1;
        if (gap & 1) tf = take_varint(&from, end);
        if (tf >= CRIA_POSTINGS_MAX_TF || id >= at->chunk_count) return damaged(at);
        at->ids[i] = (uint32_t)id;
        at->tfs[i] = (uint32_t)tf + 1;
    }
    return from == end || damaged(at);
}

/* n < 128 postings packed one behind the other. */
static bool read_few(struct cria_postings *at, const uint8_t *from, size_t size, uint8_t widths,
                     uint32_t n, uint32_t before)
{
    uint32_t bits = widths & 31, bits_of_tf = tf_bits[widths >> 5], any = 0;
    if (size != cria_pack_few_bytes(n, bits) + cria_pack_few_bytes(n, bits_of_tf))
        return damaged(at);
    cria_unpack_few(at->ids, from, n, bits);
    cria_unpack_few(at->tfs, from + cria_pack_few_bytes(n, bits), n, bits_of_tf);
    for (uint32_t i = 0; i < n; i++) {
        any |= at->ids[i] = before += at->ids[i] + 1;
        at->tfs[i]++;
    }
    at->has_tfs = true;
    /* As with cria_unpack_ids: no highest bit, so nothing wrapped and all ascend. */
    return (!(any & TOP_BIT) && at->ids[n - 1] < at->chunk_count) || damaged(at);
}

/* Behind the last one nothing is below anything: cria_postings_find(). */
static void set_count(struct cria_postings *at, uint32_t n)
{
    if (n < BLOCK) memset(at->ids + n, 0xFF, (BLOCK - n) * sizeof(at->ids[0]));
    at->count = n;
}

/* A list below 128 is unpacked at once; its block is described in own[]. */
static bool open_short(struct cria_postings *at, size_t offset, size_t length)
{
    const uint8_t *list = at->bytes.ptr + offset;
    at->block_count = 1;
    at->lasts = at->own, at->places = at->own + 4, at->maxima = at->own + 8;
    at->widths = at->own + 9;
    at->own[8] = at->max_code = list[0];
    if (at->df < FEW) {
        if (!read_varints(at, list + 1, list + length)) return false;
        at->has_tfs = true;
    } else {
        if (length < 2) return damaged(at);
        at->own[9] = list[1];
        if (!read_few(at, list + 2, length - 2, list[1], at->df, UINT32_MAX)) return false;
    }
    set_count(at, at->df);
    memcpy(at->own, &at->ids[at->df - 1], 4);
    return true;
}

bool cria_postings_open_blocks(struct cria_postings *at, const struct cria_bytes *bytes,
                               size_t offset, size_t length, uint32_t df, uint32_t chunk_count)
{
    *at = (struct cria_postings){.df = df, .chunk_count = chunk_count, .bytes = *bytes};
    if (df < 1 || df > chunk_count || chunk_count > CRIA_POSTINGS_MAX_CHUNKS || length < 1)
        return damaged(at);
    size_t blocks = ((size_t)df + BLOCK - 1) / BLOCK, head = 1;
    if (df >= BLOCK) head += ENTRY_BYTES * blocks;
    if (length < head || !cria_bytes_check(bytes, offset, df < BLOCK ? length : head) ||
        length > bytes->len - offset)
        return damaged(at);
    if (df < BLOCK) return open_short(at, offset, length);
    at->block_count = (uint32_t)blocks;
    at->max_code = bytes->ptr[offset];
    at->lasts = bytes->ptr + offset + 1;
    at->places = at->lasts + 4 * blocks;
    at->maxima = at->places + 4 * blocks;
    at->widths = at->maxima + blocks;
    at->data = offset + head;
    at->end = offset + length;
    return true;
}

bool cria_postings_unpack_ids(struct cria_postings *at)
{
    uint32_t block = at->block, n = BLOCK, before = UINT32_MAX;
    if (at->count) return true;
    if (block >= at->block_count) return damaged(at);
    uint32_t last = cria_postings_block_last(at, block), widths = at->widths[block];
    size_t bits = widths & 31, bits_of_tf = tf_bits[widths >> 5], size = 16 * (bits + bits_of_tf);
    size_t place = (size_t)16 * cria_load32(at->places + 4 * (size_t)block);
    if (block > 0) {
        before = cria_postings_block_last(at, block - 1);
        if (before & TOP_BIT) return damaged(at);
    }
    if (block + 1 == at->block_count && at->df % BLOCK) {
        n = at->df % BLOCK;
        size =
            cria_pack_few_bytes(n, (uint32_t)bits) + cria_pack_few_bytes(n, (uint32_t)bits_of_tf);
    }
    if (place > at->end - at->data || size > at->end - at->data - place ||
        !cria_bytes_check(&at->bytes, at->data + place, size))
        return damaged(at);
    const uint8_t *from = at->bytes.ptr + at->data + place;
    if (n < BLOCK) {
        if (!read_few(at, from, size, (uint8_t)widths, n, before)) return false;
    } else {
        at->has_tfs = false;
        if (cria_unpack_ids(at->ids, from, (uint32_t)bits, before) & TOP_BIT) return damaged(at);
    }
    if (at->ids[n - 1] != last || last >= at->chunk_count) return damaged(at);
    set_count(at, n);
    return true;
}

static const uint8_t *tfs_of(const struct cria_postings *at)
{
    size_t place = (size_t)16 * cria_load32(at->places + 4 * (size_t)at->block);
    return at->bytes.ptr + at->data + place + (size_t)16 * (at->widths[at->block] & 31);
}

void cria_postings_unpack_tfs(struct cria_postings *at)
{
    if (at->has_tfs) return;
    cria_unpack(at->tfs, tfs_of(at), tf_bits[at->widths[at->block] >> 5]);
    at->has_tfs = true;
}

uint32_t cria_postings_tf(struct cria_postings *at)
{
    if (at->has_tfs) return at->tfs[at->at];
    return cria_pack_get(tfs_of(at), tf_bits[at->widths[at->block] >> 5], at->at) + 1;
}

bool cria_postings_seek_block(struct cria_postings *at, uint32_t id)
{
    uint32_t low = at->block, step = 1;
    if (low >= at->block_count) return false;
    if (cria_postings_block_last(at, low) >= id) return true;
    /* Gallop: the last of `low` is below id, that of `high` is not, or there is no `high`. */
    while (at->block_count - low > step && cria_postings_block_last(at, low + step) < id)
        low += step, step *= 2;
    uint32_t high = at->block_count - low > step ? low + step : at->block_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (cria_postings_block_last(at, middle) < id)
            low = middle;
        else
            high = middle;
    }
    at->block = high;
    at->at = at->count = 0;
    at->has_tfs = false;
    return high < at->block_count;
}

typedef uint32_t lanes __attribute__((vector_size(16)));

uint32_t cria_postings_find(const struct cria_postings *at, uint32_t from, uint32_t id)
{
    uint32_t low = from, n = at->count - from;
    if (n == 0 || at->ids[from] >= id) return from; /* often: places only move on */
    for (uint32_t half; n > NEAR; n -= half) {      /* without branches */
        half = n / 2;
        low = at->ids[low + half - 1] < id ? low + half : low;
    }
    if (low > BLOCK - NEAR) low = BLOCK - NEAR; /* those before it are below too */
    lanes four[NEAR / 4], below = {0};
    memcpy(four, at->ids + low, sizeof(four));
    for (int i = 0; i < NEAR / 4; i++) below -= (lanes)(four[i] < id); /* true is -1 */
    return low + below[0] + below[1] + below[2] + below[3];
}

/* The place in the block at hand is known: at->at. */
static uint32_t stand(struct cria_postings *at)
{
    return at->id = at->ids[at->at];
}

static uint32_t at_end(struct cria_postings *at)
{
    at->count = 0;
    return at->id = CRIA_POSTINGS_END;
}

bool cria_postings_open(struct cria_postings *at, const struct cria_bytes *bytes, size_t offset,
                        size_t length, uint32_t df, uint32_t chunk_count)
{
    if (!cria_postings_open_blocks(at, bytes, offset, length, df, chunk_count) ||
        !cria_postings_unpack_ids(at))
        return false;
    stand(at);
    return true;
}

uint32_t cria_postings_next(struct cria_postings *at)
{
    if (at->id == CRIA_POSTINGS_END) return at->id;
    if (++at->at < at->count) return stand(at);
    at->block++;
    at->at = at->count = 0;
    at->has_tfs = false;
    if (at->block >= at->block_count) return at_end(at);
    return cria_postings_unpack_ids(at) ? stand(at) : at->id;
}

uint32_t cria_postings_seek(struct cria_postings *at, uint32_t id)
{
    if (id <= at->id) return at->id;
    if (!cria_postings_seek_block(at, id)) return at_end(at);
    if (!cria_postings_unpack_ids(at)) return at->id;
    at->at = cria_postings_find(at, at->at, id);
    return stand(at);
}

bool cria_postings_read_all(const struct cria_bytes *bytes, size_t offset, size_t length,
                            uint32_t df, uint32_t chunk_count, uint32_t *ids, uint32_t *tfs)
{
    struct cria_postings at;
    if (!cria_postings_open_blocks(&at, bytes, offset, length, df, chunk_count)) return false;
    for (;;) {
        if (!cria_postings_unpack_ids(&at)) return false;
        cria_postings_unpack_tfs(&at);
        memcpy(ids, at.ids, at.count * sizeof(*ids));
        memcpy(tfs, at.tfs, at.count * sizeof(*tfs));
        ids += at.count, tfs += at.count;
        if (++at.block == at.block_count) return true;
        at.count = 0;
    }
}
