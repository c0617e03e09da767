/* store_workload.h - a scripted run of writes with a ledger of what was answered, for tests that
 * break the store in the middle: every answered write must be there afterwards, and of every other
 * one all of its rows or none. */
#ifndef CRIA_TESTS_SUPPORT_STORE_WORKLOAD_H
#define CRIA_TESTS_SUPPORT_STORE_WORKLOAD_H

#include "platform/crypto.h"
#include "store/blobs.h"
#include "store/records.h"
#include "tests/support/test_store.h"

#define WORK_PROJECT CRIA_STR("prj-work")
enum { WORK_PARTS = 4 /* rows of a write */, WORK_BLOB_BYTES = 70000 };

enum work_kind {
    WORK_ROWS,
    WORK_FAIL,   /* writes its rows, then says no */
    WORK_DELETE, /* of the rows of the step `of` */
    WORK_TEXT,   /* rows and a text of several pages */
    WORK_BLOB    /* rows that name a blob */
};
static const struct work_step {
    enum work_kind kind;
    unsigned of;
} work_steps[] = {
    {WORK_ROWS, 0}, {WORK_FAIL, 0}, {WORK_ROWS, 0},   {WORK_TEXT, 0}, {WORK_BLOB, 0},
    {WORK_ROWS, 0}, {WORK_ROWS, 0}, {WORK_DELETE, 2}, {WORK_TEXT, 0}, {WORK_ROWS, 0},
    {WORK_BLOB, 0}, {WORK_ROWS, 0}, {WORK_DELETE, 3}, {WORK_ROWS, 0},
};
enum { WORK_STEPS = CRIA_COUNT(work_steps) };

struct work_ledger {
    enum cria_status status[WORK_STEPS];
    unsigned long acked_at[WORK_STEPS]; /* what `clock` said when the answer came, 0: no */
};

struct work_one {
    unsigned step;
    char sha256[CRIA_SHA256_HEX]; /* of its blob */
};

static inline struct cria_str work_id(struct cria_arena *arena, unsigned step, unsigned part)
{
    return cria_arena_printf(arena, "w%02u-%u", step, part);
}

/* Bytes that tell whose they are. */
static inline struct cria_str work_bytes(struct cria_arena *arena, unsigned step)
{
    char *bytes = cria_arena_alloc(arena, WORK_BLOB_BYTES);
    for (size_t i = 0; i < WORK_BLOB_BYTES && bytes; i++)
        bytes[i] = (char)('a' + (i / 7 + step * 5) % 26);
    return cria_str_make(bytes, bytes ? WORK_BLOB_BYTES : 0);
}

static inline enum cria_status work_insert(struct cria_tx *tx, struct cria_call *call,
                                           const struct work_one *one)
{
    enum cria_status st = CRIA_OK;
    for (unsigned i = 0; i < WORK_PARTS && st == CRIA_OK; i++) {
        struct cria_file row = {.id = work_id(call->arena, one->step, i),
                                .name = CRIA_STR("n"),
                                .sha256 = cria_str_from(one->sha256),
                                .size_bytes = one->step};
        if (!row.id.ptr) return cria_fail_memory(call);
        st = cria_tx_file_insert(tx, call, WORK_PROJECT, &row);
    }
    return st;
}

static inline enum cria_status work_delete(struct cria_tx *tx, struct cria_call *call,
                                           unsigned step)
{
    enum cria_status st = CRIA_OK;
    for (unsigned i = 0; i < WORK_PARTS && st == CRIA_OK; i++) {
        struct cria_str sha, id = work_id(call->arena, step, i);
        if (!id.ptr) return cria_fail_memory(call);
        st = cria_tx_file_delete(tx, call, WORK_PROJECT, id, 1, &sha);
    }
    return st;
}

static inline enum cria_status work_do(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct work_one *one = arg;
    const struct work_step *step = &work_steps[one->step];
    struct cria_document document = {.id = work_id(call->arena, one->step, 9),
                                     .index_id = CRIA_STR("idx"),
                                     .entry_id = CRIA_STR("e"),
                                     .source_entry_id = CRIA_STR("s"),
                                     .content_key = CRIA_STR("k"),
                                     .display_name = CRIA_STR("d")};
    enum cria_status st =
        step->kind == WORK_DELETE ? work_delete(tx, call, step->of) : work_insert(tx, call, one);
    if (st == CRIA_OK && step->kind == WORK_FAIL)
        return cria_fail(call, CRIA_E_CONFLICT, "It says no");
    if (st == CRIA_OK && step->kind == WORK_TEXT) {
        struct cria_str text = work_bytes(call->arena, one->step);
        if (!document.id.ptr || !text.ptr) return cria_fail_memory(call);
        st = cria_tx_document_insert(tx, call, WORK_PROJECT, &document, text, NULL, 0);
    }
    return st;
}

static inline enum cria_status work_put_blob(struct store_fixture *f, struct work_one *one)
{
    bool moved;
    struct cria_blob_source source = {.bytes = work_bytes(&f->arena, one->step), .spool_fd = -1};
    if (!source.bytes.ptr) return cria_fail_memory(&f->call);
    cria_sha256_hex(source.bytes, one->sha256);
    source.size_bytes = source.bytes.len;
    source.sha256 = one->sha256;
    return cria_blob_put(f->store, &f->call, WORK_PROJECT, &source, &moved);
}

/** Does one step; its answer is noted in the ledger. */
static inline enum cria_status work_run(struct store_fixture *f, unsigned step,
                                        struct work_ledger *ledger)
{
    struct work_one one = {.step = step};
    enum cria_status st = CRIA_OK;
    store_fixture_forget(f);
    if (work_steps[step].kind == WORK_BLOB) st = work_put_blob(f, &one);
    if (st == CRIA_OK) {
        st = cria_store_write(f->store, &f->call, work_do, &one);
        if (one.sha256[0]) cria_blob_unpin(f->store, &f->call, WORK_PROJECT, one.sha256);
    }
    ledger->status[step] = st;
    return st;
}

/* How many of a step's rows are there, 0 or all; its blob, too, when it has one. */
static inline unsigned work_rows(struct store_fixture *f, struct cria_tx *tx, unsigned step)
{
    struct cria_file row;
    unsigned found = 0;
    for (unsigned i = 0; i < WORK_PARTS; i++) {
        struct cria_str id = work_id(&f->arena, step, i);
        enum cria_status st = cria_tx_file_get(tx, &f->call, WORK_PROJECT, id, &row);
        if (st != CRIA_E_NOT_FOUND) assert_int_equal(st, CRIA_OK);
        found += st == CRIA_OK;
    }
    return found;
}

static inline void work_check_blob(struct store_fixture *f, unsigned step)
{
    char sha[CRIA_SHA256_HEX];
    static char got[WORK_BLOB_BYTES + 1];
    struct cria_str want = work_bytes(&f->arena, step);
    uint64_t size;
    int fd;
    cria_sha256_hex(want, sha);
    if (cria_blob_open(f->store, &f->call, WORK_PROJECT, sha, &fd, &size) != CRIA_OK)
        fail_msg("step %u: its row is there and its blob is not", step);
    ssize_t n = read(fd, got, sizeof(got));
    close(fd);
    assert_int_equal(size, WORK_BLOB_BYTES);
    assert_true(cria_str_equal(cria_str_make(got, n > 0 ? (size_t)n : 0), want));
}

static inline void work_check_text(struct store_fixture *f, struct cria_tx *tx, unsigned step,
                                   bool is_there)
{
    struct cria_str text;
    enum cria_status st =
        cria_tx_document_text(tx, &f->call, WORK_PROJECT, work_id(&f->arena, step, 9), &text);
    assert_int_equal(st, is_there ? CRIA_OK : CRIA_E_NOT_FOUND);
    if (is_there) assert_true(cria_str_equal(text, work_bytes(&f->arena, step)));
}

/**
 * Holds an open store against the ledger. acked[n]: step n was answered with CRIA_OK; begun[n]: it
 * was tried, so that it may be there though nobody was told.
 */
static inline void work_check(struct store_fixture *f, const bool *acked, const bool *begun)
{
    bool is_there[WORK_STEPS];
    struct cria_tx *tx = reading(f);
    for (unsigned n = 0; n < WORK_STEPS; n++) {
        if (work_steps[n].kind == WORK_DELETE) continue;
        unsigned rows = work_rows(f, tx, n);
        bool deleted = false, maybe_deleted = false;
        for (unsigned d = n + 1; d < WORK_STEPS; d++) {
            bool hits = work_steps[d].kind == WORK_DELETE && work_steps[d].of == n;
            deleted |= hits && acked[d];
            maybe_deleted |= hits && begun[d];
        }
        if (rows != 0 && rows != WORK_PARTS) fail_msg("step %u: %u rows of it", n, rows);
        is_there[n] = rows != 0;
        if (rows && (!begun[n] || deleted || work_steps[n].kind == WORK_FAIL))
            fail_msg("step %u: it is there and should not be", n);
        if (!rows && acked[n] && !maybe_deleted)
            fail_msg("step %u: it was acknowledged and is lost", n);
        if (work_steps[n].kind == WORK_BLOB && rows) work_check_blob(f, n);
        if (work_steps[n].kind == WORK_TEXT && !maybe_deleted)
            work_check_text(f, tx, n, is_there[n]);
    }
    cria_store_read_end(tx);
}

#endif
