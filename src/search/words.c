/* words.c - finds the best chunks without adding up all postings.
 * A segment is gone through window by window. Each list has a bound for the window: the most that
 * its blocks there can add. Lists whose bounds together do not exceed the worst of the best `limit`
 * so far (the threshold) cannot lift a chunk into these alone; so only the others, the essential
 * ones, are added up over the window, and the rest is looked up for those chunks that may still
 * reach the threshold. Chunks come in order, so one that equals the threshold is too late. */
#include "search/words.h"

#include <assert.h>
#include <stdlib.h>

#include "search/norms.h"

enum {
    WINDOW = 64 * 64,   /* chunks */
    TABLE_TFS = 9,      /* tfs 0 to 8 have a row in the table */
    FEW_ALLOWED = 64,   /* so few chunks of a window are looked up one by one */
    MARKED_BELOW = 512, /* so few postings of a window are noted, to spare a look at all chunks */
    CHEAP_TIMES = 2     /* to look a chunk up costs as much as to add up some postings */
};
/* Scores are sums of whole numbers below 2^29 (the best that could be) plus 1 each. Bounds are
 * rounded up by more than floats err. */
static const double BEST_SCORE = 1 << 29, ROUNDING = 1 + 2e-6;

struct found {
    uint32_t score, source, chunk;
};

struct candidate {
    uint32_t place, score; /* chunk less low; what it has so far */
};

/* One word in the segment at hand. */
struct list {
    struct cria_postings *at;
    float weight;     /* scaled */
    double each_code; /* what a maximum's code stands for, scaled */
    uint32_t most;    /* of all that can be added */
    uint32_t bound;   /* in the window at hand */
    uint32_t next;    /* if that is 0: no chunk before this one has the word */
    bool is_sparse;   /* its blocks are longer than windows: unpacked to know where it goes on */
};

struct top {
    double average, scale;
    float k[256];                /* k1 (1 - b + b length / average), by norm */
    float table[TABLE_TFS][256]; /* BM25 by tf and norm */
    struct list lists[CRIA_WORDS_MAX_LISTS];
    uint32_t order[CRIA_WORDS_MAX_LISTS]; /* lists by bound, least first */
    uint32_t until[CRIA_WORDS_MAX_LISTS]; /* sum of the bounds in order up to this one */
    size_t list_count;
    const struct cria_words_source *source;
    uint32_t source_index;
    uint32_t low, high; /* the window */
    uint32_t scores[WINDOW];
    uint64_t marks[WINDOW / 64];
    struct candidate candidates[WINDOW];
    struct found *heap; /* the worst of the best first */
    size_t count, limit;
    uint32_t threshold; /* a chunk must exceed it; 0 until there are `limit` */
};

/* ---- the heap ---- */

static bool is_worse(const struct found *a, const struct found *b)
{
    if (a->score != b->score) return a->score < b->score;
    if (a->source != b->source) return a->source > b->source;
    return a->chunk > b->chunk;
}

static void push(struct top *top, uint32_t score, uint32_t chunk)
{
    struct found *heap = top->heap, item = {score, top->source_index, chunk};
    size_t at = 0;
    if (score <= top->threshold) return;
    if (top->count < top->limit) {
        for (at = top->count++; at && is_worse(&item, &heap[(at - 1) / 2]); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
    } else {
        for (size_t child; (child = 2 * at + 1) < top->count; at = child) {
            if (child + 1 < top->count && is_worse(&heap[child + 1], &heap[child])) child++;
            if (!is_worse(&heap[child], &item)) break;
            heap[at] = heap[child];
        }
    }
    heap[at] = item;
    if (top->count == top->limit) top->threshold = heap[0].score;
}

static int best_first(const void *a, const void *b)
{
    return is_worse(a, b) ? 1 : -1;
}

static void finish(struct top *top, struct cria_words_hit *out, size_t *count)
{
    qsort(top->heap, top->count, sizeof(*top->heap), best_first);
    for (size_t i = 0; i < top->count; i++)
        out[i] = (struct cria_words_hit){.source = top->heap[i].source,
                                         .chunk = top->heap[i].chunk,
                                         .score = (float)(top->heap[i].score / top->scale)};
    *count = top->count;
}

/* ---- what a posting adds ---- */

static double scale_of(const struct cria_words_source *sources, size_t source_count)
{
    double most = 0;
    for (size_t s = 0; s < source_count; s++) {
        double sum = 0;
        for (size_t i = 0; i < sources[s].list_count; i++)
            if (sources[s].lists[i].weight > 0) sum += sources[s].lists[i].weight;
        if (sum > most) most = sum;
    }
    return most > 0 ? BEST_SCORE / (most * (CRIA_BM25_K1 + 1)) : 1;
}

/* Without a multiplication that the compiler might fuse with an addition: the same everywhere. */
static inline float bm25(const float *k, uint32_t tf, uint8_t norm)
{
    return (float)tf * (float)(CRIA_BM25_K1 + 1) / ((float)tf + k[norm]);
}

static void make_k(float k[256], double average)
{
    for (uint32_t norm = 0; norm < 256; norm++)
        k[norm] = (float)(CRIA_BM25_K1 * (1 - CRIA_BM25_B +
                                          CRIA_BM25_B * cria_norm_length((uint8_t)norm) /
                                              (average > 0 ? average : 1)));
}

/* A chunk with the word gets at least 1, so that it is found. */
static inline uint32_t whole(float weight, float value)
{
    return 1 + (uint32_t)(int32_t)(weight * value);
}

static inline uint32_t bound_of(const struct list *list, uint8_t code)
{
    double bound = list->each_code * code;
    return bound < list->most ? (uint32_t)bound + 2 : list->most;
}

/* ---- a window ---- */

/* The most that the list can add to a chunk of the window; false: damaged. */
static bool set_bound(struct top *top, struct list *list)
{
    struct cria_postings *at = list->at;
    list->bound = 0;
    list->next = UINT32_MAX;
    if (!cria_postings_seek_block(at, top->low)) return !at->damaged;
    if (list->is_sparse) {
        if (!cria_postings_unpack_ids(at)) return false;
        at->at = cria_postings_find(at, at->at, top->low);
        list->next = at->ids[at->at];
    } else {
        list->next = at->block ? cria_postings_block_last(at, at->block - 1) + 1 : 0;
    }
    if (list->next >= top->high) return true;
    uint8_t code = 0;
    for (uint32_t block = at->block;; block++) {
        if (at->maxima[block] > code) code = at->maxima[block];
        if (block + 1 == at->block_count || cria_postings_block_last(at, block) + 1 >= top->high)
            break;
    }
    list->bound = bound_of(list, code);
    return true;
}

/* Sorts the lists by their bounds; returns how many, from the first, are not essential. */
static size_t split(struct top *top)
{
    uint32_t sum = 0;
    size_t rest = 0;
    for (size_t i = 1; i < top->list_count; i++) {
        uint32_t one = top->order[i];
        size_t at = i;
        for (; at && top->lists[top->order[at - 1]].bound > top->lists[one].bound; at--)
            top->order[at] = top->order[at - 1];
        top->order[at] = one;
    }
    for (size_t i = 0; i < top->list_count; i++) {
        sum += top->lists[top->order[i]].bound;
        top->until[i] = sum;
        if (sum <= top->threshold) rest = i + 1;
    }
    return rest;
}

/* Whether one of the chunks from..to - 1 may appear. */
static bool any_allowed(const uint64_t *allowed, uint32_t from, uint32_t to)
{
    if (!allowed || from >= to) return true;
    uint32_t first = from / 64, last = (to - 1) / 64;
    for (uint32_t word = first; word <= last; word++) {
        uint64_t bits = allowed[word];
        if (word == first) bits &= ~UINT64_C(0) << from % 64;
        if (word == last) bits &= ~UINT64_C(0) >> (63 - (to - 1) % 64);
        if (bits) return true;
    }
    return false;
}

/* marks: notes the chunks. */
static inline __attribute__((always_inline)) void add(struct top *top, const struct list *list,
                                                      uint32_t from, uint32_t to, bool small_tfs,
                                                      bool marks)
{
    const struct cria_postings *at = list->at;
    const uint8_t *norms = top->source->norms;
    const float weight = list->weight;
    const uint32_t low = top->low;
    for (uint32_t i = from; i < to; i++) {
        uint32_t id = at->ids[i], tf = at->tfs[i], place = id - low;
        float value =
            small_tfs || tf < TABLE_TFS ? top->table[tf][norms[id]] : bm25(top->k, tf, norms[id]);
        top->scores[place] += whole(weight, value);
        if (marks) top->marks[place / 64] |= UINT64_C(1) << place % 64;
    }
}

/* Adds up one list over the window, but for blocks that, with all that `others` can add, do not
 * exceed the threshold. */
static bool add_list(struct top *top, const struct list *list, uint32_t others, bool marks)
{
    struct cria_postings *at = list->at;
    for (;; at->block++, at->at = at->count = 0, at->has_tfs = false) {
        uint32_t last = cria_postings_block_last(at, at->block);
        uint32_t from = top->low, to = last + 1 < top->high ? last + 1 : top->high;
        if (at->block > 0 && cria_postings_block_last(at, at->block - 1) + 1 > from)
            from = cria_postings_block_last(at, at->block - 1) + 1;
        if (bound_of(list, at->maxima[at->block]) + others > top->threshold &&
            any_allowed(top->source->allowed, from, to)) {
            if (!cria_postings_unpack_ids(at)) return false;
            cria_postings_unpack_tfs(at);
            uint32_t first = at->ids[0] < top->low ? cria_postings_find(at, at->at, top->low) : 0;
            uint32_t end = at->ids[at->count - 1] < top->high
                               ? at->count
                               : cria_postings_find(at, first, top->high);
            bool small = at->df >= CRIA_POSTINGS_BLOCK && at->widths[at->block] >> 5 <= 3;
            if (marks && small)
                add(top, list, first, end, true, true);
            else if (marks)
                add(top, list, first, end, false, true);
            else if (small)
                add(top, list, first, end, true, false);
            else
                add(top, list, first, end, false, false);
        }
        if (to == top->high || at->block + 1 == at->block_count) return true;
    }
}

typedef int32_t lanes __attribute__((vector_size(16)));

/* Whether one of 64 scores exceeds `least`; all are below 2^31. */
static inline bool any_above(const uint32_t *scores, uint32_t least)
{
    lanes any = {0}, limit = any + (int32_t)least;
    for (uint32_t i = 0; i < 64; i += 16) {
        lanes four[4];
        memcpy(four, scores + i, sizeof(four));
        any |= (four[0] > limit) | (four[1] > limit) | (four[2] > limit) | (four[3] > limit);
    }
    return any[0] | any[1] | any[2] | any[3];
}

static bool is_allowed(const struct top *top, uint32_t place)
{
    return !top->source->allowed || cria_bit(top->source->allowed, top->low + place);
}

/* Moves the window's chunks that `rest` may lift above the threshold to the candidates; the scores
 * are 0 again. */
static size_t collect(struct top *top, uint32_t rest, bool marks)
{
    uint32_t least = top->threshold > rest ? top->threshold - rest : 0;
    size_t count = 0;
    for (uint32_t from = 0; from < WINDOW; from += 64) {
        uint32_t *scores = top->scores + from;
        uint64_t bits = marks ? top->marks[from / 64] : any_above(scores, least) ? UINT64_MAX : 0;
        for (; bits; bits &= bits - 1) {
            uint32_t n = (uint32_t)__builtin_ctzll(bits);
            if (scores[n] > least && is_allowed(top, from + n))
                top->candidates[count++] = (struct candidate){from + n, scores[n]};
            scores[n] = 0;
        }
    }
    if (marks)
        memset(top->marks, 0, sizeof(top->marks));
    else
        memset(top->scores, 0, sizeof(top->scores));
    return count;
}

/* What the list adds to the chunk, by way of its cursor; false: damaged. */
static bool look_up(const struct top *top, const struct list *list, uint32_t chunk, uint32_t *score)
{
    struct cria_postings *at = list->at;
    if (!cria_postings_unpack_ids(at)) return false;
    at->at = cria_postings_find(at, at->at, chunk);
    if (at->at < at->count && at->ids[at->at] == chunk) {
        uint32_t tf = cria_postings_tf(at);
        *score += whole(list->weight, bm25(top->k, tf, top->source->norms[chunk]));
    }
    return true;
}

/* Completes the candidates by the first `lists` in order, the largest bound first, and pushes
 * those that are left. */
static bool complete(struct top *top, size_t lists, size_t count)
{
    for (size_t i = lists; i-- > 0 && count && top->lists[top->order[i]].bound;) {
        struct list *list = &top->lists[top->order[i]];
        struct cria_postings *at = list->at;
        uint32_t below = i ? top->until[i - 1] : 0, block = UINT32_MAX, bound = 0;
        size_t kept = 0;
        for (size_t n = 0; n < count; n++) {
            struct candidate one = top->candidates[n];
            uint32_t chunk = top->low + one.place;
            if (one.score + top->until[i] <= top->threshold) continue;
            if (cria_postings_seek_block(at, chunk)) {
                if (at->block != block) bound = bound_of(list, at->maxima[block = at->block]);
                if (one.score + bound + below <= top->threshold) continue;
                if (!look_up(top, list, chunk, &one.score)) return false;
            }
            top->candidates[kept++] = one;
        }
        count = kept;
    }
    for (size_t n = 0; n < count; n++)
        push(top, top->candidates[n].score, top->low + top->candidates[n].place);
    return true;
}

/* The window's allowed chunks as candidates, if they are few; else SIZE_MAX. */
static size_t few_allowed(struct top *top)
{
    size_t count = 0;
    for (uint32_t word = top->low / 64; word * 64 < top->high; word++)
        for (uint64_t bits = top->source->allowed[word]; bits; bits &= bits - 1) {
            uint32_t chunk = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (chunk >= top->high) break;
            if (count == FEW_ALLOWED) return SIZE_MAX;
            top->candidates[count++] = (struct candidate){chunk - top->low, 0};
        }
    return count;
}

/* Adds up the lists from `rest` on in order, and those before them that are so short that it is
 * quicker than to look up chunks; and completes what may exceed the threshold by the others. */
static bool add_lists(struct top *top, size_t rest)
{
    double postings = 0;
    uint32_t sum = top->until[top->list_count - 1];
    for (size_t i = rest; i < top->list_count; i++) postings += top->lists[top->order[i]].at->df;
    for (double cheap = CHEAP_TIMES * postings; rest > 0; rest--) {
        const struct list *list = &top->lists[top->order[rest - 1]];
        if (list->bound == 0 || list->at->df > cheap) break;
        postings += list->at->df;
    }
    bool marks = postings * WINDOW < (double)MARKED_BELOW * top->source->chunk_count;
    for (size_t i = rest; i < top->list_count; i++) {
        const struct list *list = &top->lists[top->order[i]];
        if (!add_list(top, list, sum - list->bound, marks)) return false;
    }
    return complete(top, rest, collect(top, rest ? top->until[rest - 1] : 0, marks));
}

/* top->low..high; then top->low is the next window's. */
static bool search_window(struct top *top)
{
    const struct cria_words_source *source = top->source;
    uint32_t next = UINT32_MAX, sum;
    for (size_t i = 0; i < top->list_count; i++) {
        struct list *list = &top->lists[i];
        if (!set_bound(top, list)) return false;
        if (list->next < next) next = list->next;
    }
    size_t rest = split(top);
    sum = top->until[top->list_count - 1];
    if (sum == 0) {
        top->low = next == UINT32_MAX ? source->chunk_count : next & ~UINT32_C(63);
        return true;
    }
    if (rest < top->list_count) {
        size_t few = source->allowed ? few_allowed(top) : SIZE_MAX;
        if (few == SIZE_MAX ? !add_lists(top, rest) : !complete(top, top->list_count, few))
            return false;
    }
    top->low = top->high;
    return true;
}

/* ---- a segment ---- */

static void begin_source(struct top *top, const struct cria_words_source *source, size_t index)
{
    top->source = source;
    top->source_index = (uint32_t)index;
    top->low = 0;
    top->list_count = 0;
}

/* Opens the source's lists; what weighs nothing is left out. */
static bool open_lists(struct top *top, struct cria_postings *cursors)
{
    const struct cria_words_source *source = top->source;
    double stretch = cria_postings_stretch(top->average, source->average_length);
    assert(source->list_count <= CRIA_WORDS_MAX_LISTS);
    for (size_t i = 0; i < source->list_count; i++) {
        const struct cria_words_list *from = &source->lists[i];
        struct list *list = &top->lists[top->list_count];
        double weight = from->weight * top->scale;
        if (!(weight > 0)) continue;
        *list = (struct list){.at = &cursors[top->list_count],
                              .weight = (float)weight,
                              .each_code = weight * ROUNDING * stretch * cria_postings_bound(1),
                              .most = (uint32_t)(weight * ROUNDING * (CRIA_BM25_K1 + 1)) + 2};
        if (!cria_postings_open_blocks(list->at, &from->bytes, from->offset, from->length, from->df,
                                       source->chunk_count))
            return false;
        list->is_sparse =
            (double)from->df * WINDOW < (double)source->chunk_count * CRIA_POSTINGS_BLOCK;
        top->order[top->list_count] = (uint32_t)top->list_count;
        top->list_count++;
    }
    return true;
}

static bool search_source(struct top *top, struct cria_postings *cursors)
{
    const struct cria_words_source *source = top->source;
    uint32_t most = 0;
    if (!open_lists(top, cursors)) return false;
    for (size_t i = 0; i < top->list_count; i++)
        most += bound_of(&top->lists[i], top->lists[i].at->max_code);
    if (most <= top->threshold) return true;
    while (top->low < source->chunk_count) {
        if (source->allowed) {
            uint32_t word = top->low / 64;
            while (word * 64 < source->chunk_count && !source->allowed[word]) word++;
            top->low = word * 64;
            if (top->low >= source->chunk_count) break;
        }
        top->high =
            source->chunk_count - top->low < WINDOW ? source->chunk_count : top->low + WINDOW;
        if (!search_window(top)) return false;
    }
    return true;
}

/* By adding up all; no bound is looked at. */
static bool add_up_source(struct top *top, struct cria_postings *cursors, uint32_t *scores)
{
    const struct cria_words_source *source = top->source;
    if (!open_lists(top, cursors)) return false;
    for (size_t i = 0; i < top->list_count; i++) {
        struct cria_postings *at = cursors + i;
        for (; at->block < at->block_count; at->block++, at->count = 0, at->has_tfs = false) {
            if (!cria_postings_unpack_ids(at)) return false;
            cria_postings_unpack_tfs(at);
            for (uint32_t n = 0; n < at->count; n++)
                scores[at->ids[n]] += whole(top->lists[i].weight,
                                            bm25(top->k, at->tfs[n], source->norms[at->ids[n]]));
        }
    }
    for (uint32_t chunk = 0; chunk < source->chunk_count; chunk++)
        if (scores[chunk] && (!source->allowed || cria_bit(source->allowed, chunk)))
            push(top, scores[chunk], chunk);
    return true;
}

static struct top *new_top(const struct cria_words_source *sources, size_t source_count,
                           double average, size_t limit, struct cria_arena *arena,
                           struct cria_postings **cursors)
{
    size_t most_lists = 0;
    struct top *top = CRIA_NEW(arena, struct top);
    if (!top) return NULL;
    for (size_t s = 0; s < source_count; s++)
        if (sources[s].list_count > most_lists) most_lists = sources[s].list_count;
    top->average = average;
    top->scale = scale_of(sources, source_count);
    top->limit = limit;
    top->heap = CRIA_NEW_ARRAY(arena, limit, struct found);
    *cursors = CRIA_NEW_ARRAY(arena, most_lists, struct cria_postings);
    if (!top->heap || !*cursors) return NULL;
    make_k(top->k, average);
    for (uint32_t tf = 1; tf < TABLE_TFS; tf++)
        for (uint32_t norm = 0; norm < 256; norm++)
            top->table[tf][norm] = bm25(top->k, tf, (uint8_t)norm);
    return top;
}

enum cria_words_result cria_words_top(const struct cria_words_source *sources, size_t source_count,
                                      double average_length, size_t limit, struct cria_arena *arena,
                                      struct cria_words_hit *out, size_t *count,
                                      size_t *damaged_source)
{
    struct cria_postings *cursors;
    struct top *top = new_top(sources, source_count, average_length, limit, arena, &cursors);
    if (!top) return CRIA_WORDS_NO_MEMORY;
    for (size_t s = 0; s < source_count; s++) {
        begin_source(top, &sources[s], s);
        if (!search_source(top, cursors)) {
            *damaged_source = s;
            return CRIA_WORDS_DAMAGED;
        }
    }
    finish(top, out, count);
    return CRIA_WORDS_OK;
}

enum cria_words_result cria_words_top_exhaustive(const struct cria_words_source *sources,
                                                 size_t source_count, double average_length,
                                                 size_t limit, struct cria_arena *arena,
                                                 struct cria_words_hit *out, size_t *count,
                                                 size_t *damaged_source)
{
    struct cria_postings *cursors;
    struct top *top = new_top(sources, source_count, average_length, limit, arena, &cursors);
    size_t most_chunks = 0;
    for (size_t s = 0; s < source_count; s++)
        if (sources[s].chunk_count > most_chunks) most_chunks = sources[s].chunk_count;
    uint32_t *scores = top ? CRIA_NEW_ARRAY(arena, most_chunks, uint32_t) : NULL;
    if (!scores) return CRIA_WORDS_NO_MEMORY;
    for (size_t s = 0; s < source_count; s++) {
        begin_source(top, &sources[s], s);
        if (s > 0) memset(scores, 0, most_chunks * sizeof(*scores));
        if (!add_up_source(top, cursors, scores)) {
            *damaged_source = s;
            return CRIA_WORDS_DAMAGED;
        }
    }
    finish(top, out, count);
    return CRIA_WORDS_OK;
}

/* ---- scores of given chunks ---- */

enum cria_words_result cria_words_scores(const struct cria_words_source *sources,
                                         size_t source_count, double average_length, size_t source,
                                         const uint32_t *chunks, size_t n, struct cria_arena *arena,
                                         float *scores, uint32_t *tfs)
{
    const struct cria_words_source *from = &sources[source];
    double scale = scale_of(sources, source_count);
    float k[256];
    struct cria_postings *at = CRIA_NEW(arena, struct cria_postings);
    uint32_t *sums = CRIA_NEW_ARRAY(arena, n, uint32_t);
    if (!at || !sums) return CRIA_WORDS_NO_MEMORY;
    make_k(k, average_length);
    for (size_t l = 0; l < from->list_count; l++) {
        const struct cria_words_list *list = &from->lists[l];
        float weight = (float)(list->weight * scale);
        if (!cria_postings_open_blocks(at, &list->bytes, list->offset, list->length, list->df,
                                       from->chunk_count))
            return CRIA_WORDS_DAMAGED;
        for (size_t i = 0; i < n; i++) {
            uint32_t tf = 0;
            if (cria_postings_seek_block(at, chunks[i])) {
                if (!cria_postings_unpack_ids(at)) return CRIA_WORDS_DAMAGED;
                at->at = cria_postings_find(at, at->at, chunks[i]);
                if (at->at < at->count && at->ids[at->at] == chunks[i]) tf = cria_postings_tf(at);
            }
            if (tfs) tfs[i * from->list_count + l] = tf;
            if (tf && weight > 0) sums[i] += whole(weight, bm25(k, tf, from->norms[chunks[i]]));
        }
    }
    for (size_t i = 0; i < n; i++) scores[i] = (float)(sums[i] / scale);
    return CRIA_WORDS_OK;
}
