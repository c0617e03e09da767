#include "store/transfer_tables.h"

#include <stdio.h>
#include <string.h>

/* What does not belong to a turn that runs. */
#define ENDED(table)                                                                        \
    " AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.project_id = " table                    \
    ".project_id AND t.session_id = " table ".session_id AND t.id = " table ".turn_id AND " \
    "t.is_running = 1)"

/* A session is written as it was before the turn that runs. Indexes come last: they are looked for
 * to be built. */
static const struct cria_transfer_table tables[] = {
    {"configurations", " parameters ", "", {{0}}},
    {"files", "", "", {{0}}},
    {"directories", " system_metadata ", "", {{0}}},
    {"entries", " metadata ", "", {{0}}},
    {"documents", " metadata pages headings ", "", {{0}}},
    {"document_texts", "", "", {{0}}},
    {"chunks", "", "", {{0}}},
    {"document_vectors", "", "", {{0}}},
    {"attachments", "", "", {{0}}},
    {"sessions",
     " index_ids job_metadata ",
     "",
     {{"is_locked",
       "CASE WHEN EXISTS (SELECT 1 FROM turns t WHERE t.project_id = sessions.project_id AND"
       " t.session_id = sessions.id AND t.is_running = 0) THEN is_locked ELSE 0 END"},
      {"event_count",
       "(SELECT count(*) FROM events WHERE events.project_id = sessions.project_id AND"
       " events.session_id = sessions.id" ENDED("events") ")"}}},
    {"turns", " state ", " AND is_running = 0", {{0}}},
    {"events", " body ", ENDED("events"), {{0}}},
    {"deltas", " body ", ENDED("deltas"), {{0}}},
    {"indexes", " products parameters failed_files ", "", {{0}}},
};

/* Keys are the old server's; answers to repeated calls are short-lived; search files
 * are made anew of the documents. */
static const char *const staying[] = {"api_keys", "idempotency", "manifests"};

const struct cria_transfer_table *cria_transfer_table_at(size_t n)
{
    return n < CRIA_COUNT(tables) ? &tables[n] : NULL;
}

size_t cria_transfer_table_find(const char *name)
{
    for (size_t i = 0; i < CRIA_COUNT(tables); i++)
        if (strcmp(tables[i].name, name) == 0) return i;
    return SIZE_MAX;
}

bool cria_transfer_stays(const char *table)
{
    for (size_t i = 0; i < CRIA_COUNT(staying); i++)
        if (strcmp(staying[i], table) == 0) return true;
    return false;
}

struct reading {
    const struct cria_transfer_table *table;
    struct cria_transfer_columns *out;
};

static void add_column(void *arg, const char *name, char kind)
{
    const struct reading *reading = arg;
    struct cria_transfer_columns *out = reading->out;
    char padded[CRIA_TRANSFER_NAME + 2];
    if (strcmp(name, "project_id") == 0) return;
    if (out->count == CRIA_TRANSFER_COLUMNS || strlen(name) >= CRIA_TRANSFER_NAME) {
        out->is_too_many = true;
        return;
    }
    struct cria_transfer_column *column = &out->items[out->count++];
    snprintf(column->name, sizeof(column->name), "%s", name);
    snprintf(padded, sizeof(padded), " %s ", name);
    column->kind = kind == 't' && strstr(reading->table->json, padded) ? 'j' : kind;
}

enum cria_status cria_transfer_columns_read(struct cria_tx *tx, struct cria_call *call,
                                            const struct cria_transfer_table *table,
                                            struct cria_transfer_columns *out)
{
    struct reading reading = {table, out};
    out->count = 0;
    out->is_too_many = false;
    if (!tx->driver->columns(tx->conn, table->name, add_column, &reading))
        return cria_fail(call, CRIA_E_IO, "The columns of %s cannot be read: %s", table->name,
                         tx->driver->message(tx->conn));
    return out->is_too_many ? cria_fail(call, CRIA_E_INTERNAL,
                                        "%s has too many columns to be moved", table->name)
                            : CRIA_OK;
}

const struct cria_transfer_column *cria_transfer_column_find(
    const struct cria_transfer_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->items[i].name, name) == 0) return &columns->items[i];
    return NULL;
}
