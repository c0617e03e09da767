#include "chat/turn_log.h"

#include "tests/support/test.h"

static struct cria_turn_log *log_with(size_t count)
{
    struct cria_turn_log *log = NULL;
    assert_int_equal(cria_turn_log_new(CRIA_STR("trn-1"), &log), CRIA_OK);
    for (size_t i = 1; i <= count; i++) {
        struct cria_frame frame = {
            .n = (uint32_t)i, .is_delta = i == 2, .json = CRIA_STR("{\"type\":\"x\"}")};
        cria_turn_log_append(log, &frame, 1, false);
    }
    return log;
}

CRIA_TEST(frames_are_read_whole_and_in_order)
{
    (void)state;
    struct cria_turn_log *log = log_with(3);
    struct cria_buf out;
    uint32_t after = 0;
    cria_buf_init(&out, 4096);
    assert_int_equal(cria_turn_log_read(log, &after, &out, 1), CRIA_LOG_MORE);
    assert_int_equal(after, 1);
    assert_str_equal(cria_buf_str(&out), "id: trn-1-1\nevent: message\ndata: {\"type\":\"x\"}\n\n");
    cria_buf_clear(&out);
    assert_int_equal(cria_turn_log_read(log, &after, &out, 4096), CRIA_LOG_MORE);
    assert_int_equal(after, 3);
    assert_str_equal(cria_buf_str(&out), "id: trn-1-2\nevent: delta\ndata: {\"type\":\"x\"}\n\n"
                                         "id: trn-1-3\nevent: message\ndata: {\"type\":\"x\"}\n\n");
    assert_int_equal(cria_turn_log_read(log, &after, &out, 4096), CRIA_LOG_WAIT);
    struct cria_frame last = {.n = 4, .json = CRIA_STR("{}")};
    cria_turn_log_append(log, &last, 1, true);
    assert_int_equal(cria_turn_log_read(log, &after, &out, 4096), CRIA_LOG_END);
    assert_int_equal(after, 4);
    assert_int_equal(cria_turn_log_read(log, &after, &out, 4096), CRIA_LOG_END);
    cria_buf_release(&out);
    cria_turn_log_unref(log);
}

CRIA_TEST(a_reader_whose_buffer_is_full_loses_nothing)
{
    (void)state;
    struct cria_turn_log *log = log_with(2);
    struct cria_buf small, out;
    uint32_t after = 0;
    cria_buf_init(&small, 8);
    cria_buf_init(&out, 4096);
    cria_turn_log_read(log, &after, &small, 4096);
    assert_true(small.failed);
    assert_int_equal(after, 0);
    cria_turn_log_read(log, &after, &out, 4096);
    assert_int_equal(after, 2);
    cria_buf_release(&small);
    cria_buf_release(&out);
    cria_turn_log_unref(log);
}

struct counter {
    struct cria_log_reader reader;
    unsigned wakes;
};

static void count_wake(struct cria_log_reader *reader)
{
    CRIA_CONTAINER(reader, struct counter, reader)->wakes++;
}

CRIA_TEST(readers_are_woken_until_they_leave)
{
    (void)state;
    struct cria_turn_log *log = log_with(0);
    struct counter readers[3] = {0};
    struct cria_frame frame = {.n = 1, .json = CRIA_STR("{}")};
    for (size_t i = 0; i < 3; i++) {
        readers[i].reader.wake = count_wake;
        cria_turn_log_subscribe(log, &readers[i].reader);
    }
    cria_turn_log_append(log, &frame, 1, false);
    cria_turn_log_unsubscribe(log, &readers[1].reader);
    cria_turn_log_append(log, &frame, 1, false);
    cria_turn_log_unsubscribe(log, &readers[2].reader);
    cria_turn_log_unsubscribe(log, &readers[0].reader);
    cria_turn_log_append(log, &frame, 1, true);
    assert_int_equal(readers[0].wakes, 2);
    assert_int_equal(readers[1].wakes, 1);
    assert_int_equal(readers[2].wakes, 2);
    cria_turn_log_unref(log);
}

CRIA_TEST(frame_ids_are_read_strictly)
{
    (void)state;
    static const struct {
        const char *text, *turn;
        uint32_t n;
    } cases[] = {
        {"trn-3f2a-9", "trn-3f2a", 9},
        {"trn-a-4294967295", "trn-a", UINT32_MAX},
        {"trn-a-4294967296", NULL, 0},
        {"trn-a-0", NULL, 0},
        {"trn-a-01", NULL, 0},
        {"trn-a-", NULL, 0},
        {"trn-a-x", NULL, 0},
        {"-1", NULL, 0},
        {"7", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_str turn;
        uint32_t n;
        bool good = cria_frame_id_parse(cria_str_from(cases[i].text), &turn, &n);
        assert_int_equal(good, cases[i].turn != NULL);
        if (!good) continue;
        assert_str_equal(turn, cases[i].turn);
        assert_int_equal(n, cases[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_whole_and_in_order),
        cmocka_unit_test(a_reader_whose_buffer_is_full_loses_nothing),
        cmocka_unit_test(readers_are_woken_until_they_leave),
        cmocka_unit_test(frame_ids_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
