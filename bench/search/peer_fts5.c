/* peer_fts5 - SQLite's FTS5: contentless table, unicode61, OR of the words, best by bm25. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "bench/search/peer.h"

enum { CHUNKS_A_COMMIT = 10000, TEXT_BYTES = 65536 };

static struct {
    sqlite3 *db;
    sqlite3_stmt *add, *ask;
    uint32_t count;
} fts;

static void run(const char *sql)
{
    if (sqlite3_exec(fts.db, sql, NULL, NULL, NULL) != SQLITE_OK)
        peer_die(sql, sqlite3_errmsg(fts.db));
}

static void prepare(const char *sql, sqlite3_stmt **out)
{
    if (sqlite3_prepare_v2(fts.db, sql, -1, out, NULL) != SQLITE_OK)
        peer_die(sql, sqlite3_errmsg(fts.db));
}

static void open_in(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/fts5.db", folder);
    if (sqlite3_open(path, &fts.db) != SQLITE_OK) peer_die(path, sqlite3_errmsg(fts.db));
    run("PRAGMA cache_size = -262144");
    run("PRAGMA mmap_size = 4294967296");
}

/* The words with `between` between them. */
static size_t joined(const struct peer_text *text, const char *before, const char *between,
                     char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text->count; i++) {
        if (len + text->tokens[i].len + 16 > TEXT_BYTES) break;
        len += (size_t)snprintf(out + len, TEXT_BYTES - len, "%s%s%s%s", i ? between : "", before,
                                text->tokens[i].bytes, before);
    }
    return len;
}

static void *create(const char *folder)
{
    open_in(folder);
    run("PRAGMA journal_mode = off");
    run("PRAGMA synchronous = off");
    run("CREATE VIRTUAL TABLE chunks USING fts5(text, content='', tokenize='unicode61')");
    prepare("INSERT INTO chunks(rowid, text) VALUES (?, ?)", &fts.add);
    run("BEGIN");
    return &fts;
}

static void add(void *index, uint32_t id, const struct peer_text *chunk)
{
    static char text[TEXT_BYTES];
    size_t len = joined(chunk, "", " ", text);
    (void)index;
    sqlite3_bind_int64(fts.add, 1, (sqlite3_int64)id + 1);
    sqlite3_bind_text(fts.add, 2, text, (int)len, SQLITE_STATIC);
    if (sqlite3_step(fts.add) != SQLITE_DONE) peer_die("insert", sqlite3_errmsg(fts.db));
    sqlite3_reset(fts.add);
    if (++fts.count % CHUNKS_A_COMMIT == 0) run("COMMIT; BEGIN");
}

static void finish(void *index)
{
    (void)index;
    run("COMMIT");
    run("INSERT INTO chunks(chunks) VALUES ('optimize')");
    sqlite3_finalize(fts.add);
    sqlite3_close(fts.db);
}

static void *open_index(const char *folder)
{
    open_in(folder);
    prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT 10", &fts.ask);
    return &fts;
}

static size_t ask(void *index, const struct peer_text *question, uint32_t *out)
{
    static char text[TEXT_BYTES];
    size_t n = 0, len = joined(question, "\"", " OR ", text);
    int result;
    (void)index;
    sqlite3_bind_text(fts.ask, 1, text, (int)len, SQLITE_STATIC);
    while ((result = sqlite3_step(fts.ask)) == SQLITE_ROW && n < PEER_TOP)
        out[n++] = (uint32_t)(sqlite3_column_int64(fts.ask, 0) - 1);
    if (result != SQLITE_DONE && result != SQLITE_ROW) peer_die(text, sqlite3_errmsg(fts.db));
    sqlite3_reset(fts.ask);
    return n;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {
        .create = create, .add = add, .finish = finish, .open = open_index, .ask = ask};
    return peer_main(argc, argv, &peer);
}
