#include "bench/search/peer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TOKENS = 4096, MAX_BATCH = 4096 };

struct words {
    char *copy; /* the tokens' bytes */
    size_t capacity;
    struct peer_token tokens[MAX_TOKENS];
    size_t count;
};

struct question {
    char *line;
    size_t len;
    double us, cpu_us;
    size_t found;
    uint32_t ids[PEER_TOP];
};

void peer_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double us_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static bool is_of_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void cut(struct words *w, const char *line, size_t len, bool once)
{
    if (w->capacity < len * 2 + 1) {
        w->capacity = len * 2 + 4096;
        free(w->copy);
        w->copy = malloc(w->capacity);
        if (!w->copy) peer_die("words", "out of memory");
    }
    char *to = w->copy;
    w->count = 0;
    for (size_t i = 0; i < len && w->count < MAX_TOKENS;) {
        if (!is_of_word((unsigned char)line[i])) {
            i++;
            continue;
        }
        struct peer_token token = {.bytes = to};
        for (; i < len && is_of_word((unsigned char)line[i]); i++)
            *to++ = (char)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]);
        *to++ = '\0';
        token.len = (size_t)(to - token.bytes) - 1;
        bool keep = token.len < PEER_TOKEN_BYTES;
        for (size_t k = 0; once && keep && k < w->count; k++)
            keep = strcmp(w->tokens[k].bytes, token.bytes) != 0;
        if (keep) w->tokens[w->count++] = token;
    }
}

static FILE *opened(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) peer_die(path, "cannot be read");
    return file;
}

static int build(const struct peer *peer, const char *folder, const char *path, size_t most)
{
    static struct words words;
    float vector[PEER_DIMENSIONS];
    char *line = NULL;
    size_t capacity = 0, n = 0;
    ssize_t len;
    FILE *file = opened(path);
    double cpu = us_of(CLOCK_PROCESS_CPUTIME_ID), begin = us_of(CLOCK_MONOTONIC);
    void *index = peer->create(folder);
    while (n < most) {
        struct peer_text chunk = {0};
        if (peer->takes_vectors) {
            if (fread(vector, sizeof(vector), 1, file) != 1) break;
            chunk.vector = vector;
        } else {
            if ((len = getline(&line, &capacity, file)) < 0) break;
            if (len && line[len - 1] == '\n') len--;
            cut(&words, line, (size_t)len, false);
            chunk.line = line;
            chunk.line_len = (size_t)len;
            chunk.tokens = words.tokens;
            chunk.count = words.count;
        }
        peer->add(index, (uint32_t)n++, &chunk);
    }
    peer->finish(index);
    printf("{\"chunks\":%zu,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n", n,
           (us_of(CLOCK_MONOTONIC) - begin) / 1e6, (us_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6);
    fclose(file);
    free(line);
    return 0;
}

static float *slurp_vectors(const char *path, size_t *count)
{
    FILE *file = opened(path);
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file) / (PEER_DIMENSIONS * sizeof(float));
    rewind(file);
    float *all = malloc(*count * PEER_DIMENSIONS * sizeof(float) + 1);
    if (!all || fread(all, PEER_DIMENSIONS * sizeof(float), *count, file) != *count)
        peer_die(path, "cannot be read");
    fclose(file);
    return all;
}

static void ask(const struct peer *peer, void *index, struct words *words, const float *vectors,
                size_t vector_count, struct question *q)
{
    struct peer_text text = {.line = q->line, .line_len = q->len};
    if (peer->takes_vectors) {
        size_t row = strtoull(q->line, NULL, 10);
        if (row >= vector_count) peer_die(q->line, "no such row");
        text.vector = vectors + row * PEER_DIMENSIONS;
    } else {
        cut(words, q->line, q->len, true);
        text.tokens = words->tokens;
        text.count = words->count;
    }
    double cpu = us_of(CLOCK_PROCESS_CPUTIME_ID), begin = us_of(CLOCK_MONOTONIC);
    q->found = peer->ask(index, &text, q->ids);
    q->us = us_of(CLOCK_MONOTONIC) - begin;
    q->cpu_us = us_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static int serve(const struct peer *peer, const char *folder, const char *queries)
{
    static struct words words;
    static struct question batch[MAX_BATCH];
    size_t vector_count = 0, n = 0, capacity = 0;
    float *vectors = peer->takes_vectors ? slurp_vectors(queries, &vector_count) : NULL;
    void *index = peer->open(folder);
    char *line = NULL;
    ssize_t len;
    puts("ready");
    fflush(stdout);
    while ((len = getline(&line, &capacity, stdin)) >= 0) {
        if (len && line[len - 1] == '\n') line[--len] = '\0';
        if (len && n < MAX_BATCH) {
            batch[n] = (struct question){.line = strdup(line), .len = (size_t)len};
            if (!batch[n++].line) peer_die("serve", "out of memory");
            continue;
        }
        for (size_t i = 0; i < n; i++) ask(peer, index, &words, vectors, vector_count, &batch[i]);
        for (size_t i = 0; i < n; i++) {
            printf("%.1f\t%.1f\t", batch[i].us, batch[i].cpu_us);
            for (size_t k = 0; k < batch[i].found; k++)
                printf(k ? ",%u" : "%u", (unsigned)batch[i].ids[k]);
            puts("");
            free(batch[i].line);
        }
        n = 0;
        puts("");
        fflush(stdout);
    }
    free(line);
    free(vectors);
    return 0;
}

int peer_main(int argc, char **argv, const struct peer *peer)
{
    if (argc >= 4 && strcmp(argv[1], "build") == 0)
        return build(peer, argv[2], argv[3], argc > 4 ? strtoull(argv[4], NULL, 10) : SIZE_MAX);
    if (argc >= 3 + peer->takes_vectors && strcmp(argv[1], "serve") == 0)
        return serve(peer, argv[2], peer->takes_vectors ? argv[3] : NULL);
    fprintf(stderr, "usage: %s build FOLDER FILE [COUNT] | serve FOLDER [QUERIES]\n", argv[0]);
    return 64;
}
