/* cria_vectors - Cria's vectors beside the other engines, as peer.h says: one index of all rows, as
 * a segment has it, mapped from its file. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/search/peer.h"
#include "search/vector/vector.h"

static struct {
    char rows_path[4200], path[4200];
    struct cria_arena arena;
    struct cria_call call;
    FILE *rows; /* half floats, while building */
    uint32_t count;
    const uint16_t *halves;
    struct cria_vector_index *index;
} state;

static void check(enum cria_status st, const char *what)
{
    if (st != CRIA_OK) peer_die(what, state.call.error);
}

static void begin(const char *folder)
{
    cria_arena_init(&state.arena, (size_t)1 << 30);
    cria_call_init(&state.call, &state.arena);
    snprintf(state.rows_path, sizeof(state.rows_path), "%s/rows.f16", folder);
    snprintf(state.path, sizeof(state.path), "%s/vectors", folder);
}

static const void *mapped(const char *path, size_t *len)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) peer_die(path, "cannot be read");
    *len = (size_t)about.st_size;
    void *bytes = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) peer_die(path, "cannot be mapped");
    return bytes;
}

static void *create(const char *folder)
{
    begin(folder);
    state.rows = fopen(state.rows_path, "wb");
    if (!state.rows) peer_die(state.rows_path, "cannot be written");
    return &state;
}

static void add(void *index, uint32_t id, const struct peer_text *chunk)
{
    uint16_t halves[PEER_DIMENSIONS];
    (void)index;
    if (!cria_vector_pack(chunk->vector, PEER_DIMENSIONS, halves) ||
        fwrite(halves, sizeof(halves), 1, state.rows) != 1)
        peer_die("add", "not a vector, or the disk is full");
    state.count = id + 1;
}

static const uint16_t *row(void *arg, uint32_t n)
{
    (void)arg;
    return state.halves + (size_t)n * PEER_DIMENSIONS;
}

static bool write_bytes(void *arg, const void *bytes, size_t len)
{
    return fwrite(bytes, 1, len, arg) == len;
}

static void finish(void *index)
{
    size_t len;
    (void)index;
    fclose(state.rows);
    state.halves = mapped(state.rows_path, &len);
    FILE *file = fopen(state.path, "wb");
    if (!file) peer_die(state.path, "cannot be written");
    struct cria_vector_source source = {.dims = PEER_DIMENSIONS, .count = state.count, .row = row};
    struct cria_sink sink = {write_bytes, file};
    check(cria_vector_build(&state.call, &source, &sink, NULL), "build");
    if (fclose(file) != 0) peer_die(state.path, "cannot be written");
    unlink(state.rows_path);
}

static void *open_index(const char *folder)
{
    struct cria_bytes bytes = {0};
    begin(folder);
    bytes.ptr = mapped(state.path, &bytes.len);
    check(cria_vector_open(&state.call, bytes, &state.index), "open");
    return &state;
}

static size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    struct cria_vector_hit hits[PEER_TOP];
    uint32_t count = 0;
    (void)index;
    cria_arena_reset(&state.arena);
    check(cria_vector_search(state.index, &state.call, question->vector, PEER_TOP, NULL, NULL, hits,
                             &count),
          "search");
    for (uint32_t i = 0; i < count; i++) out[i] = hits[i].row;
    return count;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {.takes_vectors = 1,
                                     .create = create,
                                     .add = add,
                                     .finish = finish,
                                     .open = open_index,
                                     .ask = ask};
    return peer_main(argc, argv, &peer);
}
