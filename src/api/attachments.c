/* attachments.c - pictures and items of pages, kept beside parsed files. */
#include "api/handlers.h"
#include "api/links.h"
#include "api/page.h"

static enum cria_status list_attachments(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_attachment_list rows;
    struct cria_str source = {0};
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "source_id", CRIA_REQUIRED, &source);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    cria_page_bind(&page, source);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_attachment_list(tx, &ex->call, cria_project_of(ex), source, &page.window,
                                     &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return cria_named(&ex->call, st, "File not found");
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        const struct cria_attachment *row = &rows.items[i];
        cria_out_object(&out);
        cria_out_member_str(&out, "name", row->name);
        cria_out_member_int(&out, "size", (int64_t)row->size_bytes);
        cria_out_member_time(&out, "last_modified", row->last_modified_us);
        cria_out_end(&out);
        last.name = row->name;
        last.id = row->entry_id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_attachments)

static enum cria_status get_attachment(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_links links;
    struct cria_attachment row;
    struct cria_str source = {0};
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    cria_param_str(&check, "source_id", CRIA_REQUIRED, &source);
    enum cria_status st = cria_check_end(&check);
    cria_links_init(&links, ex, CRIA_LINK_SECONDS);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_attachment_get(tx, &ex->call, cria_project_of(ex), source,
                                    ex->request.path_values[0], &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return cria_named(&ex->call, st, "Attachment not found");
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_link_write_attachment(&links, &out, row.entry_id, row.name);
    return CRIA_OK;
}
CRIA_HANDLER(get_attachment)
