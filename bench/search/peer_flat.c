/* peer_flat - the floor for vectors: every row is compared, in f32. Exact, so recall is counted
 * against it. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/search/peer.h"

static struct {
    FILE *file;
    float *rows;
    size_t count;
} flat;

static void *create(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/rows.f32", folder);
    flat.file = fopen(path, "wb");
    if (!flat.file) peer_die(path, "cannot be written");
    return &flat;
}

static void add(void *index, uint32_t id, const struct peer_text *chunk)
{
    (void)index, (void)id;
    if (fwrite(chunk->vector, sizeof(float), PEER_DIMENSIONS, flat.file) != PEER_DIMENSIONS)
        peer_die("rows.f32", "cannot be written");
}

static void finish(void *index)
{
    (void)index;
    if (fclose(flat.file) != 0) peer_die("rows.f32", "cannot be written");
}

static void *open_rows(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/rows.f32", folder);
    FILE *file = fopen(path, "rb");
    if (!file) peer_die(path, "cannot be read");
    fseek(file, 0, SEEK_END);
    size_t bytes = (size_t)ftell(file);
    rewind(file);
    flat.rows = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!flat.rows || fread(flat.rows, 1, bytes, file) != bytes) peer_die(path, "cannot be read");
    flat.count = bytes / (PEER_DIMENSIONS * sizeof(float));
    fclose(file);
    return &flat;
}

static size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    float best[PEER_TOP];
    size_t n = 0;
    (void)index;
    for (size_t i = 0; i < flat.count; i++) {
        const float *row = flat.rows + i * PEER_DIMENSIONS;
        float dot = 0;
        for (size_t k = 0; k < PEER_DIMENSIONS; k++) dot += row[k] * question->vector[k];
        if (n == PEER_TOP && dot <= best[n - 1]) continue;
        size_t at = n < PEER_TOP ? n++ : n - 1;
        for (; at > 0 && best[at - 1] < dot; at--) {
            best[at] = best[at - 1];
            out[at] = out[at - 1];
        }
        best[at] = dot;
        out[at] = (uint32_t)i;
    }
    return n;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {.takes_vectors = 1,
                                     .create = create,
                                     .add = add,
                                     .finish = finish,
                                     .open = open_rows,
                                     .ask = ask};
    return peer_main(argc, argv, &peer);
}
