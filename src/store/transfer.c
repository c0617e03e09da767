#include "store/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/time.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/archive.h"
#include "store/blobs.h"
#include "store/store_internal.h"
#include "store/transfer_tables.h"

enum { PATH_BYTES = CRIA_STORE_PATH + 256 };

enum cria_status cria_transfer_busy(struct cria_call *call)
{
    return cria_fail(call, CRIA_E_CONFLICT,
                     "A backup, an export or an import is going on; ask again when it is done");
}

struct writer {
    struct cria_call *call;
    int fd;
    struct cria_buf buf; /* not written yet */
    struct cria_sha256 hash;
    uint64_t size;           /* of the entry so far */
    struct cria_buf digests; /* a line for each table */
    enum cria_status status;
};

static void put64(unsigned char out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8) out[i] = (unsigned char)value;
}

static void flush(struct writer *w)
{
    if (w->status == CRIA_OK && w->buf.failed) w->status = cria_fail_memory(w->call);
    if (w->status == CRIA_OK && !cria_archive_write_bytes(w->fd, w->buf.ptr, w->buf.len))
        w->status = cria_archive_fail(w->call, "The export cannot be written");
    cria_sha256_add(&w->hash, cria_buf_str(&w->buf));
    w->size += w->buf.len;
    cria_buf_clear(&w->buf);
}

static void put_number(struct writer *w, uint64_t value)
{
    unsigned char bytes[8];
    put64(bytes, value);
    cria_buf_add(&w->buf, cria_str_make((const char *)bytes, sizeof(bytes)));
}

static void put_value(struct writer *w, struct cria_str value)
{
    put_number(w, value.len);
    cria_buf_add(&w->buf, value);
}

/* What the rows are made of: how many columns, then the kind and the name of each. */
static void put_columns(struct writer *w, const struct cria_transfer_columns *columns)
{
    put_number(w, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        cria_buf_add_char(&w->buf, columns->items[i].kind);
        put_value(w, cria_str_from(columns->items[i].name));
    }
}

/* A row: for each column a number, or whether it is there, its length and bytes. */
static void put_row(struct writer *w, const struct cria_driver *driver, struct cria_stmt *stmt,
                    const struct cria_transfer_columns *columns)
{
    cria_buf_add_char(&w->buf, 1);
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].kind == 'i') {
            put_number(w, (uint64_t)driver->column_int(stmt, (int)i));
            continue;
        }
        struct cria_str value = driver->column_str(stmt, (int)i);
        cria_buf_add_char(&w->buf, value.ptr != NULL);
        if (value.ptr) put_value(w, value);
    }
    if (w->buf.len >= CRIA_TRANSFER_PIECE) flush(w);
}

static struct cria_str select_of(struct writer *w, const struct cria_transfer_table *table,
                                 const struct cria_transfer_columns *columns)
{
    struct cria_buf sql;
    struct cria_str text = {0};
    cria_buf_init(&sql, CRIA_TRANSFER_TEXT_MAX);
    for (size_t i = 0; i < columns->count; i++) {
        const char *what = columns->items[i].name;
        for (size_t k = 0; k < CRIA_COUNT(table->instead); k++)
            if (table->instead[k].name && strcmp(table->instead[k].name, what) == 0)
                what = table->instead[k].select;
        cria_buf_printf(&sql, "%s%s", i ? ", " : "SELECT ", what);
    }
    cria_buf_printf(&sql, " FROM %s WHERE project_id = ?%s", table->name, table->where);
    if (!sql.failed) text = cria_arena_copy(w->call->arena, cria_buf_str(&sql));
    cria_buf_release(&sql);
    return text;
}

static void put_rows(struct writer *w, struct cria_tx *tx, struct cria_str project,
                     const struct cria_transfer_table *table,
                     const struct cria_transfer_columns *columns)
{
    enum cria_step step = CRIA_STEP_DONE;
    struct cria_str sql = select_of(w, table, columns);
    if (!sql.ptr) {
        w->status = cria_fail_memory(w->call);
        return;
    }
    struct cria_stmt *stmt = tx->driver->prepare(tx->conn, sql);
    if (stmt) {
        tx->driver->bind_str(stmt, 1, project);
        while (w->status == CRIA_OK && (step = tx->driver->step(stmt)) == CRIA_STEP_ROW)
            put_row(w, tx->driver, stmt, columns);
        tx->driver->reset(stmt);
    }
    if (w->status == CRIA_OK && (!stmt || step == CRIA_STEP_FAILED))
        w->status = cria_fail(w->call, CRIA_E_IO, "%s cannot be read: %s", table->name,
                              tx->driver->message(tx->conn));
    cria_buf_add_char(&w->buf, 0);
    flush(w);
}

/* The head of an entry is written again when its size is known. */
static void put_table(struct writer *w, struct cria_tx *tx, struct cria_str project,
                      const struct cria_transfer_table *table)
{
    char name[CRIA_TRANSFER_NAME + 8], sha256[CRIA_SHA256_HEX];
    struct cria_transfer_columns columns;
    w->status = cria_transfer_columns_read(tx, w->call, table, &columns);
    if (w->status != CRIA_OK || columns.count == 0) return;
    off_t start = lseek(w->fd, 0, SEEK_CUR);
    snprintf(name, sizeof(name), "rows/%s", table->name);
    if (start < 0 || !cria_archive_write_head(w->fd, "", name, 0)) {
        w->status = cria_archive_fail(w->call, "The export cannot be written");
        return;
    }
    w->size = 0;
    cria_sha256_init(&w->hash);
    put_columns(w, &columns);
    put_rows(w, tx, project, table, &columns);
    cria_sha256_finish_hex(&w->hash, sha256);
    cria_buf_printf(&w->digests, "%s %s\n", sha256, table->name);
    if (w->status == CRIA_OK &&
        (!cria_archive_write_padding(w->fd, w->size) || lseek(w->fd, start, SEEK_SET) < 0 ||
         !cria_archive_write_head(w->fd, "", name, w->size) || lseek(w->fd, 0, SEEK_END) < 0))
        w->status = cria_archive_fail(w->call, "The export cannot be written");
}

static void put_text(struct writer *w, const char *name, struct cria_str text)
{
    if (w->status == CRIA_OK && (!cria_archive_write_head(w->fd, "", name, text.len) ||
                                 !cria_archive_write_bytes(w->fd, text.ptr, text.len) ||
                                 !cria_archive_write_padding(w->fd, text.len)))
        w->status = cria_archive_fail(w->call, "The export cannot be written");
}

static void put_project(struct writer *w, const struct cria_project *project)
{
    char time[CRIA_TIME_SIZE], sha256[CRIA_SHA256_HEX];
    struct cria_buf buf;
    cria_buf_init(&buf, CRIA_TRANSFER_TEXT_MAX);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "format", CRIA_TRANSFER_FORMAT);
    cria_out_member_str(&out, "id", project->id);
    cria_out_member_str(&out, "name", project->name);
    cria_out_member_str(&out, "exported_at", cria_time_format(cria_wall_us(), time));
    cria_out_end(&out);
    if (buf.failed) w->status = cria_fail_memory(w->call);
    put_text(w, "project.json", cria_buf_str(&buf));
    cria_sha256_hex(cria_buf_str(&buf), sha256);
    cria_buf_printf(&w->digests, "%s project.json\n", sha256);
    cria_buf_release(&buf);
}

/* Steps by hand: the call's arena would grow with each row. */
static void put_blobs(struct writer *w, struct cria_store *store, struct cria_tx *tx,
                      struct cria_str project)
{
    size_t count = 0;
    enum cria_step step = CRIA_STEP_FAILED;
    struct cria_stmt *stmt = tx->driver->prepare(
        tx->conn, CRIA_STR("SELECT sha256 FROM files WHERE project_id = ?"
                           " UNION SELECT sha256 FROM attachments WHERE project_id = ?"));
    if (stmt) {
        tx->driver->bind_str(stmt, 1, project);
        tx->driver->bind_str(stmt, 2, project);
    }
    while (stmt && w->status == CRIA_OK && (step = tx->driver->step(stmt)) == CRIA_STEP_ROW) {
        char prefix[128], path[PATH_BYTES], name[CRIA_SHA256_HEX];
        struct cria_str sha256 = tx->driver->column_str(stmt, 0);
        snprintf(name, sizeof(name), "%.*s", CRIA_STR_ARG(sha256));
        snprintf(prefix, sizeof(prefix), "blobs/%.*s/%.2s", CRIA_STR_ARG(project), name);
        snprintf(path, sizeof(path), "%s/%s/%s", cria_store_folder(store), prefix, name);
        count++;
        if (sha256.len != sizeof(name) - 1 || strchr(name, '/'))
            w->status = cria_fail(w->call, CRIA_E_CORRUPT, "A stored digest makes no sense");
        else if (!cria_archive_add_file(w->fd, path, prefix, name))
            w->status = cria_archive_fail(w->call, "A stored file cannot be exported");
    }
    if (w->status == CRIA_OK && step == CRIA_STEP_FAILED)
        w->status = cria_fail(w->call, CRIA_E_IO, "The list of files cannot be read: %s",
                              tx->driver->message(tx->conn));
    if (stmt) tx->driver->reset(stmt);
    cria_buf_printf(&w->digests, "%zu blobs\n", count);
}

static enum cria_status write_export(struct cria_store *store, struct cria_call *call,
                                     struct cria_str id, int fd)
{
    static const char end[2 * CRIA_ARCHIVE_BLOCK];
    struct cria_project project;
    struct cria_tx *tx = NULL;
    struct writer w = {.call = call, .fd = fd};
    cria_buf_init(&w.buf, 2 * (size_t)CRIA_TRANSFER_ROW_MAX);
    cria_buf_init(&w.digests, CRIA_TRANSFER_TEXT_MAX);
    w.status = cria_store_read_begin(store, call, &tx);
    if (w.status == CRIA_OK) w.status = cria_tx_project_get(tx, call, id, &project);
    if (w.status == CRIA_OK) put_project(&w, &project);
    const struct cria_transfer_table *table;
    for (size_t i = 0; w.status == CRIA_OK && (table = cria_transfer_table_at(i)) != NULL; i++)
        put_table(&w, tx, id, table);
    if (w.status == CRIA_OK) put_blobs(&w, store, tx, id);
    cria_store_read_end(tx);
    put_text(&w, "digests", cria_buf_str(&w.digests));
    if (w.status == CRIA_OK && !cria_archive_write_bytes(fd, end, sizeof(end)))
        w.status = cria_archive_fail(call, "The export cannot be written");
    cria_buf_release(&w.buf);
    cria_buf_release(&w.digests);
    return w.status;
}

enum cria_status cria_project_export(struct cria_store *store, struct cria_call *call,
                                     struct cria_str project, int *fd, uint64_t *size_bytes)
{
    char id[CRIA_ID_SIZE], path[PATH_BYTES];
    struct stat info;
    if (!cria_blobs_hold(true)) return cria_transfer_busy(call);
    cria_id_new("export-", id);
    snprintf(path, sizeof(path), "%s/%s.tar", cria_blobs_spool_dir(store), id);
    int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum cria_status st = to >= 0 ? write_export(store, call, project, to)
                                  : cria_archive_fail(call, "The export cannot be written");
    cria_blobs_hold(false);
    if (to >= 0) unlink(path);
    if (st == CRIA_OK && (fstat(to, &info) != 0 || lseek(to, 0, SEEK_SET) != 0))
        st = cria_archive_fail(call, "The export cannot be read");
    if (st != CRIA_OK) {
        if (to >= 0) close(to);
        return st;
    }
    *fd = to;
    *size_bytes = (uint64_t)info.st_size;
    return CRIA_OK;
}
