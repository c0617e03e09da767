/* retrieval.c - search, find, grep and read over one index. */
#include <math.h>

#include "api/handlers.h"
#include "api/indexes.h"
#include "api/page.h"
#include "search/files.h"
#include "search/search.h"

enum {
    TOP_K_MAX = 500,
    CANDIDATES_MAX = 10000,
    CONTEXT_MAX = 10000,
    PAGES_NAMED_MAX = 64 /* a chunk that goes over more pages names the first ones */
};

static const char *const operators[] = {"eq", "ne", "gt", "lt", "gte", "lte", "in", "nin"};
enum { OPERATOR_IN = 6 };

/* ---- filters: checked here, applied in search/filter.c */

enum value_kind { ANY_SCALAR, NUMBER, TEXT };

static bool is_scalar(const struct cria_json *json, enum value_kind kind)
{
    bool is_number = json->kind == CRIA_JSON_INT || json->kind == CRIA_JSON_REAL;
    bool is_text = json->kind == CRIA_JSON_STRING;
    switch (kind) {
    case NUMBER: return is_number;
    case TEXT: return is_text;
    case ANY_SCALAR: return is_number || is_text || json->kind == CRIA_JSON_BOOL;
    }
    return false;
}

static void wrong_value(const struct cria_value *at, enum value_kind kind)
{
    static const char *const sentences[] = {"the value is a text, a number, true or false",
                                            "the value is a number", "the value is a text"};
    cria_check_error(at->check, at, sentences[kind]);
}

static void check_condition(const struct cria_value *condition, enum value_kind kind)
{
    struct cria_value value;
    size_t operator= 0;
    if (!cria_value_object(condition)) return;
    bool has_operator = cria_member_word(condition, "operator", CRIA_REQUIRED, operators,
                                         CRIA_COUNT(operators), &operator);
    if (!cria_member_any(condition, "value", CRIA_REQUIRED, &value) || !has_operator) return;
    if (operator<OPERATOR_IN) {
        if (value.json->kind == CRIA_JSON_ARRAY)
            cria_check_error(value.check, &value, "a list needs the operator in or nin");
        else if (!is_scalar(value.json, kind))
            wrong_value(&value, kind);
        return;
    }
    if (value.json->kind != CRIA_JSON_ARRAY) {
        cria_check_error(value.check, &value, "the operators in and nin need a list");
        return;
    }
    for (size_t i = 0; i < value.json->count; i++) {
        struct cria_value item = cria_value_nth(&value, i);
        if (!is_scalar(item.json, kind)) wrong_value(&item, kind);
    }
}

static const struct cria_json *read_static_filters(struct cria_check *check)
{
    struct cria_value filters, condition;
    if (!cria_member_object(&check->body, "static_filters", CRIA_NULLABLE, &filters)) return NULL;
    if (cria_member_any(&filters, "parsed_directory_file_id", CRIA_NULLABLE, &condition))
        check_condition(&condition, TEXT);
    return filters.json;
}

static const struct cria_json *read_custom_filters(struct cria_check *check)
{
    struct cria_value filters;
    if (!cria_member_object(&check->body, "custom_filters", CRIA_NULLABLE, &filters)) return NULL;
    for (size_t i = 0; i < filters.json->count; i++) {
        struct cria_value member = cria_value_nth(&filters, i);
        if (member.json->kind == CRIA_JSON_NULL) continue;
        if (member.json->kind != CRIA_JSON_ARRAY) {
            check_condition(&member, ANY_SCALAR);
            continue;
        }
        for (size_t k = 0; k < member.json->count; k++) {
            struct cria_value range = cria_value_nth(&member, k);
            check_condition(&range, NUMBER);
        }
    }
    return filters.json;
}

/* ---- retrieve */

static void read_numbers(struct cria_check *check, struct cria_search_request *request)
{
    const struct cria_value *body = &check->body;
    struct cria_value rerank;
    int64_t top_k = request->top_k, candidates = 0, top_n = 0;
    cria_member_int(body, "top_k", CRIA_NULLABLE, 1, INT64_MAX, &top_k);
    cria_member_int(body, "num_candidates", CRIA_NULLABLE, 1, INT64_MAX, &candidates);
    cria_member_real(body, "vector_pipeline_weight", CRIA_NULLABLE, 0, 1, &request->vector_weight);
    cria_member_real(body, "full_text_pipeline_weight", CRIA_NULLABLE, 0, 1,
                     &request->full_text_weight);
    if (request->vector_weight + request->full_text_weight == 0) {
        struct cria_value at = cria_value_member(body, "full_text_pipeline_weight");
        cria_check_error(check, &at, "at least one of the two weights must be above 0");
    }
    request->has_threshold = cria_member_real(body, "score_threshold", CRIA_NULLABLE, -HUGE_VAL,
                                              HUGE_VAL, &request->score_threshold);
    if (cria_member_object(body, "rerank", CRIA_OPTIONAL, &rerank)) {
        cria_member_bool(&rerank, "enabled", CRIA_OPTIONAL, &request->rerank);
        cria_member_int(&rerank, "top_n", CRIA_NULLABLE, 1, INT64_MAX, &top_n);
    }
    request->top_k = (uint32_t)(top_k > TOP_K_MAX ? TOP_K_MAX : top_k);
    request->num_candidates = (uint32_t)(candidates > CANDIDATES_MAX ? CANDIDATES_MAX : candidates);
    request->rerank_top_n = (uint32_t)(top_n > request->top_k ? request->top_k : top_n);
}

/* What is kept of the pages that a chunk covers, by the names it can be fetched with. */
struct attachments {
    struct cria_exchange *ex;
    struct cria_tx *tx; /* NULL: nothing is kept */
    const struct cria_index *index;
    enum cria_status status;
};

static void write_attachment(struct attachments *kept, struct cria_json_out *out,
                             struct cria_str entry, const char *type, struct cria_str name)
{
    struct cria_attachment row;
    struct cria_exchange *ex = kept->ex;
    if (!name.ptr) out->buf->failed = true;
    enum cria_status st =
        cria_tx_attachment_get(kept->tx, &ex->call, cria_project_of(ex), entry, name, &row);
    if (st != CRIA_OK && st != CRIA_E_NOT_FOUND) kept->status = st;
    if (st != CRIA_OK) return;
    cria_out_object(out);
    cria_out_member_str(out, "attachment_name", name);
    cria_out_member_str(out, "source_id", entry);
    cria_out_member_z(out, "type", type);
    cria_out_end(out);
}

static void write_attachments(struct attachments *kept, struct cria_json_out *out,
                              const struct cria_search_hit *hit)
{
    struct cria_arena *arena = kept->ex->call.arena;
    /* A format without pages is kept as its page 1. */
    uint32_t first = hit->chunk.page_start ? hit->chunk.page_start : 1,
             last = hit->chunk.page_end > first ? hit->chunk.page_end : first;
    if (last - first >= PAGES_NAMED_MAX) last = first + PAGES_NAMED_MAX - 1;
    cria_out_name(out, "attachments");
    cria_out_array(out);
    for (uint32_t page = first; kept->tx && page <= last; page++) {
        if (kept->index->keep_screenshots)
            write_attachment(kept, out, hit->entry_id, "screenshot",
                             cria_arena_printf(arena, "screenshots/page_%u.jpg", page));
        if (kept->index->keep_items)
            write_attachment(kept, out, hit->entry_id, "items",
                             cria_arena_printf(arena, "items/page_%u.json", page));
    }
    cria_out_end(out);
}

static void write_page(struct cria_json_out *out, const char *name, uint32_t page)
{
    if (page)
        cria_out_member_int(out, name, page);
    else
        cria_out_member_null(out, name);
}

static void write_hit(struct cria_json_out *out, const struct cria_search_hit *hit,
                      struct attachments *kept)
{
    cria_out_object(out);
    cria_out_member_str(out, "content", hit->content);
    cria_out_member_raw(out, "metadata",
                        hit->metadata_json.len ? hit->metadata_json : CRIA_STR("{}"));
    cria_out_member_real(out, "score", hit->score);
    if (hit->has_rerank_score)
        cria_out_member_real(out, "rerank_score", hit->rerank_score);
    else
        cria_out_member_null(out, "rerank_score");
    cria_out_name(out, "static_fields");
    cria_out_object(out);
    write_attachments(kept, out, hit);
    cria_out_member_int(out, "chunk_index", hit->chunk.n);
    cria_out_member_int(out, "chunk_start_char", (int64_t)hit->chunk.char_start);
    cria_out_member_int(out, "chunk_end_char", (int64_t)hit->chunk.char_end);
    cria_out_member_int(out, "chunk_token_count", hit->chunk.token_count);
    write_page(out, "page_range_start", hit->chunk.page_start);
    write_page(out, "page_range_end", hit->chunk.page_end);
    cria_out_member_str(out, "parsed_directory_file_id", hit->entry_id);
    cria_out_end(out);
    cria_out_end(out);
}

static enum cria_status write_results(struct cria_exchange *ex, const struct cria_index *index,
                                      const struct cria_search_result *result)
{
    struct attachments kept = {.ex = ex, .index = index, .status = CRIA_OK};
    struct cria_json_out out = cria_json_out_to(&ex->body);
    if (index->keep_items || index->keep_screenshots)
        kept.status = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &kept.tx);
    if (kept.status != CRIA_OK) return kept.status;
    cria_out_object(&out);
    cria_out_name(&out, "results");
    cria_out_array(&out);
    for (size_t i = 0; i < result->count; i++) write_hit(&out, &result->hits[i], &kept);
    cria_out_end(&out);
    cria_out_end(&out);
    cria_store_read_end(kept.tx);
    return kept.status;
}

static enum cria_status retrieve(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_search_request request = CRIA_SEARCH_REQUEST_DEFAULTS;
    struct cria_search_result result;
    struct cria_index index;
    struct cria_str index_id = {0};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "index_id", CRIA_REQUIRED, 0, SIZE_MAX, &index_id);
    cria_member_str(&check.body, "query", CRIA_REQUIRED, 1, SIZE_MAX, &request.query);
    read_numbers(&check, &request);
    request.static_filters = read_static_filters(&check);
    request.custom_filters = read_custom_filters(&check);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_index_load_exported(ex, index_id, &index);
    if (st != CRIA_OK) return st;
    const struct cria_search_index searched = {index.id, index.generation, index.has_vectors};
    request.project = cria_project_of(ex);
    request.indexes = &searched;
    request.index_count = 1;
    st = cria_search_retrieve(cria_app_of(ex)->search, &ex->call, &request, &result);
    return st == CRIA_OK ? write_results(ex, &index, &result) : st;
}
CRIA_HANDLER(retrieve)

/* ---- find */

static enum cria_status find_files(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_index index;
    struct cria_document_list rows;
    struct cria_str index_id = {0}, name = {0}, part = {0};
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_page_init_body(&page, &check, true);
    cria_member_str(&check.body, "index_id", CRIA_REQUIRED, 0, SIZE_MAX, &index_id);
    cria_member_str(&check.body, "file_name", CRIA_NULLABLE, 0, SIZE_MAX, &name);
    cria_member_str(&check.body, "file_name_contains", CRIA_NULLABLE, 0, SIZE_MAX, &part);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_index_load_exported(ex, index_id, &index);
    if (st != CRIA_OK) return st;
    cria_page_bind(&page, index.id);
    cria_page_bind(&page, name);
    cria_page_bind(&page, part);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_document_list(tx, &ex->call, cria_project_of(ex), index.id, name, part,
                                   &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        cria_out_object(&out);
        cria_out_member_str(&out, "file_id", rows.items[i].entry_id);
        cria_out_member_str(&out, "file_name", rows.items[i].display_name);
        cria_out_end(&out);
        last.name = rows.items[i].display_name;
        last.id = rows.items[i].entry_id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(find_files)

/* ---- grep and read */

/* The document that the body names, in an index that can be queried. */
static enum cria_status load_document(struct cria_exchange *ex, struct cria_str index_id,
                                      struct cria_str file_id, struct cria_document *out)
{
    struct cria_index index;
    enum cria_status st = cria_index_load_exported(ex, index_id, &index);
    if (st != CRIA_OK) return st;
    return cria_file_resolve(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), index.id,
                             file_id, out);
}

/* A pattern that does not compile is a problem of the body, told like the others. */
static enum cria_status tell_pattern(struct cria_check *check)
{
    struct cria_exchange *ex = check->ex;
    struct cria_value at = cria_value_member(&check->body, "pattern");
    const char *why = cria_arena_z(ex->call.arena, cria_str_from(ex->call.error));
    if (!why) return cria_fail_memory(&ex->call);
    cria_check_error(check, &at, why);
    return cria_check_problems(check);
}

static enum cria_status grep_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_document document;
    struct cria_grep_request request = {0};
    struct cria_grep_result result;
    struct cria_str index_id = {0}, file_id = {0};
    int64_t context = 0;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_page_init_body(&page, &check, true);
    cria_member_str(&check.body, "index_id", CRIA_REQUIRED, 0, SIZE_MAX, &index_id);
    cria_member_str(&check.body, "file_id", CRIA_REQUIRED, 0, SIZE_MAX, &file_id);
    cria_member_str(&check.body, "pattern", CRIA_REQUIRED, 1, SIZE_MAX, &request.pattern);
    cria_member_int(&check.body, "context_chars", CRIA_NULLABLE, 0, INT64_MAX, &context);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = load_document(ex, index_id, file_id, &document);
    if (st != CRIA_OK) return st;
    /* The matches of another text are other matches: a token dies with the document. */
    cria_page_bind(&page, document.id);
    cria_page_bind(&page, request.pattern);
    cria_page_bind_int(&page, context);
    st = cria_page_open(&page);
    if (st != CRIA_OK) return st;
    request.project = cria_project_of(ex);
    request.document_id = document.id;
    request.after_char = page.window.after.is_set ? (uint64_t)page.window.after.at_us : 0;
    request.context_chars = (uint32_t)(context > CONTEXT_MAX ? CONTEXT_MAX : context);
    request.limit = page.window.limit;
    st = cria_file_grep(cria_app_of(ex)->store, &ex->call, &request, &result);
    if (st == CRIA_E_INVALID) return tell_pattern(&check);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true, .at_us = (int64_t)result.next_char};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < result.count; i++) {
        cria_out_object(&out);
        cria_out_member_str(&out, "content", result.items[i].content);
        cria_out_member_int(&out, "start_char", (int64_t)result.items[i].start_char);
        cria_out_member_int(&out, "end_char", (int64_t)result.items[i].end_char);
        cria_out_end(&out);
    }
    cria_page_end(&page, &out, result.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(grep_file)

static enum cria_status read_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_document document;
    struct cria_str index_id = {0}, file_id = {0}, text;
    int64_t offset = 0, max_length = 0;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "index_id", CRIA_REQUIRED, 0, SIZE_MAX, &index_id);
    cria_member_str(&check.body, "file_id", CRIA_REQUIRED, 0, SIZE_MAX, &file_id);
    cria_member_int(&check.body, "offset", CRIA_OPTIONAL, 0, INT64_MAX, &offset);
    cria_member_int(&check.body, "max_length", CRIA_NULLABLE, 1, INT64_MAX, &max_length);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = load_document(ex, index_id, file_id, &document);
    if (st == CRIA_OK)
        st = cria_file_read(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), document.id,
                            (uint64_t)offset, (uint64_t)max_length, &text);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_member_str(&out, "content", text);
    cria_out_end(&out);
    return CRIA_OK;
}
CRIA_HANDLER(read_file)
