/* A project that goes out comes in as it was; a file that is not whole, or not true, leaves nothing
 * behind; no table of a project is forgotten. */
#include "store/transfer.h"

#include <sys/stat.h>

#include "store/archive.h"
#include "store/backup.h"
#include "store/blobs.h"
#include "store/query.h"
#include "store/transfer_tables.h"
#include "tests/support/test_store.h"

#define HOME "01a22344-20f7-72b0-97f4-299a2cb423e6"
#define ORGANIZATION CRIA_STR("org-1")
enum { FILE_MAX = 1 << 20, CHUNKS = 700 /* more than one write takes */ };
static const char content[] = "The bytes of a file.";

/* ---- what is moved */

static enum cria_status run(struct cria_tx *tx, struct cria_call *call, const char *sql)
{
    struct cria_query q;
    cria_query_open(&q, tx, call, cria_str_from(sql));
    return cria_query_run(&q);
}

static enum cria_status make_rows(struct cria_tx *tx, struct cria_call *call)
{
    static const char *const rows[] = {
        "INSERT INTO projects VALUES('" HOME "', 'org-0', 'Home', 0, 1, 2)",
        "INSERT INTO projects VALUES('other', 'org-0', 'Other', 0, 1, 2)",
        "INSERT INTO configurations VALUES('" HOME "', 'c', 'n', 'parse', '{\"a\": 1}', 1, 2)",
        "INSERT INTO entries VALUES('" HOME "', 'e', 'd', 'näme', 'u', NULL, '{}', NULL, 1, 2, 0)",
        "INSERT INTO entries VALUES('other', 'e', 'd', 'n', 'u', NULL, '{}', NULL, 1, 2, 0)",
        "INSERT INTO document_texts VALUES('" HOME "', 'doc', x'00FF41')",
        "INSERT INTO sessions VALUES('" HOME
        "', 's', '[\"i\"]', 't', 'read_only', NULL, 1, 3, 1, 2)",
        "INSERT INTO turns VALUES('" HOME "', 's', 't1', 0, 1, 2, '{}')",
        "INSERT INTO turns VALUES('" HOME "', 's', 't2', 1, 1, 0, '{}')",
        "INSERT INTO events VALUES('" HOME "', 's', 1, 't1', 1, '{\"n\": 1}')",
        "INSERT INTO events VALUES('" HOME "', 's', 2, 't1', 2, '{\"n\": 2}')",
        "INSERT INTO events VALUES('" HOME "', 's', 3, 't2', 1, '{\"n\": 3}')",
        "INSERT INTO idempotency VALUES('" HOME "', 'k', 'f', 200, '{}', 1)",
        "INSERT INTO manifests VALUES('" HOME "', 'i', 1, x'01')",
        "INSERT INTO document_vectors VALUES('" HOME
        "', 'doc', 'i', 'key', 'm@3', 3, 1, 0, x'00', x'010203')",
    };
    for (size_t i = 0; i < CRIA_COUNT(rows); i++) TRY(run(tx, call, rows[i]));
    for (int n = 0; n < CHUNKS; n++) {
        struct cria_query q;
        cria_query_open(
            &q, tx, call,
            CRIA_STR("INSERT INTO chunks VALUES('" HOME "', 'doc', ?, 1, 2, 1, 2, 1, 1, 5, NULL)"));
        cria_query_int(&q, n);
        TRY(cria_query_run(&q));
    }
    struct cria_query q;
    char sha256[CRIA_SHA256_HEX];
    cria_sha256_hex(cria_str_from(content), sha256);
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO files VALUES('" HOME
                             "', 'f', 'n', NULL, NULL, NULL, NULL, ?, 20, 1, 2, 0)"));
    cria_query_str(&q, cria_str_from(sha256));
    return cria_query_run(&q);
}

/* What other versions of the schema may have. */
static enum cria_status make_newer(struct cria_tx *tx, struct cria_call *call)
{
    return run(tx, call, "ALTER TABLE chunks ADD COLUMN color TEXT NOT NULL DEFAULT 'grey'");
}

static enum cria_status fill_newer(struct cria_tx *tx, struct cria_call *call)
{
    return run(tx, call, "UPDATE chunks SET color = 'red'");
}

static void fill(struct store_fixture *f)
{
    bool moved = false;
    char sha256[CRIA_SHA256_HEX];
    struct cria_str bytes = cria_str_from(content);
    cria_sha256_hex(bytes, sha256);
    const struct cria_blob_source source = {
        .bytes = bytes, .spool_fd = -1, .size_bytes = bytes.len, .sha256 = sha256};
    assert_int_equal(cria_blob_put(f->store, &f->call, CRIA_STR(HOME), &source, &moved), CRIA_OK);
    if (write_step(f, make_rows) != CRIA_OK) fail_msg("%s", f->call.error);
    cria_blob_unpin(f->store, &f->call, CRIA_STR(HOME), sha256);
}

static int64_t count(struct store_fixture *f, const char *sql)
{
    struct cria_query q;
    struct cria_tx *tx = reading(f);
    cria_query_open(&q, tx, &f->call, cria_str_from(sql));
    int64_t n = cria_query_next(&q) ? cria_query_get_int(&q) : -1;
    assert_int_equal(cria_query_close(&q), CRIA_OK);
    cria_store_read_end(tx);
    return n;
}

/* ---- files */

struct file {
    char *bytes; /* to be freed */
    size_t size;
};

static struct file export_home(struct store_fixture *f)
{
    struct file file = {calloc(1, FILE_MAX), 0};
    uint64_t size = 0;
    int fd = -1;
    if (cria_project_export(f->store, &f->call, CRIA_STR(HOME), &fd, &size) != CRIA_OK)
        fail_msg("%s", f->call.error);
    assert_in_range(size, 1, FILE_MAX);
    assert_true(cria_archive_read_bytes(fd, file.bytes, (size_t)size));
    close(fd);
    file.size = (size_t)size;
    return file;
}

static enum cria_status import_file(struct store_fixture *f, const char *bytes, size_t size,
                                    const char *name)
{
    char path[200];
    struct cria_project project;
    snprintf(path, sizeof(path), "%s/file", f->folder);
    FILE *out = fopen(path, "w+b");
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    fflush(out);
    rewind(out);
    struct cria_import import = {.fd = fileno(out), .organization_id = ORGANIZATION};
    if (name) import.name = cria_str_from(name);
    store_fixture_forget(f);
    struct cria_str kept = cria_arena_copy(&f->arena, CRIA_STR("of the request"));
    enum cria_status st = cria_project_import(f->store, &f->call, &import, &project);
    assert_str_equal(kept, "of the request"); /* whatever became of the import */
    fclose(out);
    return st;
}

/* An entry of the archive: where its bytes begin; *size: how many. */
static size_t entry_at(const struct file *file, const char *name, size_t *size)
{
    for (size_t at = 0; at + 512 <= file->size && file->bytes[at];) {
        *size = strtoul(file->bytes + at + 124, NULL, 8);
        if (strcmp(file->bytes + at, name) == 0) return at + 512;
        at += 512 + (*size + 511) / 512 * 512;
    }
    fail_msg("no entry %s", name);
    return 0;
}

/* The digests of all but project.json, which has the time in it. */
static struct cria_str digests_of(const struct file *file)
{
    size_t size, at = entry_at(file, "digests", &size);
    struct cria_str text = cria_str_make(file->bytes + at, size), first;
    assert_true(cria_str_cut(&text, '\n', &first));
    return text;
}

/* ---- tests */

CRIA_TEST(no_table_of_a_project_is_forgotten)
{
    struct store_fixture *f = *state;
    struct cria_query q;
    size_t known = 0;
    struct cria_tx *tx = reading(f);
    cria_query_open(&q, tx, &f->call,
                    CRIA_STR("SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c"
                             " WHERE m.type = 'table' AND c.name = 'project_id'"));
    while (cria_query_next(&q)) {
        struct cria_str name = cria_query_get_str(&q);
        if (!cria_transfer_stays(name.ptr) && cria_transfer_table_find(name.ptr) == SIZE_MAX)
            fail_msg("%s is neither moved nor said to stay: see transfer_tables.c", name.ptr);
        known++;
    }
    assert_int_equal(cria_query_close(&q), CRIA_OK);
    assert_in_range(known, 10, 100);
    /* Columns that are said to be special are there. */
    for (size_t i = 0; cria_transfer_table_at(i); i++) {
        const struct cria_transfer_table *table = cria_transfer_table_at(i);
        struct cria_transfer_columns columns;
        assert_int_equal(cria_transfer_columns_read(tx, &f->call, table, &columns), CRIA_OK);
        for (size_t k = 0; k < CRIA_COUNT(table->instead); k++)
            if (table->instead[k].name)
                assert_non_null(cria_transfer_column_find(&columns, table->instead[k].name));
        if (!columns.count) continue;
        size_t json = 0, blanks = 0;
        for (size_t k = 0; k < columns.count; k++) json += columns.items[k].kind == 'j';
        for (const char *c = table->json; *c; c++) blanks += *c == ' ';
        assert_int_equal(json, blanks ? blanks - 1 : 0);
    }
    cria_store_read_end(tx);
}

CRIA_TEST(a_project_comes_in_as_it_went_out)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    store_fixture_open(g);
    fill(f);
    struct file out = export_home(f);
    if (import_file(g, out.bytes, out.size, NULL) != CRIA_OK) fail_msg("%s", g->call.error);
    struct file again = export_home(g);
    struct cria_str digests = digests_of(&again);
    assert_true(cria_str_equal(digests_of(&out), digests));
    assert_int_equal(count(g, "SELECT count(*) FROM projects WHERE organization_id = 'org-1' AND "
                              "name = 'Home' AND is_default = 0"),
                     1);
    assert_int_equal(count(g, "SELECT count(*) FROM chunks"), CHUNKS);
    assert_int_equal(count(g, "SELECT count(*) FROM entries"), 1);
    assert_int_equal(count(g, "SELECT count(*) FROM idempotency"), 0);
    /* What is derived stays, what is dear moves. */
    assert_int_equal(count(g, "SELECT count(*) FROM manifests"), 0);
    assert_int_equal(count(g, "SELECT count(*) FROM document_vectors WHERE vectors = x'010203'"),
                     1);
    assert_int_equal(count(g, "SELECT count(*) FROM document_texts WHERE body = x'00FF41'"), 1);
    /* The turn that ran is not there; the session is as it was before it. */
    assert_int_equal(count(g, "SELECT count(*) FROM turns"), 1);
    assert_int_equal(count(g, "SELECT count(*) FROM events"), 2);
    assert_int_equal(count(g, "SELECT event_count * 10 + is_locked FROM sessions"), 21);
    /* Once; under a new name there may be more. */
    assert_int_equal(import_file(g, out.bytes, out.size, NULL), CRIA_E_CONFLICT);
    assert_int_equal(import_file(g, out.bytes, out.size, "Copy"), CRIA_OK);
    assert_int_equal(count(g, "SELECT count(*) FROM chunks"), 2 * CHUNKS);
    assert_int_equal(count(g, "SELECT count(*) FROM projects WHERE name = 'Copy'"), 1);
    free(out.bytes);
    free(again.bytes);
    store_fixture_free(g);
}

CRIA_TEST(an_older_and_a_newer_schema_understand_each_other)
{
    struct store_fixture *f = *state, *g = store_fixture_new();
    store_fixture_open(g);
    fill(f);
    assert_int_equal(write_step(g, make_newer), CRIA_OK);
    struct file old = export_home(f);
    if (import_file(g, old.bytes, old.size, NULL) != CRIA_OK) fail_msg("%s", g->call.error);
    assert_int_equal(count(g, "SELECT count(*) FROM chunks WHERE color = 'grey'"), CHUNKS);
    /* The same once more, from a server that has more to one that has less. */
    assert_int_equal(write_step(g, fill_newer), CRIA_OK);
    struct file newer = export_home(g);
    struct store_fixture *h = store_fixture_new();
    store_fixture_open(h);
    if (import_file(h, newer.bytes, newer.size, NULL) != CRIA_OK) fail_msg("%s", h->call.error);
    struct file again = export_home(h);
    struct cria_str digests = digests_of(&again);
    assert_true(cria_str_equal(digests_of(&old), digests));
    /* And between two that have it. */
    store_fixture_free(h);
    h = store_fixture_new();
    store_fixture_open(h);
    assert_int_equal(write_step(h, make_newer), CRIA_OK);
    assert_int_equal(import_file(h, newer.bytes, newer.size, NULL), CRIA_OK);
    assert_int_equal(count(h, "SELECT count(*) FROM chunks WHERE color = 'red'"), CHUNKS);
    free(old.bytes);
    free(newer.bytes);
    free(again.bytes);
    store_fixture_free(g);
    store_fixture_free(h);
}

static void assert_nothing(struct store_fixture *g, const char *after)
{
    static const char *const tables[] = {"projects", "chunks", "files", "sessions", "events"};
    for (size_t i = 0; i < CRIA_COUNT(tables); i++) {
        char sql[100];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
        if (count(g, sql) != 0) fail_msg("%s: rows of %s are left", after, tables[i]);
    }
}

CRIA_TEST(a_damaged_file_leaves_nothing_behind)
{
    static const char *const entries[] = {"project.json", "rows/files", "rows/chunks",
                                          "rows/events", "digests"};
    struct store_fixture *f = *state, *g = store_fixture_new();
    store_fixture_open(g);
    fill(f);
    struct file out = export_home(f);
    for (size_t i = 0; i < CRIA_COUNT(entries); i++) {
        size_t size, at = entry_at(&out, entries[i], &size);
        for (size_t k = 0; k < 12; k++) { /* its first bytes, and some of the others */
            size_t where = at + (k < 6 ? k : size * (k - 6) / 6);
            out.bytes[where] ^= 1;
            enum cria_status st = import_file(g, out.bytes, out.size, NULL);
            out.bytes[where] ^= 1;
            if (st != CRIA_E_CORRUPT)
                fail_msg("%s, byte %zu: %s", entries[i], where - at, cria_status_name(st));
            assert_nothing(g, entries[i]);
        }
    }
    for (size_t size = 0; size + 1024 < out.size; size += 700) {
        assert_int_equal(import_file(g, out.bytes, size, NULL), CRIA_E_CORRUPT);
        assert_nothing(g, "cut");
    }
    char *blob = memmem(out.bytes, out.size, content, sizeof(content) - 1);
    assert_non_null(blob);
    blob[3] ^= 1;
    assert_int_equal(import_file(g, out.bytes, out.size, NULL), CRIA_E_CORRUPT);
    blob[3] ^= 1;
    assert_nothing(g, "blob");
    assert_int_equal(import_file(g, out.bytes, out.size, NULL), CRIA_OK);
    free(out.bytes);
    store_fixture_free(g);
}

static enum cria_status evil_entry(struct cria_tx *tx, struct cria_call *call)
{
    return run(tx, call, "UPDATE entries SET id = '../../x'");
}

static enum cria_status evil_file_of_entry(struct cria_tx *tx, struct cria_call *call)
{
    return run(tx, call, "UPDATE entries SET id = 'e', file_id = '/etc/passwd'");
}

static enum cria_status evil_digest(struct cria_tx *tx, struct cria_call *call)
{
    return run(tx, call,
               "INSERT INTO attachments VALUES('" HOME "', 'e', 'k', 1, 'n', 'm', "
               "'../../../../../../../../../../../../../../../../../../etc/passwd', 1, 1)");
}

static enum cria_status free_text(struct cria_tx *tx, struct cria_call *call)
{
    TRY(run(tx, call, "DELETE FROM attachments"));
    TRY(run(tx, call, "UPDATE files SET external_file_id = '../Ä b'"));
    return run(tx, call, "UPDATE entries SET file_id = NULL, unique_id = '/a/../b c'");
}

/* What an export of another server says becomes parts of paths here. */
CRIA_TEST(ids_and_digests_lead_nowhere)
{
    static store_step_fn *const evil[] = {evil_entry, evil_file_of_entry};
    struct store_fixture *f = *state, *g = store_fixture_new();
    store_fixture_open(g);
    fill(f);
    for (size_t i = 0; i < CRIA_COUNT(evil); i++) {
        assert_int_equal(write_step(f, evil[i]), CRIA_OK);
        struct file out = export_home(f);
        assert_int_equal(import_file(g, out.bytes, out.size, NULL), CRIA_E_CORRUPT);
        assert_nothing(g, "evil");
        free(out.bytes);
    }
    uint64_t size;
    int fd;
    assert_int_equal(write_step(f, evil_digest), CRIA_OK);
    assert_int_not_equal(cria_project_export(f->store, &f->call, CRIA_STR(HOME), &fd, &size),
                         CRIA_OK);
    assert_int_equal(write_step(f, free_text), CRIA_OK);
    struct file out = export_home(f);
    assert_int_equal(import_file(g, out.bytes, out.size, NULL), CRIA_OK);
    free(out.bytes);
    store_fixture_free(g);
}

CRIA_TEST(one_at_a_time)
{
    struct store_fixture *f = *state;
    uint64_t size;
    int fd;
    fill(f);
    assert_int_equal(cria_project_export(f->store, &f->call, CRIA_STR("nobody"), &fd, &size),
                     CRIA_E_NOT_FOUND);
    assert_true(cria_blobs_hold(true));
    assert_int_equal(cria_project_export(f->store, &f->call, CRIA_STR(HOME), &fd, &size),
                     CRIA_E_CONFLICT);
    assert_int_equal(import_file(f, "", 0, NULL), CRIA_E_CONFLICT);
    assert_true(cria_blobs_hold(false));
    struct file out = export_home(f); /* the spool is free again, nothing is left in it */
    free(out.bytes);
}

CRIA_TEST(a_verified_folder_has_all_that_its_database_names)
{
    struct store_fixture *f = *state;
    char path[400], sha256[CRIA_SHA256_HEX];
    fill(f);
    if (cria_backup_verify(f->store, &f->call) != CRIA_OK) fail_msg("%s", f->call.error);
    cria_sha256_hex(cria_str_from(content), sha256);
    snprintf(path, sizeof(path), "%s/blobs/" HOME "/%.2s/%s", f->folder, sha256, sha256);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(cria_backup_verify(f->store, &f->call), CRIA_E_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cria_backup_verify(f->store, &f->call), CRIA_E_CORRUPT);
    assert_non_null(strstr(f->call.error, sha256));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
    const struct CMUnitTest tests[] = {
        CASE(no_table_of_a_project_is_forgotten),
        CASE(a_project_comes_in_as_it_went_out),
        CASE(an_older_and_a_newer_schema_understand_each_other),
        CASE(a_damaged_file_leaves_nothing_behind),
        CASE(ids_and_digests_lead_nowhere),
        CASE(one_at_a_time),
        CASE(a_verified_folder_has_all_that_its_database_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
