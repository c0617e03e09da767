/* directory_files.c - entries of a directory; each points at a stored file. */
#include "api/directories.h"
#include "api/files.h"
#include "api/handlers.h"
#include "api/metadata.h"
#include "api/once.h"
#include "api/page.h"
#include "api/uploads.h"
#include "platform/clock.h"

static void write_entry(struct cria_json_out *out, struct cria_str project,
                        const struct cria_entry *row, const struct cria_links *links)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "directory_id", row->directory_id);
    cria_out_member_str(out, "display_name", row->display_name);
    cria_out_member_str(out, "project_id", project);
    cria_out_member_str(out, "unique_id", row->unique_id);
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_member_time(out, "deleted_at", row->deleted_at_us);
    cria_out_name(out, "download_url");
    if (links && row->file_id.ptr)
        cria_link_write_file(links, out, row->file_id);
    else
        cria_out_null(out);
    cria_out_member_opt(out, "file_id", row->file_id);
    cria_out_member_raw(out, "metadata",
                        row->metadata_json.len ? row->metadata_json : CRIA_STR("{}"));
    cria_out_end(out);
}

static enum cria_status taken(struct cria_call *call, enum cria_status st)
{
    if (st != CRIA_E_CONFLICT) return st;
    return cria_fail_final(call, st, "An entry with this unique_id is in the directory already");
}

/* The directory of the path, and that it is one that clients may fill. */
static enum cria_status find_own(struct cria_tx *tx, struct cria_exchange *ex,
                                 struct cria_directory *out)
{
    enum cria_status st =
        cria_directory_find(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0], out);
    return st == CRIA_OK ? cria_directory_check_own(&ex->call, out) : st;
}

/* The entry of the path, in the directory of the path. */
static enum cria_status find_entry(struct cria_tx *tx, struct cria_exchange *ex,
                                   struct cria_directory *directory, struct cria_entry *out)
{
    struct cria_str project = cria_project_of(ex);
    enum cria_status st =
        cria_directory_find(tx, &ex->call, project, ex->request.path_values[0], directory);
    if (st != CRIA_OK) return st;
    st = cria_tx_entry_get(tx, &ex->call, project, directory->id, ex->request.path_values[1], out);
    return cria_named(&ex->call, st, "Directory file not found");
}

/* ---- add and upload */

struct addition {
    struct cria_exchange *ex;
    struct cria_upload *upload; /* NULL: the file is there already */
    struct cria_str file_id;
    struct cria_entry row; /* names {NULL,0}: the file's */
};

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct addition *addition = arg;
    struct cria_exchange *ex = addition->ex;
    struct cria_entry *row = &addition->row;
    struct cria_str project = cria_project_of(ex);
    struct cria_directory directory;
    struct cria_file file;
    enum cria_status st = find_own(tx, ex, &directory);
    if (st != CRIA_OK) return st;
    if (addition->upload) {
        file = addition->upload->row;
        st = cria_tx_file_insert(tx, call, project, &file);
    } else {
        st = cria_stored_file_get(tx, call, project, addition->file_id, &file);
    }
    if (st != CRIA_OK) return st;
    row->directory_id = directory.id;
    row->file_id = file.id;
    if (!row->display_name.ptr) row->display_name = file.name;
    if (!row->unique_id.ptr)
        row->unique_id = file.external_file_id.ptr ? file.external_file_id : file.name;
    row->created_at_us = row->updated_at_us = cria_wall_us();
    return taken(call, cria_tx_entry_insert(tx, call, project, row));
}

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct addition *addition = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_entry(&out, cria_project_of(ex), &addition->row, NULL);
}

static enum cria_status add_directory_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct addition addition = {.ex = ex};
    struct cria_entry *row = &addition.row;
    struct cria_once once;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "file_id", CRIA_REQUIRED, 0, SIZE_MAX, &addition.file_id);
    cria_member_str(&check.body, "display_name", CRIA_NULLABLE, 0, SIZE_MAX, &row->display_name);
    cria_member_str(&check.body, "unique_id", CRIA_NULLABLE, 0, SIZE_MAX, &row->unique_id);
    if (!cria_metadata_member(&check, &row->metadata_json)) row->metadata_json = CRIA_STR("{}");
    row->id = cria_fresh_id(&ex->call, "dfl-");
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK && !row->id.ptr) st = cria_fail_memory(&ex->call);
    if (st == CRIA_OK) st = cria_once_init(&once, ex, insert, &addition, render);
    return st == CRIA_OK ? cria_once_run(&once) : st;
}
CRIA_HANDLER(add_directory_file)

/* What would be refused anyway is refused before its bytes are made durable. */
static enum cria_status look_first(struct cria_exchange *ex)
{
    struct cria_tx *tx = NULL;
    struct cria_directory directory;
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = find_own(tx, ex, &directory);
    cria_store_read_end(tx);
    return st;
}

static enum cria_status upload_directory_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_upload upload;
    struct addition addition = {.ex = ex, .upload = &upload};
    struct cria_entry *row = &addition.row;
    struct cria_once once;
    cria_check_init(&check, ex);
    cria_upload_form(&check);
    cria_upload_read(&upload, &check, "upload_file");
    cria_member_str(&check.body, "display_name", CRIA_OPTIONAL, 0, SIZE_MAX, &row->display_name);
    cria_member_str(&check.body, "unique_id", CRIA_OPTIONAL, 0, SIZE_MAX, &row->unique_id);
    cria_upload_external_id(&upload, &check);
    cria_metadata_form(&check, &row->metadata_json);
    row->id = cria_fresh_id(&ex->call, "dfl-");
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK && !row->id.ptr) st = cria_fail_memory(&ex->call);
    if (st == CRIA_OK) st = cria_once_init(&once, ex, insert, &addition, render);
    if (st == CRIA_OK && !once.key.ptr) st = look_first(ex);
    if (st != CRIA_OK) return st;
    upload.row.purpose = CRIA_STR("user_data");
    st = cria_upload_keep(&upload);
    if (st != CRIA_OK) return st;
    st = cria_once_run(&once);
    cria_upload_end(&upload, st == CRIA_OK && !once.is_replay);
    return st;
}
CRIA_HANDLER(upload_directory_file)

/* ---- list */

static void read_filters(struct cria_check *check, struct cria_page *page,
                         struct cria_entry_query *query)
{
    cria_page_init(page, check);
    cria_param_str(check, "display_name", CRIA_OPTIONAL, &query->display_name);
    cria_param_str(check, "display_name_contains", CRIA_OPTIONAL, &query->display_name_contains);
    cria_param_str(check, "unique_id", CRIA_OPTIONAL, &query->unique_id);
    cria_param_str(check, "file_id", CRIA_OPTIONAL, &query->file_id);
    cria_param_time(check, "updated_at_on_or_after", &query->updated_from_us);
    cria_param_time(check, "updated_at_on_or_before", &query->updated_to_us);
    cria_param_bool(check, "include_deleted", &query->include_deleted);
    query->directory_id = check->ex->request.path_values[0];
    cria_page_bind(page, query->directory_id);
    cria_page_bind(page, query->display_name);
    cria_page_bind(page, query->display_name_contains);
    cria_page_bind(page, query->unique_id);
    cria_page_bind(page, query->file_id);
    cria_page_bind_int(page, query->updated_from_us);
    cria_page_bind_int(page, query->updated_to_us);
    cria_page_bind_int(page, query->include_deleted);
}

static enum cria_status list_directory_files(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_links links;
    struct cria_directory directory;
    struct cria_entry_query query = {0};
    struct cria_entry_list rows;
    struct cria_tx *tx = NULL;
    struct cria_str project;
    cria_check_init(&check, ex);
    read_filters(&check, &page, &query);
    bool expands = cria_wants_link(&check);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_page_open(&page);
    if (expands) cria_links_init(&links, ex, CRIA_LINK_SECONDS);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    project = cria_project_of(ex);
    if (st == CRIA_OK)
        st = cria_directory_find(tx, &ex->call, project, query.directory_id, &directory);
    if (st == CRIA_OK) st = cria_tx_entry_list(tx, &ex->call, project, &query, &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        write_entry(&out, project, &rows.items[i], expands ? &links : NULL);
        last.at_us = rows.items[i].created_at_us;
        last.id = rows.items[i].id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_directory_files)

/* ---- one entry */

static enum cria_status get_directory_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_links links;
    struct cria_directory directory;
    struct cria_entry row;
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    bool expands = cria_wants_link(&check);
    enum cria_status st = cria_check_end(&check);
    if (expands) cria_links_init(&links, ex, CRIA_LINK_SECONDS);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = find_entry(tx, ex, &directory, &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_entry(&out, cria_project_of(ex), &row, expands ? &links : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(get_directory_file)

struct change {
    struct cria_exchange *ex;
    struct cria_str display_name, unique_id, target; /* {NULL,0}: as it is */
    struct cria_str metadata_json;
    bool has_metadata;
    struct cria_entry row; /* out */
};

static enum cria_status update(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct change *change = arg;
    struct cria_exchange *ex = change->ex;
    struct cria_entry *row = &change->row;
    struct cria_directory directory, target;
    enum cria_status st = find_entry(tx, ex, &directory, row);
    if (st == CRIA_OK && change->target.ptr) {
        st = cria_directory_find(tx, call, cria_project_of(ex), change->target, &target);
        if (st == CRIA_OK) st = cria_directory_check_own(call, &target);
        if (st == CRIA_OK) row->directory_id = target.id;
    }
    if (st == CRIA_OK) st = cria_directory_check_own(call, &directory);
    if (st != CRIA_OK) return st;
    if (change->display_name.ptr) row->display_name = change->display_name;
    if (change->unique_id.ptr) row->unique_id = change->unique_id;
    if (change->has_metadata) row->metadata_json = change->metadata_json;
    row->updated_at_us = cria_time_after(cria_wall_us(), row->updated_at_us);
    return taken(call, cria_tx_entry_update(tx, call, cria_project_of(ex), row));
}

static enum cria_status update_directory_file(struct cria_exchange *ex)
{
    struct cria_check check;
    struct change change = {.ex = ex};
    struct cria_str older = {0};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "display_name", CRIA_NULLABLE, 0, SIZE_MAX, &change.display_name);
    cria_member_str(&check.body, "unique_id", CRIA_NULLABLE, 0, SIZE_MAX, &change.unique_id);
    change.has_metadata = cria_metadata_member(&check, &change.metadata_json);
    cria_member_str(&check.body, "target_directory_id", CRIA_NULLABLE, 0, SIZE_MAX, &change.target);
    cria_member_str(&check.body, "directory_id", CRIA_NULLABLE, 0, SIZE_MAX, &older);
    if (!change.target.ptr) change.target = older;
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_store_write(cria_app_of(ex)->store, &ex->call, update, &change);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_entry(&out, cria_project_of(ex), &change.row, NULL);
    return CRIA_OK;
}
CRIA_HANDLER(update_directory_file)

static enum cria_status delete_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_exchange *ex = arg;
    struct cria_directory directory;
    struct cria_entry row;
    enum cria_status st = find_entry(tx, ex, &directory, &row);
    if (st == CRIA_OK) st = cria_directory_check_own(call, &directory);
    if (st != CRIA_OK) return st;
    st = cria_tx_entry_delete(tx, call, cria_project_of(ex), directory.id, row.id, cria_wall_us());
    return cria_named(call, st, "Directory file not found");
}

static enum cria_status delete_directory_file(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_store_write_freeing(cria_app_of(ex)->store, &ex->call, delete_row, ex);
    ex->status = 204;
    return st;
}
CRIA_HANDLER(delete_directory_file)
