/* manifest_test.c - a manifest says of a snapshot's files what was written, and nothing else is
 * taken for one. */
#include "search/manifest.h"

#include <stdlib.h>

#include "search/bitmap.h"
#include "tests/support/segment.h"
#include "tests/support/test.h"

#define SCOPE CRIA_STR("prj-a/idx-b")

static struct cria_segment *segment_of(unsigned documents)
{
    struct cria_arena arena;
    struct cria_call call;
    struct cria_segment *segment = NULL;
    const struct cria_segment_place memory = {NULL, NULL};
    cria_arena_init(&arena, 1 << 20);
    cria_call_init(&call, &arena);
    struct cria_analyser *analyser = cria_analyser_new();
    struct cria_segment_builder *builder = cria_segment_builder_new(analyser);
    for (unsigned n = 0; n < documents; n++) {
        const struct cria_document row = {.id = cria_arena_printf(&arena, "doc-%u", n),
                                          .entry_id = CRIA_STR("dfl"),
                                          .display_name = CRIA_STR("n")};
        const struct cria_chunk chunk = {.byte_end = 5, .char_end = 5};
        assert_int_equal(cria_segment_builder_add(builder, &row, CRIA_STR("words"), &chunk, 1),
                         CRIA_OK);
    }
    assert_int_equal(cria_segment_builder_finish(builder, &call, &memory, &segment), CRIA_OK);
    cria_segment_builder_free(builder);
    cria_analyser_free(analyser);
    cria_arena_release(&arena);
    return segment;
}

/* Parts with no dead, some dead, and one in memory alone. */
static struct cria_snapshot *make_snapshot(void)
{
    struct cria_parts parts = {0};
    struct cria_part *part = cria_parts_add(&parts, cria_piece_new(segment_of(3), "seg-aa-01"));
    assert_non_null(part);
    part = cria_parts_add(&parts, cria_piece_new(segment_of(70), "seg-bb-02"));
    assert_true(part && cria_part_kill(part, 0) && cria_part_kill(part, 69));
    assert_true(cria_part_kill(part, 69)); /* once is enough */
    part = cria_parts_add(&parts, cria_piece_new(segment_of(5), ""));
    assert_non_null(part);
    assert_int_equal(cria_parts_documents(&parts), 3 + 68 + 5);
    struct cria_snapshot *snapshot = cria_snapshot_new(&parts, 12, -3);
    assert_non_null(snapshot);
    return snapshot;
}

CRIA_TEST(what_was_written_is_read)
{
    (void)state;
    struct cria_snapshot *snapshot = make_snapshot();
    struct cria_buf buf;
    struct cria_manifest_reader reader;
    struct cria_manifest_part part;
    cria_buf_init(&buf, 1 << 16);
    assert_true(cria_manifest_write(snapshot, SCOPE, &buf));
    assert_true(cria_manifest_open(cria_buf_str(&buf), SCOPE, &reader));
    assert_int_equal(reader.generation, 12);
    assert_int_equal(reader.seq, -3);
    assert_int_equal(reader.left, 2);
    assert_true(cria_manifest_next(&reader, &part));
    assert_string_equal(part.name, "seg-aa-01");
    assert_string_equal(part.vectors_name, "");
    assert_int_equal(part.document_count, 3);
    assert_int_equal(part.dead_count + part.dead.len, 0);
    assert_true(part.identity ==
                cria_segment_file_identity(snapshot->parts.items[0].piece->segment->file));
    assert_true(cria_manifest_next(&reader, &part));
    assert_string_equal(part.name, "seg-bb-02");
    assert_int_equal(part.dead_count, 2);
    assert_int_equal(part.dead.len, 16);
    for (unsigned d = 0; d < 70; d++)
        assert_int_equal((unsigned char)part.dead.ptr[d / 8] >> d % 8 & 1, d == 0 || d == 69);
    assert_false(cria_manifest_next(&reader, &part));
    assert_int_equal(reader.left, 0);
    cria_buf_release(&buf);
    cria_snapshot_unref(snapshot);
}

CRIA_TEST(nothing_else_is_a_manifest)
{
    (void)state;
    struct cria_snapshot *snapshot = make_snapshot();
    struct cria_buf buf;
    struct cria_manifest_reader reader;
    cria_buf_init(&buf, 1 << 16);
    assert_true(cria_manifest_write(snapshot, SCOPE, &buf));
    assert_false(cria_manifest_open(cria_buf_str(&buf), CRIA_STR("prj-a/idx-c"), &reader));
    assert_false(cria_manifest_open(cria_buf_str(&buf), (struct cria_str){0}, &reader));
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.ptr[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(cria_manifest_open(cria_buf_str(&buf), SCOPE, &reader));
        buf.ptr[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < buf.len; len++)
        assert_false(cria_manifest_open(cria_str_make(buf.ptr, len), SCOPE, &reader));
    assert_false(cria_manifest_open((struct cria_str){0}, SCOPE, &reader));
    assert_true(cria_manifest_open(cria_buf_str(&buf), SCOPE, &reader));
    cria_buf_release(&buf);
    cria_snapshot_unref(snapshot);
}

CRIA_TEST(short_memory_is_told)
{
    (void)state;
    struct cria_snapshot *snapshot = make_snapshot();
    for (size_t limit = 0; limit < 40; limit += 7) {
        struct cria_buf buf;
        cria_buf_init(&buf, limit);
        assert_false(cria_manifest_write(snapshot, SCOPE, &buf));
        cria_buf_release(&buf);
    }
    cria_snapshot_unref(snapshot);
}

/* Names become paths: whoever wrote the row, they lead nowhere else. */
CRIA_TEST(names_are_plain)
{
    (void)state;
    static const char *const names[] = {"../x", "a/b", ".", "A", "", "seg_1", "seg-1 "};
    for (size_t i = 0; i < CRIA_COUNT(names); i++) {
        struct cria_parts parts = {0};
        struct cria_manifest_reader reader;
        struct cria_manifest_part part;
        struct cria_buf buf;
        struct cria_part *added = cria_parts_add(&parts, cria_piece_new(segment_of(1), "seg-1"));
        assert_non_null(added);
        snprintf(added->piece->name, sizeof(added->piece->name), "%s", names[i]);
        struct cria_snapshot *snapshot = cria_snapshot_new(&parts, 1, 1);
        cria_buf_init(&buf, 1 << 16);
        assert_true(cria_manifest_write(snapshot, SCOPE, &buf));
        assert_true(cria_manifest_open(cria_buf_str(&buf), SCOPE, &reader));
        assert_false(cria_manifest_next(&reader, &part));
        cria_buf_release(&buf);
        cria_snapshot_unref(snapshot);
    }
}

CRIA_TEST(what_is_wholly_dead_is_left_out)
{
    (void)state;
    struct cria_parts parts = {0};
    struct cria_part *part = cria_parts_add(&parts, cria_piece_new(segment_of(2), "seg-1"));
    assert_true(part && cria_part_kill(part, 0) && cria_part_kill(part, 1));
    struct cria_snapshot *snapshot = cria_snapshot_new(&parts, 1, 1);
    assert_non_null(snapshot);
    assert_int_equal(snapshot->parts.count, 0);
    assert_int_equal(snapshot->chunk_count, 0);
    cria_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(nothing_else_is_a_manifest),
        cmocka_unit_test(short_memory_is_told),
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(what_is_wholly_dead_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
