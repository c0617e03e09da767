/* projects.c - organizations, projects, keys: the roots, which lie in no project. */
#include "store/query.h"
#include "store/records.h"

#define ORGANIZATION "id, name, created_at"
#define PROJECT "id, organization_id, name, is_default, created_at, updated_at"
#define KEY                                                                                    \
    "id, organization_id, project_id, name, prefix, hash, may_write, created_at, expires_at, " \
    "revoked_at"

enum cria_status cria_tx_organization_insert(struct cria_tx *tx, struct cria_call *call,
                                             const struct cria_organization *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO organizations(" ORGANIZATION ") VALUES(?,?,?)"));
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->name);
    cria_query_int(&q, row->created_at_us);
    return cria_query_run(&q);
}

enum cria_status cria_tx_organization_first(struct cria_tx *tx, struct cria_call *call,
                                            struct cria_organization *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " ORGANIZATION " FROM organizations ORDER BY created_at, id LIMIT 1"));
    bool found = cria_query_next(&q);
    if (found) {
        out->id = cria_query_get_str(&q);
        out->name = cria_query_get_str(&q);
        out->created_at_us = cria_query_get_int(&q);
    }
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_project_insert(struct cria_tx *tx, struct cria_call *call,
                                        const struct cria_project *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO projects(" PROJECT ") VALUES(?,?,?,?,?,?)"));
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->organization_id);
    cria_query_str(&q, row->name);
    cria_query_int(&q, row->is_default);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->updated_at_us);
    return cria_query_run(&q);
}

static void read_project(struct cria_query *q, struct cria_project *out)
{
    out->id = cria_query_get_str(q);
    out->organization_id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->is_default = cria_query_get_int(q) != 0;
    out->created_at_us = cria_query_get_int(q);
    out->updated_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_project_get(struct cria_tx *tx, struct cria_call *call, struct cria_str id,
                                     struct cria_project *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call, CRIA_STR("SELECT " PROJECT " FROM projects WHERE id = ?"));
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_project(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_project_default(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str organization_id, struct cria_project *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " PROJECT " FROM projects WHERE organization_id = ? AND is_default = 1"));
    cria_query_str(&q, organization_id);
    bool found = cria_query_next(&q);
    if (found) read_project(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_project_list(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str organization_id, struct cria_str name,
                                      const struct cria_window *window,
                                      struct cria_project_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " PROJECT
                             " FROM projects WHERE organization_id = ? AND (? IS NULL OR name = ?)"
                             " AND (? = 0 OR created_at > ? OR (created_at = ? AND id > ?))"
                             " ORDER BY created_at, id LIMIT ?"));
    cria_query_str(&q, organization_id);
    cria_query_str(&q, name);
    cria_query_str(&q, name);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_project *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_project(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_api_key_insert(struct cria_tx *tx, struct cria_call *call,
                                        const struct cria_api_key *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO api_keys(" KEY ") VALUES(?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->organization_id);
    cria_query_str(&q, row->project_id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->prefix);
    cria_query_str(&q, row->hash);
    cria_query_int(&q, row->may_write);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->expires_at_us);
    cria_query_int(&q, row->revoked_at_us);
    return cria_query_run(&q);
}

enum cria_status cria_tx_api_key_list(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_api_key_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    cria_query_open(&q, tx, call, CRIA_STR("SELECT " KEY " FROM api_keys ORDER BY created_at, id"));
    while (cria_query_next(&q)) {
        struct cria_api_key *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (!row) break;
        row->id = cria_query_get_str(&q);
        row->organization_id = cria_query_get_str(&q);
        row->project_id = cria_query_get_str(&q);
        row->name = cria_query_get_str(&q);
        row->prefix = cria_query_get_str(&q);
        row->hash = cria_query_get_str(&q);
        row->may_write = cria_query_get_int(&q) != 0;
        row->created_at_us = cria_query_get_int(&q);
        row->expires_at_us = cria_query_get_int(&q);
        row->revoked_at_us = cria_query_get_int(&q);
    }
    *out = (struct cria_api_key_list){rows.items, rows.count};
    return cria_query_close(&q);
}

enum cria_status cria_tx_api_key_revoke(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str id, int64_t at_us)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at = 0"));
    cria_query_int(&q, at_us);
    cria_query_str(&q, id);
    return cria_query_run_one(&q);
}
