/* projects.c - the projects a key may work in, in both generations of the API. */
#include "api/projects.h"

#include "api/handlers.h"
#include "api/page.h"

void cria_write_project(struct cria_json_out *out, const struct cria_project *row)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "name", row->name);
    cria_out_member_str(out, "organization_id", row->organization_id);
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_member_bool(out, "is_default", row->is_default);
    cria_out_end(out);
}

/* A window of the organization's projects. A key that is tied to one project sees that one alone.
 */
static enum cria_status load(struct cria_exchange *ex, struct cria_str name,
                             const struct cria_window *window, struct cria_project_list *out)
{
    struct cria_tx *tx = NULL;
    struct cria_str organization = cria_str_from(ex->call.principal.organization_id);
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_tx_project_list(tx, &ex->call, organization, name, window, out);
    cria_store_read_end(tx);
    return st;
}

static void write_usable(struct cria_exchange *ex, struct cria_json_out *out,
                         const struct cria_project_list *rows)
{
    cria_out_array(out);
    for (size_t i = 0; i < rows->count; i++)
        if (cria_account_may_use(cria_app_of(ex)->account, &ex->call, rows->items[i].id))
            cria_write_project(out, &rows->items[i]);
}

static enum cria_status list_projects(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_str name = {0};
    struct cria_project_list rows;
    const struct cria_window everything = {.limit = UINT32_MAX - 1};
    cria_check_init(&check, ex);
    cria_param_str(&check, "project_name", CRIA_OPTIONAL, &name);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = load(ex, name, &everything, &rows);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_usable(ex, &out, &rows);
    cria_out_end(&out);
    return CRIA_OK;
}
CRIA_HANDLER(list_projects)

static enum cria_status list_projects_v2(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_str name = {0};
    struct cria_project_list rows;
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "name", CRIA_OPTIONAL, &name);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    cria_page_bind(&page, name);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = load(ex, name, &page.window, &rows);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    if (rows.count) {
        last.at_us = rows.items[rows.count - 1].created_at_us;
        last.id = rows.items[rows.count - 1].id;
    }
    cria_out_object(&out);
    cria_out_name(&out, "items");
    write_usable(ex, &out, &rows);
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_projects_v2)

static enum cria_status get_project(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_project row;
    struct cria_tx *tx = NULL;
    struct cria_str id = ex->request.path_values[0];
    cria_check_init(&check, ex);
    struct cria_json text = {.kind = CRIA_JSON_STRING, .text = id};
    struct cria_value path = {.check = &check, .name = CRIA_STR("path"), .json = &text};
    struct cria_value at = {
        .check = &check, .parent = &path, .name = CRIA_STR("project_id"), .json = &text};
    cria_value_uuid(&at, &id);
    enum cria_status st = cria_check_end(&check);
    /* One that the key may not use is as one that does not exist. */
    if (st == CRIA_OK && !cria_account_may_use(cria_app_of(ex)->account, &ex->call, id))
        st = CRIA_E_NOT_FOUND;
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_tx_project_get(tx, &ex->call, id, &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return cria_named(&ex->call, st, "Project not found");
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_write_project(&out, &row);
    return CRIA_OK;
}
CRIA_HANDLER(get_project)
