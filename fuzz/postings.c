/* Any bytes as a list of postings: read, stepped through, sought in and searched, they give chunks
 * in order and in range, or are refused. The first bytes: df (2), the number of chunks (2). */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "search/words.h"

static void read_list(const struct cria_bytes *bytes, uint32_t df, uint32_t chunk_count)
{
    uint32_t *ids = calloc(df, sizeof(*ids)), *tfs = calloc(df, sizeof(*tfs)), n = 0;
    struct cria_postings at;
    assert(ids && tfs);
    bool good = cria_postings_read_all(bytes, 0, bytes->len, df, chunk_count, ids, tfs);
    cria_postings_open(&at, bytes, 0, bytes->len, df, chunk_count);
    for (; at.id != CRIA_POSTINGS_END; n++) {
        uint32_t tf = cria_postings_tf(&at), id = at.id;
        assert(n < df && id < chunk_count && tf >= 1 && tf <= CRIA_POSTINGS_MAX_TF);
        assert(!good || (ids[n] == id && tfs[n] == tf));
        assert(cria_postings_next(&at) > id);
    }
    assert(good == !at.damaged && (!good || n == df));
    cria_postings_open(&at, bytes, 0, bytes->len, df, chunk_count);
    for (uint32_t id = 0; cria_postings_seek(&at, id) != CRIA_POSTINGS_END; id = at.id + df / 9 + 1)
        assert(at.id >= id && at.id < chunk_count);
    free(ids);
    free(tfs);
}

static void search_list(const struct cria_bytes *bytes, uint32_t df, uint32_t chunk_count)
{
    struct cria_arena arena;
    struct cria_words_hit hits[20];
    size_t count = 0, damaged = 1;
    struct cria_words_list lists[2] = {
        {.bytes = *bytes, .length = bytes->len, .df = df, .weight = 2},
        {.bytes = *bytes, .length = bytes->len, .df = df, .weight = 1}};
    struct cria_words_source source = {
        .lists = lists, .list_count = 2, .chunk_count = chunk_count, .average_length = 100};
    uint8_t *norms = malloc(chunk_count + 1);
    assert(norms);
    for (uint32_t i = 0; i < chunk_count; i++) norms[i] = (uint8_t)(i * 7);
    source.norms = norms;
    cria_arena_init(&arena, 16 << 20);
    switch (cria_words_top(&source, 1, 110, CRIA_COUNT(hits), &arena, hits, &count, &damaged)) {
    case CRIA_WORDS_OK:
        for (size_t i = 0; i < count; i++)
            assert(hits[i].source == 0 && hits[i].chunk < chunk_count);
        break;
    case CRIA_WORDS_DAMAGED: assert(damaged == 0); break;
    case CRIA_WORDS_NO_MEMORY: assert(false); break;
    }
    cria_arena_release(&arena);
    free(norms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5) return 0;
    uint32_t df = cria_load16(data), chunk_count = cria_load16(data + 2);
    uint8_t *copy = malloc(size - 4); /* so that overruns show */
    assert(copy);
    memcpy(copy, data + 4, size - 4);
    struct cria_bytes bytes = {.ptr = copy, .len = size - 4};
    read_list(&bytes, df ? df : 1, chunk_count);
    search_list(&bytes, df, chunk_count);
    free(copy);
    return 0;
}
