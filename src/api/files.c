/* files.c - stored bytes, addressed by file id. */
#include "api/files.h"

#include "api/handlers.h"
#include "api/once.h"
#include "api/page.h"
#include "api/uploads.h"
#include "platform/clock.h"
#include "store/blobs.h"

static const char *const purposes[] = {"user_data", "parse", "extract",  "split",
                                       "classify",  "sheet", "agent_app"};

/* ---- rendering and look-up */

static void write_file(struct cria_json_out *out, struct cria_str project,
                       const struct cria_file *file, const struct cria_links *links)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", file->id);
    cria_out_member_str(out, "name", file->name);
    cria_out_member_str(out, "project_id", project);
    cria_out_name(out, "download_url");
    if (links)
        cria_link_write_file(links, out, file->id);
    else
        cria_out_null(out);
    cria_out_member_time(out, "expires_at", file->expires_at_us);
    cria_out_member_opt(out, "external_file_id", file->external_file_id);
    cria_out_member_opt(out, "file_type", file->file_type);
    cria_out_member_time(out, "last_modified_at", file->last_modified_at_us);
    cria_out_member_opt(out, "purpose", file->purpose);
    cria_out_end(out);
}

enum cria_status cria_stored_file_get(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str id,
                                      struct cria_file *out)
{
    struct cria_entry entry;
    enum cria_status st = CRIA_OK;
    if (cria_str_starts(id, "dfl-")) {
        st = cria_tx_entry_get(tx, call, project, (struct cria_str){0}, id, &entry);
        if (st == CRIA_OK && !entry.file_id.ptr) st = CRIA_E_NOT_FOUND;
        id = st == CRIA_OK ? entry.file_id : id;
    }
    if (st == CRIA_OK) st = cria_tx_file_get(tx, call, project, id, out);
    return cria_named(call, st, "File not found");
}

static enum cria_status load(struct cria_exchange *ex, struct cria_file *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_stored_file_get(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0],
                                  out);
    cria_store_read_end(tx);
    return st;
}

bool cria_wants_link(struct cria_check *check)
{
    const struct cria_str *names;
    size_t count;
    if (!cria_param_list(check, "expand", false, NULL, 0, &names, &count)) return false;
    for (size_t i = 0; i < count; i++)
        if (cria_str_is(names[i], "download_url")) return true;
    return false;
}

/* ---- create */

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_upload *upload = arg;
    return cria_tx_file_insert(tx, call, cria_project_of(upload->ex), &upload->row);
}

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct cria_upload *upload = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_file(&out, cria_project_of(ex), &upload->row, NULL);
}

static enum cria_status create_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_upload upload;
    struct cria_once once;
    size_t purpose = 0;
    cria_check_init(&check, ex);
    cria_upload_form(&check);
    cria_upload_read(&upload, &check, "file");
    cria_member_word(&check.body, "purpose", CRIA_REQUIRED, purposes, CRIA_COUNT(purposes),
                     &purpose);
    cria_upload_external_id(&upload, &check);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_once_init(&once, ex, insert, &upload, render);
    if (st != CRIA_OK) return st;
    upload.row.purpose = cria_str_from(purposes[purpose]);
    st = cria_upload_keep(&upload);
    if (st != CRIA_OK) return st;
    st = cria_once_run(&once);
    cria_upload_end(&upload, st == CRIA_OK && !once.is_replay);
    return st;
}
CRIA_HANDLER(create_file)

/* ---- list and query */

static void bind_query(struct cria_page *page, const struct cria_file_query *query)
{
    cria_page_bind(page, query->name);
    cria_page_bind(page, query->external_file_id);
    cria_page_bind_int(page, query->has_ids);
    cria_page_bind_all(page, query->ids, query->id_count);
    for (size_t i = 0; i < query->order_count; i++)
        cria_page_bind_int(page, (int64_t)query->order[i].field * 2 + query->order[i].descending);
}

static enum cria_status list(struct cria_page *page, const struct cria_file_query *query,
                             const struct cria_links *links)
{
    struct cria_exchange *ex = page->ex;
    struct cria_str project = cria_project_of(ex);
    struct cria_tx *tx = NULL;
    struct cria_file_list files;
    bind_query(page, query);
    enum cria_status st = cria_page_open(page);
    if (st != CRIA_OK) return st;
    st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_tx_file_list(tx, &ex->call, project, query, &page->window, &files);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < files.count; i++) write_file(&out, project, &files.items[i], links);
    if (files.count) {
        const struct cria_file *file = &files.items[files.count - 1];
        last.at_us = file->created_at_us;
        last.name = file->name;
        last.id = file->id;
    }
    cria_page_end(page, &out, files.has_more ? &last : NULL);
    return CRIA_OK;
}

static enum cria_status list_files(struct cria_exchange *ex)
{
    static const char *const orders[] = {"name", "id", "created_at"};
    struct cria_check check;
    struct cria_page page;
    struct cria_links links;
    struct cria_file_query query = {.order_count = 1};
    size_t order = CRIA_FILE_BY_CREATED;
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "file_name", CRIA_OPTIONAL, &query.name);
    query.has_ids = cria_param_list(&check, "file_ids", true, NULL, 0, &query.ids, &query.id_count);
    cria_param_str(&check, "external_file_id", CRIA_OPTIONAL, &query.external_file_id);
    cria_param_word(&check, "order_by", orders, CRIA_COUNT(orders), &order);
    bool expands = cria_wants_link(&check);
    enum cria_status st = cria_check_end(&check);
    if (expands) cria_links_init(&links, ex, CRIA_LINK_SECONDS);
    if (st != CRIA_OK) return st;
    query.order[0].field = (enum cria_file_field)order;
    query.order[0].descending = order == CRIA_FILE_BY_CREATED;
    return list(&page, &query, expands ? &links : NULL);
}
CRIA_HANDLER(list_files)

/* One of "name", "created_at desc". */
static bool read_order(struct cria_str text, struct cria_file_query *query)
{
    struct cria_str field, direction = cria_str_trim(text);
    cria_str_cut(&direction, ' ', &field);
    direction = cria_str_trim(direction);
    size_t n = query->order_count;
    enum cria_file_field which = cria_str_is(field, "name") ? CRIA_FILE_BY_NAME
                                 : cria_str_is(field, "id") ? CRIA_FILE_BY_ID
                                                            : CRIA_FILE_BY_CREATED;
    bool is_descending = cria_str_equal_nocase(direction, CRIA_STR("desc"));
    if (which == CRIA_FILE_BY_CREATED && !cria_str_is(field, "created_at")) return false;
    if (!is_descending && direction.len && !cria_str_equal_nocase(direction, CRIA_STR("asc")))
        return false;
    for (size_t i = 0; i < n; i++)
        if (query->order[i].field == which) return true; /* said already: no further effect */
    query->order[n].field = which;
    query->order[n].descending = is_descending;
    query->order_count++;
    return true;
}

static void read_orders(struct cria_check *check, struct cria_file_query *query)
{
    struct cria_str rest, one;
    struct cria_value at;
    if (!cria_member_any(&check->body, "order_by", CRIA_NULLABLE, &at)) return;
    if (!cria_value_str(&at, 0, SIZE_MAX, &rest) || cria_str_trim(rest).len == 0) return;
    query->order_count = 0;
    while (rest.len) {
        cria_str_cut(&rest, ',', &one);
        if (read_order(one, query)) continue;
        cria_check_error(check, &at, "fields are name, id and created_at, each with desc or not");
        return;
    }
}

static enum cria_status query_files(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_value filter;
    struct cria_str source = {0}, project = {0};
    struct cria_file_query query = {.order_count = 1};
    bool ignored;
    query.order[0].field = CRIA_FILE_BY_CREATED;
    query.order[0].descending = true;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_page_init_body(&page, &check, false);
    read_orders(&check, &query);
    if (cria_member_object(&check.body, "filter", CRIA_NULLABLE, &filter)) {
        cria_member_uuid(&filter, "data_source_id", CRIA_NULLABLE, &source);
        cria_member_str(&filter, "external_file_id", CRIA_NULLABLE, 0, SIZE_MAX,
                        &query.external_file_id);
        query.has_ids = cria_member_strs(&filter, "file_ids", CRIA_NULLABLE, SIZE_MAX, true,
                                         &query.ids, &query.id_count);
        cria_member_str(&filter, "file_name", CRIA_NULLABLE, 0, SIZE_MAX, &query.name);
        cria_member_bool(&filter, "only_manually_uploaded", CRIA_NULLABLE, &ignored);
        cria_member_uuid(&filter, "project_id", CRIA_NULLABLE, &project);
    }
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK && project.ptr)
        st = cria_account_scope(cria_app_of(ex)->account, &ex->call, project, (struct cria_str){0});
    if (st != CRIA_OK) return st;
    bool is_elsewhere =
        project.ptr && check.project_id.ptr && !cria_str_equal(project, check.project_id);
    if (source.ptr || is_elsewhere) { /* no file is of two projects, none of a data source */
        query.has_ids = true;
        query.id_count = 0;
    }
    return list(&page, &query, NULL);
}
CRIA_HANDLER(query_files)

/* ---- one file */

static enum cria_status get_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_links links;
    struct cria_file file;
    cria_check_init(&check, ex);
    bool expands = cria_wants_link(&check);
    enum cria_status st = cria_check_end(&check);
    if (expands) cria_links_init(&links, ex, CRIA_LINK_SECONDS);
    if (st == CRIA_OK) st = load(ex, &file);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_file(&out, cria_project_of(ex), &file, expands ? &links : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(get_file)

static enum cria_status get_file_content(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_links links;
    struct cria_file file;
    int64_t seconds = CRIA_LINK_SECONDS;
    cria_check_init(&check, ex);
    cria_param_int(&check, "expires_at_seconds", CRIA_OPTIONAL, 1, CRIA_LINK_SECONDS_MAX, &seconds);
    enum cria_status st = cria_check_end(&check);
    cria_links_init(&links, ex, seconds);
    if (st == CRIA_OK) st = load(ex, &file);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_link_write_file(&links, &out, file.id);
    return CRIA_OK;
}
CRIA_HANDLER(get_file_content)

struct removal {
    struct cria_exchange *ex;
    struct cria_str sha256; /* out */
};

static enum cria_status delete_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct removal *removal = arg;
    struct cria_str project = cria_project_of(removal->ex);
    struct cria_file file;
    enum cria_status st =
        cria_stored_file_get(tx, call, project, removal->ex->request.path_values[0], &file);
    if (st != CRIA_OK) return st;
    st = cria_tx_file_delete(tx, call, project, file.id, cria_wall_us(), &removal->sha256);
    return cria_named(call, st, "File not found");
}

static enum cria_status delete_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct removal removal = {.ex = ex};
    char sha256[CRIA_SHA256_HEX];
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_store_write_freeing(cria_app_of(ex)->store, &ex->call, delete_row, &removal);
    if (st != CRIA_OK) return st;
    if (cria_str_copy_z(removal.sha256, sha256, sizeof(sha256)))
        cria_blob_release(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), sha256);
    ex->status = 204;
    return CRIA_OK;
}
CRIA_HANDLER(delete_file)
