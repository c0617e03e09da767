#include "base/json_out.h"
#include "chat/tool_table.h"

void cria_tool_find_run(struct cria_tool_run *run)
{
    static const char *const name_names[] = {"name_contains", "file_name_contains",
                                             "name",          "file_name",
                                             "query",         "pattern",
                                             "file",          NULL};
    static const char *const limit_names[] = {"limit", "top_k", "n", NULL};
    struct cria_window window = {0};
    struct cria_str name = cria_tool_arg_str(run->arguments, name_names);
    size_t count, total = 0;
    const struct cria_search_index *indexes = cria_tool_indexes(run, &count);
    uint32_t limit = (uint32_t)cria_tool_arg_int(run->arguments, limit_names, 20, 1, 50);
    struct cria_document *files = CRIA_NEW_ARRAY(run->call.arena, limit, struct cria_document);
    struct cria_tx *tx = NULL;
    if (!files || !indexes) {
        run->status = cria_fail_memory(&run->call);
        return;
    }
    run->status = cria_store_read_begin(run->scope->store, &run->call, &tx);
    for (size_t i = 0; i < count && run->status == CRIA_OK; i++) {
        struct cria_document_list list;
        window.limit = limit - (uint32_t)total;
        if (window.limit == 0) {
            run->has_more = true;
            break;
        }
        run->status = cria_tx_document_list(tx, &run->call, run->scope->project, indexes[i].id,
                                            (struct cria_str){0}, name, &window, &list);
        if (run->status != CRIA_OK) break;
        run->has_more |= list.has_more;
        for (size_t k = 0; k < list.count; k++) files[total++] = list.items[k];
    }
    cria_store_read_end(tx);
    run->files = (struct cria_document_list){.items = files, .count = total};
}

void cria_tool_find_tell(struct cria_tool_run *run, struct cria_evidence *evidence,
                         struct cria_buf *json, struct cria_buf *text)
{
    struct cria_json_out out = cria_json_out_to(json);
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < run->files.count; i++) {
        const struct cria_document *file = &run->files.items[i];
        size_t handle =
            cria_evidence_file(evidence, file->index_id, file->entry_id, file->display_name);
        if (!handle) {
            json->failed = true;
            return;
        }
        cria_out_object(&out);
        cria_out_member_str(&out, "file_id", file->entry_id);
        cria_out_member_str(&out, "file_name", file->display_name);
        cria_out_member_str(&out, "index_id", file->index_id);
        cria_out_end(&out);
        cria_buf_printf(text, "f%zu ", handle);
        cria_text_sanitize(text, file->display_name);
        if (file->page_count) cria_buf_printf(text, ", %u pages", file->page_count);
        cria_buf_printf(text, ", %llu characters\n", (unsigned long long)file->char_count);
    }
    cria_out_end(&out);
    cria_out_member_null(&out, "next_page_token");
    cria_out_member_null(&out, "total_size");
    cria_out_end(&out);
    if (run->files.count == 0) cria_buf_add_z(text, "No file has such a name.\n");
    if (run->has_more) cria_buf_add_z(text, "There are more: narrow the name.\n");
}
