/* fields_test.c - columns allow what cria_filter_allows() allows, document by document. */
#include "search/fields.h"

#include "base/buf.h"
#include "base/fault.h"
#include "search/fields_format.h"
#include "search/filter.h"
#include "tests/support/segment.h"

enum { MOST_DOCUMENTS = 700 };

struct fixture {
    uint64_t seed;
    struct cria_arena arena;
    size_t count;
    struct cria_str entry_ids[MOST_DOCUMENTS], metadata[MOST_DOCUMENTS];
    struct test_segment segment;
    struct cria_bytes bytes;
    struct cria_fields fields;
};

static unsigned below(struct fixture *f, unsigned limit)
{
    return test_random(&f->seed) % limit;
}

static const char *pick(struct fixture *f, const char *const *list, size_t count)
{
    return list[below(f, (unsigned)count)];
}
#define PICK(f, list) pick((f), (list), CRIA_COUNT(list))

static const char *const keys[] = {"a", "b", "topic", "", "a.b", "parsed_directory_file_id", "z"};
static const char *const scalars[] = {
    "1",
    "2",
    "2.0",
    "-1",
    "0",
    "-0.0",
    "0.5",
    "1e3",
    "9007199254740992",
    "9007199254740993",
    "-9223372036854775808",
    "9223372036854775807",
    "1e308",
    "-1e-308",
    "true",
    "false",
    "\"\"",
    "\"a\"",
    "\"ab\"",
    "\"b\"",
    "\"A\"",
    "\"1\"",
    "\"true\"",
    "\"\\u00fc\\ud83d\\ude00\"",
    "\"\\u0001\"",
    "\"a long text that has many words, more than a value should have, but some have them\""};
static const char *const operators[] = {"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "near"};

static void add_scalar(struct fixture *f, struct cria_buf *out)
{
    if (below(f, 3) == 0)
        cria_buf_printf(out, "%d", (int)below(f, 40) - 20);
    else
        cria_buf_add_z(out, PICK(f, scalars));
}

static void add_value(struct fixture *f, struct cria_buf *out, unsigned depth)
{
    switch (below(f, 12)) {
    case 0: cria_buf_add_z(out, "null"); return;
    case 1:
    case 2:
    case 3:
        if (depth > 2) break;
        cria_buf_add_char(out, '[');
        for (unsigned n = below(f, 4), i = 0; i < n; i++) {
            if (i) cria_buf_add_char(out, ',');
            add_value(f, out, depth + 1);
        }
        cria_buf_add_char(out, ']');
        return;
    case 4:
        if (depth > 2) break;
        cria_buf_add_z(out, "{\"a\":");
        add_value(f, out, depth + 1);
        cria_buf_add_char(out, '}');
        return;
    }
    add_scalar(f, out);
}

static void add_condition(struct fixture *f, struct cria_buf *out)
{
    static const char *const odd[] = {"{}",
                                      "1",
                                      "null",
                                      "[]",
                                      "{\"operator\":\"ne\"}",
                                      "{\"value\":1}",
                                      "{\"operator\":3,\"value\":\"a\"}"};
    if (below(f, 20) == 0) {
        cria_buf_add_z(out, PICK(f, odd));
        return;
    }
    const char *op = PICK(f, operators);
    bool is_list = strcmp(op, "in") == 0 || strcmp(op, "nin") == 0;
    cria_buf_printf(out, "{\"operator\":\"%s\",\"value\":", op);
    if (is_list != (below(f, 15) == 0)) {
        cria_buf_add_char(out, '[');
        for (unsigned n = below(f, 5), i = 0; i < n; i++) {
            if (i) cria_buf_add_char(out, ',');
            if (below(f, 20) == 0)
                add_value(f, out, 0);
            else
                add_scalar(f, out);
        }
        cria_buf_add_char(out, ']');
    } else if (below(f, 20) == 0) {
        add_value(f, out, 0);
    } else {
        add_scalar(f, out);
    }
    cria_buf_add_char(out, '}');
}

/* An object of some of the keys, each with what `add` writes. */
static struct cria_str object(struct fixture *f, unsigned members,
                              void (*add)(struct fixture *f, struct cria_buf *out))
{
    struct cria_buf out;
    bool used[CRIA_COUNT(keys)] = {false}, any = false;
    cria_buf_init(&out, 1 << 20);
    cria_buf_add_char(&out, '{');
    for (unsigned i = 0; i < members; i++) {
        unsigned key = below(f, CRIA_COUNT(keys));
        if (used[key]) continue;
        used[key] = true;
        cria_buf_printf(&out, "%s\"%s\":", any ? "," : "", keys[key]);
        add(f, &out);
        any = true;
    }
    cria_buf_add_char(&out, '}');
    struct cria_str text = cria_arena_copy(&f->arena, cria_buf_str(&out));
    cria_buf_release(&out);
    assert_non_null(text.ptr);
    return text;
}

static void add_member(struct fixture *f, struct cria_buf *out)
{
    add_value(f, out, 0);
}

static void add_conditions(struct fixture *f, struct cria_buf *out)
{
    unsigned count = 1 + below(f, 3);
    if (below(f, 3)) {
        add_condition(f, out);
        return;
    }
    cria_buf_add_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i) cria_buf_add_char(out, ',');
        add_condition(f, out);
    }
    cria_buf_add_char(out, ']');
}

static enum cria_status write_fields(const struct fixture *f, struct test_segment *segment)
{
    struct cria_sink sink = test_segment_sink(segment);
    struct cria_fields_builder *builder = cria_fields_builder_new();
    if (!builder) return CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < f->count; i++)
        (void)cria_fields_add(builder, (uint32_t)i, f->entry_ids[i], f->metadata[i]);
    enum cria_status st = cria_fields_write(builder, (uint32_t)f->count, &sink);
    cria_fields_builder_free(builder);
    return st;
}

static void set_up(struct fixture *f, size_t count, uint64_t seed)
{
    static const char *const odd[] = {"",
                                      "{",
                                      "[1,\"a\"]",
                                      "[]",
                                      "3",
                                      "\"a\"",
                                      "null",
                                      "{\"a\":1,\"a\":1}",
                                      "{\"a\":1e999}",
                                      "[null,[\"a\",2]]"};
    memset(f, 0, sizeof(*f));
    f->seed = seed;
    f->count = count;
    cria_arena_init(&f->arena, 64 << 20);
    for (size_t i = 0; i < count; i++) {
        f->entry_ids[i] = cria_arena_printf(&f->arena, "dfl-%u", below(f, 50));
        f->metadata[i] =
            below(f, 12) ? object(f, 1 + below(f, 6), add_member) : cria_str_from(PICK(f, odd));
    }
    assert_int_equal(write_fields(f, &f->segment), CRIA_OK);
    f->bytes = test_segment_copy(&f->segment);
    assert_int_equal(cria_fields_open(f->bytes, &f->fields), CRIA_OK);
}

static void tear_down(struct fixture *f)
{
    free((void *)(uintptr_t)f->bytes.ptr);
    test_segment_release(&f->segment);
    cria_arena_release(&f->arena);
}

static const struct cria_json *json(struct cria_arena *arena, struct cria_str text)
{
    const struct cria_json *value = NULL;
    const char *why;
    if (text.len && cria_json_parse(arena, text, &value, &why) != CRIA_OK)
        fail_msg("%.*s: %s", CRIA_STR_ARG(text), why);
    return value;
}

/* Both ways over a random set of documents; returns how many of those are allowed. */
static size_t compare(struct fixture *f, struct cria_str static_text, struct cria_str custom_text)
{
    struct cria_arena arena, row;
    uint64_t documents[MOST_DOCUMENTS / 64 + 1], before[MOST_DOCUMENTS / 64 + 1];
    size_t allowed = 0;
    cria_arena_init(&arena, 16 << 20);
    cria_arena_init(&row, 16 << 20);
    const struct cria_json *statics = json(&arena, static_text),
                           *customs = json(&arena, custom_text);
    for (size_t i = 0; i < CRIA_COUNT(documents); i++)
        before[i] = documents[i] = below(f, 4) ? UINT64_MAX : test_random(&f->seed);
    assert_int_equal(cria_fields_filter(&f->fields, f->count, statics, customs, documents, &arena),
                     CRIA_OK);
    for (size_t i = 0; i < f->count; i++) {
        bool is_allowed =
            cria_bit(before, i) &&
            cria_filter_allows(&row, f->entry_ids[i], (struct cria_str){0}, f->metadata[i], statics,
                               customs, (struct cria_str){0});
        if (is_allowed != cria_bit(documents, i))
            fail_msg("%.*s %.*s: document %zu is %s: %.*s %.*s", CRIA_STR_ARG(static_text),
                     CRIA_STR_ARG(custom_text), i, is_allowed ? "left out" : "let through",
                     CRIA_STR_ARG(f->entry_ids[i]), CRIA_STR_ARG(f->metadata[i]));
        allowed += is_allowed;
        cria_arena_reset(&row);
    }
    cria_arena_release(&arena);
    cria_arena_release(&row);
    return allowed;
}

static void compare_random(struct fixture *f)
{
    size_t some = 0;
    for (size_t k = 0; k < 1500; k++) {
        static const char *const others[] = {"[]", "{}", "7", "null",
                                             "[{\"operator\":\"eq\",\"value\":2}]"};
        struct cria_str statics = {0}, customs = {0};
        if (below(f, 4) == 0)
            statics = cria_arena_printf(
                &f->arena, "{\"parsed_directory_file_id\":{\"operator\":\"%s\",\"value\":%s}}",
                PICK(f, operators),
                (const char *const[]){"\"dfl-7\"", "[\"dfl-1\",\"dfl-20\",3]", "2"}[below(f, 3)]);
        else if (below(f, 20) == 0)
            statics = object(f, 6, add_conditions);
        if (below(f, 30) == 0)
            customs = cria_str_from(PICK(f, others));
        else if (below(f, 8))
            customs = object(f, 1 + below(f, 2), add_conditions);
        size_t allowed = compare(f, statics, customs);
        some += allowed > 0 && allowed < f->count / 2;
    }
    if (f->count > 100) assert_true(some > 200); /* filters that tell documents apart */
}

CRIA_TEST(columns_allow_what_rows_allow)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 128, MOST_DOCUMENTS};
    struct fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    for (size_t i = 0; i < CRIA_COUNT(counts); i++) {
        set_up(f, counts[i], 4711 + i);
        compare_random(f);
        tear_down(f);
    }
    free(f);
}

CRIA_TEST(documents_without_a_row_have_no_members)
{
    (void)state;
    static const struct {
        const char *statics, *customs;
        uint64_t allowed;
    } cases[] = {
        {"", "", 0xFF},
        {"", "{\"a\":{\"operator\":\"eq\",\"value\":1}}", 0x04},
        {"", "{\"a\":{\"operator\":\"ne\",\"value\":1}}", 0xDB},
        {"{\"parsed_directory_file_id\":{\"operator\":\"eq\",\"value\":\"x\"}}", "", 0x24},
        {"{\"parsed_directory_file_id\":{\"operator\":\"ne\",\"value\":\"x\"}}", "", 0xDB},
        {"", "{\"a\":null}", 0xDF},
    };
    struct test_segment segment = {0};
    struct cria_sink sink = test_segment_sink(&segment);
    struct cria_fields_builder *builder = cria_fields_builder_new();
    struct cria_arena arena;
    struct cria_fields fields;
    cria_arena_init(&arena, 1 << 20);
    assert_non_null(builder);
    assert_int_equal(cria_fields_add(builder, 2, CRIA_STR("x"), CRIA_STR("{\"a\":1}")), CRIA_OK);
    assert_int_equal(cria_fields_add(builder, 5, CRIA_STR("x"), CRIA_STR("{\"a\"")), CRIA_OK);
    assert_int_equal(cria_fields_write(builder, 8, &sink), CRIA_OK);
    assert_int_not_equal(cria_fields_add(builder, 9, CRIA_STR("x"), CRIA_STR("{}")), CRIA_OK);
    cria_fields_builder_free(builder);
    struct cria_bytes bytes = test_segment_copy(&segment);
    assert_int_equal(cria_fields_open(bytes, &fields), CRIA_OK);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        uint64_t documents = 0xFF;
        assert_int_equal(
            cria_fields_filter(&fields, 8, json(&arena, cria_str_from(cases[i].statics)),
                               json(&arena, cria_str_from(cases[i].customs)), &documents, &arena),
            CRIA_OK);
        assert_int_equal(documents, cases[i].allowed);
    }
    uint64_t documents = 0xFF;
    assert_int_equal(cria_fields_filter(&fields, 9, NULL, NULL, &documents, &arena),
                     CRIA_E_CORRUPT);
    cria_arena_release(&arena);
    free((void *)(uintptr_t)bytes.ptr);
    test_segment_release(&segment);
}

/* Many values, few documents each: lists of numbers, not runs; with `twice`, ranges may not merge.
 */
static void compare_many(bool twice)
{
    enum { COUNT = 30000 };
    static const char *const filters[] = {
        "{\"n\":[{\"operator\":\"gte\",\"value\":1000},{\"operator\":\"lt\",\"value\":70000}]}",
        "{\"n\":[{\"operator\":\"lt\",\"value\":70000},{\"operator\":\"gt\",\"value\":90000}]}",
        "{\"n\":[{\"operator\":\"gt\",\"value\":5},{\"operator\":\"lte\",\"value\":\"5\"}]}",
        "{\"n\":{\"operator\":\"gte\",\"value\":50000}}",
        "{\"n\":{\"operator\":\"eq\",\"value\":7}}",
        "{\"n\":{\"operator\":\"nin\",\"value\":[7,77,777]}}"};
    struct test_segment segment = {0};
    struct cria_sink sink = test_segment_sink(&segment);
    struct cria_fields_builder *builder = cria_fields_builder_new();
    struct cria_arena texts, scratch;
    struct cria_fields fields;
    uint64_t seed = 6, documents[COUNT / 64 + 1];
    struct cria_str *metadata = calloc(COUNT, sizeof(*metadata));
    cria_arena_init(&texts, 256 << 20);
    cria_arena_init(&scratch, 1 << 20);
    assert_true(builder && metadata);
    for (uint32_t i = 0; i < COUNT; i++) {
        unsigned a = test_random(&seed) % 100000, b = test_random(&seed) % 100000;
        metadata[i] =
            cria_arena_printf(&texts, twice && i % 3 == 0 ? "{\"n\":[%u,%u]}" : "{\"n\":%u}", a, b);
        assert_int_equal(cria_fields_add(builder, i, CRIA_STR("x"), metadata[i]), CRIA_OK);
    }
    assert_int_equal(cria_fields_write(builder, COUNT, &sink), CRIA_OK);
    struct cria_bytes bytes = test_segment_copy(&segment);
    assert_int_equal(cria_fields_open(bytes, &fields), CRIA_OK);
    assert_int_equal(fields.column_count, 2);
    assert_int_equal(bytes.ptr[fields.columns_at + CRIA_COLUMN_BYTES + 2],
                     CRIA_COLUMN_FLAT | (twice ? 0 : CRIA_COLUMN_SINGLE));
    for (size_t i = 0; i < CRIA_COUNT(filters); i++) {
        const struct cria_json *filter = json(&texts, cria_str_from(filters[i]));
        memset(documents, 255, sizeof(documents));
        assert_int_equal(cria_fields_filter(&fields, COUNT, NULL, filter, documents, &scratch),
                         CRIA_OK);
        for (size_t d = 0; d < COUNT; d++) {
            cria_arena_reset(&scratch);
            assert_int_equal(cria_bit(documents, d),
                             cria_filter_allows(&scratch, CRIA_STR("x"), CRIA_STR("x"), metadata[d],
                                                NULL, filter, (struct cria_str){0}));
        }
    }
    cria_fields_builder_free(builder);
    cria_arena_release(&texts);
    cria_arena_release(&scratch);
    free((void *)(uintptr_t)bytes.ptr);
    free(metadata);
    test_segment_release(&segment);
}

CRIA_TEST(columns_of_many_values_are_no_different)
{
    (void)state;
    compare_many(false);
    compare_many(true);
}

CRIA_TEST(documents_come_in_order)
{
    (void)state;
    struct test_segment segment = {0};
    struct cria_sink sink = test_segment_sink(&segment);
    struct cria_fields_builder *builder = cria_fields_builder_new();
    assert_non_null(builder);
    assert_int_equal(cria_fields_add(builder, 3, CRIA_STR("x"), CRIA_STR("{}")), CRIA_OK);
    assert_int_equal(cria_fields_add(builder, 3, CRIA_STR("x"), CRIA_STR("{}")),
                     CRIA_E_BAD_REQUEST);
    assert_int_equal(cria_fields_write(builder, 4, &sink), CRIA_E_BAD_REQUEST);
    cria_fields_builder_free(builder);
    builder = cria_fields_builder_new();
    assert_non_null(builder);
    assert_int_equal(cria_fields_add(builder, 3, CRIA_STR("x"), CRIA_STR("{}")), CRIA_OK);
    assert_int_equal(cria_fields_write(builder, 3, &sink), CRIA_E_BAD_REQUEST);
    cria_fields_builder_free(builder);
    test_segment_release(&segment);
}

CRIA_TEST(failures_are_told)
{
    (void)state;
    struct fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    set_up(f, 150, 5);
    bool fired = true;
    for (unsigned nth = 1; fired; nth++) {
        struct test_segment segment = {0};
        cria_fault_arm(CRIA_FAULT_ALLOC, nth);
        enum cria_status st = write_fields(f, &segment);
        fired = cria_fault_fired();
        if (st == CRIA_OK) { /* a failure may hit a text that nobody reads: why it is no JSON */
            assert_int_equal(segment.len, f->segment.len);
            assert_memory_equal(segment.ptr, f->segment.ptr, segment.len);
        } else {
            assert_true(fired && st == CRIA_E_NO_MEMORY);
        }
        test_segment_release(&segment);
    }
    cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    for (size_t at = 1; at < f->segment.len; at += 997) {
        struct test_segment segment = {.fails_at = at};
        assert_int_equal(write_fields(f, &segment), CRIA_E_IO);
        test_segment_release(&segment);
    }
    tear_down(f);
    free(f);
}

/* Filters that look at everything; tells whether all came through. */
static bool use(const struct fixture *f, const struct cria_fields *fields,
                const struct cria_json *const *filters, size_t count)
{
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        uint64_t documents[MOST_DOCUMENTS / 64 + 1];
        struct cria_arena arena;
        cria_arena_init(&arena, 1 << 20);
        memset(documents, 255, sizeof(documents));
        enum cria_status st = cria_fields_filter(fields, f->count, i ? NULL : filters[i],
                                                 i ? filters[i] : NULL, documents, &arena);
        assert_true(st == CRIA_OK || st == CRIA_E_CORRUPT);
        is_good = is_good && st == CRIA_OK;
        cria_arena_release(&arena);
    }
    return is_good;
}

CRIA_TEST(rotten_bytes_do_no_harm)
{
    (void)state;
    static const char *const texts[] = {
        "{\"parsed_directory_file_id\":{\"operator\":\"gte\",\"value\":\"\"}}",
        "{\"a\":{\"operator\":\"in\",\"value\":[1,\"a\",true,null]},\"b\":{\"operator\":\"lt\","
        "\"value\":2}}",
        "{\"topic\":[{\"operator\":\"gte\",\"value\":\"\"},{\"operator\":\"nin\",\"value\":[\"a\","
        "\"b\"]}]}"};
    struct fixture *f = malloc(sizeof(*f));
    const struct cria_json *filters[CRIA_COUNT(texts)];
    size_t refused = 0, found = 0;
    assert_non_null(f);
    set_up(f, 40, 12);
    for (size_t i = 0; i < CRIA_COUNT(texts); i++)
        filters[i] = json(&f->arena, cria_str_from(texts[i]));
    assert_true(use(f, &f->fields, filters, CRIA_COUNT(texts)));
    uint8_t *bytes = (uint8_t *)(uintptr_t)f->bytes.ptr;
    for (size_t bit = 0; bit < f->bytes.len * 8; bit++) {
        struct cria_fields fields;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (cria_fields_open(f->bytes, &fields) != CRIA_OK)
            refused++;
        else
            found += !use(f, &fields, filters, CRIA_COUNT(texts));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused >= 64 && found > 0);
    for (size_t len = 0; len < f->bytes.len; len++) {
        struct cria_fields fields;
        struct cria_bytes part = {.ptr = bytes, .len = len};
        assert_int_equal(cria_fields_open(part, &fields), CRIA_E_CORRUPT);
    }
    tear_down(f);
    free(f);
}

CRIA_TEST(what_the_check_refuses_is_told)
{
    (void)state;
    struct fixture *f = malloc(sizeof(*f));
    uint64_t documents[MOST_DOCUMENTS / 64 + 1];
    assert_non_null(f);
    set_up(f, 200, 8);
    const struct cria_json *filter =
        json(&f->arena, CRIA_STR("{\"a\":{\"operator\":\"gte\",\"value\":-1e300}}"));
    f->bytes.check = test_segment_check;
    f->bytes.arg = &f->segment;
    f->segment.bad_len = f->bytes.len - 64;
    assert_int_equal(cria_fields_open(f->bytes, &f->fields), CRIA_OK);
    assert_int_equal(cria_fields_filter(&f->fields, f->count, NULL, filter, documents, &f->arena),
                     CRIA_E_CORRUPT);
    assert_int_equal(cria_fields_filter(&f->fields, f->count, NULL, NULL, documents, &f->arena),
                     CRIA_OK);
    f->segment.bad_len = f->bytes.len;
    assert_int_equal(cria_fields_open(f->bytes, &f->fields), CRIA_E_CORRUPT);
    tear_down(f);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_allow_what_rows_allow),
                                       cmocka_unit_test(documents_without_a_row_have_no_members),
                                       cmocka_unit_test(columns_of_many_values_are_no_different),
                                       cmocka_unit_test(documents_come_in_order),
                                       cmocka_unit_test(failures_are_told),
                                       cmocka_unit_test(rotten_bytes_do_no_harm),
                                       cmocka_unit_test(what_the_check_refuses_is_told)};
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
