/* driver.h - what a database has to do for the store: connections, statements, and the why of a
 * failure. Room: store. store/sqlite/ fills it in; the record files speak portable SQL through
 * query.h and never see this. One thread at a time on a connection and its statements. */
#ifndef CRIA_STORE_DRIVER_H
#define CRIA_STORE_DRIVER_H

#include "base/call.h"

struct cria_conn;
struct cria_stmt;

enum cria_step { CRIA_STEP_ROW, CRIA_STEP_DONE, CRIA_STEP_FAILED };

/** What a failed statement or commit means for the store. */
enum cria_failure {
    CRIA_FAILURE_CONFLICT, /* a UNIQUE or PRIMARY KEY was hit: this statement only */
    CRIA_FAILURE_FULL,     /* no space: the transaction is undone, later ones may succeed */
    CRIA_FAILURE_FATAL,    /* a sync or write failed: what is on disk is unknown, never retry */
    CRIA_FAILURE_CORRUPT,
    CRIA_FAILURE_MEMORY,
    CRIA_FAILURE_OTHER
};

struct cria_driver {
    const char *name;
    /** The writer makes what is missing; a reader finds it. folder: of the data. */
    enum cria_status (*open)(const char *folder, bool is_writer, uint32_t wal_max_pages,
                             struct cria_call *call, struct cria_conn **out);
    void (*close)(struct cria_conn *conn);
    /** A statement without result: BEGIN, COMMIT, DDL, several with ; between. */
    bool (*exec)(struct cria_conn *conn, const char *sql);
    enum cria_failure (*failure)(struct cria_conn *conn);
    /** A sentence about the last failure, for logs. */
    const char *(*message)(struct cria_conn *conn);
    bool (*in_transaction)(struct cria_conn *conn);
    /** Rows changed by the last statement. */
    int64_t (*changes)(struct cria_conn *conn);
    /** Prepared once per text and connection; NULL on failure. Good until the transaction it is
     * used in ends. */
    struct cria_stmt *(*prepare)(struct cria_conn *conn, struct cria_str sql);
    void (*bind_str)(struct cria_stmt *stmt, int n,
                     struct cria_str value); /* {NULL,0}: null; not copied */
    void (*bind_blob)(struct cria_stmt *stmt, int n, struct cria_str value);
    void (*bind_int)(struct cria_stmt *stmt, int n, int64_t value);
    enum cria_step (*step)(struct cria_stmt *stmt);
    struct cria_str (*column_str)(struct cria_stmt *stmt,
                                  int n); /* valid until the next step; null: {NULL,0} */
    int64_t (*column_int)(struct cria_stmt *stmt, int n);
    void (*reset)(struct cria_stmt *stmt);
    /** Tells each column of a table in its order; none when there is no such table. kind: i
     * integer, b bytes, t text and all else. */
    bool (*columns)(struct cria_conn *conn, const char *table,
                    void (*each)(void *arg, const char *name, char kind), void *arg);
    /** Writes a consistent copy of the whole database to a file that is not there yet, while others
     * write. Outside a transaction. */
    bool (*snapshot)(struct cria_conn *conn, const char *path);
    /** Bytes of the write-ahead log, for metrics. */
    uint64_t (*wal_bytes)(struct cria_conn *conn);
};

extern const struct cria_driver cria_sqlite_driver;

#endif
