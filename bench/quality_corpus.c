/* quality_corpus.c - collections of documents into indexes of a store of their own. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/utf8.h"
#include "bench/quality.h"
#include "platform/crypto.h"

enum { BATCH = 200 };

static const struct cria_str project = CRIA_STR_INIT("bench");

static void die(const struct cria_call *call, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, call->error);
    exit(1);
}

char *quality_slurp(const char *folder, const char *set, const char *name, size_t *len)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s/%s", folder, set, name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    *len = text ? fread(text, 1, (size_t)size, file) : 0;
    if (text) text[*len] = '\0';
    fclose(file);
    return text;
}

struct cria_str quality_title_json(struct cria_arena *arena, struct cria_str title)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 65536);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "title", title);
    cria_out_end(&out);
    struct cria_str text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static struct cria_index index_row(const struct quality_corpus *c, size_t n)
{
    return (struct cria_index){.id = cria_str_from(c->index_ids[n]),
                               .name = cria_str_from(c->index_ids[n]),
                               .source_directory_id = CRIA_STR("s"),
                               .output_directory_id = CRIA_STR("o"),
                               .sync_frequency = CRIA_STR("manual"),
                               .status = CRIA_INDEX_READY,
                               .generation = 1,
                               .last_exported_at_us = 1};
}

static enum cria_status start(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_index *index = arg;
    return cria_tx_index_insert(tx, call, project, index);
}

void quality_corpus_begin(struct quality_corpus *c, struct quality_bench *bench, size_t index_count)
{
    *c = (struct quality_corpus){.bench = bench, .index_count = index_count};
    for (size_t i = 0; i < index_count; i++) {
        cria_id_new("idx-", c->index_ids[i]);
        struct cria_index index = index_row(c, i);
        if (cria_store_write(bench->store, bench->call, start, &index) != CRIA_OK)
            die(bench->call, "index");
    }
}

static enum cria_status publish(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_index *index = arg;
    enum cria_status st = cria_tx_documents_publish(tx, call, project, index->id, NULL, 0);
    return st == CRIA_OK ? cria_tx_index_update_state(tx, call, project, index) : st;
}

void quality_corpus_end(struct quality_corpus *c)
{
    for (size_t i = 0; i < c->index_count; i++) {
        struct cria_index index = index_row(c, i);
        if (cria_store_write(c->bench->store, c->bench->call, publish, &index) != CRIA_OK)
            die(c->bench->call, "publish");
    }
}

struct batch {
    struct cria_document rows[BATCH];
    struct cria_str texts[BATCH];
    struct cria_chunk_list chunks[BATCH];
    char ids[BATCH][64];
    size_t count;
};

static enum cria_status add_all(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct batch *batch = arg;
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < batch->count && st == CRIA_OK; i++)
        st = cria_tx_document_insert(tx, call, project, &batch->rows[i], batch->texts[i],
                                     batch->chunks[i].items, batch->chunks[i].count);
    return st;
}

static void flush(struct quality_corpus *c, struct batch *batch)
{
    struct cria_call *call = c->bench->call;
    if (batch->count && cria_store_write(c->bench->store, call, add_all, batch) != CRIA_OK)
        die(call, "documents");
    batch->count = 0;
    cria_arena_reset(call->arena);
}

/* name, title and text lie in the call's arena, or longer. */
static void take(struct quality_corpus *c, struct batch *batch, struct cria_str name,
                 struct cria_str title, struct cria_str text)
{
    static const struct cria_chunk_options sizes = CRIA_CHUNK_DEFAULTS;
    struct cria_call *call = c->bench->call;
    const struct cria_parsed parsed = {.text = text, .title = title};
    size_t n = batch->count;
    batch->texts[n] = text;
    if (cria_chunk_text(call->arena, &parsed, &sizes, &batch->chunks[n]) != CRIA_OK)
        die(call, "chunk");
    cria_id_new("doc-", batch->ids[n]);
    batch->rows[n] = (struct cria_document){
        .id = cria_str_from(batch->ids[n]),
        .index_id = cria_str_from(c->index_ids[c->documents % c->index_count]),
        .entry_id = name,
        .source_entry_id = name,
        .content_key = name,
        .display_name = name,
        .metadata_json = quality_title_json(call->arena, title),
        .title = title,
        .char_count = cria_utf8_count(text),
        .byte_count = text.len,
        .created_at_us = 1};
    c->documents++;
    c->chunks += batch->chunks[n].count;
    batch->count++;
}

void quality_corpus_add(struct quality_corpus *c, struct cria_str docs, bool titles_first,
                        struct quality_part part)
{
    struct cria_arena *arena = c->bench->call->arena;
    struct batch *batch = calloc(1, sizeof(*batch));
    struct cria_str line;
    if (!batch) exit(1);
    for (size_t n = 0; docs.len;) {
        const struct cria_json *json;
        const char *why;
        cria_str_cut(&docs, '\n', &line);
        if (line.len == 0 || cria_json_parse(arena, line, &json, &why) != CRIA_OK) continue;
        size_t at = n++ % part.of;
        if (at < part.from || at >= part.to) continue;
        struct cria_str title = cria_json_get_str(json, "title"),
                        text = cria_json_get_str(json, "text");
        if (titles_first && title.len) /* as a file would have it */
            text =
                cria_arena_printf(arena, "%.*s\n\n%.*s", CRIA_STR_ARG(title), CRIA_STR_ARG(text));
        take(c, batch, cria_json_get_str(json, "id"), title, text);
        if (batch->count == BATCH) flush(c, batch);
    }
    flush(c, batch);
    free(batch);
}

void quality_corpus_add_text(struct quality_corpus *c, struct cria_str name, struct cria_str text)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch) exit(1);
    take(c, batch, name, (struct cria_str){0}, text);
    flush(c, batch);
    free(batch);
}

void quality_find(const struct quality_corpus *c, struct cria_str query, uint32_t top_k,
                  const struct cria_json *filters, struct cria_search_request *request,
                  struct cria_search_result *out)
{
    struct cria_call *call = c->bench->call;
    struct cria_search_index *indexes =
        CRIA_NEW_ARRAY(call->arena, c->index_count, struct cria_search_index);
    if (!indexes) die(call, "search");
    for (size_t i = 0; i < c->index_count; i++)
        indexes[i] =
            (struct cria_search_index){.id = cria_str_from(c->index_ids[i]), .generation = 1};
    *request = (struct cria_search_request)CRIA_SEARCH_REQUEST_DEFAULTS;
    request->project = project;
    request->indexes = indexes;
    request->index_count = c->index_count;
    request->query = query;
    request->top_k = top_k;
    request->num_candidates = 300;
    request->custom_filters = filters;
    if (cria_search_retrieve(c->bench->search, call, request, out) != CRIA_OK) die(call, "search");
}
