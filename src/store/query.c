#include "store/query.h"

#include <assert.h>

#include "base/log.h"

static void fail(struct cria_query *q)
{
    const struct cria_driver *driver = q->tx->driver;
    switch (driver->failure(q->tx->conn)) {
    case CRIA_FAILURE_CONFLICT: q->status = CRIA_E_CONFLICT; return;
    case CRIA_FAILURE_FULL:
        q->status = cria_fail(q->call, CRIA_E_NO_SPACE, "The disk is full");
        return;
    case CRIA_FAILURE_MEMORY: q->status = cria_fail_memory(q->call); return;
    case CRIA_FAILURE_FATAL: q->status = cria_fail(q->call, CRIA_E_IO, "The store failed"); break;
    case CRIA_FAILURE_CORRUPT:
        q->status = cria_fail(q->call, CRIA_E_CORRUPT, "Stored data is damaged");
        break;
    case CRIA_FAILURE_OTHER:
        q->status = cria_fail(q->call, CRIA_E_INTERNAL, "The store failed");
        break;
    }
    cria_log(CRIA_LOG_ERROR, "store.failed", "why='%s'", driver->message(q->tx->conn));
}

void cria_query_open(struct cria_query *q, struct cria_tx *tx, struct cria_call *call,
                     struct cria_str sql)
{
    *q = (struct cria_query){.tx = tx, .call = call, .status = CRIA_OK};
    q->stmt = tx->driver->prepare(tx->conn, sql);
    if (!q->stmt) fail(q);
}

void cria_query_str(struct cria_query *q, struct cria_str value)
{
    if (q->status == CRIA_OK) q->tx->driver->bind_str(q->stmt, ++q->bound, value);
}

void cria_query_blob(struct cria_query *q, struct cria_str value)
{
    if (q->status == CRIA_OK) q->tx->driver->bind_blob(q->stmt, ++q->bound, value);
}

void cria_query_int(struct cria_query *q, int64_t value)
{
    if (q->status == CRIA_OK) q->tx->driver->bind_int(q->stmt, ++q->bound, value);
}

bool cria_query_next(struct cria_query *q)
{
    if (q->status != CRIA_OK) return false;
    q->column = 0;
    switch (q->tx->driver->step(q->stmt)) {
    case CRIA_STEP_ROW: return true;
    case CRIA_STEP_DONE: return false;
    case CRIA_STEP_FAILED: fail(q); return false;
    }
    return false;
}

struct cria_str cria_query_get_str(struct cria_query *q)
{
    struct cria_str value = q->tx->driver->column_str(q->stmt, q->column++);
    if (!value.ptr) return value;
    struct cria_str copy = cria_arena_copy(q->call->arena, value);
    if (!copy.ptr && q->status == CRIA_OK) q->status = cria_fail_memory(q->call);
    return copy;
}

int64_t cria_query_get_int(struct cria_query *q)
{
    return q->tx->driver->column_int(q->stmt, q->column++);
}

enum cria_status cria_query_close(struct cria_query *q)
{
    if (q->stmt) q->tx->driver->reset(q->stmt);
    q->stmt = NULL;
    return q->status;
}

enum cria_status cria_query_run(struct cria_query *q)
{
    assert(q->tx->is_writer);
    while (cria_query_next(q)) {}
    return cria_query_close(q);
}

enum cria_status cria_query_run_one(struct cria_query *q)
{
    enum cria_status st = cria_query_run(q);
    if (st == CRIA_OK && q->tx->driver->changes(q->tx->conn) == 0) return CRIA_E_NOT_FOUND;
    return st;
}

enum cria_status cria_query_found(struct cria_query *q, bool found)
{
    enum cria_status st = cria_query_close(q);
    return st == CRIA_OK && !found ? CRIA_E_NOT_FOUND : st;
}

void *cria_rows_add(struct cria_rows *rows, struct cria_query *q, size_t each)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 8;
        void *grown = cria_arena_array(q->call->arena, capacity, each);
        if (!grown) {
            if (q->status == CRIA_OK) q->status = cria_fail_memory(q->call);
            return NULL;
        }
        if (rows->count) memcpy(grown, rows->items, rows->count * each);
        rows->items = grown;
        rows->capacity = capacity;
    }
    return (char *)rows->items + each * rows->count++;
}
