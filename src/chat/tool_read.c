#include "base/json_out.h"
#include "base/utf8.h"
#include "chat/tool_table.h"

void cria_tool_read_run(struct cria_tool_run *run)
{
    static const char *const page_names[] = {"page", "page_number", NULL};
    static const char *const offset_names[] = {"offset", "start", "from", NULL};
    static const char *const length_names[] = {"length", "max_length", "limit", NULL};
    struct cria_document document;
    struct cria_str text;
    run->status = cria_tool_document(run, &document);
    if (run->status != CRIA_OK) return;
    int64_t page = cria_tool_arg_int(run->arguments, page_names, 0, 0, INT32_MAX);
    int64_t length =
        cria_tool_arg_int(run->arguments, length_names, CRIA_TOOL_CHARS, 1, CRIA_TOOL_CHARS_MAX);
    run->offset = (uint64_t)cria_tool_arg_int(run->arguments, offset_names, 0, 0, INT64_MAX / 2);
    run->file_name = document.display_name;
    run->char_count = document.char_count;
    if (page && !cria_document_page_start(run->call.arena, &document, page, &run->offset)) {
        run->status =
            cria_fail(&run->call, CRIA_E_NOT_FOUND, "the file has no page %lld", (long long)page);
        return;
    }
    run->status = cria_file_read(run->scope->store, &run->call, run->scope->project, document.id,
                                 run->offset, (uint64_t)length, &text);
    if (run->status != CRIA_OK) return;
    run->passages = CRIA_NEW(run->call.arena, struct cria_tool_passage);
    if (!run->passages) {
        run->status = cria_fail_memory(&run->call);
        return;
    }
    uint64_t end = run->offset + cria_utf8_count(text);
    run->has_more = end < document.char_count;
    run->passage_count = text.len > 0;
    run->passages[0].passage = (struct cria_passage){
        .index_id = document.index_id,
        .file_id = document.entry_id,
        .document_id = document.id,
        .file_name = document.display_name,
        .page_start = cria_document_page_at(run->call.arena, &document, run->offset),
        .page_end = cria_document_page_at(run->call.arena, &document, end ? end - 1 : 0),
        .char_start = run->offset,
        .char_end = end,
        .text = text,
    };
}

void cria_tool_read_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text)
{
    struct cria_json_out out = cria_json_out_to(json);
    const struct cria_passage *found = &run->passages[0].passage, *passage = NULL;
    if (run->passage_count && !(passage = cria_evidence_add(evidence, found))) {
        json->failed = true;
        return;
    }
    cria_out_object(&out);
    cria_out_member_str(&out, "content", found->text);
    if (passage) {
        cria_out_member_str(&out, "file_id", found->file_id);
        cria_out_member_str(&out, "file_name", found->file_name);
        cria_out_member_int(&out, "passage_id", passage->id);
    }
    cria_out_end(&out);
    if (!passage) {
        cria_buf_printf(text, "Nothing there: the file has %llu characters.\n",
                        (unsigned long long)run->char_count);
        return;
    }
    cria_buf_printf(text, "[%u] ", passage->id);
    cria_text_sanitize(text, found->file_name);
    cria_pages_write(text, found->page_start, found->page_end);
    cria_buf_printf(text, ", characters %llu to %llu of %llu:\n",
                    (unsigned long long)found->char_start, (unsigned long long)found->char_end,
                    (unsigned long long)run->char_count);
    cria_text_sanitize(text, found->text);
    cria_buf_add_char(text, '\n');
    if (run->has_more)
        cria_buf_printf(text, "Go on with offset %llu.\n", (unsigned long long)found->char_end);
}
