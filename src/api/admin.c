/* admin.c - keys and projects, for `cria keys` and `cria projects` on a running server. On the
 * control socket only, which nobody but the owner of the data folder can open. */
#include "api/handler.h"
#include "api/handlers.h"
#include "api/projects.h"
#include "base/time.h"
#include "store/records.h"

enum { NAME_CHARS = 200, LIST_WINDOW = 500 };

static void write_key(struct cria_json_out *out, const struct cria_api_key *key,
                      struct cria_str secret)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", key->id);
    if (secret.ptr) cria_out_member_str(out, "key", secret);
    cria_out_member_str(out, "prefix", key->prefix);
    cria_out_member_str(out, "name", key->name);
    cria_out_member_opt(out, "project_id", key->project_id);
    cria_out_member_bool(out, "read_only", !key->may_write);
    cria_out_member_time(out, "created_at", key->created_at_us);
    cria_out_member_time(out, "expires_at", key->expires_at_us);
    cria_out_member_time(out, "revoked_at", key->revoked_at_us);
    cria_out_end(out);
}

static enum cria_status admin_create_key(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_value at;
    struct cria_key_new params = {.may_write = true};
    struct cria_api_key key;
    struct cria_str secret, expires;
    bool is_read_only = false;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "name", CRIA_REQUIRED, 1, NAME_CHARS, &params.name);
    cria_member_str(&check.body, "project_id", CRIA_NULLABLE, 0, SIZE_MAX, &params.project_id);
    cria_member_bool(&check.body, "read_only", CRIA_NULLABLE, &is_read_only);
    if (cria_member_any(&check.body, "expires_at", CRIA_NULLABLE, &at) &&
        cria_value_str(&at, 0, SIZE_MAX, &expires) &&
        !cria_time_parse(expires, &params.expires_at_us))
        cria_check_error(&check, &at, "this is no date and time");
    params.may_write = !is_read_only;
    enum cria_status st = cria_check_problems(&check);
    if (st == CRIA_OK)
        st = cria_account_key_create(cria_app_of(ex)->account, &ex->call, &params, &key, &secret);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_key(&out, &key, secret);
    return CRIA_OK;
}
CRIA_HANDLER(admin_create_key)

static enum cria_status admin_list_keys(struct cria_exchange *ex)
{
    struct cria_api_key_list keys;
    enum cria_status st = cria_account_key_list(cria_app_of(ex)->account, &ex->call, &keys);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < keys.count; i++) write_key(&out, &keys.items[i], (struct cria_str){0});
    cria_out_end(&out);
    cria_out_end(&out);
    return CRIA_OK;
}
CRIA_HANDLER(admin_list_keys)

static enum cria_status admin_revoke_key(struct cria_exchange *ex)
{
    ex->status = 204;
    return cria_account_key_revoke(cria_app_of(ex)->account, &ex->call, ex->request.path_values[0]);
}
CRIA_HANDLER(admin_revoke_key)

static enum cria_status admin_create_project(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_str name;
    struct cria_project project;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "name", CRIA_REQUIRED, 1, NAME_CHARS, &name);
    enum cria_status st = cria_check_problems(&check);
    if (st == CRIA_OK)
        st = cria_account_project_create(cria_app_of(ex)->account, &ex->call, name, &project);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_write_project(&out, &project);
    return CRIA_OK;
}
CRIA_HANDLER(admin_create_project)

static enum cria_status write_all(struct cria_exchange *ex, struct cria_tx *tx,
                                  struct cria_json_out *out)
{
    struct cria_organization organization;
    struct cria_window window = {.limit = LIST_WINDOW};
    struct cria_project_list list;
    enum cria_status st = cria_tx_organization_first(tx, &ex->call, &organization);
    do {
        if (st == CRIA_OK)
            st = cria_tx_project_list(tx, &ex->call, organization.id, (struct cria_str){0}, &window,
                                      &list);
        if (st != CRIA_OK) return st;
        for (size_t i = 0; i < list.count; i++) {
            cria_write_project(out, &list.items[i]);
            window.after = (struct cria_cursor){
                .is_set = true, .at_us = list.items[i].created_at_us, .id = list.items[i].id};
        }
    } while (list.has_more);
    return CRIA_OK;
}

static enum cria_status admin_list_projects(struct cria_exchange *ex)
{
    struct cria_tx *tx = NULL;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = write_all(ex, tx, &out);
    cria_store_read_end(tx);
    cria_out_end(&out);
    cria_out_end(&out);
    return st;
}
CRIA_HANDLER(admin_list_projects)
