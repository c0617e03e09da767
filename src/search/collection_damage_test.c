/* collection_damage_test.c - files that rot, go or are swapped, manifests that are none, a process
 * that dies at any step, operations that fail: the answers stay those of the store. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "tests/support/search_store.h"

enum { HALF = 30, ALL = 2 * HALF, QUERIES = 6, TOP = 20 };

/* ---- what was answered before */

struct answers {
    struct {
        char document_id[32];
        uint32_t n;
        double score;
    } hits[QUERIES][TOP];
    size_t counts[QUERIES];
};

static void ask_all(struct search_fixture *s, struct answers *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned q = 0; q < QUERIES; q++) {
        struct cria_search_result result;
        store_fixture_forget(s->f);
        struct cria_str query = cria_arena_printf(
            &s->f->arena, "%.*s %.*s", CRIA_STR_ARG(search_word(&s->f->arena, q * 5 + 1)),
            CRIA_STR_ARG(search_word(&s->f->arena, q * 17 + 40)));
        if (search_ask(s, &s->f->call, query, TOP, &result) != CRIA_OK)
            fail_msg("%s", s->f->call.error);
        out->counts[q] = result.count;
        for (size_t i = 0; i < result.count; i++) {
            assert_true(cria_str_copy_z(result.hits[i].document_id, out->hits[q][i].document_id,
                                        sizeof(out->hits[q][i].document_id)));
            out->hits[q][i].n = result.hits[i].chunk.n;
            out->hits[q][i].score = result.hits[i].score;
        }
    }
}

/* The same scores; equal ones may have changed places. */
static void check_answers(struct search_fixture *s, const struct answers *want)
{
    struct answers got;
    ask_all(s, &got);
    for (unsigned q = 0; q < QUERIES; q++) {
        assert_int_equal(got.counts[q], want->counts[q]);
        for (size_t i = 0; i < got.counts[q]; i++)
            if (fabs(got.hits[q][i].score - want->hits[q][i].score) > 1e-5)
                fail_msg("query %u hit %zu: %f is not %f", q, i, got.hits[q][i].score,
                         want->hits[q][i].score);
    }
}

/* ---- what is logged */

struct listener {
    int was, file;
};

static struct listener listen_to_log(void)
{
    char path[] = "/tmp/cria-log-XXXXXX";
    struct listener l = {.was = dup(STDERR_FILENO), .file = mkstemp(path)};
    assert_true(l.was >= 0 && l.file >= 0);
    unlink(path);
    assert_true(dup2(l.file, STDERR_FILENO) >= 0);
    cria_log_set_level(CRIA_LOG_WARN);
    return l;
}

/* How often the log says so. */
static unsigned heard(const struct listener *l, const char *word)
{
    unsigned count = 0;
    cria_log_set_level(CRIA_LOG_OFF);
    assert_true(dup2(l->was, STDERR_FILENO) >= 0);
    off_t size = lseek(l->file, 0, SEEK_END);
    char *text = calloc((size_t)size + 1, 1);
    assert_true(text && pread(l->file, text, (size_t)size, 0) == size);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) count++;
    free(text);
    close(l->was);
    close(l->file);
    return count;
}

/* ---- files */

static void path_of(const struct search_fixture *s, const char *name, char out[400])
{
    char folder[256];
    search_folder(s, folder, sizeof(folder));
    snprintf(out, 400, "%s/%s", folder, name);
}

static off_t size_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static void flip(const char *path, off_t at, unsigned bit)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* ---- two segments of as many documents, with vectors */

static int setup(void **state)
{
    struct search_fixture *s = *state = search_fixture_new();
    s->has_vectors = true;
    search_put(s, 0, HALF);
    search_refresh(s);
    search_put(s, HALF, HALF);
    search_refresh(s);
    assert_int_equal(search_files(s, "seg-").count, 2);
    assert_int_equal(search_files(s, "vec-").count, 2);
    return 0;
}

static int teardown(void **state)
{
    search_fixture_free(*state);
    return 0;
}

/* Damages files while the engine is closed, and looks at what it makes of it. */
static void check_repaired(struct search_fixture *s, const struct answers *want)
{
    search_open(s);
    check_answers(s, want);
    search_check_markers(s, ALL);
    search_refresh(s);
    search_check_files(s);
    assert_int_equal(search_files(s, "seg-").count, search_files(s, "vec-").count);
    search_reopen(s);
    check_answers(s, want);
}

CRIA_TEST(a_flipped_bit_anywhere_changes_no_answer)
{
    struct search_fixture *s = *state;
    struct answers want;
    unsigned flips = 0;
    ask_all(s, &want);
    struct listener l = listen_to_log();
    for (off_t page = 0;; page += 4096) {
        bool any = false;
        struct search_files files = search_files(s, "");
        cria_search_free(s->search);
        for (size_t i = 0; i < files.count; i++) {
            char path[400];
            path_of(s, files.names[i], path);
            off_t size = size_of(path), rest = size - page;
            if (rest <= 0) continue;
            off_t within = (off_t)test_random(&s->random) % (rest < 4096 ? rest : 4096);
            flip(path, page + within, test_random(&s->random) % 8);
            any = true;
            flips++;
        }
        check_repaired(s, &want);
        if (!any) break;
    }
    unsigned said = heard(&l, "\"search.");
    print_message("  %u bits, %u files found damaged\n", flips, said);
    assert_in_range(said, flips / 3, flips);
}

/* At half its length, with blocks that were looked at already on both sides. */
CRIA_TEST(a_file_cut_under_a_running_engine_changes_no_answer)
{
    struct search_fixture *s = *state;
    struct answers want;
    char path[400];
    static const char *const kinds[] = {"seg-", "vec-", ""};
    search_put(s, ALL, SEARCH_DOCUMENTS - ALL);
    search_refresh(s);
    ask_all(s, &want);
    for (size_t k = 0; k < CRIA_COUNT(kinds); k++) {
        search_reopen(s); /* here: cmocka catches signals itself, from the beginning of the test */
        check_answers(s, &want);
        struct search_files files = search_files(s, kinds[k]);
        struct listener l = listen_to_log();
        for (size_t i = 0; i < files.count; i++) {
            path_of(s, files.names[i], path);
            assert_int_equal(truncate(path, k == 2 ? 0 : size_of(path) / 2), 0);
        }
        check_answers(s, &want);
        check_answers(s, &want);
        unsigned said = heard(&l, "search.damaged");
        assert_true(said > 0 || k == 1); /* words do not look at vectors */
        search_refresh(s);
    }
    search_reopen(s);
    check_answers(s, &want);
    search_refresh(s);
    search_check_files(s);
}

CRIA_TEST(a_bit_flipped_under_a_running_engine_changes_no_answer)
{
    struct search_fixture *s = *state;
    struct answers want;
    char path[400];
    search_put(s, ALL, SEARCH_DOCUMENTS - ALL);
    search_refresh(s);
    ask_all(s, &want);
    search_reopen(s);
    search_refresh(s); /* opened, and most blocks not looked at yet */
    struct cria_snapshot *snapshot = search_snapshot(s);
    for (size_t i = 0; i < snapshot->parts.count; i++) {
        /* Sections begin at 64, with the documents. */
        const struct cria_segment *segment = snapshot->parts.items[i].piece->segment;
        off_t folded = segment->folded.ptr - segment->documents.ptr + 64;
        if (segment->folded.len < 2 << 16) continue;
        path_of(s, snapshot->parts.items[i].piece->name, path);
        for (off_t at = 1 << 16; at < (off_t)segment->folded.len; at += 5001)
            flip(path, folded + at, 3);
    }
    cria_snapshot_unref(snapshot);
    struct listener l = listen_to_log();
    check_answers(s, &want);
    search_check_markers(s, SEARCH_DOCUMENTS);
    assert_in_range(heard(&l, "\"search.damaged"), 1, 3);
    search_refresh(s);
    search_check_files(s);
}

CRIA_TEST(files_that_are_gone_or_cut_are_made_again)
{
    struct search_fixture *s = *state;
    struct answers want;
    ask_all(s, &want);
    struct listener l = listen_to_log();
    for (unsigned how = 0; how < 16; how++) {
        char path[400];
        struct search_files files = search_files(s, "");
        cria_search_free(s->search);
        path_of(s, files.names[how / 4 % files.count], path);
        if (how % 4 == 0)
            assert_int_equal(unlink(path), 0);
        else
            assert_int_equal(truncate(path, how % 4 == 1   ? 0
                                            : how % 4 == 2 ? size_of(path) - 1
                                                           : size_of(path) / 2),
                             0);
        check_repaired(s, &want);
    }
    assert_int_equal(heard(&l, "search.lost"), 16);
}

/* A file that is whole, but not the one it should be. */
CRIA_TEST(swapped_files_are_refused)
{
    struct search_fixture *s = *state;
    struct answers want;
    ask_all(s, &want);
    struct listener l = listen_to_log();
    for (unsigned which = 0; which < 2; which++) {
        char a[400], b[400], c[400];
        struct search_files files = search_files(s, which ? "vec-" : "seg-");
        assert_int_equal(files.count, 2);
        cria_search_free(s->search);
        path_of(s, files.names[0], a);
        path_of(s, files.names[1], b);
        path_of(s, "swap", c);
        assert_int_equal(rename(a, c) | rename(b, a) | rename(c, b), 0);
        check_repaired(s, &want);
        /* Two again, of as many documents. */
        if (which == 0 && search_files(s, "seg-").count != 2) break;
    }
    assert_in_range(heard(&l, "search.lost"), 2, 4);
}

/* As many are lost as the store has dropped meanwhile: their number alone would tell nothing. */
CRIA_TEST(a_lost_file_does_not_make_up_for_documents_that_went)
{
    struct search_fixture *s = *state;
    char path[400];
    unsigned gone[HALF];
    struct cria_snapshot *snapshot = search_snapshot(s);
    const struct cria_piece *second = snapshot->parts.items[1].piece;
    struct cria_segment_document document;
    assert_true(cria_segment_document(second->segment, 0, &document));
    unsigned first_lost = cria_str_is(document.entry_id, "dfl-0000") ? 0 : HALF;
    path_of(s, second->name, path);
    cria_snapshot_unref(snapshot);
    cria_search_free(s->search);
    assert_int_equal(unlink(path), 0);
    for (unsigned i = 0; i < HALF; i++) s->documents[gone[i] = HALF - first_lost + i].version++;
    s->generation++;
    struct search_change change = {.s = s, .gone = gone, .gone_count = HALF};
    assert_int_equal(cria_store_write(s->f->store, &s->f->call, search_write, &change), CRIA_OK);
    search_open(s);
    search_check_markers(s, ALL);
}

/* ---- manifests */

struct manifest_change {
    struct cria_str body;
    int64_t version;
};

static enum cria_status put_manifest(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct manifest_change *change = arg;
    return cria_tx_manifest_put(tx, call, SEARCH_PROJECT, SEARCH_INDEX, change->version,
                                change->body);
}

static struct manifest_change read_manifest(struct search_fixture *s)
{
    struct cria_manifest row;
    struct cria_tx *tx = reading(s->f);
    assert_int_equal(cria_tx_manifest_get(tx, &s->f->call, SEARCH_PROJECT, SEARCH_INDEX, &row),
                     CRIA_OK);
    cria_store_read_end(tx);
    return (struct manifest_change){row.body, row.version};
}

CRIA_TEST(a_manifest_that_is_none_is_made_again)
{
    struct search_fixture *s = *state;
    struct answers want;
    ask_all(s, &want);
    struct listener l = listen_to_log();
    unsigned tried = 0;
    for (size_t at = 0;; at += 3) {
        char body[4096];
        store_fixture_forget(s->f);
        cria_search_free(s->search);
        struct manifest_change now = read_manifest(s);
        size_t len = now.body.len;
        bool is_last = at >= len;
        assert_in_range(len, 20, sizeof(body));
        memcpy(body, now.body.ptr, len);
        if (!is_last) body[at] ^= (char)(1 << test_random(&s->random) % 8);
        now.body = cria_str_make(body, is_last ? len / 2 : len);
        assert_int_equal(cria_store_write(s->f->store, &s->f->call, put_manifest, &now), CRIA_OK);
        search_open(s);
        tried++;
        if (at % 15 == 0 || is_last)
            search_check_markers(s, ALL);
        else
            check_answers(s, &want);
        search_refresh(s);
        search_check_files(s);
        if (is_last) break;
    }
    assert_int_equal(heard(&l, "file\":\"manifest"), tried);
}

/* ---- no place for files */

enum { MANY_CHUNKS = 5000 }; /* so many go into a file at once, where they can */

/* One document of many chunks, a word each. */
static enum cria_status put_large(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct search_fixture *s = arg;
    struct cria_chunk *chunks = CRIA_NEW_ARRAY(call->arena, MANY_CHUNKS, struct cria_chunk);
    struct cria_buf buf;
    struct search_change nothing = {.s = s};
    cria_buf_init(&buf, 1 << 20);
    assert_non_null(chunks);
    for (uint32_t n = 0; n < MANY_CHUNKS; n++) {
        size_t start = buf.len;
        cria_buf_add(&buf, search_marker(call->arena, 1000 + n, 1));
        chunks[n] = (struct cria_chunk){.n = n,
                                        .char_start = start,
                                        .char_end = buf.len,
                                        .byte_start = start,
                                        .byte_end = buf.len};
        cria_buf_add_char(&buf, ' ');
    }
    const struct cria_document row = {.id = CRIA_STR("doc-large"),
                                      .index_id = SEARCH_INDEX,
                                      .entry_id = CRIA_STR("dfl-large"),
                                      .source_entry_id = CRIA_STR("dfl-large"),
                                      .content_key = CRIA_STR("k"),
                                      .display_name = CRIA_STR("large"),
                                      .metadata_json = CRIA_STR("{}"),
                                      .char_count = buf.len,
                                      .byte_count = buf.len,
                                      .chunk_count = MANY_CHUNKS};
    enum cria_status st = cria_tx_document_insert(tx, call, SEARCH_PROJECT, &row,
                                                  cria_buf_str(&buf), chunks, MANY_CHUNKS);
    cria_buf_release(&buf);
    return st == CRIA_OK ? search_write(tx, call, &nothing) : st;
}

CRIA_TEST(without_a_place_for_files_memory_answers)
{
    struct search_fixture *s = search_fixture_new();
    struct cria_search_result result;
    char path[256];
    (void)state;
    snprintf(path, sizeof(path), "%s/segments", s->f->folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600); /* a file where the folder should be */
    assert_true(fd >= 0);
    close(fd);
    search_put(s, 0, HALF);
    search_refresh(s);
    search_check_markers(s, HALF);
    s->generation++;
    assert_int_equal(cria_store_write(s->f->store, &s->f->call, put_large, s), CRIA_OK);
    for (unsigned round = 0; round < 2; round++) {
        search_refresh(s);
        assert_int_equal(search_ask(s, &s->f->call,
                                    search_marker(&s->f->arena, 999 + MANY_CHUNKS, 1), 5, &result),
                         CRIA_OK);
        assert_in_range(result.count, 1, 5);
        assert_str_equal(result.hits[0].document_id, "doc-large");
        assert_int_equal(result.hits[0].chunk.n, MANY_CHUNKS - 1);
        search_check_markers(s, HALF);
        if (round == 0) assert_int_equal(unlink(path), 0); /* now there is */
    }
    search_check_files(s);
    assert_in_range(search_files(s, "seg-").count, 1, 2);
    search_fixture_free(s);
}

/* ---- failures and deaths at every file operation */

enum { SCRIPT_DOCUMENTS = 12, SCRIPT_ROUNDS = 6 };

/* What the store holds, where a child that died has left it for its parent. */
struct ledger {
    struct search_document documents[SEARCH_DOCUMENTS];
    int64_t generation;
};

static void note(const struct search_fixture *s, struct ledger *ledger)
{
    memcpy(ledger->documents, s->documents, sizeof(s->documents));
    ledger->generation = s->generation;
}

/* Exports and refreshes, of which one operation is the last; vectors, deaths and a merge are among
 * them. */
static void run_script(struct search_fixture *s, struct ledger *ledger, unsigned nth)
{
    for (unsigned round = 0; round < SCRIPT_ROUNDS; round++) {
        if (round == 0)
            search_put(s, 0, SCRIPT_DOCUMENTS);
        else
            search_change_some(s, SCRIPT_DOCUMENTS);
        note(s, ledger);
        if (round == 0) cria_fault_arm_exit(CRIA_FAULT_FILE, nth);
        enum cria_status st = search_try_refresh(s);
        if (st != CRIA_OK) assert_true(s->f->call.error[0] != '\0');
    }
}

static struct search_fixture *script_fixture(void)
{
    struct search_fixture *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->random = 4711;
    s->has_vectors = true;
    s->f = store_fixture_new();
    return s;
}

/* After the end of the process, however it came. */
static void check_after(struct search_fixture *s, const struct ledger *ledger)
{
    memcpy(s->documents, ledger->documents, sizeof(s->documents));
    s->generation = ledger->generation;
    store_fixture_open(s->f);
    search_open(s);
    search_check_markers(s, SCRIPT_DOCUMENTS);
    search_refresh(s);
    search_check_files(s);
    search_check_markers(s, SCRIPT_DOCUMENTS);
}

CRIA_TEST(a_death_at_any_file_operation_loses_nothing)
{
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    struct ledger *ledger =
        mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(ledger != MAP_FAILED);
    unsigned nth = 1, deaths = 0;
    for (bool died = true; died; nth += nth < 30 ? 1 : 7) {
        struct search_fixture *s = script_fixture();
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            store_fixture_open(s->f);
            search_open(s);
            run_script(s, ledger, nth);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        died = WEXITSTATUS(status) == CRIA_FAULT_EXIT_STATUS;
        if (!died) assert_int_equal(WEXITSTATUS(status), 0);
        deaths += died;
        check_after(s, ledger);
        search_fixture_free(s);
    }
    munmap(ledger, sizeof(*ledger));
    print_message("  %u deaths\n", deaths);
    assert_in_range(deaths, 40, 100000);
}

/* Fails the n-th operation of one refresh. False when it has no n-th. */
static bool check_failure(unsigned failing, unsigned nth)
{
    struct search_fixture *s = script_fixture();
    struct ledger ledger;
    bool fired = false;
    store_fixture_open(s->f);
    search_open(s);
    for (unsigned round = 0; round <= failing; round++) {
        if (round == 0)
            search_put(s, 0, SCRIPT_DOCUMENTS);
        else
            search_change_some(s, SCRIPT_DOCUMENTS);
        if (round == failing) cria_fault_arm(CRIA_FAULT_FILE, nth);
        enum cria_status st = search_try_refresh(s);
        if (st != CRIA_OK) assert_true(s->f->call.error[0] != '\0');
        if (round == failing) fired = cria_fault_fired();
        cria_fault_arm(CRIA_FAULT_FILE, 0);
    }
    note(s, &ledger);
    search_check_markers(s, SCRIPT_DOCUMENTS); /* while it goes on */
    if (cria_store_figures(s->f->store).is_writable) {
        search_refresh(s);
        search_check_files(s);
    }
    cria_search_free(s->search);
    store_fixture_close(s->f);
    check_after(s, &ledger);
    search_fixture_free(s);
    return fired;
}

CRIA_TEST(any_file_operation_may_fail)
{
    (void)state;
    if (!TEST_HAS_FAULTS) skip();
    unsigned failures = 0;
    for (unsigned failing = 0; failing < SCRIPT_ROUNDS; failing += SCRIPT_ROUNDS - 1)
        for (unsigned nth = 1; check_failure(failing, nth); nth++) failures++;
    print_message("  %u failures\n", failures);
    assert_in_range(failures, 30, 100000);
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_flipped_bit_anywhere_changes_no_answer),
        ONE(a_file_cut_under_a_running_engine_changes_no_answer),
        ONE(a_bit_flipped_under_a_running_engine_changes_no_answer),
        ONE(files_that_are_gone_or_cut_are_made_again),
        ONE(swapped_files_are_refused),
        ONE(a_lost_file_does_not_make_up_for_documents_that_went),
        ONE(a_manifest_that_is_none_is_made_again),
        cmocka_unit_test(without_a_place_for_files_memory_answers),
        cmocka_unit_test(a_death_at_any_file_operation_loses_nothing),
        cmocka_unit_test(any_file_operation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
