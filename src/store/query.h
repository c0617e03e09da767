/* query.h - one SQL statement from its text to its rows: bind in order, step, read columns in
 * order. Room: store, for the record files. The first failure is kept; binding and stepping after
 * it do nothing.
 *
 *     struct cria_query q;
 *     cria_query_open(&q, tx, call, CRIA_STR("SELECT id, name FROM …  WHERE project_id = ?"));
 *     cria_query_str(&q, project);
 *     while (cria_query_next(&q)) { row.id = cria_query_get_str(&q); … }
 *     return cria_query_close(&q); */
#ifndef CRIA_STORE_QUERY_H
#define CRIA_STORE_QUERY_H

#include "base/buf.h"
#include "store/driver.h"
#include "store/store.h"

struct cria_tx {
    struct cria_store *store;
    const struct cria_driver *driver;
    struct cria_conn *conn;
    bool is_writer;
};

struct cria_query {
    struct cria_tx *tx;
    struct cria_call *call;
    struct cria_stmt *stmt;
    int bound, column;
    enum cria_status status;
};

void cria_query_open(struct cria_query *q, struct cria_tx *tx, struct cria_call *call,
                     struct cria_str sql);
void cria_query_str(struct cria_query *q, struct cria_str value); /* must live until close */
void cria_query_blob(struct cria_query *q, struct cria_str value);
void cria_query_int(struct cria_query *q, int64_t value);
/** Moves to the next row; false at the end or on failure. */
bool cria_query_next(struct cria_query *q);
/** A copy in the call's arena. */
struct cria_str cria_query_get_str(struct cria_query *q);
int64_t cria_query_get_int(struct cria_query *q);
/** CRIA_OK, or what failed: CRIA_E_CONFLICT for a unique key, without a sentence. */
CRIA_MUST_CHECK enum cria_status cria_query_close(struct cria_query *q);
/** Runs a changing statement to its end and closes. */
CRIA_MUST_CHECK enum cria_status cria_query_run(struct cria_query *q);
/** The same; CRIA_E_NOT_FOUND when no row was changed. */
CRIA_MUST_CHECK enum cria_status cria_query_run_one(struct cria_query *q);
/** Closes a look-up: CRIA_E_NOT_FOUND when `found` is false and nothing failed. */
CRIA_MUST_CHECK enum cria_status cria_query_found(struct cria_query *q, bool found);

/** A growing array of rows in the call's arena. */
struct cria_rows {
    void *items;
    size_t count, capacity;
};
/** Room for one more element of `each` bytes; NULL (and q fails) when memory is short. */
void *cria_rows_add(struct cria_rows *rows, struct cria_query *q, size_t each);

#endif
