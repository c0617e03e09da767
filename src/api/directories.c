/* directories.c - containers of files; the source and the output side of an index. */
#include "api/directories.h"

#include "api/handlers.h"
#include "api/once.h"
#include "api/page.h"
#include "platform/clock.h"

static const int64_t ephemeral_us = INT64_C(86400000000);
static const char *const all_types[] = {"user", "index", "ephemeral"};

/* ---- rendering and look-up */

static void write_directory(struct cria_json_out *out, struct cria_str project,
                            const struct cria_directory *row)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "name", row->name);
    cria_out_member_str(out, "project_id", project);
    cria_out_member_null(out, "connector_subscription_id");
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_member_time(out, "deleted_at", row->deleted_at_us);
    cria_out_member_opt(out, "description", row->description);
    cria_out_member_time(out, "expires_at", row->expires_at_us);
    if (row->system_metadata_json.ptr)
        cria_out_member_raw(out, "system_metadata", row->system_metadata_json);
    else
        cria_out_member_null(out, "system_metadata");
    cria_out_member_str(out, "type", row->type);
    cria_out_end(out);
}

enum cria_status cria_directory_find(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str id,
                                     struct cria_directory *out)
{
    enum cria_status st = cria_tx_directory_get(tx, call, project, id, out);
    return cria_named(call, st, "Directory not found");
}

enum cria_status cria_directory_check_own(struct cria_call *call,
                                          const struct cria_directory *directory)
{
    if (!cria_str_is(directory->type, "index")) return CRIA_OK;
    return cria_fail_final(call, CRIA_E_CONFLICT, "This directory belongs to an index");
}

/* ---- create */

struct creation {
    struct cria_exchange *ex;
    struct cria_directory row;
};

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct creation *creation = arg;
    creation->row.created_at_us = creation->row.updated_at_us = cria_wall_us();
    if (cria_str_is(creation->row.type, "ephemeral"))
        creation->row.expires_at_us = creation->row.created_at_us + ephemeral_us;
    return cria_tx_directory_insert(tx, call, cria_project_of(creation->ex), &creation->row);
}

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct creation *creation = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_directory(&out, cria_project_of(ex), &creation->row);
}

/* A parsed value as text in the arena. */
static struct cria_str text_of(struct cria_exchange *ex, const struct cria_json *json)
{
    cria_buf_clear(&ex->body);
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_json(&out, json);
    struct cria_str text = cria_arena_copy(ex->call.arena, cria_buf_str(&ex->body));
    cria_buf_clear(&ex->body);
    return text;
}

static enum cria_status create_directory(struct cria_exchange *ex)
{
    static const char *const types[] = {"user", "ephemeral"};
    struct cria_check check;
    struct creation creation = {.ex = ex};
    struct cria_once once;
    struct cria_value system;
    struct cria_str connector = {0};
    size_t type = 0;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    struct cria_directory *row = &creation.row;
    cria_member_str(&check.body, "name", CRIA_REQUIRED, 1, SIZE_MAX, &row->name);
    cria_member_str(&check.body, "description", CRIA_NULLABLE, 0, SIZE_MAX, &row->description);
    cria_member_word(&check.body, "type", CRIA_OPTIONAL, types, CRIA_COUNT(types), &type);
    cria_member_str(&check.body, "connector_subscription_id", CRIA_NULLABLE, 0, SIZE_MAX,
                    &connector);
    bool has_system = cria_member_object(&check.body, "system_metadata", CRIA_NULLABLE, &system);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    if (connector.ptr)
        return cria_fail(&ex->call, CRIA_E_BAD_REQUEST, "This server has no connectors");
    row->id = cria_fresh_id(&ex->call, "dir-");
    row->type = cria_str_from(types[type]);
    if (has_system) row->system_metadata_json = text_of(ex, system.json);
    if (ex->call.arena->failed) return cria_fail_memory(&ex->call);
    st = cria_once_init(&once, ex, insert, &creation, render);
    return st == CRIA_OK ? cria_once_run(&once) : st;
}
CRIA_HANDLER(create_directory)

/* ---- list */

static enum cria_status list_directories(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_directory_query query = {0};
    struct cria_directory_list rows;
    struct cria_tx *tx = NULL;
    struct cria_str wanted[CRIA_COUNT(all_types)];
    const struct cria_str *types = NULL;
    size_t one, type_count = 0, wanted_count = 0;
    bool is_wanted[CRIA_COUNT(all_types)] = {false};
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "name", CRIA_OPTIONAL, &query.name);
    if (cria_param_word(&check, "type", all_types, CRIA_COUNT(all_types), &one))
        is_wanted[one] = true;
    cria_param_list(&check, "types", false, all_types, CRIA_COUNT(all_types), &types, &type_count);
    cria_param_bool(&check, "include_deleted", &query.include_deleted);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    for (size_t i = 0; i < CRIA_COUNT(all_types); i++) {
        for (size_t k = 0; k < type_count; k++)
            is_wanted[i] = is_wanted[i] || cria_str_is(types[k], all_types[i]);
        if (is_wanted[i]) wanted[wanted_count++] = cria_str_from(all_types[i]);
    }
    query.types = wanted;
    query.type_count = wanted_count;
    cria_page_bind(&page, query.name);
    cria_page_bind_all(&page, wanted, wanted_count);
    cria_page_bind_int(&page, query.include_deleted);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st =
            cria_tx_directory_list(tx, &ex->call, cria_project_of(ex), &query, &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        write_directory(&out, cria_project_of(ex), &rows.items[i]);
        last.at_us = rows.items[i].created_at_us;
        last.id = rows.items[i].id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_directories)

/* ---- one directory */

static enum cria_status get_directory(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_directory row;
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_directory_find(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0],
                                 &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_directory(&out, cria_project_of(ex), &row);
    return CRIA_OK;
}
CRIA_HANDLER(get_directory)

struct change {
    struct cria_exchange *ex;
    struct cria_str name, description; /* {NULL,0}: as it is, or (description) cleared */
    bool has_description;
    struct cria_directory row; /* out */
};

static enum cria_status update(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct change *change = arg;
    struct cria_exchange *ex = change->ex;
    struct cria_directory *row = &change->row;
    enum cria_status st =
        cria_directory_find(tx, call, cria_project_of(ex), ex->request.path_values[0], row);
    if (st != CRIA_OK) return st;
    if (change->name.ptr) row->name = change->name;
    if (change->has_description) row->description = change->description;
    row->updated_at_us = cria_time_after(cria_wall_us(), row->updated_at_us);
    return cria_tx_directory_update(tx, call, cria_project_of(ex), row);
}

static enum cria_status update_directory(struct cria_exchange *ex)
{
    struct cria_check check;
    struct change change = {.ex = ex};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "name", CRIA_NULLABLE, 1, SIZE_MAX, &change.name);
    change.has_description = cria_json_get(check.body.json, "description") != NULL;
    cria_member_str(&check.body, "description", CRIA_NULLABLE, 0, SIZE_MAX, &change.description);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_store_write(cria_app_of(ex)->store, &ex->call, update, &change);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_directory(&out, cria_project_of(ex), &change.row);
    return CRIA_OK;
}
CRIA_HANDLER(update_directory)

static enum cria_status delete_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_exchange *ex = arg;
    struct cria_str project = cria_project_of(ex), id = ex->request.path_values[0];
    struct cria_directory row;
    enum cria_status st = cria_directory_find(tx, call, project, id, &row);
    if (st == CRIA_OK) st = cria_directory_check_own(call, &row);
    return st == CRIA_OK ? cria_tx_directory_delete(tx, call, project, id, cria_wall_us()) : st;
}

static enum cria_status delete_directory(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_store_write_freeing(cria_app_of(ex)->store, &ex->call, delete_row, ex);
    ex->status = 204;
    return st;
}
CRIA_HANDLER(delete_directory)
