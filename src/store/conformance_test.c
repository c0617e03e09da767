/* What driver.h asks of a database, asked of every driver there is: run with each row of `drivers`.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "store/driver.h"
#include "tests/support/test_store.h"

static const struct cria_driver *const drivers[] = {&cria_sqlite_driver};
static const struct cria_driver *driver; /* the one under test */

enum { WAL_PAGES = 200 };

static struct cria_conn *open_conn(struct store_fixture *f, bool is_writer)
{
    struct cria_conn *conn = NULL;
    if (driver->open(f->folder, is_writer, WAL_PAGES, &f->call, &conn) != CRIA_OK)
        fail_msg("%s", f->call.error);
    return conn;
}

static void run(struct cria_conn *conn, const char *sql)
{
    if (!driver->exec(conn, sql)) fail_msg("%s: %s", sql, driver->message(conn));
}

static struct cria_stmt *prepared(struct cria_conn *conn, const char *sql)
{
    struct cria_stmt *stmt = driver->prepare(conn, cria_str_from(sql));
    if (!stmt) fail_msg("%s: %s", sql, driver->message(conn));
    return stmt;
}

/* The first column of the first row, a number. */
static int64_t ask(struct cria_conn *conn, const char *sql)
{
    struct cria_stmt *stmt = prepared(conn, sql);
    assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
    int64_t value = driver->column_int(stmt, 0);
    driver->reset(stmt);
    return value;
}

static struct cria_conn *with_table(struct store_fixture *f)
{
    struct cria_conn *conn = open_conn(f, true);
    run(conn, "CREATE TABLE t(k TEXT NOT NULL PRIMARY KEY, s TEXT, b BLOB, n BIGINT);"
              "CREATE UNIQUE INDEX t_by_n ON t(n)");
    return conn;
}

static enum cria_step put(struct cria_conn *conn, const char *key, struct cria_str text,
                          struct cria_str blob, int64_t n)
{
    struct cria_stmt *stmt = prepared(conn, "INSERT INTO t(k, s, b, n) VALUES(?, ?, ?, ?)");
    driver->bind_str(stmt, 1, cria_str_from(key));
    driver->bind_str(stmt, 2, text);
    driver->bind_blob(stmt, 3, blob);
    driver->bind_int(stmt, 4, n);
    enum cria_step step = driver->step(stmt);
    driver->reset(stmt);
    return step;
}

static char every_byte[256], large[3 << 20];
#define RAW(literal) CRIA_STR_INIT(literal)
static const struct {
    const char *what;
    struct cria_str text;
} texts[] = {
    {"null", {NULL, 0}},
    {"empty", RAW("")},
    {"plain", RAW("plain")},
    {"quotes", RAW("it's a \"quote\"; DROP TABLE t; -- `x`")},
    {"letters of many scripts", RAW("Größe, naïve, Ελλάδα, Привет, שלום, नमस्ते, 日本語, 한국어")},
    {"composed and decomposed stay apart", RAW("\xC3\xA9 e\xCC\x81")},
    {"beyond the basic plane", RAW("\xF0\x9F\xA6\x99 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC "
                                   "\xF4\x8F\xBF\xBF")},
    {"a byte order mark and an odd space", RAW("\xEF\xBB\xBF\xE2\x80\xA8")},
    {"a NUL inside", RAW("left\0right")},
    {"lines", RAW("a\r\nb\tc\x01\x7F")},
};
static const int64_t numbers[] = {0,           1,         -1,        INT32_MAX, INT32_MIN,
                                  INT64_MAX,   INT64_MIN, 1LL << 53, 255,       1764000000000000,
                                  -(1LL << 40)};

CRIA_TEST(every_text_comes_back_as_it_went_in)
{
    struct cria_conn *conn = with_table(*state);
    for (size_t i = 0; i < CRIA_COUNT(texts); i++) {
        assert_int_equal(put(conn, texts[i].what, texts[i].text, CRIA_STR("x"), (int64_t)i),
                         CRIA_STEP_DONE);
        struct cria_stmt *stmt = prepared(conn, "SELECT s, s IS NULL FROM t WHERE k = ?");
        driver->bind_str(stmt, 1, cria_str_from(texts[i].what));
        assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
        struct cria_str back = driver->column_str(stmt, 0);
        assert_int_equal(back.ptr == NULL, texts[i].text.ptr == NULL);
        assert_true(cria_str_equal(back, texts[i].text));
        assert_int_equal(driver->column_int(stmt, 1), texts[i].text.ptr == NULL);
        assert_int_equal(driver->step(stmt), CRIA_STEP_DONE);
        driver->reset(stmt);
        if (!texts[i].text.ptr) continue;
        stmt = prepared(conn, "SELECT k FROM t WHERE s = ?"); /* compared as it is, too */
        driver->bind_str(stmt, 1, texts[i].text);
        assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
        assert_str_equal(driver->column_str(stmt, 0), texts[i].what);
        driver->reset(stmt);
    }
    driver->close(conn);
}

CRIA_TEST(every_number_comes_back_as_it_went_in)
{
    struct cria_conn *conn = with_table(*state);
    for (size_t i = 0; i < CRIA_COUNT(numbers); i++) {
        char key[8];
        snprintf(key, sizeof(key), "%zu", i);
        assert_int_equal(put(conn, key, CRIA_STR(""), CRIA_STR(""), numbers[i]), CRIA_STEP_DONE);
    }
    struct cria_stmt *stmt = prepared(conn, "SELECT n FROM t WHERE n = ?");
    for (size_t i = 0; i < CRIA_COUNT(numbers); i++) {
        driver->bind_int(stmt, 1, numbers[i]);
        assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
        assert_true(driver->column_int(stmt, 0) == numbers[i]);
        driver->reset(stmt);
    }
    assert_true(ask(conn, "SELECT min(n) FROM t") == INT64_MIN);
    assert_true(ask(conn, "SELECT max(n) FROM t") == INT64_MAX);
    driver->close(conn);
}

CRIA_TEST(blobs_keep_every_byte_and_any_size)
{
    struct store_fixture *f = *state;
    struct cria_conn *conn = with_table(f);
    for (size_t i = 0; i < sizeof(every_byte); i++) every_byte[i] = (char)i;
    for (size_t i = 0; i < sizeof(large); i++) large[i] = (char)(i * 2654435761u >> 13);
    const struct cria_str blobs[] = {
        {NULL, 0}, CRIA_STR(""), {every_byte, 1}, {every_byte, 256}, {large, sizeof(large)}};
    for (size_t i = 0; i < CRIA_COUNT(blobs); i++) {
        char key[8];
        snprintf(key, sizeof(key), "%zu", i);
        assert_int_equal(put(conn, key, CRIA_STR(""), blobs[i], (int64_t)i), CRIA_STEP_DONE);
    }
    driver->close(conn);
    conn = open_conn(f, true);
    struct cria_stmt *stmt = prepared(conn, "SELECT b, length(b) FROM t ORDER BY n");
    for (size_t i = 0; i < CRIA_COUNT(blobs); i++) {
        assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
        struct cria_str back = driver->column_str(stmt, 0);
        assert_non_null(back.ptr); /* an empty blob is not null */
        assert_true(cria_str_equal(back, blobs[i]));
        assert_int_equal(driver->column_int(stmt, 1), blobs[i].len);
    }
    assert_int_equal(driver->step(stmt), CRIA_STEP_DONE);
    driver->reset(stmt);
    stmt = prepared(conn, "SELECT substr(b, ?, ?) FROM t WHERE k = '4'");
    driver->bind_int(stmt, 1, 1000001);
    driver->bind_int(stmt, 2, 4096);
    assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
    assert_true(cria_str_equal(driver->column_str(stmt, 0), cria_str_make(large + 1000000, 4096)));
    driver->reset(stmt);
    driver->close(conn);
}

CRIA_TEST(texts_are_ordered_by_their_bytes)
{
    static const char *const sorted[] = {
        "", " ", "A", "B", "Z", "a", "aa", "b", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\xA6\x99"};
    struct cria_conn *conn = with_table(*state);
    for (size_t i = CRIA_COUNT(sorted); i-- > 0;)
        assert_int_equal(put(conn, sorted[i], CRIA_STR(""), CRIA_STR(""), (int64_t)i),
                         CRIA_STEP_DONE);
    struct cria_stmt *stmt = prepared(conn, "SELECT k FROM t ORDER BY k");
    for (size_t i = 0; i < CRIA_COUNT(sorted); i++) {
        assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
        assert_str_equal(driver->column_str(stmt, 0), sorted[i]);
    }
    driver->reset(stmt);
    driver->close(conn);
}

CRIA_TEST(a_rollback_undoes_all_and_a_savepoint_its_own)
{
    static const struct {
        const char *sql;
        int64_t rows;
        bool in_transaction;
    } steps[] = {
        {"BEGIN IMMEDIATE", 0, true},
        {"INSERT INTO t(k, n) VALUES('a', 1)", 1, true},
        {"ROLLBACK", 0, false},
        {"BEGIN IMMEDIATE", 0, true},
        {"SAVEPOINT op", 0, true},
        {"INSERT INTO t(k, n) VALUES('b', 2)", 1, true},
        {"RELEASE op", 1, true},
        {"SAVEPOINT op", 1, true},
        {"INSERT INTO t(k, n) VALUES('c', 3); DELETE FROM t WHERE k = 'b'", 1, true},
        {"ROLLBACK TO op; RELEASE op", 1, true},
        {"SAVEPOINT op; INSERT INTO t(k, n) VALUES('d', 4); RELEASE op", 2, true},
        {"COMMIT", 2, false},
        {"BEGIN IMMEDIATE; CREATE TABLE u(x INT); DELETE FROM t", 0, true},
        {"ROLLBACK", 2, false},
    };
    struct store_fixture *f = *state;
    struct cria_conn *conn = with_table(f);
    for (size_t i = 0; i < CRIA_COUNT(steps); i++) {
        run(conn, steps[i].sql);
        assert_int_equal(ask(conn, "SELECT count(*) FROM t"), steps[i].rows);
        assert_int_equal(driver->in_transaction(conn), steps[i].in_transaction);
    }
    assert_null(driver->prepare(conn, CRIA_STR("SELECT x FROM u"))); /* DDL is undone as well */
    driver->close(conn);
    conn = open_conn(f, true);
    assert_int_equal(ask(conn, "SELECT count(*) FROM t WHERE k IN ('b', 'd')"), 2);
    assert_int_equal(ask(conn, "SELECT count(*) FROM t"), 2);
    driver->close(conn);
}

CRIA_TEST(what_was_not_committed_is_gone_after_a_close)
{
    struct store_fixture *f = *state;
    struct cria_conn *conn = with_table(f);
    run(conn, "INSERT INTO t(k, n) VALUES('kept', 1)");
    run(conn, "BEGIN IMMEDIATE");
    run(conn, "INSERT INTO t(k, n) VALUES('lost', 2); UPDATE t SET n = 7 WHERE k = 'kept'");
    driver->close(conn);
    conn = open_conn(f, true);
    assert_int_equal(ask(conn, "SELECT count(*) FROM t"), 1);
    assert_int_equal(ask(conn, "SELECT n FROM t WHERE k = 'kept'"), 1);
    driver->close(conn);
}

CRIA_TEST(failures_are_told_apart)
{
    static const struct {
        const char *sql;
        enum cria_failure failure;
    } cases[] = {
        {"INSERT INTO t(k, n) VALUES('a', 2)", CRIA_FAILURE_CONFLICT}, /* the primary key */
        {"INSERT INTO t(k, n) VALUES('b', 1)", CRIA_FAILURE_CONFLICT}, /* the unique index */
        {"UPDATE t SET n = 1 WHERE k = 'z'", CRIA_FAILURE_CONFLICT},
        {"INSERT INTO t(k, n) VALUES(NULL, 3)", CRIA_FAILURE_OTHER}, /* ours to prevent: no 409 */
        {"INSERT INTO nothing VALUES(1)", CRIA_FAILURE_OTHER},
        {"SELEKT 1", CRIA_FAILURE_OTHER},
    };
    struct cria_conn *conn = with_table(*state);
    run(conn, "INSERT INTO t(k, n) VALUES('a', 1), ('z', 26); BEGIN IMMEDIATE;"
              "INSERT INTO t(k, n) VALUES('in the same transaction', 9)");
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        assert_false(driver->exec(conn, cases[i].sql));
        assert_int_equal(driver->failure(conn), cases[i].failure);
        assert_true(strlen(driver->message(conn)) > 0);
        struct cria_stmt *stmt = driver->prepare(conn, cria_str_from(cases[i].sql));
        if (stmt) {
            assert_int_equal(driver->step(stmt), CRIA_STEP_FAILED);
            assert_int_equal(driver->failure(conn), cases[i].failure);
            driver->reset(stmt);
        }
        assert_true(driver->in_transaction(conn)); /* the statement alone is undone */
        assert_int_equal(ask(conn, "SELECT count(*) FROM t"), 3);
    }
    run(conn, "COMMIT");
    assert_int_equal(ask(conn, "SELECT count(*) FROM t"), 3);
    driver->close(conn);
}

CRIA_TEST(a_failed_statement_can_be_used_again)
{
    struct cria_conn *conn = with_table(*state);
    assert_int_equal(put(conn, "a", CRIA_STR(""), CRIA_STR(""), 1), CRIA_STEP_DONE);
    assert_int_equal(put(conn, "a", CRIA_STR(""), CRIA_STR(""), 2), CRIA_STEP_FAILED);
    assert_int_equal(put(conn, "b", CRIA_STR(""), CRIA_STR(""), 2), CRIA_STEP_DONE);
    assert_int_equal(driver->changes(conn), 1);
    driver->close(conn);
}

CRIA_TEST(statements_are_prepared_once_and_forget_their_values)
{
    struct cria_conn *conn = with_table(*state);
    struct cria_stmt *stmt = prepared(conn, "SELECT ?, ?");
    assert_ptr_equal(stmt, prepared(conn, "SELECT ?, ?"));
    driver->bind_str(stmt, 1, CRIA_STR("x"));
    driver->bind_int(stmt, 2, 5);
    assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
    driver->reset(stmt);
    assert_int_equal(driver->step(stmt), CRIA_STEP_ROW);
    assert_null(driver->column_str(stmt, 0).ptr);
    assert_null(driver->column_str(stmt, 1).ptr);
    driver->reset(stmt);
    /* Texts made of outside lists are many: the connection keeps working, whatever it keeps. */
    for (int i = 0; i < 3000; i++) {
        char sql[64];
        snprintf(sql, sizeof(sql), "SELECT count(*) + %d FROM t", i);
        run(conn, "BEGIN");
        assert_int_equal(ask(conn, sql), i);
        run(conn, "COMMIT");
    }
    driver->close(conn);
}

CRIA_TEST(changes_counts_the_rows_of_the_last_statement)
{
    struct cria_conn *conn = with_table(*state);
    static const struct {
        const char *sql;
        int64_t changes;
    } cases[] = {
        {"INSERT INTO t(k, n) VALUES('a', 1), ('b', 2), ('c', 3)", 3},
        {"UPDATE t SET s = 'x' WHERE n > 1", 2},
        {"UPDATE t SET s = 'x' WHERE n > 1", 2}, /* matched, changed or not */
        {"UPDATE t SET s = 'x' WHERE n > 9", 0},
        {"DELETE FROM t WHERE n = 1", 1},
        {"DELETE FROM t", 2},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_stmt *stmt = prepared(conn, cases[i].sql);
        assert_int_equal(driver->step(stmt), CRIA_STEP_DONE);
        driver->reset(stmt);
        assert_int_equal(driver->changes(conn), cases[i].changes);
    }
    driver->close(conn);
}

CRIA_TEST(a_reader_sees_a_snapshot_and_never_what_is_not_committed)
{
    struct store_fixture *f = *state;
    struct cria_conn *writer = with_table(f), *reader = open_conn(f, false);
    const char *count = "SELECT count(*) FROM t";
    run(writer, "INSERT INTO t(k, n) VALUES('a', 1)");
    run(reader, "BEGIN");
    assert_int_equal(ask(reader, count), 1);
    run(writer, "BEGIN IMMEDIATE");
    run(writer, "INSERT INTO t(k, n) VALUES('b', 2)");
    assert_int_equal(ask(writer, count), 2);
    assert_int_equal(ask(reader, count), 1);
    run(writer, "COMMIT");
    assert_int_equal(ask(reader, count), 1); /* its snapshot is older */
    run(reader, "COMMIT");
    run(reader, "BEGIN");
    assert_int_equal(ask(reader, count), 2);
    run(writer, "BEGIN IMMEDIATE; DELETE FROM t; ROLLBACK");
    assert_int_equal(ask(reader, count), 2);
    run(reader, "COMMIT");
    driver->close(reader);
    driver->close(writer);
}

CRIA_TEST(a_reader_cannot_change_anything)
{
    static const char *const changes[] = {"INSERT INTO t(k, n) VALUES('a', 1)", "DELETE FROM t",
                                          "UPDATE t SET n = 2", "CREATE TABLE u(x INT)",
                                          "DROP TABLE t"};
    struct store_fixture *f = *state;
    struct cria_conn *writer = with_table(f), *reader = open_conn(f, false);
    run(writer, "INSERT INTO t(k, n) VALUES('x', 9)");
    for (size_t i = 0; i < CRIA_COUNT(changes); i++) {
        assert_false(driver->exec(reader, changes[i]));
        assert_int_equal(driver->failure(reader), CRIA_FAILURE_OTHER);
    }
    assert_int_equal(ask(writer, "SELECT n FROM t"), 9);
    driver->close(reader);
    driver->close(writer);
}

CRIA_TEST(a_reader_without_a_database_is_told_so)
{
    struct store_fixture *f = *state;
    struct cria_conn *conn = NULL;
    assert_int_equal(driver->open(f->folder, false, 0, &f->call, &conn), CRIA_E_IO);
    assert_true(strlen(f->call.error) > 0);
    assert_null(conn);
    driver->close(NULL);
}

CRIA_TEST(the_log_is_checkpointed_before_it_grows_large)
{
    struct store_fixture *f = *state;
    struct cria_conn *conn = with_table(f);
    uint64_t most = 0;
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(put(conn, key, CRIA_STR(""), cria_str_make(large, 200000), i),
                         CRIA_STEP_DONE);
        uint64_t bytes = driver->wal_bytes(conn);
        if (bytes > most) most = bytes;
    }
    assert_in_range(most, 200000, (WAL_PAGES + 100) * 4096 * 2); /* of 20 MB in all */
    driver->close(conn);
}

/* ---- readers beside a writer */

enum { ACCOUNTS = 8, START = 100, MOVES = 400, READERS = 3 };
struct bank {
    struct cria_conn *conn;
    atomic_bool *is_over;
    int64_t snapshots, wrong;
};

/* Money moves between accounts, so every true snapshot has the same sum; `moves` only grows. */
static void *watch(void *arg)
{
    struct bank *bank = arg;
    int64_t last = 0;
    bool was_over = false;
    while (!was_over) {
        was_over = atomic_load(bank->is_over);
        bool good = driver->exec(bank->conn, "BEGIN");
        struct cria_stmt *sum = driver->prepare(bank->conn, CRIA_STR("SELECT sum(n) FROM bank"));
        struct cria_stmt *moves = driver->prepare(bank->conn, CRIA_STR("SELECT n FROM moves"));
        good = good && sum && moves;
        for (int i = 0; i < 2 && good; i++) { /* twice: a snapshot stays as it is */
            int64_t total = driver->step(sum) == CRIA_STEP_ROW ? driver->column_int(sum, 0) : -1;
            int64_t n = driver->step(moves) == CRIA_STEP_ROW ? driver->column_int(moves, 0) : -1;
            driver->reset(sum);
            driver->reset(moves);
            good = total == ACCOUNTS * START && (i ? n == last : n >= last);
            last = n;
        }
        good = good && driver->exec(bank->conn, "COMMIT");
        bank->snapshots++;
        if (!good) {
            bank->wrong++;
            return NULL;
        }
    }
    if (last != MOVES) bank->wrong++; /* begun after the last commit, so it sees that */
    return NULL;
}

static void move_money(struct cria_conn *conn, int i)
{
    run(conn, "BEGIN IMMEDIATE");
    struct cria_stmt *stmt = prepared(conn, "UPDATE bank SET n = n + ? WHERE k = ?");
    for (int side = 0; side < 2; side++) {
        driver->bind_int(stmt, 1, side ? 3 : -3);
        driver->bind_int(stmt, 2, (i * 5 + side * 3) % ACCOUNTS);
        assert_int_equal(driver->step(stmt), CRIA_STEP_DONE);
        driver->reset(stmt);
    }
    run(conn, "UPDATE moves SET n = n + 1");
    run(conn, "COMMIT");
}

CRIA_TEST(readers_see_whole_commits_while_a_writer_writes)
{
    struct store_fixture *f = *state;
    struct cria_conn *writer = open_conn(f, true);
    struct bank banks[READERS];
    pthread_t threads[READERS];
    atomic_bool is_over = false;
    run(writer, "CREATE TABLE bank(k INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);"
                "CREATE TABLE moves(n BIGINT NOT NULL); INSERT INTO moves VALUES(0)");
    for (int i = 0; i < ACCOUNTS; i++) {
        char sql[64];
        snprintf(sql, sizeof(sql), "INSERT INTO bank VALUES(%d, %d)", i, START);
        run(writer, sql);
    }
    for (int i = 0; i < READERS; i++) {
        banks[i] = (struct bank){.conn = open_conn(f, false), .is_over = &is_over};
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &banks[i]), 0);
    }
    for (int i = 0; i < MOVES; i++) move_money(writer, i);
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(banks[i].wrong, 0);
        assert_in_range(banks[i].snapshots, 1, INT64_MAX);
        driver->close(banks[i].conn);
    }
    driver->close(writer);
}

/* ---- copies of a database in use */

enum { HELD_FILES_MAX = 4, HELD_BYTES_MAX = 16 << 20 };
struct held {
    char *bytes[HELD_FILES_MAX];
    size_t sizes[HELD_FILES_MAX];
    size_t count;
};

static void read_held(const struct cria_database_file *files, struct held *out)
{
    *out = (struct held){0};
    for (; files->name; files++, out->count++) {
        assert_in_range(out->count, 0, HELD_FILES_MAX - 1);
        char *bytes = out->bytes[out->count] = malloc(HELD_BYTES_MAX);
        assert_non_null(bytes);
        size_t size = out->sizes[out->count] = (size_t)files->size(files->fd);
        assert_in_range(size, 1, HELD_BYTES_MAX);
        assert_int_equal(pread(files->fd, bytes, size, 0), size);
    }
}

static void free_held(struct held *held)
{
    for (size_t i = 0; i < held->count; i++) free(held->bytes[i]);
}

static void write_held(const struct store_fixture *f, const struct cria_database_file *files,
                       const struct held *held)
{
    for (size_t i = 0; i < held->count; i++) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", f->folder, files[i].name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(held->bytes[i], 1, held->sizes[i], file), held->sizes[i]);
        assert_int_equal(fclose(file), 0);
    }
}

static void put_many(struct cria_conn *conn, int from, int to)
{
    static const char bytes[5000];
    for (int i = from; i < to; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", i);
        assert_int_equal(put(conn, key, CRIA_STR("s"), cria_str_make(bytes, sizeof(bytes)), i),
                         CRIA_STEP_DONE);
    }
}

CRIA_TEST(held_files_only_grow_at_their_end)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    struct cria_conn *conn = with_table(f);
    const struct cria_database_file *files = NULL;
    struct held before, after, later;
    put_many(conn, 0, 300);       /* some checkpoints */
    for (int i = 0; i < 2; i++) { /* the second time changes nothing */
        run(conn, "BEGIN");
        files = driver->hold_files(conn);
        assert_non_null(files);
        run(conn, "COMMIT");
    }
    read_held(files, &before);
    put_many(conn, 300, 800);
    read_held(files, &after);
    size_t last = before.count - 1;
    for (size_t i = 0; i <= last; i++) {
        if (i < last) assert_int_equal(after.sizes[i], before.sizes[i]);
        assert_memory_equal(after.bytes[i], before.bytes[i], before.sizes[i]);
    }
    assert_true(after.sizes[last] > before.sizes[last]);
    driver->release_files(conn);
    put_many(conn, 800, 810);
    read_held(files, &later);
    assert_true(later.sizes[0] > after.sizes[0]);
    assert_true(later.sizes[last] <
                after.sizes[last]); /* nothing of what is in the others by now */
    /* what was read, old files and the longer last one, is a database with all rows of before */
    struct held mixed = before;
    mixed.bytes[last] = after.bytes[last];
    mixed.sizes[last] = after.sizes[last] - 1000; /* a torn end */
    write_held(g, files, &mixed);
    driver->close(conn);
    conn = open_conn(g, true);
    assert_int_equal(ask(conn, "SELECT count(*) FROM t WHERE n < 790"), 790);
    driver->close(conn);
    free_held(&before);
    free_held(&after);
    free_held(&later);
    store_fixture_free(g);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup_closed, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_text_comes_back_as_it_went_in),
        CASE(every_number_comes_back_as_it_went_in),
        CASE(blobs_keep_every_byte_and_any_size),
        CASE(texts_are_ordered_by_their_bytes),
        CASE(a_rollback_undoes_all_and_a_savepoint_its_own),
        CASE(what_was_not_committed_is_gone_after_a_close),
        CASE(failures_are_told_apart),
        CASE(a_failed_statement_can_be_used_again),
        CASE(statements_are_prepared_once_and_forget_their_values),
        CASE(changes_counts_the_rows_of_the_last_statement),
        CASE(a_reader_sees_a_snapshot_and_never_what_is_not_committed),
        CASE(a_reader_cannot_change_anything),
        CASE(a_reader_without_a_database_is_told_so),
        CASE(the_log_is_checkpointed_before_it_grows_large),
        CASE(readers_see_whole_commits_while_a_writer_writes),
        CASE(held_files_only_grow_at_their_end),
    };
    int failed = 0;
    for (size_t i = 0; i < CRIA_COUNT(drivers); i++) {
        driver = drivers[i];
        failed += cmocka_run_group_tests_name(driver->name, tests, NULL, NULL);
    }
    return failed;
}
