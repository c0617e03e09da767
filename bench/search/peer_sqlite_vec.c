/* peer_sqlite_vec - sqlite-vec: a vec0 table of floats, every row compared. The extension's file is
 * named by SQLITE_VEC. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/search/peer.h"

enum { VECTOR_BYTES = PEER_DIMENSIONS * (int)sizeof(float) };

static struct {
    sqlite3 *db;
    sqlite3_stmt *add, *ask;
} vec;

static void run(const char *sql)
{
    if (sqlite3_exec(vec.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        peer_die(sql, sqlite3_errmsg(vec.db));
}

static void prepare(const char *sql, sqlite3_stmt **out)
{
    if (sqlite3_prepare_v2(vec.db, sql, -1, out, NULL) != SQLITE_OK)
        peer_die(sql, sqlite3_errmsg(vec.db));
}

static void open_in(const char *folder)
{
    char path[4096], *why = NULL;
    const char *extension = getenv("SQLITE_VEC");
    snprintf(path, sizeof(path), "%s/vec.db", folder);
    if (sqlite3_open(path, &vec.db) != SQLITE_OK) peer_die(path, sqlite3_errmsg(vec.db));
    sqlite3_enable_load_extension(vec.db, 1);
    if (!extension ||
        sqlite3_load_extension(vec.db, extension, "sqlite3_vec_init", &why) != SQLITE_OK)
        peer_die("SQLITE_VEC", why ? why : "is not set");
    run("PRAGMA cache_size = -65536");
    run("PRAGMA mmap_size = 4294967296");
}

static void *create(const char *folder)
{
    open_in(folder);
    run("PRAGMA journal_mode = off");
    run("PRAGMA synchronous = off");
    run("CREATE VIRTUAL TABLE chunks USING vec0(v float[384])");
    prepare("INSERT INTO chunks(rowid, v) VALUES (?, ?)", &vec.add);
    run("BEGIN");
    return &vec;
}

static void add(void *index, uint32_t id, const struct peer_text *chunk)
{
    (void)index;
    sqlite3_bind_int64(vec.add, 1, (sqlite3_int64)id + 1);
    sqlite3_bind_blob(vec.add, 2, chunk->vector, VECTOR_BYTES, SQLITE_STATIC);
    if (sqlite3_step(vec.add) != SQLITE_DONE) peer_die("insert", sqlite3_errmsg(vec.db));
    sqlite3_reset(vec.add);
}

static void finish(void *index)
{
    (void)index;
    run("COMMIT");
    sqlite3_finalize(vec.add);
    sqlite3_close(vec.db);
}

static void *open_index(const char *folder)
{
    open_in(folder);
    prepare("SELECT rowid FROM chunks WHERE v MATCH ? AND k = 10 ORDER BY distance", &vec.ask);
    return &vec;
}

static size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    size_t n = 0;
    int result;
    (void)index;
    sqlite3_bind_blob(vec.ask, 1, question->vector, VECTOR_BYTES, SQLITE_STATIC);
    while ((result = sqlite3_step(vec.ask)) == SQLITE_ROW && n < PEER_TOP)
        out[n++] = (uint32_t)(sqlite3_column_int64(vec.ask, 0) - 1);
    if (result != SQLITE_DONE && result != SQLITE_ROW) peer_die("ask", sqlite3_errmsg(vec.db));
    sqlite3_reset(vec.ask);
    return n;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {.takes_vectors = 1,
                                     .create = create,
                                     .add = add,
                                     .finish = finish,
                                     .open = open_index,
                                     .ask = ask};
    return peer_main(argc, argv, &peer);
}
