/* transfer_in.c - a project comes in from a file, of which nothing is believed. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/archive.h"
#include "store/blobs.h"
#include "store/store_internal.h"
#include "store/transfer.h"
#include "store/transfer_tables.h"

enum {
    PATH_BYTES = CRIA_STORE_PATH + 256,
    BATCH_ROWS = 256,      /* rows of one write, so that others need not wait long */
    BATCH_BYTES = 4 << 20, /* likewise; a row may be larger */
    ARENA_BYTES = 1 << 20,
    ID_BYTES_MAX = 200
};

static uint64_t get64(const unsigned char in[8])
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | in[i];
    return value;
}

/* The bytes of one entry, as they come. */
struct reader {
    struct cria_call *call;
    int fd;
    uint64_t left, padding;
    struct cria_sha256 hash;
};

static bool take(struct reader *r, void *out, uint64_t size)
{
    if (size > r->left || !cria_archive_read_bytes(r->fd, out, (size_t)size)) return false;
    r->left -= size;
    cria_sha256_add(&r->hash, cria_str_make(out, (size_t)size));
    return true;
}

static struct reader reader_of(struct cria_call *call, int fd,
                               const struct cria_archive_entry *entry)
{
    struct reader r = {.call = call, .fd = fd, .left = entry->size};
    r.padding = (CRIA_ARCHIVE_BLOCK - entry->size % CRIA_ARCHIVE_BLOCK) % CRIA_ARCHIVE_BLOCK;
    cria_sha256_init(&r.hash);
    return r;
}

/* Whether all was read; moves on to the next entry. */
static bool reader_end(struct reader *r)
{
    char rest[CRIA_ARCHIVE_BLOCK];
    return r->left == 0 && cria_archive_read_bytes(r->fd, rest, (size_t)r->padding);
}

struct cell {
    struct cria_str text;
    int64_t number;
};

/* Rows of one table that are written together. */
struct batch {
    const struct cria_transfer_table *table;
    struct cria_str project;
    struct cria_transfer_columns columns; /* of the file; those without a name are not here */
    struct cria_arena arena;              /* of the cells */
    struct cell *cells;
    size_t rows;
};

static enum cria_status insert_rows(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct batch *batch = arg;
    enum cria_status st = CRIA_OK;
    struct cria_buf sql;
    cria_buf_init(&sql, CRIA_TRANSFER_TEXT_MAX);
    cria_buf_printf(&sql, "INSERT INTO %s(", batch->table->name);
    for (size_t i = 0; i < batch->columns.count; i++)
        if (batch->columns.items[i].name[0])
            cria_buf_printf(&sql, "%s, ", batch->columns.items[i].name);
    cria_buf_add(&sql, CRIA_STR("project_id) VALUES("));
    for (size_t i = 0; i < batch->columns.count; i++)
        if (batch->columns.items[i].name[0]) cria_buf_add(&sql, CRIA_STR("?,"));
    cria_buf_add(&sql, CRIA_STR("?)"));
    if (sql.failed) st = cria_fail_memory(call);
    for (size_t r = 0; r < batch->rows && st == CRIA_OK; r++) {
        struct cria_query q;
        cria_query_open(&q, tx, call, cria_buf_str(&sql));
        for (size_t c = 0; c < batch->columns.count; c++) {
            const struct cell *cell = &batch->cells[r * batch->columns.count + c];
            const struct cria_transfer_column *column = &batch->columns.items[c];
            if (!column->name[0]) continue;
            if (column->kind == 'i')
                cria_query_int(&q, cell->number);
            else if (column->kind == 'b')
                cria_query_blob(&q, cell->text);
            else
                cria_query_str(&q, cell->text);
        }
        cria_query_str(&q, batch->project);
        st = cria_query_run(&q);
    }
    cria_buf_release(&sql);
    /* The file says something twice, or nothing where something must be. */
    return st == CRIA_E_CONFLICT ? cria_archive_damaged(call, "its rows do not fit") : st;
}

/* Whether a text consists of letters, digits, dashes and underlines. */
static bool is_plain(struct cria_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* Digests and ids become parts of paths: nothing in them may lead elsewhere. The ids that clients
 * choose themselves do not, and may be any text. */
static bool is_harmless(struct cria_str text, const char *name)
{
    size_t len = strlen(name);
    bool is_id = strcmp(name, "id") == 0 || (len > 3 && strcmp(name + len - 3, "_id") == 0);
    if (strcmp(name, "sha256") == 0) return text.len == CRIA_SHA256_HEX - 1 && is_plain(text);
    if (strcmp(name, "external_file_id") == 0 || strcmp(name, "unique_id") == 0) return true;
    return !is_id || (text.len <= ID_BYTES_MAX && is_plain(text));
}

/* A sound text of its kind: what is stored is later sent as it is. */
static bool is_sound(struct cria_str text, char kind)
{
    struct cria_arena arena;
    const struct cria_json *json = NULL;
    const char *why;
    if (kind == 'b') return true;
    if (!cria_utf8_valid(text)) return false;
    if (kind != 'j') return true;
    cria_arena_init(&arena, (size_t)CRIA_TRANSFER_ROW_MAX);
    bool good = cria_json_parse(&arena, text, &json, &why) == CRIA_OK;
    cria_arena_release(&arena);
    return good;
}

static bool take_cell(struct reader *r, struct batch *batch,
                      const struct cria_transfer_column *column, struct cell *cell)
{
    unsigned char there, bytes[8];
    *cell = (struct cell){0};
    if (column->kind == 'i') {
        if (!take(r, bytes, 8)) return false;
        cell->number = (int64_t)get64(bytes);
        return true;
    }
    if (!take(r, &there, 1) || there > 1) return false;
    if (!there) return true;
    if (!take(r, bytes, 8)) return false;
    uint64_t len = get64(bytes);
    char *text = len <= r->left && len <= CRIA_TRANSFER_ROW_MAX
                     ? cria_arena_alloc(&batch->arena, (size_t)len + 1)
                     : NULL;
    if (!text || !take(r, text, len)) return false;
    cell->text = cria_str_make(text, (size_t)len);
    return is_sound(cell->text, column->kind) && is_harmless(cell->text, column->name);
}

/* What the rows are made of. A name counts only if the table here has it, so it may go into SQL; a
 * column that this server does not know is read over, one that the file does not have gets what
 * the table gives it. */
static bool take_columns(struct reader *r, const struct cria_transfer_columns *here,
                         struct cria_transfer_columns *out)
{
    unsigned char bytes[8];
    if (!take(r, bytes, 8) || get64(bytes) > CRIA_TRANSFER_COLUMNS) return false;
    out->count = (size_t)get64(bytes);
    for (size_t i = 0; i < out->count; i++) {
        struct cria_transfer_column *column = &out->items[i];
        *column = (struct cria_transfer_column){{0}, 0};
        if (!take(r, &column->kind, 1) || !strchr("ibtj", column->kind) || !column->kind ||
            !take(r, bytes, 8) || get64(bytes) >= CRIA_TRANSFER_NAME ||
            !take(r, column->name, get64(bytes)))
            return false;
        const struct cria_transfer_column *own = cria_transfer_column_find(here, column->name);
        for (size_t k = 0; k < i; k++)
            if (column->name[0] && strcmp(out->items[k].name, column->name) == 0) return false;
        if (!own) column->name[0] = '\0';
        /* That a text is JSON is for us to say, not for the file. */
        bool is_text = column->kind == 't' || column->kind == 'j';
        if (own && is_text && (own->kind == 't' || own->kind == 'j')) column->kind = own->kind;
        if (own && own->kind != column->kind) return false;
    }
    return true;
}

static enum cria_status columns_here(struct cria_store *store, struct cria_call *call,
                                     const struct cria_transfer_table *table,
                                     struct cria_transfer_columns *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(store, call, &tx);
    if (st == CRIA_OK) st = cria_transfer_columns_read(tx, call, table, out);
    cria_store_read_end(tx);
    return st;
}

/* Up to a batch of rows; *more: whether others follow. */
static enum cria_status take_batch(struct reader *r, struct batch *batch, unsigned char *more)
{
    size_t width = batch->columns.count;
    cria_arena_reset(&batch->arena);
    batch->rows = 0;
    batch->cells = CRIA_NEW_ARRAY(&batch->arena, BATCH_ROWS * (width + 1), struct cell);
    if (!batch->cells) return cria_fail_memory(r->call);
    while (batch->rows < BATCH_ROWS && batch->arena.used_bytes < BATCH_BYTES) {
        if (!take(r, more, 1) || *more > 1)
            return cria_archive_damaged(r->call, "a table ends too soon");
        if (!*more) break;
        for (size_t c = 0; c < width; c++)
            if (!take_cell(r, batch, &batch->columns.items[c],
                           &batch->cells[batch->rows * width + c]))
                return cria_archive_damaged(r->call, "a row makes no sense");
        batch->rows++;
    }
    return CRIA_OK;
}

static enum cria_status take_rows(struct cria_store *store, struct reader *r,
                                  const struct cria_transfer_table *table, struct cria_str project)
{
    unsigned char more = 1;
    struct cria_transfer_columns here;
    struct batch batch = {.table = table, .project = project};
    enum cria_status st = columns_here(store, r->call, table, &here);
    if (st != CRIA_OK) return st;
    if (!take_columns(r, &here, &batch.columns))
        return cria_archive_damaged(r->call, "the columns of a table do not fit");
    cria_arena_init(&batch.arena, 2 * (size_t)CRIA_TRANSFER_ROW_MAX);
    while (st == CRIA_OK && more) {
        st = take_batch(r, &batch, &more);
        if (st == CRIA_OK && batch.rows && here.count)
            st = cria_store_write(store, r->call, insert_rows, &batch);
    }
    cria_arena_release(&batch.arena);
    return st;
}

/* Reads over a table that this server does not have. */
static bool skip_rest(struct reader *r)
{
    char piece[CRIA_TRANSFER_PIECE];
    while (r->left)
        if (!take(r, piece, r->left < sizeof(piece) ? r->left : sizeof(piece))) return false;
    return true;
}

static enum cria_status take_blob(struct cria_store *store, struct reader *r,
                                  const struct cria_archive_entry *entry, struct cria_str project)
{
    char id[CRIA_ID_SIZE], path[PATH_BYTES], piece[CRIA_TRANSFER_PIECE], sha256[CRIA_SHA256_HEX];
    const char *want = entry->path + strlen(entry->path) - 64;
    bool moved = false;
    enum cria_status st = CRIA_OK;
    cria_id_new("import-", id);
    snprintf(path, sizeof(path), "%s/%s", cria_blobs_spool_dir(store), id);
    int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0) return cria_archive_fail(r->call, "A file cannot be imported");
    while (st == CRIA_OK && r->left) {
        size_t size = r->left < sizeof(piece) ? (size_t)r->left : sizeof(piece);
        if (!take(r, piece, size))
            st = cria_archive_damaged(r->call, "it ends too soon");
        else if (!cria_archive_write_bytes(to, piece, size))
            st = cria_archive_fail(r->call, "A file cannot be imported");
    }
    cria_sha256_finish_hex(&r->hash, sha256);
    if (st == CRIA_OK && strcmp(sha256, want) != 0)
        st = cria_archive_damaged(r->call, "a file differs from its digest");
    const struct cria_blob_source source = {
        .spool_path = path, .spool_fd = to, .size_bytes = entry->size, .sha256 = sha256};
    if (st == CRIA_OK) st = cria_blob_put(store, r->call, project, &source, &moved);
    if (st == CRIA_OK) cria_blob_unpin(store, r->call, project, sha256); /* the hold keeps it */
    if (!moved) unlink(path);
    close(to);
    return st;
}

struct wipe {
    const struct cria_transfer_table *table;
    const char *key; /* a column */
    struct cria_str project;
    bool is_done;
};

/* Some rows of a project that is not there: an import that broke off left them. */
static enum cria_status wipe_some(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct wipe *wipe = arg;
    struct cria_query q;
    struct cria_project project;
    enum cria_status st = cria_tx_project_get(tx, call, wipe->project, &project);
    if (st != CRIA_E_NOT_FOUND) return st == CRIA_OK ? CRIA_E_CONFLICT : st;
    struct cria_str find = cria_arena_printf(call->arena,
                                             "SELECT %s FROM %s WHERE project_id = ? LIMIT 1",
                                             wipe->key, wipe->table->name),
                    drop = cria_arena_printf(call->arena,
                                             "DELETE FROM %s WHERE project_id = ? AND %s = ?",
                                             wipe->table->name, wipe->key);
    if (!find.ptr || !drop.ptr) return cria_fail_memory(call);
    for (int i = 0; i < BATCH_ROWS && !wipe->is_done; i++) {
        cria_query_open(&q, tx, call, find);
        cria_query_str(&q, wipe->project);
        struct cria_str key = cria_query_next(&q) ? cria_query_get_str(&q) : (struct cria_str){0};
        st = cria_query_close(&q);
        if (st != CRIA_OK) return st;
        wipe->is_done = key.ptr == NULL;
        if (wipe->is_done) break;
        cria_query_open(&q, tx, call, drop);
        cria_query_str(&q, wipe->project);
        cria_query_str(&q, key);
        st = cria_query_run(&q);
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}

static enum cria_status wipe_table(struct cria_store *store, struct cria_call *call,
                                   const struct cria_transfer_table *table, struct cria_str project)
{
    struct cria_transfer_columns here;
    struct cria_arena *arena = call->arena;
    enum cria_status st = columns_here(store, call, table, &here);
    /* The first text after the project is whose rows they are: an id. */
    struct wipe wipe = {table, NULL, project, st != CRIA_OK || here.count == 0};
    for (size_t i = 0; i < here.count && !wipe.key; i++)
        if (here.items[i].kind == 't') wipe.key = here.items[i].name;
    if (!wipe.key) wipe.is_done = true;
    while (st == CRIA_OK && !wipe.is_done) {
        cria_arena_reset(arena);
        cria_call_init(call, arena);
        st = cria_store_write_freeing(store, call, wipe_some, &wipe);
    }
    return st;
}

static enum cria_status wipe_project(struct cria_store *store, struct cria_str project)
{
    enum cria_status st = CRIA_OK;
    struct cria_arena arena;
    struct cria_call call;
    size_t count = 0;
    cria_arena_init(&arena, ARENA_BYTES);
    cria_call_init(&call, &arena);
    while (cria_transfer_table_at(count)) count++;
    while (st == CRIA_OK && count--) /* indexes first: nobody builds one whose rows are gone */
        st = wipe_table(store, &call, cria_transfer_table_at(count), project);
    if (st != CRIA_OK) cria_log(CRIA_LOG_WARN, "import.leftovers", "why=%s", call.error);
    cria_arena_release(&arena);
    return st;
}

static enum cria_status insert_project(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    return cria_tx_project_insert(tx, call, arg);
}

/* project.json: which project this is; CRIA_E_CONFLICT when it may not come in. */
static enum cria_status take_project(struct cria_store *store, struct cria_call *call,
                                     const struct cria_import *import, char sha256[CRIA_SHA256_HEX],
                                     struct cria_project *out)
{
    struct cria_archive_entry entry;
    const struct cria_json *root = NULL;
    const char *why;
    struct cria_tx *tx = NULL;
    struct cria_project there;
    enum cria_status st = CRIA_OK;
    if (!cria_archive_next(call, import->fd, &entry, &st) ||
        strcmp(entry.path, "project.json") != 0 || entry.size > CRIA_TRANSFER_TEXT_MAX)
        return st != CRIA_OK ? st : cria_archive_damaged(call, "no project is in it");
    struct reader r = reader_of(call, import->fd, &entry);
    char *text = cria_arena_alloc(call->arena, (size_t)entry.size + 1);
    if (!text) return cria_fail_memory(call);
    if (!take(&r, text, entry.size) || !reader_end(&r) ||
        cria_json_parse(call->arena, cria_str_make(text, (size_t)entry.size), &root, &why) !=
            CRIA_OK ||
        !cria_str_is(cria_json_get_str(root, "format"), CRIA_TRANSFER_FORMAT))
        return cria_archive_damaged(call, "no project is in it");
    cria_sha256_finish_hex(&r.hash, sha256);
    *out = (struct cria_project){.id = cria_json_get_str(root, "id"),
                                 .organization_id = import->organization_id,
                                 .name = cria_json_get_str(root, "name")};
    out->created_at_us = out->updated_at_us = cria_wall_us();
    /* The id becomes a folder's name. */
    if (!cria_is_uuid(out->id) || !out->name.len)
        return cria_archive_damaged(call, "its project has no proper id or name");
    if (import->name.ptr) out->name = import->name;
    st = cria_store_read_begin(store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_project_get(tx, call, out->id, &there);
    cria_store_read_end(tx);
    if (st == CRIA_E_NOT_FOUND) return CRIA_OK;
    if (st != CRIA_OK) return st;
    if (!import->name.ptr)
        return cria_fail(call, CRIA_E_CONFLICT,
                         "The project %.*s is here already; with a new name a copy is made",
                         CRIA_STR_ARG(out->id));
    char fresh[CRIA_ID_SIZE];
    cria_id_new("", fresh);
    out->id = cria_arena_copy(call->arena, cria_str_from(fresh));
    return out->id.ptr ? CRIA_OK : cria_fail_memory(call);
}

static enum cria_status take_digests(struct reader *r, const struct cria_archive_entry *entry,
                                     struct cria_str want)
{
    char text[CRIA_TRANSFER_TEXT_MAX];
    if (entry->size != want.len || !take(r, text, entry->size) ||
        memcmp(text, want.ptr, want.len) != 0)
        return cria_archive_damaged(r->call, "what is in it differs from its digests");
    return CRIA_OK;
}

/* One table: those known come in their order, each once; others are read over. */
static enum cria_status take_table(struct cria_store *store, struct reader *r, const char *name,
                                   struct cria_str project, size_t *next)
{
    size_t at = cria_transfer_table_find(name);
    if (at == SIZE_MAX)
        return skip_rest(r) ? CRIA_OK : cria_archive_damaged(r->call, "it ends too soon");
    if (at < *next) return cria_archive_damaged(r->call, "its tables are out of order");
    *next = at + 1;
    return take_rows(store, r, cria_transfer_table_at(at), project);
}

static enum cria_status take_entries(struct cria_store *store, struct cria_call *call, int fd,
                                     struct cria_str project, const char *project_sha256)
{
    struct cria_archive_entry entry;
    struct cria_buf digests;
    size_t next = 0 /* table */, blobs = 0;
    bool is_whole = false;
    enum cria_status st = CRIA_OK;
    cria_buf_init(&digests, CRIA_TRANSFER_TEXT_MAX);
    cria_buf_printf(&digests, "%s project.json\n", project_sha256);
    while (st == CRIA_OK && !is_whole && cria_archive_next(call, fd, &entry, &st)) {
        struct reader r = reader_of(call, fd, &entry);
        if (!blobs && strncmp(entry.path, "rows/", 5) == 0) {
            char sha256[CRIA_SHA256_HEX];
            st = take_table(store, &r, entry.path + 5, project, &next);
            cria_sha256_finish_hex(&r.hash, sha256);
            cria_buf_printf(&digests, "%s %s\n", sha256, entry.path + 5);
        } else if (cria_archive_is_blob(entry.path)) {
            blobs++;
            st = take_blob(store, &r, &entry, project);
        } else if (strcmp(entry.path, "digests") == 0) {
            cria_buf_printf(&digests, "%zu blobs\n", blobs);
            st = take_digests(&r, &entry, cria_buf_str(&digests));
            is_whole = true;
        } else {
            st = cria_archive_damaged(call, "an entry does not belong to a project");
        }
        if (st == CRIA_OK && !reader_end(&r)) st = cria_archive_damaged(call, "it ends too soon");
    }
    if (st == CRIA_OK && digests.failed) st = cria_archive_damaged(call, "it has too many tables");
    cria_buf_release(&digests);
    return st == CRIA_OK && !is_whole ? cria_archive_damaged(call, "it ends too soon") : st;
}

/* With an arena of its own: a sweep empties it again and again. */
static void sweep_blobs(struct cria_store *store)
{
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, ARENA_BYTES);
    cria_call_init(&call, &arena);
    cria_blobs_sweep(store, &call);
    cria_arena_release(&arena);
}

enum cria_status cria_project_import(struct cria_store *store, struct cria_call *call,
                                     const struct cria_import *import, struct cria_project *out)
{
    char sha256[CRIA_SHA256_HEX];
    if (!cria_blobs_hold(true)) return cria_transfer_busy(call);
    enum cria_status st = take_project(store, call, import, sha256, out);
    bool is_begun = st == CRIA_OK;
    if (is_begun && wipe_project(store, out->id) != CRIA_OK)
        st = cria_fail(call, CRIA_E_UNAVAILABLE, "What an earlier import left cannot be removed");
    if (st == CRIA_OK) st = take_entries(store, call, import->fd, out->id, sha256);
    if (st == CRIA_OK) st = cria_store_write(store, call, insert_project, out);
    /* What this cannot remove is removed by the next import of the project. */
    if (is_begun && st != CRIA_OK) (void)wipe_project(store, out->id);
    cria_blobs_hold(false);
    if (is_begun && st != CRIA_OK) sweep_blobs(store);
    return st;
}
