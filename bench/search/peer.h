/* peer.h - what the search engines of bench/search have in common: one is told how to add and ask,
 * the rest (words, files, clocks, talking to bench/search/run) is here. An engine's program is
 *   ENGINE build FOLDER FILE [COUNT]   indexes the file's lines (or rows of 384 floats) into FOLDER
 *   ENGINE serve FOLDER [QUERIES]      answers questions from standard input
 * `build` prints {"chunks":…,"seconds":…,"cpu_seconds":…}. `serve` prints "ready", then reads a
 * question a line (for vectors the number of a row of the QUERIES file) until an empty line,
 * answers them one after another, and prints for each MICROSECONDS TAB MICROSECONDS-OF-CPU TAB
 * ID,ID,… and after the last one an empty line. Ids are lines of the file, from 0. One thread.
 * Anything wrong ends the program. */
#ifndef CRIA_BENCH_SEARCH_PEER_H
#define CRIA_BENCH_SEARCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_TOP = 10, PEER_DIMENSIONS = 384, PEER_TOKEN_BYTES = 64 };

/** A word: lower case, NUL-terminated, at most PEER_TOKEN_BYTES - 1 bytes. */
struct peer_token {
    char *bytes;
    size_t len;
};

/** A chunk or a question. Borrowed for the call. */
struct peer_text {
    const char *line; /* as it was written; NULL for vectors */
    size_t line_len;
    const struct peer_token *tokens; /* of a question: each once */
    size_t count;
    const float *vector; /* PEER_DIMENSIONS of them, length 1; NULL for words */
};

struct peer {
    int takes_vectors;
    void *(*create)(const char *folder);
    void (*add)(void *index, uint32_t id, const struct peer_text *chunk);
    void (*finish)(void *index); /* after the last: all is in the folder, searchable */
    void *(*open)(const char *folder);
    /* The best PEER_TOP into out, best first; returns how many. This is what is timed. */
    size_t (*ask)(void *index, const struct peer_text *question, uint32_t *out);
};

int peer_main(int argc, char **argv, const struct peer *peer);

/** Says what went wrong and ends the program. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void peer_die(const char *what, const char *why);

#ifdef __cplusplus
}
#endif

#endif
