/* sqlite.c - the embedded database.
 * Room: store/sqlite; the only folder that includes sqlite3.h. The rules that keep data safe: WAL
 * with synchronous=FULL on the one connection that writes, which alone makes checkpoints too
 * (SQLite before 3.51.3 can lose commits when two connections write or checkpoint at once); readers
 * are opened read-only and never checkpoint. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/map.h"
#include "store/driver.h"
#include "store/schema.h"
#include "store/sqlite/vfs.h"

enum {
    PATH_BYTES = 4096,
    READER_CACHE_KIB = 512,
    WRITER_CACHE_KIB = 4096,
    BUSY_MS = 5000,
    MAX_STATEMENTS = 256,
    APPLICATION_ID = 0x43726961 /* "Cria": tells our files from those of other programs */
};

struct cria_conn {
    sqlite3 *db;
    struct cria_map statements; /* text -> sqlite3_stmt */
    bool is_short;              /* our own memory was, at the last statement prepared */
    int wal_max_pages;          /* the writer's */
    /* The database and its log, for copies; opened at the first. They stay open as long as the
     * connection: closing the one would drop the locks that SQLite has on it (POSIX gives them to
     * the process, not to the descriptor), and another program would take the server for gone. */
    struct cria_database_file files[3];
    char path[PATH_BYTES];
};

static void drop_statements(struct cria_conn *conn)
{
    size_t at = 0;
    struct cria_str text;
    void *stmt;
    while (cria_map_next(&conn->statements, &at, &text, &stmt)) sqlite3_finalize(stmt);
    cria_map_release(&conn->statements);
}

/* Lists make a statement for each number of ids asked for, so the kept ones are dropped when they
 * are many; only as a transaction begins or after it, where nobody holds one. */
static bool exec(struct cria_conn *conn, const char *sql)
{
    conn->is_short = false;
    if (conn->statements.count > MAX_STATEMENTS && sqlite3_get_autocommit(conn->db))
        drop_statements(conn);
    return sqlite3_exec(conn->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void close_conn(struct cria_conn *conn)
{
    if (!conn) return;
    drop_statements(conn);
    sqlite3_close(conn->db);
    for (size_t i = 0; i < CRIA_COUNT(conn->files); i++)
        if (conn->files[i].name) close(conn->files[i].fd);
    free(conn);
}

/* -1 on failure. */
static int64_t ask(struct cria_conn *conn, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL) != SQLITE_OK) return -1;
    if (sqlite3_step(stmt) == SQLITE_ROW) value = sqlite3_column_int64(stmt, 0);
    return sqlite3_finalize(stmt) == SQLITE_OK ? value : -1;
}

/* Asked before anything is written. Data of before the mark was set is known by its table. */
static bool is_foreign(struct cria_conn *conn)
{
    return ask(conn, "SELECT count(*) FROM sqlite_master") > 0 &&
           ask(conn, "PRAGMA application_id") != APPLICATION_ID &&
           ask(conn, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_versions'") == 0;
}

static bool configure(struct cria_conn *conn, bool is_writer, uint32_t wal_max_pages)
{
    char text[512];
    sqlite3_busy_timeout(conn->db, BUSY_MS);
    sqlite3_extended_result_codes(conn->db, 1);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (!is_writer) {
        sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_wal_autocheckpoint(conn->db, 0);
        snprintf(text, sizeof(text), "PRAGMA query_only=1; PRAGMA cache_size=-%d;",
                 READER_CACHE_KIB);
        return exec(conn, text);
    }
    /* secure_delete: some systems' SQLite overwrites all that is deleted, so that a delete wants as
     * much space as it frees, which a full disk has not. */
    snprintf(text, sizeof(text),
             "PRAGMA secure_delete=FAST; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "PRAGMA wal_autocheckpoint=%u; PRAGMA cache_size=-%d; PRAGMA foreign_keys=OFF;"
             "PRAGMA temp_store=MEMORY;",
             wal_max_pages, WRITER_CACHE_KIB);
    if (!exec(conn, text)) return false;
    snprintf(text, sizeof(text), "PRAGMA application_id=%d", APPLICATION_ID);
    return ask(conn, "PRAGMA application_id") == APPLICATION_ID || exec(conn, text);
}

static enum cria_failure failure(struct cria_conn *conn)
{
    int code = sqlite3_extended_errcode(conn->db);
    if (conn->is_short) return CRIA_FAILURE_MEMORY;
    switch (code & 0xFF) {
    case SQLITE_CONSTRAINT: /* a null where none may be is our mistake, not a conflict */
        return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY
                   ? CRIA_FAILURE_CONFLICT
                   : CRIA_FAILURE_OTHER;
    case SQLITE_FULL: return CRIA_FAILURE_FULL;
    case SQLITE_NOMEM: return CRIA_FAILURE_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return CRIA_FAILURE_CORRUPT;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM) return CRIA_FAILURE_MEMORY;
        if (sqlite3_system_errno(conn->db) == ENOSPC || sqlite3_system_errno(conn->db) == EDQUOT)
            return CRIA_FAILURE_FULL;
        return CRIA_FAILURE_FATAL;
    default: return CRIA_FAILURE_OTHER;
    }
}

static enum cria_status open_conn(const char *folder, bool is_writer, uint32_t wal_max_pages,
                                  struct cria_call *call, struct cria_conn **out)
{
    int flags = SQLITE_OPEN_NOMUTEX |
                (is_writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    struct cria_conn *conn = calloc(1, sizeof(*conn));
    if (!conn) return cria_fail_memory(call);
    conn->wal_max_pages = (int)wal_max_pages;
    if (snprintf(conn->path, sizeof(conn->path), "%s/cria.db", folder) >= (int)sizeof(conn->path)) {
        free(conn);
        return cria_fail(call, CRIA_E_BAD_REQUEST, "The path of the data folder is too long");
    }
    bool good = cria_sqlite_vfs_register() &&
                sqlite3_open_v2(conn->path, &conn->db, flags, CRIA_SQLITE_VFS) == SQLITE_OK;
    if (good && is_writer && is_foreign(conn)) {
        close_conn(conn);
        return cria_fail(call, CRIA_E_CORRUPT,
                         "cria.db in the data folder is not a database of Cria");
    }
    if (!good || !configure(conn, is_writer, wal_max_pages)) {
        enum cria_failure why = conn->db ? failure(conn) : CRIA_FAILURE_MEMORY;
        enum cria_status st = cria_fail(call,
                                        why == CRIA_FAILURE_CORRUPT  ? CRIA_E_CORRUPT
                                        : why == CRIA_FAILURE_FULL   ? CRIA_E_NO_SPACE
                                        : why == CRIA_FAILURE_MEMORY ? CRIA_E_NO_MEMORY
                                                                     : CRIA_E_IO,
                                        "The database could not be opened: %s",
                                        conn->db ? sqlite3_errmsg(conn->db) : "out of memory");
        close_conn(conn);
        return st;
    }
    *out = conn;
    return CRIA_OK;
}

static const char *message(struct cria_conn *conn)
{
    return conn->is_short ? "out of memory" : sqlite3_errmsg(conn->db);
}

static bool in_transaction(struct cria_conn *conn)
{
    return !sqlite3_get_autocommit(conn->db);
}

static int64_t changes(struct cria_conn *conn)
{
    return sqlite3_changes64(conn->db);
}

static struct cria_stmt *prepare(struct cria_conn *conn, struct cria_str sql)
{
    sqlite3_stmt *stmt = cria_map_get(&conn->statements, sql);
    conn->is_short = false;
    if (stmt) return (struct cria_stmt *)stmt;
    if (sqlite3_prepare_v3(conn->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, &stmt,
                           NULL) != SQLITE_OK)
        return NULL;
    if (!cria_map_put(&conn->statements, sql, stmt)) {
        sqlite3_finalize(stmt);
        conn->is_short = true;
        return NULL;
    }
    return (struct cria_stmt *)stmt;
}

static sqlite3_stmt *of(struct cria_stmt *stmt)
{
    return (sqlite3_stmt *)stmt;
}

static void bind_str(struct cria_stmt *stmt, int n, struct cria_str value)
{
    if (value.ptr)
        sqlite3_bind_text64(of(stmt), n, value.ptr, value.len, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(of(stmt), n);
}

static void bind_blob(struct cria_stmt *stmt, int n, struct cria_str value)
{
    if (value.len)
        sqlite3_bind_blob64(of(stmt), n, value.ptr, value.len, SQLITE_STATIC);
    else
        sqlite3_bind_zeroblob(of(stmt), n, 0);
}

static void bind_int(struct cria_stmt *stmt, int n, int64_t value)
{
    sqlite3_bind_int64(of(stmt), n, value);
}

static enum cria_step step(struct cria_stmt *stmt)
{
    switch (sqlite3_step(of(stmt))) {
    case SQLITE_ROW: return CRIA_STEP_ROW;
    case SQLITE_DONE: return CRIA_STEP_DONE;
    default: return CRIA_STEP_FAILED;
    }
}

static struct cria_str column_str(struct cria_stmt *stmt, int n)
{
    if (sqlite3_column_type(of(stmt), n) == SQLITE_NULL) return (struct cria_str){0};
    const char *bytes = sqlite3_column_blob(of(stmt), n);
    return (struct cria_str){bytes ? bytes : "", (size_t)sqlite3_column_bytes(of(stmt), n)};
}

static int64_t column_int(struct cria_stmt *stmt, int n)
{
    return sqlite3_column_int64(of(stmt), n);
}

static void reset(struct cria_stmt *stmt)
{
    sqlite3_reset(of(stmt));
    sqlite3_clear_bindings(of(stmt));
}

static bool columns(struct cria_conn *conn, const char *table,
                    void (*each)(void *arg, const char *name, char kind), void *arg)
{
    sqlite3_stmt *stmt = of(prepare(conn, CRIA_STR("SELECT name, type FROM pragma_table_info(?)")));
    int code = SQLITE_ROW;
    if (!stmt) return false;
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(stmt, 1);
        if (!type) type = "";
        each(arg, (const char *)sqlite3_column_text(stmt, 0),
             strstr(type, "INT")         ? 'i'
             : strcmp(type, "BLOB") == 0 ? 'b'
                                         : 't');
    }
    reset((struct cria_stmt *)stmt);
    return code == SQLITE_DONE;
}

/* ---- copies of a database in use. The file is written by checkpoints alone, and those are made by
 * the writer alone. The log begins anew only when all of it is in the database file (walRestartLog
 * in SQLite's wal.c), so as long as one frame is not, it only grows: a frame once committed stays
 * as it is. Frames carry running checksums, so a log that was read while it grew is recovered up to
 * its last whole transaction, as after a crash (SQLite's fileformat2.html, section 4). */

static uint64_t file_bytes(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* Without the frames of its earlier lives, which may be many times those of this one: behind the
 * last frame that has the salts of the header there is none that has them. */
static uint64_t log_bytes(int fd)
{
    enum { HEAD = 32, FRAME_HEAD = 24, PAGE_SIZE_AT = 8, SALTS_AT = 16, FRAME_SALTS_AT = 8 };
    unsigned char head[HEAD], salts[8];
    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head)) return 0;
    uint64_t page = (uint64_t)head[PAGE_SIZE_AT] << 24 | (uint64_t)head[PAGE_SIZE_AT + 1] << 16 |
                    (uint64_t)head[PAGE_SIZE_AT + 2] << 8 | head[PAGE_SIZE_AT + 3];
    uint64_t low = 0, high = (file_bytes(fd) - HEAD) / (FRAME_HEAD + page);
    while (low < high) { /* the first `low` frames have them, those from `high` on do not */
        uint64_t middle = (low + high) / 2;
        off_t at = (off_t)(HEAD + middle * (FRAME_HEAD + page) + FRAME_SALTS_AT);
        if (pread(fd, salts, sizeof(salts), at) != (ssize_t)sizeof(salts)) return 0;
        if (memcmp(salts, head + SALTS_AT, sizeof(salts)) == 0)
            low = middle + 1;
        else
            high = middle;
    }
    return HEAD + low * (FRAME_HEAD + page);
}

static bool open_file(struct cria_conn *conn, size_t n, const struct cria_database_file *file,
                      const char *suffix)
{
    char path[PATH_BYTES + 8];
    if (conn->files[n].name) return true;
    if (cria_fault_fires(CRIA_FAULT_FILE)) return false;
    snprintf(path, sizeof(path), "%s%s", conn->path, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) conn->files[n] = (struct cria_database_file){file->name, fd, file->size};
    return fd >= 0;
}

/* The number is nobody's but ours; setting it writes the first page even if it stays the same. */
static const struct cria_database_file *hold_files(struct cria_conn *conn)
{
    static const struct cria_database_file database = {.name = "cria.db", .size = file_bytes},
                                           log = {.name = "cria.db-wal", .size = log_bytes};
    char text[64];
    if (!open_file(conn, 0, &database, "") || !open_file(conn, 1, &log, "-wal")) return NULL;
    snprintf(text, sizeof(text), "PRAGMA user_version=%d",
             (int)((ask(conn, "PRAGMA user_version") + 1) & INT32_MAX));
    sqlite3_wal_autocheckpoint(conn->db, 0);
    return exec(conn, text) ? conn->files : NULL;
}

static void release_files(struct cria_conn *conn)
{
    sqlite3_wal_autocheckpoint(conn->db, conn->wal_max_pages); /* by the next commit */
}

static uint64_t wal_bytes(struct cria_conn *conn)
{
    char path[PATH_BYTES + 8];
    struct stat info;
    snprintf(path, sizeof(path), "%s-wal", conn->path);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

const struct cria_driver cria_sqlite_driver = {
    .name = "sqlite",
    .open = open_conn,
    .close = close_conn,
    .exec = exec,
    .failure = failure,
    .message = message,
    .in_transaction = in_transaction,
    .changes = changes,
    .prepare = prepare,
    .bind_str = bind_str,
    .bind_blob = bind_blob,
    .bind_int = bind_int,
    .step = step,
    .column_str = column_str,
    .column_int = column_int,
    .reset = reset,
    .columns = columns,
    .hold_files = hold_files,
    .release_files = release_files,
    .wal_bytes = wal_bytes,
};
