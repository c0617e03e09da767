/* words [CHUNKS [QUESTIONS]] - the words leg of search over a made-up collection with the
 * statistics of real text: words by Zipf's law, documents of 8 chunks that repeat words of their
 * own, a rare word in each chunk. Prints the CPU time of questions by block-max MaxScore and by
 * adding up all postings (one thread, the best of three runs each), their ratio, the rate of
 * packing and the bytes a chunk. All answers are compared. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "search/norms.h"
#include "search/words.h"

enum {
    COMMON = 430000,
    TOPIC = 40,
    PER_DOCUMENT = 8,
    MOST_TOKENS = 400,
    STOP_WORDS = 40,
    RUNS = 3
};

struct corpus {
    uint32_t chunk_count, term_count;
    uint32_t *dfs;
    uint64_t *starts, postings;
    uint32_t *ids, *tfs;
    uint8_t *norms;
    double average;
    struct cria_buf lists;
    size_t *offsets;
};

static double now_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at); /* the machine may have other work */
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void *need(void *memory)
{
    if (memory) return memory;
    fputs("no memory\n", stderr);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static double chance(uint64_t *seed)
{
    return (double)(mix(++*seed) >> 11) * 0x1p-53;
}

/* A rank from `first` on, by Zipf's law. */
static uint32_t zipf(uint64_t *seed, uint32_t first)
{
    const double shift = .7, low = log(first + shift), high = log(COMMON + shift);
    double rank = exp(low + chance(seed) * (high - low)) - shift;
    return rank >= COMMON ? COMMON - 1 : (uint32_t)rank;
}

/* The words of one chunk, in order; returns how many. */
static uint32_t tokens_of(uint32_t chunk, uint32_t *out)
{
    uint64_t topic_seed = mix(chunk / PER_DOCUMENT), seed = mix(chunk + UINT64_C(0xabcdef012345));
    uint32_t topic[TOPIC], count = 80 + (uint32_t)(chance(&seed) * 130);
    for (size_t i = 0; i < TOPIC; i++) topic[i] = zipf(&topic_seed, 100);
    for (uint32_t i = 0; i < count; i++)
        out[i] = chance(&seed) < .3 ? topic[(size_t)(chance(&seed) * TOPIC)] : zipf(&seed, 0);
    out[count / 2] = COMMON + chunk;
    return count;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Calls for each distinct word of each chunk; twice: to count, and to fill. */
static void invert(struct corpus *corpus, bool fills, uint64_t *at)
{
    uint32_t words[MOST_TOKENS];
    for (uint32_t chunk = 0; chunk < corpus->chunk_count; chunk++) {
        uint32_t count = tokens_of(chunk, words);
        qsort(words, count, sizeof(*words), by_number);
        if (!fills) {
            corpus->norms[chunk] = cria_norm_of(count);
            corpus->average += (double)count / corpus->chunk_count;
        }
        for (uint32_t i = 0, next; i < count; i = next) {
            for (next = i + 1; next < count && words[next] == words[i];) next++;
            if (!fills) {
                corpus->dfs[words[i]]++;
                corpus->postings++;
                continue;
            }
            corpus->ids[at[words[i]]] = chunk;
            corpus->tfs[at[words[i]]++] = next - i;
        }
    }
}

static void make(struct corpus *corpus)
{
    uint64_t *at, sum = 0;
    corpus->term_count = COMMON + corpus->chunk_count;
    corpus->norms = need(malloc(corpus->chunk_count));
    corpus->dfs = need(calloc(corpus->term_count, sizeof(*corpus->dfs)));
    corpus->starts = need(calloc(corpus->term_count + 1, sizeof(*corpus->starts)));
    corpus->offsets = need(calloc(corpus->term_count + 1, sizeof(*corpus->offsets)));
    invert(corpus, false, NULL);
    at = need(malloc(corpus->term_count * sizeof(*at)));
    for (uint32_t term = 0; term < corpus->term_count; term++) {
        at[term] = corpus->starts[term] = sum;
        sum += corpus->dfs[term];
    }
    corpus->ids = need(malloc(sum * sizeof(*corpus->ids)));
    corpus->tfs = need(malloc(sum * sizeof(*corpus->tfs)));
    invert(corpus, true, at);
    free(at);
}

static void pack(struct corpus *corpus)
{
    double start = now_ms();
    cria_buf_init(&corpus->lists, SIZE_MAX / 4);
    for (uint32_t term = 0; term < corpus->term_count; term++) {
        corpus->offsets[term] = corpus->lists.len;
        if (corpus->dfs[term] &&
            !cria_postings_write(&corpus->lists, corpus->ids + corpus->starts[term],
                                 corpus->tfs + corpus->starts[term], corpus->dfs[term],
                                 corpus->norms, corpus->average))
            need(NULL);
    }
    corpus->offsets[corpus->term_count] = corpus->lists.len;
    double ms = now_ms() - start, chunks = corpus->chunk_count;
    printf("%u chunks of %.0f words, %.1f of them distinct; %u words\n", corpus->chunk_count,
           corpus->average, (double)corpus->postings / chunks, corpus->term_count);
    printf("packing: %.0f chunks/s, %.1f M postings/s; %.1f bytes a chunk, %.2f bits a posting\n",
           chunks / ms * 1e3, (double)corpus->postings / ms / 1e3,
           (double)corpus->lists.len / chunks,
           8.0 * (double)corpus->lists.len / (double)corpus->postings);
    free(corpus->ids);
    free(corpus->tfs);
}

/* Up to n distinct words of a chunk, from one place on; with stop words or without. */
static size_t question_of(const struct corpus *corpus, uint64_t *seed, size_t n, bool natural,
                          struct cria_words_list *lists)
{
    uint32_t words[MOST_TOKENS], chosen[16];
    uint32_t chunk = (uint32_t)(chance(seed) * corpus->chunk_count);
    uint32_t count = tokens_of(chunk, words), at = (uint32_t)(chance(seed) * (count - 60));
    size_t found = 0;
    for (; at < count && found < n; at++) {
        bool known = words[at] >= COMMON || (!natural && words[at] < STOP_WORDS);
        for (size_t i = 0; i < found; i++) known = known || chosen[i] == words[at];
        if (known) continue;
        uint32_t df = corpus->dfs[words[at]], term = words[at];
        chosen[found] = term;
        lists[found++] = (struct cria_words_list){
            .bytes = {.ptr = (const uint8_t *)corpus->lists.ptr, .len = corpus->lists.len},
            .offset = corpus->offsets[term],
            .length = corpus->offsets[term + 1] - corpus->offsets[term],
            .df = df,
            .weight = log(1 + (corpus->chunk_count + 20.5 - df) / (df + .5))};
    }
    return found;
}

static double time_one(const struct corpus *corpus, const struct cria_words_source *source,
                       bool exhaustive, size_t limit, struct cria_words_hit *out, size_t *count)
{
    double best = INFINITY;
    for (int run = 0; run < RUNS; run++) {
        struct cria_arena arena;
        size_t damaged;
        double start = now_ms();
        cria_arena_init(&arena, SIZE_MAX);
        enum cria_words_result result =
            exhaustive
                ? cria_words_top_exhaustive(source, 1, corpus->average, limit, &arena, out, count,
                                            &damaged)
                : cria_words_top(source, 1, corpus->average, limit, &arena, out, count, &damaged);
        cria_arena_release(&arena);
        double ms = now_ms() - start;
        if (result != CRIA_WORDS_OK) need(NULL);
        if (ms < best) best = ms;
    }
    return best;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct corpus *corpus, const char *name, size_t words, bool natural,
                    size_t limit, size_t questions, const uint64_t *allowed)
{
    double *fast = need(calloc(questions, sizeof(*fast)));
    double *slow = need(calloc(questions, sizeof(*slow)));
    struct cria_words_hit *a = need(calloc(limit, sizeof(*a))),
                          *b = need(calloc(limit, sizeof(*b)));
    uint64_t seed = 1000 + words, *seed_at = &seed;
    double all_fast = 0, all_slow = 0, postings = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < questions; i++) {
        struct cria_words_list lists[16];
        struct cria_words_source source = {.lists = lists,
                                           .norms = corpus->norms,
                                           .chunk_count = corpus->chunk_count,
                                           .average_length = corpus->average,
                                           .allowed = allowed};
        size_t n, m;
        source.list_count = question_of(corpus, seed_at, words, natural, lists);
        for (size_t l = 0; l < source.list_count; l++) postings += lists[l].df;
        all_fast += fast[i] = time_one(corpus, &source, false, limit, a, &n);
        all_slow += slow[i] = time_one(corpus, &source, true, limit, b, &m);
        wrong += n != m || memcmp(a, b, n * sizeof(*a)) != 0;
    }
    qsort(fast, questions, sizeof(*fast), by_time);
    qsort(slow, questions, sizeof(*slow), by_time);
    printf("%-6s top %-5zu %8.3f (%7.3f) %8.3f (%7.3f) %7.1f x %6.1f x  %8.0fk  %zu wrong\n", name,
           limit, fast[questions / 2], fast[questions * 99 / 100], slow[questions / 2],
           slow[questions * 99 / 100], slow[questions / 2] / fast[questions / 2],
           all_slow / all_fast, postings / (double)questions / 1e3, wrong);
    free(fast);
    free(slow);
    free(a);
    free(b);
}

/* One document of `one_in` is allowed. */
static uint64_t *filter(const struct corpus *corpus, uint32_t one_in)
{
    uint64_t *allowed = need(calloc(cria_bitmap_words(corpus->chunk_count), sizeof(*allowed)));
    for (uint32_t chunk = 0; chunk < corpus->chunk_count; chunk++)
        if (mix(chunk / PER_DOCUMENT) % one_in == 0)
            allowed[chunk / 64] |= UINT64_C(1) << chunk % 64;
    return allowed;
}

/* The scores of 100 chunks that another leg found, by seeks. */
static void measure_scores(const struct corpus *corpus, size_t questions)
{
    enum { CHUNKS = 100, WORDS = 6 };
    double *times = need(calloc(questions, sizeof(*times)));
    uint64_t seed = 77;
    for (size_t i = 0; i < questions; i++) {
        struct cria_words_list lists[16];
        struct cria_words_source source = {.lists = lists,
                                           .norms = corpus->norms,
                                           .chunk_count = corpus->chunk_count,
                                           .average_length = corpus->average};
        uint32_t chunks[CHUNKS];
        float scores[CHUNKS];
        source.list_count = question_of(corpus, &seed, WORDS, false, lists);
        for (uint32_t n = 0; n < CHUNKS; n++)
            chunks[n] = corpus->chunk_count / CHUNKS * n + (uint32_t)(chance(&seed) * 3);
        times[i] = INFINITY;
        for (int run = 0; run < RUNS; run++) {
            struct cria_arena arena;
            cria_arena_init(&arena, SIZE_MAX);
            double start = now_ms();
            if (cria_words_scores(&source, 1, corpus->average, 0, chunks, CHUNKS, &arena, scores,
                                  NULL) != CRIA_WORDS_OK)
                need(NULL);
            double ms = now_ms() - start;
            if (ms < times[i]) times[i] = ms;
            cria_arena_release(&arena);
        }
    }
    qsort(times, questions, sizeof(*times), by_time);
    printf("scores of %d given chunks, %d words: %.3f (%.3f)\n", CHUNKS, WORDS,
           times[questions / 2], times[questions * 99 / 100]);
    free(times);
}

int main(int argc, char **argv)
{
    static const size_t limits[] = {10, 100, 1000};
    static const uint32_t filters[] = {10, 100, 1000};
    struct corpus corpus = {.chunk_count = 1000000};
    size_t questions = 200;
    if (argc > 1) corpus.chunk_count = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2) questions = strtoul(argv[2], NULL, 10);
    if (corpus.chunk_count < 1000 || questions == 0) return 64;
    make(&corpus);
    pack(&corpus);
    printf("ms, p50 (p99):   MaxScore           exhaustive      p50 ratio, mean's  postings\n");
    for (size_t i = 0; i < CRIA_COUNT(limits); i++) {
        measure(&corpus, "q3", 3, false, limits[i], questions, NULL);
        measure(&corpus, "q6", 6, false, limits[i], questions, NULL);
        measure(&corpus, "q10", 10, false, limits[i], questions, NULL);
        measure(&corpus, "nat10", 10, true, limits[i], questions, NULL);
    }
    for (size_t i = 0; i < CRIA_COUNT(filters); i++) {
        uint64_t *allowed = filter(&corpus, filters[i]);
        printf("one document of %u allowed:\n", filters[i]);
        measure(&corpus, "q6", 6, false, 100, questions, allowed);
        free(allowed);
    }
    measure_scores(&corpus, questions);
    cria_buf_release(&corpus.lists);
    free(corpus.dfs);
    free(corpus.starts);
    free(corpus.offsets);
    free(corpus.norms);
    return 0;
}
