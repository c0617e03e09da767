#include "base/json_out.h"
#include "base/utf8.h"
#include "chat/tool_table.h"

/* A match with its context as a citable span: the context is cut at the ends of the text, so the
 * span's start follows from the match's. */
static bool take_match(const struct cria_grep_match *match, uint32_t context_chars,
                       const struct cria_document *document, struct cria_arena *arena,
                       struct cria_tool_passage *out)
{
    uint64_t before = match->start_char < context_chars ? match->start_char : context_chars;
    uint64_t start = match->start_char - before, length = cria_utf8_count(match->content);
    if (start + length < match->end_char) return false; /* the match was cut: nothing to cite */
    *out = (struct cria_tool_passage){
        .passage =
            {
                .index_id = document->index_id,
                .file_id = document->entry_id,
                .document_id = document->id,
                .file_name = document->display_name,
                .page_start = cria_document_page_at(arena, document, start),
                .char_start = start,
                .char_end = start + length,
                .text = match->content,
            },
        .match_start = match->start_char,
        .match_end = match->end_char,
    };
    out->passage.page_end = out->passage.page_start;
    return true;
}

void cria_tool_grep_run(struct cria_tool_run *run)
{
    static const char *const pattern_names[] = {"pattern", "query", "regexp", "text", NULL};
    static const char *const context_names[] = {"context_chars", "context", NULL};
    static const char *const limit_names[] = {"limit", "n", NULL};
    struct cria_document document;
    struct cria_grep_result result;
    run->status = cria_tool_document(run, &document);
    if (run->status != CRIA_OK) return;
    struct cria_grep_request request = {
        .project = run->scope->project,
        .document_id = document.id,
        .pattern = cria_tool_arg_str(run->arguments, pattern_names),
        .is_literal = !cria_tool_arg_bool(run->arguments, "regex", false),
        .context_chars = (uint32_t)cria_tool_arg_int(run->arguments, context_names, 150, 0, 600),
        .limit = (uint32_t)cria_tool_arg_int(run->arguments, limit_names, 10, 1, 50),
    };
    run->file_name = document.display_name;
    if (request.pattern.len == 0) {
        run->status = cria_fail(&run->call, CRIA_E_INVALID, "the argument pattern is missing");
        return;
    }
    run->status = cria_file_grep(run->scope->store, &run->call, &request, &result);
    if (run->status != CRIA_OK) return;
    run->passages = CRIA_NEW_ARRAY(run->call.arena, result.count, struct cria_tool_passage);
    if (!run->passages) {
        run->status = cria_fail_memory(&run->call);
        return;
    }
    run->has_more = result.has_more;
    for (size_t i = 0; i < result.count; i++)
        if (take_match(&result.items[i], request.context_chars, &document, run->call.arena,
                       &run->passages[run->passage_count]))
            run->passage_count++;
}

void cria_tool_grep_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text)
{
    struct cria_json_out out = cria_json_out_to(json);
    size_t shown_to = text->len + CRIA_TOOL_CHARS;
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < run->passage_count; i++) {
        const struct cria_tool_passage *found = &run->passages[i];
        if (i && text->len + found->passage.text.len > shown_to) {
            run->has_more = true;
            break;
        }
        const struct cria_passage *passage = cria_evidence_add(evidence, &found->passage);
        if (!passage) {
            json->failed = true;
            return;
        }
        cria_out_object(&out);
        cria_out_member_str(&out, "content", found->passage.text);
        cria_out_member_int(&out, "start_char", (int64_t)found->match_start);
        cria_out_member_int(&out, "end_char", (int64_t)found->match_end);
        cria_out_member_int(&out, "passage_id", passage->id);
        cria_out_end(&out);
        cria_buf_printf(text, "[%u] ", passage->id);
        cria_text_sanitize(text, found->passage.file_name);
        cria_pages_write(text, found->passage.page_start, found->passage.page_end);
        cria_buf_printf(text, ", offset %llu:\n", (unsigned long long)found->match_start);
        cria_text_sanitize(text, found->passage.text);
        cria_buf_add(text, CRIA_STR("\n\n"));
    }
    cria_out_end(&out);
    cria_out_member_null(&out, "next_page_token");
    cria_out_member_null(&out, "total_size");
    cria_out_end(&out);
    if (run->passage_count == 0)
        cria_buf_add_z(text, "No literal match in this file; a search by meaning (retrieve) may "
                             "still find it.\n");
    if (run->has_more) cria_buf_add_z(text, "There are more matches.\n");
}
