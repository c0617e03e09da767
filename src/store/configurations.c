/* configurations.c - saved product configurations. */
#include "store/query.h"
#include "store/records.h"

#define CONFIGURATION "id, name, product_type, parameters, created_at, updated_at"

static void read_configuration(struct cria_query *q, struct cria_configuration *out)
{
    out->id = cria_query_get_str(q);
    out->name = cria_query_get_str(q);
    out->product_type = cria_query_get_str(q);
    out->parameters_json = cria_query_get_str(q);
    out->created_at_us = cria_query_get_int(q);
    out->updated_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_configuration_get(struct cria_tx *tx, struct cria_call *call,
                                           struct cria_str project, struct cria_str id,
                                           struct cria_configuration *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " CONFIGURATION " FROM configurations WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_configuration(&q, out);
    return cria_query_found(&q, found);
}

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               const struct cria_configuration *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO configurations(project_id, " CONFIGURATION
                             ") VALUES(?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->product_type);
    cria_query_str(&q, row->parameters_json);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->updated_at_us);
    return cria_query_run(&q);
}

enum cria_status cria_tx_configuration_update(struct cria_tx *tx, struct cria_call *call,
                                              struct cria_str project,
                                              const struct cria_configuration *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR(
            "UPDATE configurations SET name = ?, product_type = ?, parameters = ?, updated_at = ?"
            " WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, row->name);
    cria_query_str(&q, row->product_type);
    cria_query_str(&q, row->parameters_json);
    cria_query_int(&q, row->updated_at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    return cria_query_run_one(&q);
}

enum cria_status cria_tx_configuration_upsert(struct cria_tx *tx, struct cria_call *call,
                                              struct cria_str project,
                                              const struct cria_configuration *row,
                                              struct cria_configuration *out)
{
    struct cria_query q;
    struct cria_configuration before;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " CONFIGURATION " FROM configurations"
                             " WHERE project_id = ? AND product_type = ? AND name = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->product_type);
    cria_query_str(&q, row->name);
    bool found = cria_query_next(&q);
    if (found) read_configuration(&q, &before);
    enum cria_status st = cria_query_close(&q);
    if (st != CRIA_OK) return st;
    *out = *row;
    if (!found) return insert(tx, call, project, row);
    out->id = before.id;
    out->created_at_us = before.created_at_us;
    return cria_tx_configuration_update(tx, call, project, out);
}

enum cria_status cria_tx_configuration_delete(struct cria_tx *tx, struct cria_call *call,
                                              struct cria_str project, struct cria_str id)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("DELETE FROM configurations WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    return cria_query_run_one(&q);
}

enum cria_status cria_tx_configuration_list(struct cria_tx *tx, struct cria_call *call,
                                            struct cria_str project, struct cria_str name,
                                            const struct cria_str *types, size_t type_count,
                                            const struct cria_window *window,
                                            struct cria_configuration_list *out)
{
    enum { KNOWN_TYPES = 6 };
    struct cria_query q;
    struct cria_rows rows = {0};
    struct cria_str wanted[KNOWN_TYPES] = {0};
    const struct cria_cursor *after = &window->after;
    for (size_t i = 0, n = 0; i < type_count && n < KNOWN_TYPES; i++) {
        size_t same = 0; /* a type asked for twice takes no second place */
        while (same < n && !cria_str_equal(wanted[same], types[i])) same++;
        if (same == n) wanted[n++] = types[i];
    }
    cria_query_open(
        &q, tx, call,
        CRIA_STR("SELECT " CONFIGURATION " FROM configurations WHERE project_id = ?"
                 " AND (? IS NULL OR name = ?) AND (? = 0 OR product_type IN (?,?,?,?,?,?))"
                 " AND (? = 0 OR updated_at < ? OR (updated_at = ? AND id < ?))"
                 " ORDER BY updated_at DESC, id DESC LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, name);
    cria_query_str(&q, name);
    cria_query_int(&q, (int64_t)type_count);
    for (size_t i = 0; i < KNOWN_TYPES; i++) cria_query_str(&q, wanted[i]);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_configuration *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_configuration(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}
