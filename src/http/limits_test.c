/* Limits of size, time and number: what is too much is told so or closed, and nobody else suffers.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "base/fault.h"
#include "http/test_server.h"

#define HELLO "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define FORM "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
#define PART_HEAD "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"

static void assert_serves(const struct server *s)
{
    struct answer answer = {0};
    struct cria_buf got;
    cria_buf_init(&got, MIB);
    assert_int_equal(ask(s, HELLO, &answer, &got), 200);
    cria_buf_release(&got);
}

/* The one answer to some bytes, and the connection's end behind it. */
static int answer_and_end(int fd, struct cria_buf *got)
{
    struct answer answer = {0};
    size_t at = 0;
    cria_buf_clear(got);
    if (!read_answer(fd, got, &at, false, &answer)) return 0;
    assert_str_equal(answer_header(&answer, "connection"), "close");
    while (hear(fd, got)) {}
    assert_int_equal(got->len, at);
    return answer.status;
}

CRIA_TEST(sizes_have_limits)
{
    (void)state;
    enum { LINE, HEADER, LINES, JSON, JSON_CHUNK, JSON_CHUNKS, FORM_LENGTH, FORM_CHUNKS, NONE };
    static const struct {
        int kind;
        size_t size; /* of what the kind is about */
        int status;
    } cases[] = {
        {LINE, 8192, 404},          {LINE, 8193, 414},          {LINE, 100000, 414},
        {HEADER, 16384, 200},       {HEADER, 16385, 431},       {HEADER, 100000, 431},
        {LINES, 100, 200},          {LINES, 101, 431},          {LINES, 2000, 431},
        {JSON, 50000, 200},         {JSON, 50001, 413},         {JSON, 90000000, 413},
        {JSON_CHUNK, 50000, 200},   {JSON_CHUNK, 50001, 413},   {JSON_CHUNKS, 50000, 200},
        {JSON_CHUNKS, 50100, 413},  {FORM_LENGTH, 400000, 200}, {FORM_LENGTH, 400001, 413},
        {FORM_CHUNKS, 390000, 200}, {FORM_CHUNKS, 410000, 413}, {NONE, 50000, 200},
        {NONE, 50001, 413},
    };
    struct cria_http_options options = test_options();
    options.max_json_bytes = 50000;
    options.max_upload_bytes = 400000;
    struct server *s = server_start(options);
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_buf wire, got;
        size_t size = cases[i].size, chunk = 100, sent = 0;
        cria_buf_init(&wire, 8 * MIB);
        cria_buf_init(&got, MIB);
        switch (cases[i].kind) {
        case LINE:
            cria_buf_printf(&wire, "GET /%0*d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                            (int)(size - strlen("GET / HTTP/1.1")), 0);
            break;
        case HEADER:
            cria_buf_add_z(&wire, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ");
            cria_buf_printf(&wire, "%0*d\r\n\r\n", (int)(size - wire.len - 4), 0);
            break;
        case LINES:
            cria_buf_add_z(&wire, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
            for (size_t k = 2; k < size; k++) cria_buf_add_z(&wire, "X: y\r\n");
            cria_buf_add_z(&wire, "\r\n");
            break;
        case JSON:
        case NONE:
            cria_buf_printf(&wire,
                            "POST /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            cases[i].kind == NONE ? "none" : "echo", size);
            if (cases[i].status == 200) cria_buf_printf(&wire, "%0*d", (int)size, 0);
            break;
        case FORM_LENGTH:
            cria_buf_printf(&wire, FORM "Connection: close\r\nContent-Length: %zu\r\n\r\n", size);
            if (cases[i].status == 200)
                cria_buf_printf(&wire, PART_HEAD "%0*d\r\n--b--",
                                (int)(size - strlen(PART_HEAD) - 7), 0);
            break;
        case JSON_CHUNK:
            chunk = size;
            /* fall through */
        case JSON_CHUNKS:
        case FORM_CHUNKS:
            cria_buf_printf(&wire, "%sConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
                            cases[i].kind == FORM_CHUNKS ? FORM
                                                         : "POST /echo HTTP/1.1\r\nHost: x\r\n");
            if (cases[i].kind == FORM_CHUNKS)
                cria_buf_printf(&wire, "%zx\r\n" PART_HEAD "\r\n", strlen(PART_HEAD));
            for (; sent < size; sent += chunk)
                cria_buf_printf(&wire, "%zx\r\n%0*d\r\n", chunk, (int)chunk, 0);
            if (cases[i].kind == FORM_CHUNKS) cria_buf_add_z(&wire, "7\r\n\r\n--b--\r\n");
            cria_buf_add_z(&wire, "0\r\n\r\n");
            break;
        }
        assert_false(wire.failed);
        int fd = dial(s);
        tell(fd, cria_buf_str(&wire)); /* much of it may be refused on the way */
        int status = answer_and_end(fd, &got);
        if (status != cases[i].status) fail_msg("case %zu: %d", i, status);
        close(fd);
        cria_buf_release(&wire);
        cria_buf_release(&got);
    }
    server_stop(s); /* no temporary file stays of what was refused */
}

/* Bytes around a body cost time and bandwidth too: extensions and trailers without end are cut. */
CRIA_TEST(framing_has_a_limit)
{
    (void)state;
    static const char *const starts[] = {"1;x=", "1\r\na\r\n0\r\nX: "};
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(starts); i++) {
        struct cria_buf wire, got;
        cria_buf_init(&wire, MIB);
        cria_buf_init(&got, MIB);
        cria_buf_printf(&wire,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s",
                        starts[i]);
        cria_buf_printf(&wire, "%0*d", 300000, 0);
        int fd = dial(s);
        tell(fd, cria_buf_str(&wire));
        assert_int_equal(answer_and_end(fd, &got), 400);
        close(fd);
        cria_buf_release(&wire);
        cria_buf_release(&got);
    }
    /* while a body that comes a byte a chunk is only odd */
    struct cria_buf wire, got;
    cria_buf_init(&wire, MIB);
    cria_buf_init(&got, MIB);
    cria_buf_add_z(&wire, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 50000; i++) cria_buf_add_z(&wire, "01;a=b\r\nx\r\n");
    cria_buf_add_z(&wire, "0\r\n\r\n");
    int fd = dial(s);
    tell(fd, cria_buf_str(&wire));
    assert_int_equal(answer_and_end(fd, &got), 200);
    close(fd);
    cria_buf_release(&wire);
    cria_buf_release(&got);
    server_stop(s);
}

static uint64_t ms_since(uint64_t start_ns)
{
    return (cria_now_ns() - start_ns) / 1000000;
}

/* Sends a byte each few milliseconds until the server speaks or closes; the status, 0 for none. */
static int drip(int fd, const char *byte, struct cria_buf *got)
{
    while (is_silent(fd, 5) && tell(fd, cria_str_from(byte))) {}
    return answer_and_end(fd, got);
}

CRIA_TEST(slow_headers_are_cut_off)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.header_timeout_ms = 300;
    struct server *s = server_start(options);
    struct cria_buf got;
    cria_buf_init(&got, MIB);
    int slow[20], fd;
    for (size_t i = 0; i < CRIA_COUNT(slow); i++) {
        slow[i] = dial(s);
        tell(slow[i], CRIA_STR("GET /hello HTTP/1.1\r\nHost: x\r\n"));
    }
    assert_serves(s);
    uint64_t start_ns = cria_now_ns();
    for (size_t i = 0; i < CRIA_COUNT(slow); i++) {
        assert_int_equal(answer_and_end(slow[i], &got), 408);
        close(slow[i]);
    }
    assert_in_range(ms_since(start_ns), 100, 5000);
    fd = dial(s); /* bytes that drip do not set the clock back */
    start_ns = cria_now_ns();
    tell(fd, CRIA_STR("GET /hello HTTP/1.1\r\nX: "));
    assert_int_equal(drip(fd, "x", &got), 408);
    assert_in_range(ms_since(start_ns), 200, 5000);
    close(fd);
    fd = dial(s); /* the second request of a connection has the same limit */
    size_t at = 0;
    struct answer answer = {0};
    cria_buf_clear(&got);
    tell(fd, CRIA_STR(HELLO "G"));
    assert_true(read_answer(fd, &got, &at, false, &answer));
    assert_int_equal(answer_and_end(fd, &got), 408);
    close(fd);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(slow_bodies_are_cut_off)
{
    (void)state;
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        FORM "Content-Length: 100000\r\n\r\n",
    };
    struct cria_http_options options = test_options();
    options.header_timeout_ms = 200; /* the grace of a body too */
    options.body_min_bytes_per_s = 5000;
    struct server *s = server_start(options);
    struct cria_buf got;
    cria_buf_init(&got, MIB);
    for (size_t i = 0; i < CRIA_COUNT(heads); i++) {
        int fd = dial(s);
        uint64_t start_ns = cria_now_ns();
        tell(fd, cria_str_from(heads[i]));
        assert_int_equal(drip(fd, "x", &got), 408);
        assert_in_range(ms_since(start_ns), 150, 5000);
        close(fd);
    }
    assert_serves(s);
    cria_buf_release(&got);
    server_stop(s);
}

/* However much came before: who then says nothing at all is gone. */
CRIA_TEST(a_body_that_stops_is_cut_off)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.write_stall_ms = 300;
    struct server *s = server_start(options);
    struct cria_buf got, wire;
    cria_buf_init(&got, MIB);
    cria_buf_init(&wire, 2 * MIB);
    cria_buf_printf(&wire, FORM "Content-Length: 9000000\r\n\r\n" PART_HEAD "%0*d", MIB, 0);
    int fd = dial(s);
    tell(fd, cria_buf_str(&wire));
    assert_int_equal(answer_and_end(fd, &got), 408);
    close(fd);
    cria_buf_release(&got);
    cria_buf_release(&wire);
    server_stop(s); /* and its spool file went with it */
}

CRIA_TEST(a_client_that_leaves_in_a_body_leaves_nothing)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct cria_buf wire;
    cria_buf_init(&wire, 2 * MIB);
    cria_buf_printf(&wire, FORM "Content-Length: 9000000\r\n\r\n" PART_HEAD "%0*d", MIB, 0);
    for (unsigned i = 1; i <= 5; i++) {
        int fd = dial(s);
        tell(fd, cria_buf_str(&wire));
        close(fd);
        WAIT_FOR(s, s->cut == i);
    }
    cria_buf_release(&wire);
    server_stop(s);
}

CRIA_TEST(idle_connections_are_closed)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.idle_timeout_ms = 200;
    struct server *s = server_start(options);
    struct cria_buf got;
    struct answer answer = {0};
    size_t at = 0;
    cria_buf_init(&got, MIB);
    int fresh = dial(s), used = dial(s), blank = dial(s);
    tell(used, CRIA_STR(HELLO));
    tell(blank, CRIA_STR("\r\n\r\n"));
    assert_true(read_answer(used, &got, &at, false, &answer));
    assert_false(hear(used, &got));
    assert_false(hear(fresh, &got));
    assert_false(hear(blank, &got));
    assert_int_equal(got.len, at); /* closed without a word */
    close(fresh);
    close(used);
    close(blank);
    cria_buf_release(&got);
    server_stop(s);
}

/* Reads a little of /big every now and then, for several times the limit. */
CRIA_TEST(a_slow_reader_is_served_and_a_dead_one_is_not)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.write_stall_ms = 1500; /* far more than a busy machine holds a reader up */
    struct server *s = server_start(options);
    struct cria_buf got;
    cria_buf_init(&got, 16 * MIB);
    /* The slow one's window holds several of the loopback's segments, or the kernel's own probes
     * would set the pace. */
    int dead = dial_with(s, 65536), slow = dial_with(s, 262144);
    tell(dead, CRIA_STR("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"));
    WAIT_FOR(s, s->cut == 1);
    tell(slow, CRIA_STR("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    uint64_t start_ns = cria_now_ns();
    while (ms_since(start_ns) < 3 * options.write_stall_ms) {
        const struct timespec pause = {.tv_nsec = 50 * 1000000};
        nanosleep(&pause, NULL);
        assert_true(hear(slow, &got));
    }
    while (hear(slow, &got)) {}
    assert_true(got.len > BIG_BYTES);
    WAIT_FOR(s, s->whole == 1);
    close(slow);
    close(dead);
    assert_serves(s);
    cria_buf_release(&got);
    server_stop(s);
}

CRIA_TEST(connections_have_a_limit)
{
    (void)state;
    struct cria_http_options options = test_options();
    options.max_connections = 5;
    struct server *s = server_start(options);
    struct cria_buf got;
    struct answer answer = {0};
    cria_buf_init(&got, MIB);
    int fds[5], fd;
    for (size_t i = 0; i < CRIA_COUNT(fds); i++) {
        size_t at = 0;
        fds[i] = dial(s);
        tell(fds[i], CRIA_STR(HELLO));
        cria_buf_clear(&got);
        assert_true(read_answer(fds[i], &got, &at, false, &answer));
    }
    for (int i = 0; i < 20;
         i++) { /* one too many, whose request is never read: told all the same */
        fd = dial(s);
        tell(fd, CRIA_STR(HELLO HELLO HELLO));
        assert_int_equal(answer_and_end(fd, &got), 503);
        close(fd);
    }
    close(fds[0]); /* noticed by the server when it is */
    do {
        size_t at = 0;
        fd = dial(s);
        tell(fd, CRIA_STR(HELLO));
        cria_buf_clear(&got);
        assert_true(read_answer(fd, &got, &at, false, &answer));
        close(fd);
    } while (answer.status == 503);
    assert_int_equal(answer.status, 200);
    for (size_t i = 1; i < CRIA_COUNT(fds); i++) close(fds[i]);
    cria_buf_release(&got);
    server_stop(s);
}

/* Connects a socket while no descriptor of `limit` or more may be opened; those below are used up
 * by fillers. */
static int connect_when_out_of_descriptors(const struct server *s, int fd, rlim_t limit,
                                           struct cria_buf *fillers)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)cria_http_port(s->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct rlimit now;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    getrlimit(RLIMIT_NOFILE, &now);
    now.rlim_cur = limit;
    setrlimit(RLIMIT_NOFILE, &now);
    for (int filler; limit && (filler = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0;)
        cria_buf_add(fillers, cria_str_make((const char *)&filler, sizeof(filler)));
    return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

/* Who cannot be taken in for want of descriptors is sent away, and the server goes on. */
CRIA_TEST(running_out_of_descriptors_is_survived)
{
    (void)state;
    enum { ROOM = 20 };
    struct server *s = server_start(test_options());
    struct rlimit before;
    struct cria_buf got, fillers;
    cria_buf_init(&got, MIB);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    cria_buf_init(&fillers, MIB);
    int connected = connect_when_out_of_descriptors(s, fd, (rlim_t)fd + ROOM, &fillers);
    bool is_heard = connected == 0 && hear(fd, &got);
    for (size_t at = 0; at < fillers.len; at += sizeof(int)) {
        int filler;
        memcpy(&filler, fillers.ptr + at, sizeof(filler));
        close(filler);
    }
    cria_buf_release(&fillers);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(connected, 0);
    assert_false(is_heard); /* closed, not left waiting */
    close(fd);
    /* Who calls while others are being sent away may be sent away with them: once more, then. */
    for (bool is_served = false; !is_served;) {
        struct answer answer = {0};
        size_t at = 0;
        fd = dial(s);
        cria_buf_clear(&got);
        is_served = tell(fd, CRIA_STR(HELLO)) && read_answer(fd, &got, &at, false, &answer);
        close(fd);
    }
    assert_serves(s);
    cria_buf_release(&got);
    server_stop(s);
}

/* Even with none to spare for turning callers away the loop does not spin on them: it gives up
 * idle connections. */
CRIA_TEST(idle_connections_make_room_for_callers)
{
    (void)state;
    struct server *s = server_start(test_options());
    struct answer answer = {0};
    struct rlimit before;
    struct cria_buf got;
    size_t at = 0;
    cria_buf_init(&got, MIB);
    assert_true(cria_buf_reserve(&got, MIB / 2));
    int idle = dial(s), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tell(idle, CRIA_STR(HELLO));
    assert_true(read_answer(idle, &got, &at, false, &answer));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int connected = connect_when_out_of_descriptors(s, fd, 0, NULL);
    bool is_heard = connected == 0 && hear(idle, &got);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(connected, 0);
    assert_false(is_heard);
    tell(fd, CRIA_STR(HELLO));
    at = 0;
    cria_buf_clear(&got);
    assert_true(read_answer(fd, &got, &at, false, &answer));
    assert_int_equal(answer.status, 200);
    close(idle);
    close(fd);
    cria_buf_release(&got);
    server_stop(s);
}

/* A caller there is no memory for waits for the next tick; the listener does not die of it. */
CRIA_TEST(a_caller_without_memory_waits_a_moment)
{
    (void)state;
#ifdef CRIA_FAULTS
    struct server *s = server_start(test_options());
    assert_serves(s);
    cria_fault_arm(CRIA_FAULT_ALLOC, 1);
    int fd = dial(s);
    for (unsigned i = 0; !cria_fault_fired() && i < 1000; i++) assert_true(is_silent(fd, 5));
    cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    struct cria_buf got;
    struct answer answer = {0};
    size_t at = 0;
    cria_buf_init(&got, MIB);
    tell(fd, CRIA_STR(HELLO));
    assert_true(read_answer(fd, &got, &at, false, &answer));
    assert_int_equal(answer.status, 200);
    close(fd);
    assert_serves(s);
    cria_buf_release(&got);
    server_stop(s);
#else
    skip();
#endif
}

/* Each allocation of a request fails once: an answer or a closed connection, and the next works. */
CRIA_TEST(every_failed_allocation_is_survived)
{
    (void)state;
#ifdef CRIA_FAULTS
    static const struct cria_str requests[] = {
        CRIA_STR_INIT("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        CRIA_STR_INIT("GET /things/a%20b?q=1&r=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        CRIA_STR_INIT(FORM "Connection: close\r\nContent-Length: 80\r\n\r\n" PART_HEAD
                           "0123456789\r\n--b--"),
    };
    struct server *s = server_start(test_options());
    for (size_t i = 0; i < CRIA_COUNT(requests); i++) {
        bool fired = true;
        unsigned nth = 0;
        while (fired && nth++ < 500) {
            struct cria_buf got = {.limit = MIB};
            assert_true(cria_buf_reserve(&got, 65536 * 2)); /* ours must not be the one to fail */
            int fd = dial(s);
            cria_fault_arm(CRIA_FAULT_ALLOC, nth);
            tell(fd, requests[i]);
            while (hear(fd, &got)) {}
            fired = cria_fault_fired();
            cria_fault_arm(CRIA_FAULT_ALLOC, 0);
            if (!fired) assert_true(cria_str_starts(cria_buf_str(&got), "HTTP/1.1 200 "));
            assert_true(got.len == 0 || cria_str_starts(cria_buf_str(&got), "HTTP/1.1 "));
            close(fd);
            cria_buf_release(&got);
        }
        assert_false(fired);
        assert_true(nth > 3);
    }
    assert_serves(s);
    server_stop(s);
#else
    skip();
#endif
}

int main(void)
{
    if (cria_crypto_init() != CRIA_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(framing_has_a_limit),
        cmocka_unit_test(slow_headers_are_cut_off),
        cmocka_unit_test(slow_bodies_are_cut_off),
        cmocka_unit_test(a_body_that_stops_is_cut_off),
        cmocka_unit_test(a_client_that_leaves_in_a_body_leaves_nothing),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(a_slow_reader_is_served_and_a_dead_one_is_not),
        cmocka_unit_test(connections_have_a_limit),
        cmocka_unit_test(running_out_of_descriptors_is_survived),
        cmocka_unit_test(idle_connections_make_room_for_callers),
        cmocka_unit_test(a_caller_without_memory_waits_a_moment),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
