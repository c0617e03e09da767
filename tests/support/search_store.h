/* search_store.h - an index of made-up documents in a store of a test's own, the engine over it,
 * and the same documents in one segment made from the store: what the engine's answers are held
 * against. Every version of a document has a word of its own, its marker. */
#ifndef CRIA_TESTS_SUPPORT_SEARCH_STORE_H
#define CRIA_TESTS_SUPPORT_SEARCH_STORE_H

#include <dirent.h>
#include <math.h>

#include "base/half.h"
#include "base/utf8.h"
#include "search/internal.h"
#include "tests/support/segment.h"
#include "tests/support/test_store.h"

#define SEARCH_PROJECT CRIA_STR("prj-search")
#define SEARCH_INDEX CRIA_STR("idx-one")
#define SEARCH_EMBEDDER "made-up@16"

enum { SEARCH_DOCUMENTS = 400, SEARCH_WORDS = 300, SEARCH_DIMS = 16 };

struct search_document {
    unsigned version; /* 0: not in the index */
    unsigned label;   /* of its metadata */
};

struct search_fixture {
    struct store_fixture *f;
    struct cria_search *search;
    struct cria_pool *pool;
    struct search_document documents[SEARCH_DOCUMENTS]; /* as the store has them */
    int64_t generation;
    bool has_vectors;
    uint64_t random;
};

/* A batch of changes, written as one export. */
struct search_change {
    struct search_fixture *s;
    const unsigned *put, *gone, *labelled; /* numbers of documents; of put and labelled the new
                                              version and label are in the fixture already */
    size_t put_count, gone_count, labelled_count;
};

static inline struct cria_str search_entry(struct cria_arena *arena, unsigned n)
{
    return cria_arena_printf(arena, "dfl-%04u", n);
}

/* Letters alone, so that it is one term and no stemmer shortens it. */
static inline struct cria_str search_marker(struct cria_arena *arena, unsigned n, unsigned version)
{
    char text[32] = "zq";
    unsigned key = n * 64 + version % 64;
    size_t at = 2;
    for (int i = 0; i < 6; i++, key /= 10) text[at++] = "bcdfghjkmx"[key % 10];
    text[at++] = 'q';
    text[at] = '\0';
    return cria_arena_copy(arena, cria_str_from(text));
}

static inline struct cria_str search_word(struct cria_arena *arena, unsigned rank)
{
    static const char *const heads[] = {"bor", "cal", "den", "fil", "gam", "hul", "jor", "kem"};
    static const char *const tails[] = {"ath", "oom", "urk", "ilt", "ond", "arp", "elk"};
    return cria_arena_printf(arena, "%s%s%c", heads[rank % 8], tails[rank / 8 % 7],
                             'a' + (char)(rank / 56));
}

/* 1 to 4 chunks of 15 to 40 words, common ones more often; every seventh document has no text. */
static inline struct cria_str search_text(struct cria_arena *arena, unsigned n, unsigned version,
                                          struct cria_chunk chunks[8], size_t *count)
{
    uint64_t random = 88172645463325252u + n * 7919u + version * 104729u;
    struct cria_buf buf;
    cria_buf_init(&buf, 1 << 20);
    for (int i = 0; i < 8; i++) test_random(&random);
    *count = n % 7 == 6 ? 0 : 1 + test_random(&random) % 4;
    for (size_t c = 0; c < *count; c++) {
        if (c) cria_buf_add_z(&buf, "\n\n");
        size_t start = buf.len, words = 15 + test_random(&random) % 26;
        for (size_t w = 0; w < words; w++) {
            unsigned rank = test_random(&random) % SEARCH_WORDS;
            rank = rank * (test_random(&random) % SEARCH_WORDS) / SEARCH_WORDS;
            if (w) cria_buf_add_char(&buf, ' ');
            cria_buf_add(&buf, search_word(arena, rank));
            if (w == words / 2) {
                cria_buf_add_char(&buf, ' ');
                cria_buf_add(&buf, search_marker(arena, n, version));
            }
        }
        cria_buf_add_char(&buf, '.');
        chunks[c] = (struct cria_chunk){.n = (uint32_t)c,
                                        .char_start = start,
                                        .char_end = buf.len,
                                        .byte_start = start,
                                        .byte_end = buf.len,
                                        .page_start = 1,
                                        .page_end = 1,
                                        .token_count = (uint32_t)words};
    }
    struct cria_str text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static inline struct cria_str search_metadata(struct cria_arena *arena, unsigned n, unsigned label)
{
    return cria_arena_printf(arena, "{\"label\":%u,\"half\":%u}", label, n % 2);
}

/* A direction of its own for each chunk of each version. */
static inline void search_vector(unsigned n, unsigned version, unsigned chunk,
                                 float out[SEARCH_DIMS])
{
    uint64_t random = 977u + n * 31337u + version * 7u + chunk * 1009u;
    double sum = 0;
    for (int i = 0; i < 8; i++) test_random(&random);
    for (int i = 0; i < SEARCH_DIMS; i++) {
        out[i] = (float)(test_random(&random) % 2001) / 1000 - 1;
        sum += (double)out[i] * (double)out[i];
    }
    for (int i = 0; i < SEARCH_DIMS; i++) out[i] /= (float)sqrt(sum);
}

static inline enum cria_status search_put_vectors(struct cria_tx *tx, struct cria_call *call,
                                                  const struct cria_document *row, unsigned n,
                                                  unsigned version)
{
    uint16_t halves[8 * SEARCH_DIMS];
    char hashes[8 * CRIA_CHUNK_HASH_BYTES] = {0};
    float vector[SEARCH_DIMS];
    if (row->chunk_count == 0) return CRIA_OK;
    for (unsigned c = 0; c < row->chunk_count; c++) {
        search_vector(n, version, c, vector);
        assert_true(cria_vector_pack(vector, SEARCH_DIMS, halves + (size_t)c * SEARCH_DIMS));
    }
    const struct cria_document_vectors vectors = {
        .document_id = row->id,
        .index_id = row->index_id,
        .content_key = row->content_key,
        .embedder = CRIA_STR(SEARCH_EMBEDDER),
        .dims = SEARCH_DIMS,
        .chunk_count = row->chunk_count,
        .hashes = cria_str_make(hashes, (size_t)row->chunk_count * CRIA_CHUNK_HASH_BYTES),
        .vectors = cria_str_make((const char *)halves,
                                 (size_t)row->chunk_count * SEARCH_DIMS * sizeof(uint16_t))};
    return cria_tx_vectors_put(tx, call, SEARCH_PROJECT, &vectors);
}

static inline enum cria_status search_insert(struct cria_tx *tx, struct cria_call *call,
                                             const struct search_fixture *s, unsigned n)
{
    struct cria_chunk chunks[8];
    size_t count;
    const struct search_document *document = &s->documents[n];
    struct cria_str text = search_text(call->arena, n, document->version, chunks, &count);
    struct cria_str entry = search_entry(call->arena, n);
    const struct cria_document row = {
        .id = cria_arena_printf(call->arena, "doc-%04u-%u", n, document->version),
        .index_id = SEARCH_INDEX,
        .entry_id = entry,
        .source_entry_id = entry,
        .content_key = entry,
        .display_name = cria_arena_printf(call->arena, "file %u", n),
        .title = cria_arena_printf(call->arena, "title%c notes", 'a' + (char)(n % 20)),
        .metadata_json = search_metadata(call->arena, n, document->label),
        .char_count = text.len,
        .byte_count = text.len,
        .chunk_count = (uint32_t)count,
        .created_at_us = 1};
    TRY(cria_tx_document_insert(tx, call, SEARCH_PROJECT, &row, text, chunks, count));
    return s->has_vectors ? search_put_vectors(tx, call, &row, n, document->version) : CRIA_OK;
}

static inline enum cria_status search_write(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct search_change *change = arg;
    const struct search_fixture *s = change->s;
    struct cria_str gone[SEARCH_DOCUMENTS];
    struct cria_index index = {.id = SEARCH_INDEX,
                               .name = CRIA_STR("x"),
                               .source_directory_id = CRIA_STR("s"),
                               .output_directory_id = CRIA_STR("o"),
                               .sync_frequency = CRIA_STR("manual"),
                               .status = CRIA_INDEX_READY,
                               .failed_files_json = CRIA_STR("[]"),
                               .generation = s->generation,
                               .last_exported_at_us = 1};
    if (s->has_vectors) index.embedder = CRIA_STR(SEARCH_EMBEDDER);
    if (s->generation == 1) TRY(cria_tx_index_insert(tx, call, SEARCH_PROJECT, &index));
    for (size_t i = 0; i < change->put_count; i++) TRY(search_insert(tx, call, s, change->put[i]));
    for (size_t i = 0; i < change->gone_count; i++)
        gone[i] = search_entry(call->arena, change->gone[i]);
    for (size_t i = 0; i < change->labelled_count; i++) {
        unsigned n = change->labelled[i];
        TRY(cria_tx_document_relabel(tx, call, SEARCH_PROJECT, SEARCH_INDEX,
                                     search_entry(call->arena, n),
                                     cria_arena_printf(call->arena, "file %u", n),
                                     search_metadata(call->arena, n, s->documents[n].label)));
    }
    TRY(cria_tx_documents_publish(tx, call, SEARCH_PROJECT, SEARCH_INDEX, gone,
                                  change->gone_count));
    return cria_tx_index_update_state(tx, call, SEARCH_PROJECT, &index);
}

/** Writes an export: documents [first, first + count) in a new version. */
static inline void search_put(struct search_fixture *s, unsigned first, unsigned count)
{
    unsigned put[SEARCH_DOCUMENTS];
    for (unsigned i = 0; i < count; i++) s->documents[put[i] = first + i].version++;
    s->generation++;
    struct search_change change = {.s = s, .put = put, .put_count = count};
    if (cria_store_write(s->f->store, &s->f->call, search_write, &change) != CRIA_OK)
        fail_msg("%s", s->f->call.error);
}

/** One document in a new version, one relabelled, one removed (where they exist), at random. */
static inline void search_change_some(struct search_fixture *s, unsigned documents)
{
    unsigned put = test_random(&s->random) % documents, gone = test_random(&s->random) % documents,
             labelled = test_random(&s->random) % documents;
    bool goes = gone != put && s->documents[gone].version % 2 == 1;
    bool is_labelled = labelled != put && labelled != gone && s->documents[labelled].version % 2;
    struct search_change change = {.s = s,
                                   .put = &put,
                                   .gone = &gone,
                                   .labelled = &labelled,
                                   .put_count = 1,
                                   .gone_count = goes,
                                   .labelled_count = is_labelled};
    /* Odd versions are alive; an even one is the last one's end. */
    s->documents[put].version += s->documents[put].version % 2 ? 2 : 1;
    if (goes) s->documents[gone].version++;
    if (is_labelled) s->documents[labelled].label++;
    s->generation++;
    if (cria_store_write(s->f->store, &s->f->call, search_write, &change) != CRIA_OK)
        fail_msg("%s", s->f->call.error);
}

static inline void search_open(struct search_fixture *s)
{
    const struct cria_search_options options = {.store = s->f->store, .pool = s->pool};
    assert_int_equal(cria_search_new(&options, &s->f->call, &s->search), CRIA_OK);
}

static inline struct search_fixture *search_fixture_new(void)
{
    struct search_fixture *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->random = 4711;
    s->f = store_fixture_new();
    store_fixture_open(s->f);
    search_open(s);
    return s;
}

static inline void search_fixture_free(struct search_fixture *s)
{
    cria_search_stop(s->search);
    cria_pool_free(s->pool);
    cria_search_free(s->search);
    store_fixture_free(s->f);
    free(s);
}

/** A new engine over the same store, as after a restart. */
static inline void search_reopen(struct search_fixture *s)
{
    cria_search_free(s->search);
    search_open(s);
}

static inline enum cria_status search_try_refresh(struct search_fixture *s)
{
    store_fixture_forget(s->f);
    return cria_search_refresh(s->search, &s->f->call, SEARCH_PROJECT, SEARCH_INDEX, s->generation);
}

static inline void search_refresh(struct search_fixture *s)
{
    if (search_try_refresh(s) != CRIA_OK) fail_msg("%s", s->f->call.error);
}

/* A call of the caller's own, so that threads may ask. */
static inline enum cria_status search_ask(const struct search_fixture *s, struct cria_call *call,
                                          struct cria_str query, uint32_t top_k,
                                          struct cria_search_result *out)
{
    const struct cria_search_index index = {.id = SEARCH_INDEX, .generation = s->generation};
    struct cria_search_request request = CRIA_SEARCH_REQUEST_DEFAULTS;
    request.project = SEARCH_PROJECT;
    request.indexes = &index;
    request.index_count = 1;
    request.query = query;
    request.top_k = top_k;
    request.rerank = false;
    return cria_search_retrieve(s->search, call, &request, out);
}

/** The current snapshot, to be given back with cria_snapshot_unref(). */
static inline struct cria_snapshot *search_snapshot(struct search_fixture *s)
{
    struct cria_collection *c =
        cria_search_take(s->search, &s->f->call, SEARCH_PROJECT, SEARCH_INDEX);
    struct cria_snapshot *snapshot = cria_collection_current(c);
    cria_search_give_back(s->search, c);
    assert_non_null(snapshot);
    return snapshot;
}

static inline bool search_is_alive(const struct search_fixture *s, unsigned n)
{
    return s->documents[n].version % 2 == 1;
}

/** Every version that was ever written: the last one is found by its marker, with its text and its
 * metadata, where it lives; no other one is. */
static inline void search_check_markers(struct search_fixture *s, unsigned documents)
{
    for (unsigned n = 0; n < documents; n++) {
        for (unsigned v = 1; v <= s->documents[n].version; v += 2) {
            struct cria_search_result result;
            struct cria_chunk chunks[8];
            size_t count;
            store_fixture_forget(s->f);
            struct cria_arena *arena = &s->f->arena;
            if (search_ask(s, &s->f->call, search_marker(arena, n, v), 10, &result) != CRIA_OK)
                fail_msg("document %u: %s", n, s->f->call.error);
            bool is_there = search_is_alive(s, n) && v == s->documents[n].version && n % 7 != 6;
            struct cria_str id = cria_arena_printf(arena, "doc-%04u-%u", n, v);
            if (!is_there) {
                for (size_t i = 0; i < result.count; i++)
                    assert_false(cria_str_equal(result.hits[i].document_id, id));
                continue;
            }
            if (result.count == 0 || !cria_str_equal(result.hits[0].document_id, id))
                fail_msg("document %u version %u is not found", n, v);
            struct cria_str text = search_text(arena, n, v, chunks, &count);
            const struct cria_chunk *chunk = &result.hits[0].chunk;
            assert_true(cria_str_equal(
                result.hits[0].content,
                cria_str_sub(text, chunk->byte_start, chunk->byte_end - chunk->byte_start)));
            assert_true(cria_str_equal(result.hits[0].metadata_json,
                                       search_metadata(arena, n, s->documents[n].label)));
        }
    }
}

/** The documents that live, in one segment in memory, in the store's order. */
static inline struct cria_segment *search_oracle(struct search_fixture *s)
{
    struct cria_analyser *analyser = cria_analyser_new();
    struct cria_segment_builder *builder = cria_segment_builder_new(analyser);
    const struct cria_segment_place place = {NULL, NULL};
    const struct cria_window window = {.limit = SEARCH_DOCUMENTS};
    struct cria_document_list list;
    struct cria_segment *segment = NULL;
    struct cria_tx *tx = reading(s->f);
    assert_int_equal(
        cria_tx_documents_since(tx, &s->f->call, SEARCH_PROJECT, SEARCH_INDEX, -1, &window, &list),
        CRIA_OK);
    for (size_t i = 0; i < list.count; i++) {
        struct cria_str text;
        struct cria_chunk_list chunks;
        assert_int_equal(
            cria_tx_document_text(tx, &s->f->call, SEARCH_PROJECT, list.items[i].id, &text),
            CRIA_OK);
        assert_int_equal(
            cria_tx_document_chunks(tx, &s->f->call, SEARCH_PROJECT, list.items[i].id, &chunks),
            CRIA_OK);
        assert_int_equal(
            cria_segment_builder_add(builder, &list.items[i], text, chunks.items, chunks.count),
            CRIA_OK);
    }
    cria_store_read_end(tx);
    assert_int_equal(cria_segment_builder_finish(builder, &s->f->call, &place, &segment), CRIA_OK);
    cria_segment_builder_free(builder);
    cria_analyser_free(analyser);
    return segment;
}

/* ---- files */

struct search_files {
    char names[64][64];
    size_t count;
};

static inline void search_folder(const struct search_fixture *s, char *out, size_t size)
{
    assert_true(snprintf(out, size, "%s/segments/%.*s/%.*s", s->f->folder,
                         CRIA_STR_ARG(SEARCH_PROJECT), CRIA_STR_ARG(SEARCH_INDEX)) < (int)size);
}

static inline int search_by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/** Those whose name begins so, sorted. */
static inline struct search_files search_files(const struct search_fixture *s, const char *prefix)
{
    struct search_files files = {0};
    char path[256];
    search_folder(s, path, sizeof(path));
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        assert_in_range(files.count, 0, CRIA_COUNT(files.names) - 1);
        assert_in_range(strlen(entry->d_name), 1, sizeof(files.names[0]) - 1);
        memcpy(files.names[files.count++], entry->d_name, strlen(entry->d_name));
    }
    if (folder) closedir(folder);
    qsort(files.names, files.count, sizeof(files.names[0]), search_by_name);
    return files;
}

/** The folder holds the files of the snapshot, and no other. */
static inline void search_check_files(struct search_fixture *s)
{
    struct cria_snapshot *snapshot = search_snapshot(s);
    struct search_files files = search_files(s, "");
    size_t named = 0;
    for (size_t i = 0; i < snapshot->parts.count; i++) {
        const struct cria_piece *piece = snapshot->parts.items[i].piece;
        assert_true(piece->name[0] != '\0');
        named += 1 + (piece->vectors_name[0] != '\0');
        for (const char *name = piece->name; name;
             name = name == piece->name && piece->vectors_name[0] ? piece->vectors_name : NULL)
            if (!bsearch(name, files.names, files.count, sizeof(files.names[0]), search_by_name))
                fail_msg("there is no %s", name);
    }
    if (files.count != named) fail_msg("%zu files for %zu names", files.count, named);
    cria_snapshot_unref(snapshot);
}

#endif
