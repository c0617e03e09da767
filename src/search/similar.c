/* similar.c - an index of 3-grams over a dictionary's ordinals. For each gram, sorted, the ordinals
 * of the terms that have it, as runs (runs.h): what begins alike lies together in a dictionary, so
 * that the grams of a term's beginning, the most frequent ones, are a run or a few.
 * A length for each ordinal, 0 for what is left out, bounds how similar a term can be at most.
 *   lengths, u8 each; runs of all grams; grams, u32 each; gram count + 1 starts of their runs, u32;
 *   64 bytes: at: runs, grams, starts, bytes of runs, u64; term count, gram count, u32; .. magic */
#include "search/similar.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/utf8.h"
#include "search/analyse.h"
#include "search/runs.h"

enum {
    FOOTER_BYTES = 64,
    TERM_LEAST = 3, /* bytes */
    TERM_MOST = 60,
    WORD_MOST = 92,
    PAD = 2,
    MOST_GRAMS = WORD_MOST + PAD,
    GRAM_BITS = 24,
    WINDOW = 1 << 15, /* ordinals counted at once: their counters stay in the nearest cache */
    BATCH = 2048,
    LONG_LIST = 4096 /* bytes */
};
static const uint64_t MAGIC = UINT64_C(0x3130696d69735243); /* "CRsimi01" */

/* ---- grams */

/* Scripts without blanks between words are indexed as pairs of characters. */
static bool is_pair(struct cria_str term)
{
    size_t at = 0;
    uint32_t c = cria_utf8_next(term, &at);
    return cria_has_no_blanks(c);
}

static bool is_word(struct cria_str term)
{
    size_t digits = 0;
    if (term.len < TERM_LEAST || term.len > TERM_MOST) return false;
    while (digits < term.len && term.ptr[digits] >= '0' && term.ptr[digits] <= '9') digits++;
    return digits < term.len && !is_pair(term);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The word's 3-grams ascending, each as often as it occurs: len + 2 of them. */
static size_t grams_of(struct cria_str word, uint32_t out[MOST_GRAMS])
{
    uint32_t gram = ' ' << 8 | ' ';
    size_t count = word.len + PAD;
    for (size_t i = 0; i < count; i++) {
        uint32_t byte = i < word.len ? (uint8_t)word.ptr[i] : ' ', k = (uint32_t)i;
        gram = (gram << 8 | byte) & ((UINT32_C(1) << GRAM_BITS) - 1);
        for (; k > 0 && out[k - 1] > gram; k--) out[k] = out[k - 1];
        out[k] = gram;
    }
    return count;
}

/* Size of the intersection of two ascending multisets. */
static size_t shared_by(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a_count && j < b_count) {
        n += a[i] == b[j];
        uint32_t x = a[i], y = b[j];
        i += x <= y;
        j += y <= x;
    }
    return n;
}

static double dice(size_t shared, size_t a_count, size_t b_count)
{
    return 2.0 * (double)shared / (double)(a_count + b_count);
}

/* ---- writing */

struct list {
    uint32_t gram;
    uint32_t start; /* of its runs in all */
    size_t len;     /* of its runs: first counted, then written */
    struct cria_runs_out runs;
};

struct writing {
    struct list *lists;
    uint32_t *slots; /* hash table: list + 1 */
    size_t count, room, slot_count;
    uint8_t *lengths, *postings;
    size_t postings_len;
};

/* Where the gram's list is told, or would be. */
static uint32_t *slot_of(const struct writing *w, uint32_t gram)
{
    size_t at = (gram * UINT32_C(2654435761) >> 8) & (w->slot_count - 1);
    while (w->slots[at] && w->lists[w->slots[at] - 1].gram != gram)
        at = (at + 1) & (w->slot_count - 1);
    return &w->slots[at];
}

static void fill_slots(struct writing *w)
{
    memset(w->slots, 0, w->slot_count * sizeof(*w->slots));
    for (size_t i = 0; i < w->count; i++) *slot_of(w, w->lists[i].gram) = (uint32_t)(i + 1);
}

static bool grow(struct writing *w)
{
    size_t room = w->room ? w->room * 2 : 1024;
    if (cria_fault_fires(CRIA_FAULT_ALLOC)) return false;
    struct list *lists = realloc(w->lists, room * sizeof(*lists));
    if (!lists) return false;
    w->lists = lists;
    uint32_t *slots = realloc(w->slots, 2 * room * sizeof(*slots));
    if (!slots) return false;
    w->slots = slots;
    w->room = room;
    w->slot_count = 2 * room;
    fill_slots(w);
    return true;
}

static struct list *list_of(struct writing *w, uint32_t gram)
{
    if (w->count == w->room && !grow(w)) return NULL;
    uint32_t *slot = slot_of(w, gram);
    if (!*slot) {
        w->lists[w->count] = (struct list){.gram = gram};
        *slot = (uint32_t)++w->count;
    }
    return &w->lists[*slot - 1];
}

/* Walks over all terms; counts the bytes of all runs, or writes them when there is where to. */
static enum cria_status walk(struct writing *w, const struct cria_dictionary *dictionary)
{
    struct cria_dictionary_cursor cursor;
    struct cria_str term;
    struct list *list;
    uint32_t grams[MOST_GRAMS];
    uint8_t bytes[CRIA_RUN_BYTES];
    cria_dictionary_cursor_init(&cursor, dictionary);
    while (cria_dictionary_cursor_next(&cursor, &term)) {
        uint32_t ordinal = cursor.next - 1;
        if (!is_word(term)) continue;
        w->lengths[ordinal] = (uint8_t)term.len;
        size_t count = grams_of(term, grams);
        for (size_t i = 0; i < count; i++) {
            if (i && grams[i] == grams[i - 1]) continue;
            if (!(list = list_of(w, grams[i]))) return CRIA_E_NO_MEMORY;
            size_t len = cria_runs_add(&list->runs, ordinal, bytes);
            if (w->postings) memcpy(w->postings + list->start + list->len, bytes, len);
            list->len += len;
        }
    }
    for (size_t i = 0; i < w->count; i++) {
        list = &w->lists[i];
        size_t len = cria_runs_flush(&list->runs, bytes);
        if (w->postings) memcpy(w->postings + list->start + list->len, bytes, len);
        list->len += len;
    }
    return cursor.failed ? CRIA_E_CORRUPT : CRIA_OK;
}

static int by_gram(const void *a, const void *b)
{
    return by_number(&((const struct list *)a)->gram, &((const struct list *)b)->gram);
}

static enum cria_status gather(struct writing *w, const struct cria_dictionary *dictionary)
{
    if (cria_fault_fires(CRIA_FAULT_ALLOC)) return CRIA_E_NO_MEMORY;
    w->lengths = calloc((size_t)dictionary->count + 1, 1);
    if (!w->lengths) return CRIA_E_NO_MEMORY;
    enum cria_status st = walk(w, dictionary);
    if (st != CRIA_OK) return st;
    if (w->count) qsort(w->lists, w->count, sizeof(*w->lists), by_gram);
    for (size_t i = 0; i < w->count; i++) {
        struct list *list = &w->lists[i];
        size_t len = list->len;
        if (len > UINT32_MAX - w->postings_len) return CRIA_E_TOO_LARGE;
        *list = (struct list){.gram = list->gram, .start = (uint32_t)w->postings_len};
        w->postings_len += len;
    }
    if (w->count) fill_slots(w);
    w->postings = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : malloc(w->postings_len + 1);
    return w->postings ? walk(w, dictionary) : CRIA_E_NO_MEMORY;
}

enum cria_status cria_similar_write(const struct cria_dictionary *dictionary,
                                    const struct cria_sink *sink)
{
    struct writing w = {0};
    struct cria_put put = {.sink = sink};
    enum cria_status st = gather(&w, dictionary);
    if (st == CRIA_OK) {
        uint64_t at[3]; /* runs, grams, starts */
        cria_put(&put, w.lengths, dictionary->count);
        at[0] = put.written;
        cria_put(&put, w.postings, w.postings_len);
        cria_put_align(&put);
        at[1] = put.written;
        for (size_t i = 0; i < w.count; i++) cria_put32(&put, w.lists[i].gram);
        at[2] = put.written;
        for (size_t i = 0; i < w.count; i++) cria_put32(&put, w.lists[i].start);
        cria_put32(&put, (uint32_t)w.postings_len);
        cria_put_align(&put);
        cria_put(&put, at, sizeof(at));
        cria_put64(&put, w.postings_len);
        cria_put32(&put, dictionary->count);
        cria_put32(&put, (uint32_t)w.count);
        cria_put64(&put, 0);
        cria_put64(&put, 0);
        cria_put64(&put, MAGIC);
        if (!cria_put_flush(&put)) st = CRIA_E_IO;
    }
    free(w.slots);
    free(w.lists);
    free(w.lengths);
    free(w.postings);
    return st;
}

/* ---- reading */

enum cria_status cria_similar_open(struct cria_bytes bytes, struct cria_similar *out)
{
    if (bytes.len < FOOTER_BYTES ||
        !cria_bytes_check(&bytes, bytes.len - FOOTER_BYTES, FOOTER_BYTES))
        return CRIA_E_CORRUPT;
    const uint8_t *footer = bytes.ptr + bytes.len - FOOTER_BYTES;
    uint64_t end = bytes.len - FOOTER_BYTES, postings_at = cria_load64(footer),
             grams_at = cria_load64(footer + 8), starts_at = cria_load64(footer + 16),
             postings_len = cria_load64(footer + 24);
    uint32_t term_count = cria_load32(footer + 32), gram_count = cria_load32(footer + 36);
    if (cria_load64(footer + 56) != MAGIC || postings_at > end || grams_at > end ||
        starts_at > end || postings_at < term_count || postings_len > end - postings_at ||
        (end - grams_at) / sizeof(uint32_t) < gram_count ||
        (end - starts_at) / sizeof(uint32_t) < (uint64_t)gram_count + 1)
        return CRIA_E_CORRUPT;
    *out = (struct cria_similar){.bytes = bytes,
                                 .term_count = term_count,
                                 .gram_count = gram_count,
                                 .grams_at = (size_t)grams_at,
                                 .starts_at = (size_t)starts_at,
                                 .postings_at = (size_t)postings_at,
                                 .postings_len = (size_t)postings_len};
    return CRIA_OK;
}

/* A gram of the word that some term has. */
struct probe {
    struct cria_runs_in runs;
    uint32_t start, end; /* what is left of the run at hand */
    uint8_t weight;      /* how often the word has the gram */
};

struct candidate {
    uint32_t ordinal;
    uint8_t shared; /* at most */
    uint8_t grams;  /* of the term */
    double most;    /* similarity */
};

struct query {
    const struct cria_similar *similar;
    const struct cria_dictionary *dictionary;
    uint32_t grams[MOST_GRAMS];
    size_t gram_count;
    struct probe probes[MOST_GRAMS];
    size_t probe_count;
    double least;
    size_t most, found; /* `out` is the best first */
    struct cria_similar_term *out;
    uint8_t needed[256]; /* by a term's length: grams it must share to be looked at */
    uint8_t uncounted;   /* 1 when a gram is not counted: any term may have it */
    uint8_t needed_least;
    size_t batched;
    struct candidate batch[BATCH];
    uint8_t counts[WINDOW];
};

static bool find_gram(const struct cria_similar *s, uint32_t gram, struct cria_runs_in *out)
{
    uint32_t low = 0, high = s->gram_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        size_t at = s->grams_at + (size_t)middle * sizeof(uint32_t);
        if (!cria_bytes_check(&s->bytes, at, sizeof(uint32_t))) return false;
        uint32_t there = cria_load32(s->bytes.ptr + at);
        if (there == gram) {
            at = s->starts_at + (size_t)middle * sizeof(uint32_t);
            if (!cria_bytes_check(&s->bytes, at, 2 * sizeof(uint32_t))) return false;
            uint32_t start = cria_load32(s->bytes.ptr + at),
                     end = cria_load32(s->bytes.ptr + at + 4);
            if (start > end || end > s->postings_len ||
                !cria_bytes_check(&s->bytes, s->postings_at + start, end - start))
                return false;
            *out = (struct cria_runs_in){.at = s->bytes.ptr + s->postings_at + start,
                                         .end = s->bytes.ptr + s->postings_at + end};
            return true;
        }
        if (there > gram)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* The similarity that a term must reach to be among the best. */
static double bar(const struct query *q)
{
    return q->found < q->most ? q->least : q->out[q->most - 1].similarity;
}

static void set_needed(struct query *q)
{
    q->needed_least = 127;
    memset(q->needed, 127, sizeof(q->needed));
    for (size_t len = TERM_LEAST; len <= TERM_MOST; len++) {
        size_t most = len + PAD < q->gram_count ? len + PAD : q->gram_count, n = 1;
        while (n <= most && dice(n, q->gram_count, len + PAD) < bar(q)) n++;
        if (n <= most) q->needed[len] = (uint8_t)(n > q->uncounted ? n - q->uncounted : 1);
        if (q->needed[len] < q->needed_least) q->needed_least = q->needed[len];
    }
}

static void add_found(struct query *q, uint32_t ordinal, double similarity)
{
    size_t at = q->found;
    while (at > 0 &&
           (q->out[at - 1].similarity < similarity ||
            (q->out[at - 1].similarity == similarity && q->out[at - 1].ordinal > ordinal)))
        at--;
    if (at == q->most) return;
    if (q->found < q->most) q->found++;
    memmove(&q->out[at + 1], &q->out[at], (q->found - 1 - at) * sizeof(*q->out));
    q->out[at] = (struct cria_similar_term){ordinal, similarity};
}

static int by_most(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->most != y->most) return x->most > y->most ? -1 : 1;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

/* Looks at the candidates themselves, the most promising first. */
static void verify(struct query *q)
{
    char buffer[CRIA_DICTIONARY_MAX_TERM + 1];
    uint32_t grams[MOST_GRAMS];
    qsort(q->batch, q->batched, sizeof(q->batch[0]), by_most);
    for (size_t i = 0; i < q->batched && q->batch[i].most >= bar(q); i++) {
        struct cria_str term = cria_dictionary_term(q->dictionary, q->batch[i].ordinal, buffer);
        if (!is_word(term)) continue; /* rotten bytes */
        size_t count = grams_of(term, grams);
        double similarity =
            dice(shared_by(q->grams, q->gram_count, grams, count), q->gram_count, count);
        if (similarity >= q->least) add_found(q, q->batch[i].ordinal, similarity);
    }
    q->batched = 0;
    set_needed(q);
}

/* Counts the ordinals of one gram below `limit`. In locals, because counters may lie anywhere for
 * all the compiler knows; most runs are one ordinal in one or two bytes. */
static void count_runs(struct query *q, struct probe *p, uint32_t base, uint32_t limit)
{
    struct cria_runs_in runs = p->runs;
    uint32_t start = p->start, end = p->end, term_count = q->similar->term_count;
    uint8_t *counts = q->counts, weight = p->weight;
    while (start < limit) {
        uint32_t until = end < limit ? end : limit;
        for (uint32_t n = start; n < until; n++)
            counts[n - base] = (uint8_t)(counts[n - base] + weight);
        start = until;
        if (until < end) break;
        size_t gap, len;
        for (; runs.end - runs.at >= 2 && !(runs.at[0] & 1); runs.at += len) {
            gap = runs.at[0] >> 1, len = 1;
            if (runs.at[0] & 128) {
                if (runs.at[1] & 128) break;
                gap = (gap & 63) | (size_t)runs.at[1] << 6, len = 2;
            }
            if (gap >= limit - runs.base) break;
            counts[runs.base + gap - base] = (uint8_t)(counts[runs.base + gap - base] + weight);
            runs.base += (uint32_t)gap + 1;
        }
        if (!cria_runs_next(&runs, term_count, &start, &end)) start = end = UINT32_MAX;
    }
    p->runs = runs;
    p->start = start;
    p->end = end;
}

static void take_counted(struct query *q, uint32_t base, uint32_t limit)
{
    const uint8_t *lengths = q->similar->bytes.ptr + base;
    for (uint32_t n = 0; n < limit - base; n += 8) {
        /* Counts are below 128: a high bit comes up where one reaches the least needed. */
        uint64_t eight = cria_load64(q->counts + n);
        const uint64_t each = UINT64_C(0x0101010101010101);
        if (!((eight + (uint64_t)(128 - q->needed_least) * each) & 128 * each)) continue;
        for (uint32_t k = n; k < n + 8 && k < limit - base; k++) {
            size_t count = q->counts[k], grams = (size_t)lengths[k] + PAD;
            if (count < q->needed[lengths[k]]) continue;
            size_t shared = count + q->uncounted;
            if (shared > grams) shared = grams;
            if (shared > q->gram_count) shared = q->gram_count;
            q->batch[q->batched++] = (struct candidate){base + k, (uint8_t)shared, (uint8_t)grams,
                                                        dice(shared, q->gram_count, grams)};
            if (q->batched == BATCH) verify(q);
        }
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct probe *x = a, *y = b;
    ptrdiff_t n = x->runs.end - x->runs.at, m = y->runs.end - y->runs.at;
    return (n < m) - (n > m);
}

/* Leaves out the longest list: any term may be in it, so that terms are looked at when they come
 * within one of what they need. Leaving out more costs more looks than it saves in counting. */
static void leave_out(struct query *q)
{
    if (q->probe_count < 2 || q->needed_least < 2) return;
    qsort(q->probes, q->probe_count, sizeof(q->probes[0]), by_bytes);
    if (q->probes[0].weight > 1 || q->probes[0].runs.end - q->probes[0].runs.at < LONG_LIST) return;
    q->uncounted = 1;
    q->probe_count--;
    memmove(q->probes, q->probes + 1, q->probe_count * sizeof(q->probes[0]));
    set_needed(q);
}

size_t cria_similar_find(const struct cria_similar *similar,
                         const struct cria_dictionary *dictionary, struct cria_str word,
                         double least, size_t most, struct cria_similar_term *out)
{
    struct query q;
    if (word.len == 0 || word.len > WORD_MOST || most == 0 || !(least > 0) ||
        !cria_bytes_check(&similar->bytes, 0, similar->term_count))
        return 0;
    q.similar = similar;
    q.dictionary = dictionary;
    q.gram_count = grams_of(word, q.grams);
    q.least = least;
    q.most = most;
    q.found = q.batched = q.probe_count = 0;
    q.uncounted = 0;
    q.out = out;
    for (size_t i = 0, n; i < q.gram_count; i += n) {
        struct probe *p = &q.probes[q.probe_count];
        for (n = 1; i + n < q.gram_count && q.grams[i + n] == q.grams[i];) n++;
        *p = (struct probe){.weight = (uint8_t)n};
        if (find_gram(similar, q.grams[i], &p->runs) &&
            cria_runs_next(&p->runs, similar->term_count, &p->start, &p->end))
            q.probe_count++;
    }
    set_needed(&q);
    leave_out(&q);
    for (uint32_t base = 0; base < similar->term_count; base += WINDOW) {
        uint32_t left = similar->term_count - base;
        uint32_t limit = base + (left < WINDOW ? left : WINDOW);
        memset(q.counts, 0, sizeof(q.counts));
        for (size_t i = 0; i < q.probe_count; i++) count_runs(&q, &q.probes[i], base, limit);
        take_counted(&q, base, limit);
        if (limit == similar->term_count) break;
    }
    verify(&q);
    return q.found;
}
