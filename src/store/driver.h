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

/** A file of the database. `name`: in the data folder. fd: for pread alone, by any thread. size:
 * how many bytes of it there are to read now; 0 on failure. */
struct cria_database_file {
    const char *name;
    int fd;
    uint64_t (*size)(int fd);
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
    /** Called within a transaction of the writer: from its commit on, until release_files, the
     * database's files do not change but for bytes at the end of the last of them. So they can be
     * read one after the other, each as long as it is when its turn comes, while the writer goes
     * on; together they are what a crash would have left, with all that was committed before. May
     * be called twice. @return what to read, in this order, ended by one without a name; the
     * connection's own, good until it is closed. NULL on failure. */
    const struct cria_database_file *(*hold_files)(struct cria_conn *writer);
    /** On the writer's thread, outside a transaction. */
    void (*release_files)(struct cria_conn *writer);
    /** Bytes of the write-ahead log, for metrics. */
    uint64_t (*wal_bytes)(struct cria_conn *conn);
};

extern const struct cria_driver cria_sqlite_driver;

#endif
