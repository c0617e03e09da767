/* The folder and the writer: what is refused and with which words, how writes are grouped and told
 * apart, what is kept over a restart. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "store/driver.h"
#include "store/query.h"
#include "tests/support/test_store.h"

enum { FILE_BYTES = 1 << 20 };

static void path_of(const struct store_fixture *f, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", f->folder, name);
}

static size_t read_file(const struct store_fixture *f, const char *name, char *out)
{
    char path[256];
    path_of(f, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, FILE_BYTES);
    close(fd);
    assert_in_range(n, 0, FILE_BYTES - 1);
    return (size_t)n;
}

static void write_file(const struct store_fixture *f, const char *name, const char *bytes,
                       size_t size)
{
    char path[256];
    path_of(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static enum cria_status insert_named(struct cria_tx *tx, struct cria_call *call, const char *name)
{
    struct cria_query q;
    cria_query_open(&q, tx, call, CRIA_STR("INSERT INTO secrets(name, value) VALUES(?, 'v')"));
    cria_query_str(&q, cria_str_from(name));
    return cria_query_run(&q);
}

static int64_t count_named(struct store_fixture *f, const char *pattern)
{
    struct cria_query q;
    struct cria_tx *tx = reading(f);
    cria_query_open(&q, tx, &f->call, CRIA_STR("SELECT count(*) FROM secrets WHERE name LIKE ?"));
    cria_query_str(&q, cria_str_from(pattern));
    assert_true(cria_query_next(&q));
    int64_t count = cria_query_get_int(&q);
    assert_int_equal(cria_query_close(&q), CRIA_OK);
    cria_store_read_end(tx);
    return count;
}

static enum cria_status many_rows(struct cria_tx *tx, struct cria_call *call)
{
    char name[200];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "row-%d-%0150d", i, i);
        TRY(insert_named(tx, call, name));
    }
    return CRIA_OK;
}

/* ---- what is refused */

/* Opens and closes the database below the store, to change it. */
static void with_driver(struct store_fixture *f, const char *sql)
{
    struct cria_conn *conn = NULL;
    assert_int_equal(cria_sqlite_driver.open(f->folder, true, 100, &f->call, &conn), CRIA_OK);
    if (!cria_sqlite_driver.exec(conn, sql)) fail_msg("%s", cria_sqlite_driver.message(conn));
    cria_sqlite_driver.close(conn);
}

/* Refused, with the words in the sentence and every byte as it was. */
static void assert_refused(struct store_fixture *f, enum cria_status want, const char *words)
{
    static char before[FILE_BYTES], after[FILE_BYTES];
    size_t size = read_file(f, "cria.db", before);
    enum cria_status st = store_fixture_try_open(f);
    if (st != want || !strstr(f->call.error, words))
        fail_msg("%s: %s", cria_status_name(st), f->call.error);
    assert_null(f->store);
    assert_int_equal(read_file(f, "cria.db", after), size);
    assert_memory_equal(before, after, size);
}

CRIA_TEST(a_file_of_another_program_is_refused_and_left_alone)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {{"PK\x03\x04 this is an archive", 600}, {"hello\n", 6}};
    struct store_fixture *f = *state;
    static char page[600];
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        memset(page, 'x', sizeof(page));
        memcpy(page, cases[i].bytes, strlen(cases[i].bytes));
        write_file(f, "cria.db", page, cases[i].size);
        assert_refused(f, CRIA_E_CORRUPT, "not a database");
    }
    static const char *const marks[] = {"PRAGMA application_id=0", "PRAGMA application_id=7"};
    for (size_t i = 0; i < CRIA_COUNT(marks); i++) {
        char path[256];
        path_of(f, "cria.db", path);
        unlink(path);
        with_driver(f, "CREATE TABLE theirs(x INT); INSERT INTO theirs VALUES(1)");
        with_driver(f, marks[i]);
        assert_refused(f, CRIA_E_CORRUPT, "not a database of Cria");
    }
}

CRIA_TEST(data_of_a_newer_cria_is_refused_and_of_an_unmarked_one_taken)
{
    struct store_fixture *f = *state;
    store_fixture_open(f);
    store_fixture_close(f);
    with_driver(f, "PRAGMA application_id=0");
    store_fixture_open(f);
    assert_int_equal(write_step(f, many_rows), CRIA_OK);
    store_fixture_close(f);
    with_driver(f, "INSERT INTO schema_versions VALUES(99)");
    assert_refused(f, CRIA_E_UNAVAILABLE, "newer Cria");
    with_driver(f, "DELETE FROM schema_versions WHERE version = 99");
    store_fixture_open(f);
    assert_int_equal(count_named(f, "row-%"), 1000);
}

CRIA_TEST(a_rotten_database_is_refused_in_a_sentence)
{
    static const struct {
        size_t at, len, keep; /* overwritten; 0 keep: all */
    } cases[] = {
        {0, 16, 0},     /* the name of the format */
        {16, 2, 0},     /* the size of a page */
        {100, 3996, 0}, /* the list of tables */
        {0, 0, 5000},   /* cut off */
    };
    struct store_fixture *f = *state;
    static char good[FILE_BYTES], bad[FILE_BYTES];
    store_fixture_open(f);
    assert_int_equal(write_step(f, many_rows), CRIA_OK);
    store_fixture_close(f);
    size_t size = read_file(f, "cria.db", good);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        memcpy(bad, good, size);
        memset(bad + cases[i].at, 0xA5, cases[i].len);
        write_file(f, "cria.db", bad, cases[i].keep ? cases[i].keep : size);
        enum cria_status st = store_fixture_try_open(f);
        if (st != CRIA_E_CORRUPT)
            fail_msg("case %zu: %s %s", i, cria_status_name(st), f->call.error);
        assert_true(strlen(f->call.error) > 0);
        assert_null(f->store);
    }
    write_file(f, "cria.db", good, size);
    store_fixture_open(f);
    assert_int_equal(count_named(f, "row-%"), 1000);
}

CRIA_TEST(a_rotten_page_is_said_by_who_reads_it_and_by_nobody_else)
{
    static char bytes[FILE_BYTES];
    struct store_fixture *f = *state;
    struct cria_query q;
    store_fixture_open(f);
    assert_int_equal(write_step(f, many_rows), CRIA_OK);
    store_fixture_close(f);
    size_t size = read_file(f, "cria.db", bytes);
    for (size_t at = 4096; at + 4096 <= size; at += 4096) /* pages with rows alone */
        if (memmem(bytes + at, 4096, "row-500-", 8)) memset(bytes + at, 0xFF, 512);
    write_file(f, "cria.db", bytes, size);
    store_fixture_open(f);
    struct cria_tx *tx = reading(f);
    cria_query_open(&q, tx, &f->call, CRIA_STR("SELECT name, value FROM secrets"));
    while (cria_query_next(&q)) {}
    assert_int_equal(cria_query_close(&q), CRIA_E_CORRUPT);
    assert_true(strlen(f->call.error) > 0);
    cria_query_open(&q, tx, &f->call, CRIA_STR("SELECT count(*) FROM files"));
    assert_true(cria_query_next(&q));
    assert_int_equal(cria_query_close(&q), CRIA_OK);
    cria_store_read_end(tx);
}

CRIA_TEST(a_rubbish_log_beside_the_database_is_ignored)
{
    static char rubbish[8192];
    struct store_fixture *f = *state;
    store_fixture_open(f);
    assert_int_equal(write_step(f, many_rows), CRIA_OK);
    store_fixture_close(f);
    memset(rubbish, 0x5A, sizeof(rubbish));
    write_file(f, "cria.db-wal", rubbish, sizeof(rubbish));
    store_fixture_open(f);
    assert_int_equal(count_named(f, "row-%"), 1000);
}

CRIA_TEST(a_folder_belongs_to_one_server_and_to_its_owner)
{
    struct store_fixture *f = *state;
    struct store_fixture second = {.store = NULL};
    char pid[32], path[256];
    struct stat info;
    store_fixture_open(f);
    snprintf(second.folder, sizeof(second.folder), "%s", f->folder);
    cria_arena_init(&second.arena, 1 << 20);
    assert_int_equal(store_fixture_try_open(&second), CRIA_E_CONFLICT);
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_non_null(strstr(second.call.error, pid));
    assert_null(second.store);
    assert_int_equal(write_step(f, many_rows), CRIA_OK); /* it was not disturbed */
    store_fixture_close(f);
    assert_int_equal(store_fixture_try_open(&second), CRIA_OK);
    assert_int_equal(count_named(&second, "row-%"), 1000);
    store_fixture_close(&second);
    cria_arena_release(&second.arena);
    static const char *const folders[] = {"blobs", "spool"};
    for (size_t i = 0; i < CRIA_COUNT(folders); i++) {
        path_of(f, folders[i], path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0700);
    }
}

CRIA_TEST(folders_that_cannot_be_are_refused)
{
    struct store_fixture *f = *state;
    char missing[200], taken[200], path[256];
    path_of(f, "plain", path);
    write_file(f, "plain", "x", 1);
    snprintf(taken, sizeof(taken), "%.100s/plain", f->folder);
    snprintf(missing, sizeof(missing), "%.100s/no/such/parent", f->folder);
    const char *const folders[] = {missing, taken, ""};
    for (size_t i = 0; i < CRIA_COUNT(folders); i++) {
        const struct cria_store_options options = {.folder = folders[i]};
        struct cria_store *store = NULL;
        store_fixture_forget(f);
        assert_int_equal(cria_store_open(&options, &f->call, &store), CRIA_E_IO);
        assert_true(strlen(f->call.error) > 0);
        assert_null(store);
    }
    path_of(f, "cria.db", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(store_fixture_try_open(f), CRIA_E_IO);
    assert_true(strlen(f->call.error) > 0);
}

/* ---- the writer */

enum { WRITES = 200 };
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
};
struct one {
    struct cria_write write;
    struct cria_arena arena;
    struct cria_call call;
    struct group *group;
    unsigned n;
    enum cria_status status;
};
struct group {
    struct one ones[WRITES];
    struct gate gate;
    unsigned done; /* under gate.lock */
    struct cria_loop *loop;
    unsigned wrong_thread;
};

static enum cria_status wait_at_gate(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct gate *gate = arg;
    (void)tx, (void)call;
    pthread_mutex_lock(&gate->lock);
    while (!gate->is_open) pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return CRIA_OK;
}

/* Every third says no after it has written; of those that do not, each fifth clashes. */
static enum cria_status grouped(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct one *one = arg;
    char name[32];
    snprintf(name, sizeof(name), "%s-%u", one->n % 3 ? "good" : "bad", one->n);
    TRY(insert_named(tx, call, name));
    if (one->n % 3 == 0) return cria_fail(call, CRIA_E_INVALID, "No");
    return one->n % 5 == 0 ? insert_named(tx, call, name) : CRIA_OK;
}

static void count_done(struct cria_write *write, enum cria_status status)
{
    struct one *one = CRIA_CONTAINER(write, struct one, write);
    struct group *group = one->group;
    one->status = status;
    pthread_mutex_lock(&group->gate.lock);
    group->done++;
    if (write->loop && !cria_loop_is_current(write->loop)) group->wrong_thread++;
    if (group->loop && group->done == WRITES + 1) cria_loop_stop(group->loop);
    pthread_cond_signal(&group->gate.changed);
    pthread_mutex_unlock(&group->gate.lock);
}

static void submit(struct store_fixture *f, struct one *one, struct group *group, unsigned n,
                   cria_write_fn *fn, void *arg)
{
    *one = (struct one){.group = group, .n = n};
    cria_arena_init(&one->arena, 1 << 16);
    cria_call_init(&one->call, &one->arena);
    one->write = (struct cria_write){
        .fn = fn, .arg = arg, .call = &one->call, .done = count_done, .loop = group->loop};
    cria_store_submit(f->store, &one->write);
}

/* The first write holds the writer until all others are queued. */
static void run_group(struct store_fixture *f, struct group *group)
{
    struct one first;
    pthread_mutex_init(&group->gate.lock, NULL);
    pthread_cond_init(&group->gate.changed, NULL);
    submit(f, &first, group, 0, wait_at_gate, &group->gate);
    for (unsigned n = 0; n < WRITES; n++)
        submit(f, &group->ones[n], group, n + 1, grouped, &group->ones[n]);
    pthread_mutex_lock(&group->gate.lock);
    group->gate.is_open = true;
    pthread_cond_broadcast(&group->gate.changed);
    while (!group->loop && group->done <= WRITES)
        pthread_cond_wait(&group->gate.changed, &group->gate.lock);
    pthread_mutex_unlock(&group->gate.lock);
    if (group->loop) cria_loop_run(group->loop);
    assert_int_equal(first.status, CRIA_OK);
    cria_arena_release(&first.arena);
}

static void assert_group(struct store_fixture *f, struct group *group)
{
    int64_t good = 0;
    for (unsigned i = 0; i < WRITES; i++) {
        unsigned n = group->ones[i].n;
        enum cria_status want = n % 3 == 0   ? CRIA_E_INVALID
                                : n % 5 == 0 ? CRIA_E_CONFLICT
                                             : CRIA_OK;
        assert_int_equal(group->ones[i].status, want);
        good += want == CRIA_OK;
        cria_arena_release(&group->ones[i].arena);
    }
    assert_int_equal(count_named(f, "good-%"), good);
    assert_int_equal(count_named(f, "bad-%"), 0);
    assert_int_equal(group->wrong_thread, 0);
    struct cria_store_figures figures = cria_store_figures(f->store);
    assert_in_range(figures.commits, 1, 3); /* one more at most if the first was alone */
    assert_int_equal(figures.writes, WRITES + 1);
    assert_int_equal(figures.queued, 0);
    assert_true(figures.is_writable && !figures.is_full && !figures.fsync_errors);
    assert_true(figures.wal_bytes > 0);
}

static struct group group;

CRIA_TEST(queued_writes_share_a_commit_and_fail_alone)
{
    struct store_fixture *f = *state;
    memset(&group, 0, sizeof(group));
    store_fixture_open(f);
    run_group(f, &group);
    assert_group(f, &group);
    store_fixture_close(f);
    store_fixture_open(f);
    assert_int_equal(count_named(f, "bad-%"), 0);
}

CRIA_TEST(answers_come_on_the_loop_that_asked)
{
    struct store_fixture *f = *state;
    memset(&group, 0, sizeof(group));
    store_fixture_open(f);
    assert_int_equal(cria_loop_new(&group.loop), CRIA_OK);
    run_group(f, &group);
    cria_loop_free(group.loop);
    assert_group(f, &group);
}

CRIA_TEST(a_close_commits_what_is_queued)
{
    struct store_fixture *f = *state;
    memset(&group, 0, sizeof(group));
    store_fixture_open(f);
    pthread_mutex_init(&group.gate.lock, NULL);
    pthread_cond_init(&group.gate.changed, NULL);
    for (unsigned n = 0; n < WRITES; n++)
        submit(f, &group.ones[n], &group, n * 3 + 1, grouped, &group.ones[n]);
    store_fixture_close(f);
    assert_int_equal(group.done, WRITES);
    int64_t good = 0;
    for (unsigned n = 0; n < WRITES; n++) {
        good += group.ones[n].status == CRIA_OK;
        cria_arena_release(&group.ones[n].arena);
    }
    store_fixture_open(f);
    assert_in_range(good, WRITES / 2, WRITES);
    assert_int_equal(count_named(f, "good-%"), good);
}

/* ---- readers and secrets */

static void *read_once(void *arg)
{
    struct store_fixture *f = arg;
    struct cria_arena arena;
    struct cria_call call;
    struct cria_tx *tx = NULL;
    cria_arena_init(&arena, 1 << 16);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_store_read_begin(f->store, &call, &tx);
    if (st == CRIA_OK) cria_store_read_end(tx);
    cria_arena_release(&arena);
    return st == CRIA_OK ? f : NULL;
}

CRIA_TEST(readers_beyond_the_limit_wait_for_their_turn)
{
    enum { LENT = 4, WAITING = 6 };
    struct store_fixture *f = *state;
    struct cria_tx *lent[LENT];
    pthread_t threads[WAITING];
    void *result;
    store_fixture_open(f);
    for (int i = 0; i < LENT; i++) lent[i] = reading(f); /* all there are */
    for (int i = 0; i < WAITING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_once, f), 0);
    for (int i = 0; i < LENT; i++) cria_store_read_end(lent[i]);
    for (int i = 0; i < WAITING; i++) {
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, f);
    }
    cria_store_read_end(NULL);
}

CRIA_TEST(a_snapshot_of_the_store_sees_what_was_acknowledged)
{
    struct store_fixture *f = *state;
    store_fixture_open(f);
    assert_int_equal(count_named(f, "row-%"), 0); /* its connection is used again below */
    assert_int_equal(write_step(f, many_rows), CRIA_OK);
    assert_int_equal(count_named(f, "row-%"), 1000);
}

CRIA_TEST(secrets_are_made_once_and_kept)
{
    struct store_fixture *f = *state;
    unsigned char first[32], again[32], other[32];
    store_fixture_open(f);
    assert_int_equal(cria_store_secret(f->store, &f->call, "page", first), CRIA_OK);
    assert_int_equal(cria_store_secret(f->store, &f->call, "blob", other), CRIA_OK);
    store_fixture_close(f);
    store_fixture_open(f);
    assert_int_equal(cria_store_secret(f->store, &f->call, "page", again), CRIA_OK);
    assert_memory_equal(first, again, 32);
    assert_memory_not_equal(first, other, 32);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup_closed, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_file_of_another_program_is_refused_and_left_alone),
        CASE(data_of_a_newer_cria_is_refused_and_of_an_unmarked_one_taken),
        CASE(a_rotten_database_is_refused_in_a_sentence),
        CASE(a_rotten_page_is_said_by_who_reads_it_and_by_nobody_else),
        CASE(a_rubbish_log_beside_the_database_is_ignored),
        CASE(a_folder_belongs_to_one_server_and_to_its_owner),
        CASE(folders_that_cannot_be_are_refused),
        CASE(queued_writes_share_a_commit_and_fail_alone),
        CASE(answers_come_on_the_loop_that_asked),
        CASE(a_close_commits_what_is_queued),
        CASE(readers_beyond_the_limit_wait_for_their_turn),
        CASE(a_snapshot_of_the_store_sees_what_was_acknowledged),
        CASE(secrets_are_made_once_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
