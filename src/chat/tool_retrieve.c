#include "base/json_out.h"
#include "base/utf8.h"
#include "chat/tool_table.h"

enum { DEFAULT_HITS = 8, MAX_HITS = 20 };

enum cria_status cria_tool_take_hits(struct cria_tool_run *run,
                                     const struct cria_search_index *indexes,
                                     const struct cria_search_result *result)
{
    struct cria_tool_passage *list =
        CRIA_NEW_ARRAY(run->call.arena, result->count, struct cria_tool_passage);
    if (!list) return cria_fail_memory(&run->call);
    for (size_t i = 0; i < result->count; i++) {
        const struct cria_search_hit *hit = &result->hits[i];
        list[i] = (struct cria_tool_passage){
            .passage =
                {
                    .index_id = indexes[hit->index_n].id,
                    .file_id = hit->entry_id,
                    .document_id = hit->document_id,
                    .file_name = hit->display_name,
                    .page_start = hit->chunk.page_start,
                    .page_end = hit->chunk.page_end,
                    .char_start = hit->chunk.char_start,
                    .char_end = hit->chunk.char_end,
                    .text = hit->content,
                },
            .metadata_json = hit->metadata_json,
            .heading = hit->chunk.heading,
            .chunk_n = hit->chunk.n,
            .token_count = hit->chunk.token_count,
            .is_chunk = true,
            .score = hit->score,
            .has_rerank_score = hit->has_rerank_score,
            .rerank_score = hit->rerank_score,
        };
    }
    run->passages = list;
    run->passage_count = result->count;
    run->unknown_words = result->unknown_words;
    run->unknown_count = result->unknown_count;
    run->confidence = result->confidence;
    return CRIA_OK;
}

void cria_tool_retrieve_run(struct cria_tool_run *run)
{
    static const char *const query_names[] = {"query",    "q",     "queries", "question",
                                              "keywords", "input", "text",    NULL};
    static const char *const top_names[] = {"top_k", "limit", "k", "n", NULL};
    static const char *const name_names[] = {"file_name_contains", "file_name", "file", NULL};
    struct cria_search_request request = CRIA_SEARCH_REQUEST_DEFAULTS;
    struct cria_search_result result;
    size_t count;
    const struct cria_search_index *indexes = cria_tool_indexes(run, &count);
    request.project = run->scope->project;
    request.indexes = indexes;
    request.index_count = count;
    request.query = cria_utf8_cut(cria_tool_arg_str(run->arguments, query_names), 2000);
    request.top_k =
        (uint32_t)cria_tool_arg_int(run->arguments, top_names, DEFAULT_HITS, 1, MAX_HITS);
    request.file_name_contains = cria_tool_arg_str(run->arguments, name_names);
    /* What was said already would take the room of something else; neighbours stay apart for the
     * same reason: joined, a weak one comes before better passages. */
    request.drops_repeats = true;
    if (request.file_name_contains.len == 0 && request.top_k > 2)
        request.max_per_document = request.top_k - request.top_k / 4;
    if (!indexes) {
        run->status = cria_fail_memory(&run->call);
        return;
    }
    if (request.query.len == 0) {
        run->status = cria_fail(&run->call, CRIA_E_INVALID, "the argument query is missing");
        return;
    }
    run->status = cria_search_retrieve(run->scope->search, &run->call, &request, &result);
    if (run->status == CRIA_OK) run->status = cria_tool_take_hits(run, indexes, &result);
}

static void member_page(struct cria_json_out *out, const char *name, uint32_t page)
{
    if (page)
        cria_out_member_int(out, name, page);
    else
        cria_out_member_null(out, name);
}

void cria_retrieved_write(struct cria_json_out *out, const struct cria_tool_passage *found,
                          uint32_t passage_id)
{
    const struct cria_passage *passage = &found->passage;
    cria_out_object(out);
    cria_out_member_str(out, "content", passage->text);
    cria_out_name(out, "metadata");
    if (found->metadata_json.len)
        cria_out_raw(out, found->metadata_json);
    else
        cria_out_null(out);
    cria_out_member_real(out, "score", found->score);
    if (found->has_rerank_score)
        cria_out_member_real(out, "rerank_score", found->rerank_score);
    else
        cria_out_member_null(out, "rerank_score");
    cria_out_name(out, "static_fields");
    cria_out_object(out);
    cria_out_name(out, "attachments");
    cria_out_array(out);
    cria_out_end(out);
    cria_out_member_int(out, "chunk_index", found->chunk_n);
    cria_out_member_int(out, "chunk_start_char", (int64_t)passage->char_start);
    cria_out_member_int(out, "chunk_end_char", (int64_t)passage->char_end);
    cria_out_member_int(out, "chunk_token_count", found->token_count);
    member_page(out, "page_range_start", passage->page_start);
    member_page(out, "page_range_end", passage->page_end);
    cria_out_member_str(out, "parsed_directory_file_id", passage->file_id);
    cria_out_end(out);
    cria_out_member_str(out, "file_name", passage->file_name);
    cria_out_member_str(out, "index_id", passage->index_id);
    cria_out_member_int(out, "passage_id", passage_id);
    cria_out_end(out);
}

static void tell_status(const struct cria_tool_run *run, struct cria_buf *text)
{
    const char *grade = run->confidence >= 0.5    ? "strong"
                        : run->confidence >= 0.25 ? "partial"
                                                  : "weak";
    cria_buf_printf(text, "Status: %zu passages; coverage %s.", run->passage_count, grade);
    for (size_t i = 0; i < run->unknown_count && i < 12; i++) {
        cria_buf_add_z(text, i ? ", \"" : " Words found nowhere: \"");
        cria_text_sanitize(text, run->unknown_words[i]);
        cria_buf_add_char(text, '"');
    }
    if (run->unknown_count) cria_buf_add_char(text, '.');
    cria_buf_add_char(text, '\n');
}

void cria_tool_retrieve_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                             struct cria_buf *json, struct cria_buf *text)
{
    struct cria_json_out out = cria_json_out_to(json);
    size_t shown_to = text->len + CRIA_TOOL_CHARS;
    cria_out_object(&out);
    cria_out_name(&out, "results");
    cria_out_array(&out);
    for (size_t i = 0; i < run->passage_count; i++) {
        const struct cria_tool_passage *found = &run->passages[i];
        /* What the model does not see has no number to cite: room decides, best first. */
        if (i && text->len + found->passage.text.len > shown_to) {
            run->passage_count = i;
            break;
        }
        const struct cria_passage *passage = cria_evidence_add(evidence, &found->passage);
        size_t file = cria_evidence_file(evidence, found->passage.index_id, found->passage.file_id,
                                         found->passage.file_name);
        if (!passage || !file) {
            json->failed = true;
            return;
        }
        cria_retrieved_write(&out, found, passage->id);
        cria_buf_printf(text, "[%u] f%zu ", passage->id, file);
        cria_text_sanitize(text, found->passage.file_name);
        cria_pages_write(text, found->passage.page_start, found->passage.page_end);
        if (found->heading.len) {
            cria_buf_add(text, CRIA_STR(", "));
            cria_text_sanitize(text, found->heading);
        }
        cria_buf_add(text, CRIA_STR(":\n"));
        cria_text_sanitize(text, found->passage.text);
        cria_buf_add(text, CRIA_STR("\n\n"));
    }
    cria_out_end(&out);
    cria_out_end(&out);
    run->is_weak = run->passage_count == 0 || run->confidence < 0.25;
    tell_status(run, text);
}
