/* vector [ROWS [DIMS [FILE [QUERIES]]]] - searches of the vector index: time, recall, memory, build
 * rate; hnswlib beside it in the same loop where its headers are installed. One thread, whose
 * processor time is told. FILE and QUERIES hold rows of DIMS floats; without QUERIES the rows of
 * FILE behind the first ROWS are asked, without FILE the vectors are drawn from a mixture of
 * Gaussians in two levels with a decaying spectrum and a common mean, and the queries too.
 * Environment: CRIA_BENCH_QUERIES, CRIA_BENCH_LISTS, CRIA_BENCH_LISTS_FROM, CRIA_BENCH_PROBES,
 * CRIA_BENCH_HNSW=0, CRIA_BENCH_FILTERS=0. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/hnsw.h"
#include "search/vector/index.h"
#include "search/vector/vector.h"

enum { K = 10, WIDE = 128, FINE = 16, QUERIES_MOST = 1000 };

struct bench {
    uint32_t dims, rows, queries;
    uint64_t random;
    uint16_t *halves;
    float *asked;                  /* queries */
    float *mean, *centres;         /* of the mixture */
    struct cria_vector_hit *truth; /* K a query */
    struct cria_vector_index *index;
    struct cria_arena arena;
    struct cria_call call;
    struct hnsw *hnsw;
};

static void die(const char *what)
{
    fprintf(stderr, "vector: %s\n", what);
    exit(1);
}

static void *grab(size_t count, size_t each)
{
    void *p = calloc(count, each);
    if (!p) die("memory");
    return p;
}

static uint64_t next_random(struct bench *b)
{
    b->random ^= b->random << 13, b->random ^= b->random >> 7, b->random ^= b->random << 17;
    return b->random;
}
/* Close to normal: the sum of four 16-bit numbers. */
static float next_normal(struct bench *b)
{
    uint64_t r = next_random(b);
    int sum =
        (int)(r & 0xffff) + (int)((r >> 16) & 0xffff) + (int)((r >> 32) & 0xffff) + (int)(r >> 48);
    return (float)(sum - 131070) * (1.0f / 37837.0f);
}
static float spectrum(uint32_t i)
{
    return 1 / sqrtf(1 + (float)i / 24);
}

static void draw(struct bench *b, float *out)
{
    uint64_t r = next_random(b);
    size_t wide = r % WIDE, fine = wide * FINE + (r >> 32) % FINE;
    const float *near = b->centres + (WIDE + fine) * b->dims, *far = b->centres + wide * b->dims;
    for (uint32_t i = 0; i < b->dims; i++)
        out[i] = b->mean[i] + far[i] + near[i] + 0.9f * spectrum(i) * next_normal(b);
}

static void draw_centres(struct bench *b)
{
    b->mean = grab(b->dims, sizeof(float));
    b->centres = grab((size_t)b->dims * WIDE * (1 + FINE), sizeof(float));
    for (uint32_t i = 0; i < b->dims; i++) b->mean[i] = 0.6f * next_normal(b);
    for (size_t c = 0; c < WIDE * (1 + FINE); c++)
        for (uint32_t i = 0; i < b->dims; i++)
            b->centres[c * b->dims + i] = (c < WIDE ? 0.6f : 0.45f) * spectrum(i) * next_normal(b);
}

static FILE *open_rows(const char *path)
{
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (path && !file) die("a file cannot be read");
    return file;
}

static void make_data(struct bench *b, const char *path, const char *queries)
{
    float *row = grab(b->dims, sizeof(float));
    FILE *rows = open_rows(path), *asked = queries ? open_rows(queries) : rows;
    if (!rows) draw_centres(b);
    b->halves = grab((size_t)b->rows * b->dims, sizeof(uint16_t));
    b->asked = grab((size_t)b->queries * b->dims, sizeof(float));
    for (uint32_t n = 0; n < b->rows + b->queries; n++) {
        if (!rows)
            draw(b, row);
        else if (fread(row, sizeof(float), b->dims, n < b->rows ? rows : asked) != b->dims)
            die("a file has fewer rows");
        if (n >= b->rows)
            memcpy(b->asked + (size_t)(n - b->rows) * b->dims, row, b->dims * sizeof(float));
        else if (!cria_vector_pack(row, b->dims, b->halves + (size_t)n * b->dims))
            memset(b->halves + (size_t)n * b->dims, 0, b->dims * sizeof(uint16_t));
    }
    if (asked && asked != rows) fclose(asked);
    if (rows) fclose(rows);
    free(row);
}

static const uint16_t *get_row(void *arg, uint32_t n)
{
    const struct bench *b = arg;
    return b->halves + (size_t)n * b->dims;
}
static bool put_bytes(void *arg, const void *bytes, size_t len)
{
    return fwrite(bytes, 1, len, arg) == len;
}

static uint32_t number(const char *name, uint32_t otherwise)
{
    const char *value = getenv(name);
    return value ? (uint32_t)strtoul(value, NULL, 10) : otherwise;
}

static size_t resident_kb(const char *field)
{
    char line[256];
    size_t kb = 0, len = strlen(field);
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, field, len) == 0) kb = strtoul(line + len + 1, NULL, 10);
    if (file) fclose(file);
    return kb;
}

/* Processor time of this thread: others on the machine do not count. */
static uint64_t worked_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static double ms_since(uint64_t start)
{
    return (double)(worked_ns() - start) / 1e6;
}

static void build(struct bench *b)
{
    const struct cria_vector_source source = {b->dims, b->rows, get_row, b};
    const struct cria_vector_build_options options = {
        .lists = number("CRIA_BENCH_LISTS", 0), .lists_from = number("CRIA_BENCH_LISTS_FROM", 0)};
    FILE *file = tmpfile();
    if (!file) die("no temporary file");
    const struct cria_sink sink = {put_bytes, file};
    uint64_t start = worked_ns();
    size_t before = resident_kb("VmHWM:");
    if (cria_vector_build(&b->call, &source, &sink, &options) != CRIA_OK) die(b->call.error);
    double seconds = ms_since(start) / 1e3;
    size_t more = resident_kb("VmHWM:") - before; /* the blob itself is not mapped yet */
    fflush(file);
    size_t len = (size_t)ftell(file);
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, fileno(file), 0);
    if (map == MAP_FAILED) die("mmap");
    const struct cria_bytes bytes = {.ptr = map, .len = len};
    start = worked_ns();
    if (cria_vector_open(&b->call, bytes, &b->index) != CRIA_OK) die(b->call.error);
    const uint64_t rows = b->index->about.sections[CRIA_SECTION_ROWS].length;
    printf("kernels %s; built in %.2f s = %.0f rows/s, %zu MB of memory more; opened in %.3f ms; "
           "%u lists, margin %.3f\n",
           b->index->distance->name, seconds, b->rows / seconds, more / 1024, ms_since(start),
           cria_vector_lists(b->index), (double)b->index->about.margin);
    printf("bytes a row: %.0f in memory (codes and bytes), %.0f of half floats on disk\n",
           (double)(len - rows) / b->rows, (double)rows / b->rows);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Answers of one way of searching, over all queries. */
struct tally {
    double times[QUERIES_MOST], found;
    uint32_t count;
};

static void print_tally(const char *name, struct tally *t)
{
    if (!t->count) return;
    qsort(t->times, t->count, sizeof(*t->times), compare);
    printf("%-28s p50 %8.3f  p99 %8.3f ms  recall@10 %.4f\n", name, t->times[t->count / 2],
           t->times[t->count * 99 / 100], t->found / t->count / K);
    fflush(stdout);
}

static void count_found(struct tally *t, const struct cria_vector_hit *truth, const uint32_t *rows,
                        uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < K; j++)
            if (truth[j].row == rows[i]) {
                t->found++;
                break;
            }
}

static void ask(struct bench *b, uint32_t q, const uint64_t *allowed,
                const struct cria_vector_options *options, struct cria_vector_hit *hits,
                uint32_t *count)
{
    cria_arena_reset(&b->arena);
    if (cria_vector_search(b->index, &b->call, b->asked + (size_t)q * b->dims, K, allowed, options,
                           hits, count) != CRIA_OK)
        die(b->call.error);
}

/* All queries, ours and hnswlib's with each of its settings in turns. */
static void race(struct bench *b, const char *name, const uint64_t *allowed)
{
    static const int efs[] = {16, 32, 64, 128, 256, 512, 1024};
    static struct tally ours, exact, theirs[7];
    const struct cria_vector_options all = {.exact = true},
                                     usual = {.max_probes = number("CRIA_BENCH_PROBES", 0)};
    memset(&ours, 0, sizeof(ours)), memset(&exact, 0, sizeof(exact)),
        memset(theirs, 0, sizeof(theirs));
    for (uint32_t q = 0; q < b->queries; q++) {
        struct cria_vector_hit *truth = b->truth + (size_t)q * K;
        uint32_t count;
        uint64_t start = worked_ns();
        ask(b, q, allowed, &all, truth, &count);
        exact.times[exact.count++] = ms_since(start);
        exact.found += K;
    }
    for (uint32_t q = 0; q < b->queries; q++) {
        const struct cria_vector_hit *truth = b->truth + (size_t)q * K;
        struct cria_vector_hit hits[K];
        uint32_t rows[K], count;
        uint64_t start = worked_ns();
        ask(b, q, allowed, &usual, hits, &count);
        ours.times[ours.count++] = ms_since(start);
        for (uint32_t i = 0; i < count; i++) rows[i] = hits[i].row;
        count_found(&ours, truth, rows, count);
        for (size_t e = 0; b->hnsw && e < CRIA_COUNT(efs); e++) {
            start = worked_ns();
            count = (uint32_t)hnsw_search(b->hnsw, b->asked + (size_t)q * b->dims, K, efs[e], rows);
            theirs[e].times[theirs[e].count++] = ms_since(start);
            count_found(&theirs[e], truth, rows, count);
        }
    }
    printf("-- %s\n", name);
    print_tally("cria", &ours);
    print_tally("cria, exact", &exact);
    for (size_t e = 0; e < CRIA_COUNT(efs); e++) {
        char label[40];
        snprintf(label, sizeof(label), "hnswlib ef %d", efs[e]);
        print_tally(label, &theirs[e]);
    }
}

/* One in `one_in` rows, alone or in runs as the chunks of documents lie. */
static void filtered(struct bench *b, const char *name, uint32_t one_in, uint32_t run)
{
    uint64_t *allowed = grab((size_t)b->rows / 64 + 1, sizeof(*allowed));
    for (uint32_t from = 0; from < b->rows; from += run)
        if (next_random(b) % one_in == 0)
            for (uint32_t n = from; n < from + run && n < b->rows; n++)
                allowed[n / 64] |= (uint64_t)1 << n % 64;
    if (b->hnsw) hnsw_allow(b->hnsw, allowed);
    race(b, name, allowed);
    if (b->hnsw) hnsw_allow(b->hnsw, NULL);
    free(allowed);
}

static void build_hnsw(struct bench *b)
{
    if (!number("CRIA_BENCH_HNSW", 1)) return;
    size_t before = resident_kb("VmRSS:");
    uint64_t start = worked_ns();
    b->hnsw = hnsw_build(b->halves, b->rows, b->dims, getenv("CRIA_BENCH_HNSW_FILE"));
    if (!b->hnsw) {
        printf("hnswlib is not installed (libhnswlib-dev): left out\n");
        return;
    }
    double seconds = ms_since(start) / 1e3;
    printf("hnswlib M 16, efConstruction 200: built in %.2f s = %.0f rows/s, %.0f bytes a row\n",
           seconds, b->rows / seconds, (double)(resident_kb("VmRSS:") - before) * 1024 / b->rows);
}

int main(int argc, char **argv)
{
    struct bench b = {.rows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000,
                      .dims = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 384,
                      .random = 88172645463325252u};
    b.queries = number("CRIA_BENCH_QUERIES", 200);
    if (!b.rows || b.rows > INT32_MAX || !b.dims || b.dims > CRIA_VECTOR_MAX_DIMS || !b.queries ||
        b.queries > QUERIES_MOST)
        die("usage: vector [ROWS [DIMS [FILE [QUERIES]]]]");
    cria_arena_init(&b.arena, 1u << 30);
    cria_call_init(&b.call, &b.arena);
    b.truth = grab((size_t)b.queries * K, sizeof(*b.truth));
    make_data(&b, argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
    printf("%u rows, %u dims, %u queries, k %d\n", b.rows, b.dims, b.queries, K);
    build(&b);
    build_hnsw(&b);
    fflush(stdout);
    race(&b, "all rows", NULL);
    if (!number("CRIA_BENCH_FILTERS", 1)) return 0;
    filtered(&b, "1 % of the rows, scattered", 100, 1);
    filtered(&b, "1 % of the rows, in runs of 50", 100, 50);
    filtered(&b, "10 % of the rows, scattered", 10, 1);
    filtered(&b, "10 % of the rows, in runs of 50", 10, 50);
    return 0;
}
