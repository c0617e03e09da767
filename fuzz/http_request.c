/* Any bytes as what a client sends: every answer is whole and of one status, in the order in which
 * the server finished the requests, and the same however the bytes were cut. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "http/http.h"
#include "platform/crypto.h"

enum { MOST_BYTES = 4096, MOST_ANSWERS = 1024, GOT_BYTES = 1 << 20 };

/* What the server says of each exchange; read when the connection is closed. */
struct outcome {
    unsigned count;
    struct {
        int status;
        bool is_head;
    } answers[MOST_ANSWERS];
};

static struct {
    pthread_mutex_t lock;
    struct outcome outcome;
    char folder[32];
    struct sockaddr_un address;
} fuzzed = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Lets nothing pass that a handler relies on not to come. */
static void handle(struct cria_exchange *ex)
{
    const struct cria_request *request = &ex->request;
    unsigned hosts = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        struct cria_str name = request->headers[i].name, value = request->headers[i].value;
        assert(name.len > 0 && !memchr(name.ptr, ':', name.len));
        for (size_t k = 0; k < name.len; k++)
            assert(name.ptr[k] > ' ' && name.ptr[k] < 0x7F &&
                   !(name.ptr[k] >= 'A' && name.ptr[k] <= 'Z'));
        for (size_t k = 0; k < value.len; k++)
            assert((unsigned char)value.ptr[k] >= ' ' || value.ptr[k] == '\t');
        hosts += cria_str_is(name, "host");
    }
    assert(hosts <= 1);
    cria_buf_printf(&ex->body, "%zu %zu %zu ", request->path_count, request->query_count,
                    request->header_count);
    cria_buf_add(&ex->body, request->body);
    cria_exchange_reply(ex, 200, "text/plain");
}

static const struct cria_route routes[] = {
    {CRIA_GET, "/", "root", handle, CRIA_BODY_NONE, CRIA_ROUTE_ON_LOOP},
    {CRIA_GET, "/a/{x}", "get", handle, CRIA_BODY_NONE, CRIA_ROUTE_ON_LOOP},
    {CRIA_DELETE, "/a/{x}", "delete", handle, CRIA_BODY_NONE, CRIA_ROUTE_ON_LOOP},
    {CRIA_POST, "/b", "post", handle, CRIA_BODY_JSON, CRIA_ROUTE_ON_LOOP},
};

static enum cria_status admit(struct cria_exchange *ex)
{
    return cria_request_header(ex, "x-refuse").ptr ? cria_fail(&ex->call, CRIA_E_UNAUTHORIZED, "No")
                                                   : CRIA_OK;
}

static void refuse(struct cria_exchange *ex, enum cria_status status)
{
    cria_exchange_error(ex, status == CRIA_E_UNAUTHORIZED ? 401 : 413, "No", false);
}

static void finished(struct cria_exchange *ex, bool complete)
{
    pthread_mutex_lock(&fuzzed.lock);
    unsigned n = fuzzed.outcome.count;
    if (complete) {
        assert(n < MOST_ANSWERS);
        fuzzed.outcome.answers[n].status = ex->status;
        fuzzed.outcome.answers[n].is_head = ex->request.method == CRIA_HEAD;
        fuzzed.outcome.count++;
    }
    pthread_mutex_unlock(&fuzzed.lock);
}

static void *run(void *loop)
{
    cria_loop_run(loop);
    return NULL;
}

static void remove_folder(void)
{
    unlink(fuzzed.address.sun_path);
    rmdir(fuzzed.folder);
}

/* One server for all inputs, on a socket in a folder of its own. */
static void start(void)
{
    static struct cria_arena arena;
    static struct cria_call call;
    struct cria_http_options options = {.routes = routes,
                                        .route_count = CRIA_COUNT(routes),
                                        .hooks = {admit, refuse, finished},
                                        .spool_dir = fuzzed.folder,
                                        .max_header_bytes = 2048,
                                        .max_json_bytes = 1000,
                                        .max_upload_bytes = 1000,
                                        .arena_bytes = 1 << 20,
                                        .header_timeout_ms = 600000,
                                        .idle_timeout_ms = 600000,
                                        .write_stall_ms = 600000,
                                        .keep_alive_ms = 600000,
                                        .max_connections = 1000,
                                        .cors_origins = "http://a"};
    struct cria_loop *loop;
    struct cria_http_server *server;
    struct cria_pool *pool;
    char address[80];
    pthread_t thread;
    snprintf(fuzzed.folder, sizeof(fuzzed.folder), "/tmp/cria-fuzz-XXXXXX");
    assert(cria_crypto_init() == CRIA_OK && mkdtemp(fuzzed.folder));
    fuzzed.address.sun_family = AF_UNIX;
    snprintf(fuzzed.address.sun_path, sizeof(fuzzed.address.sun_path), "%s/s", fuzzed.folder);
    snprintf(address, sizeof(address), "unix:%s", fuzzed.address.sun_path);
    atexit(remove_folder);
    cria_arena_init(&arena, 1 << 20);
    cria_call_init(&call, &arena);
    if (cria_loop_new(&loop) != CRIA_OK || cria_pool_new("fuzz", 1, &pool) != CRIA_OK) abort();
    options.pool = pool;
    if (cria_http_new(&options, &call, &server) != CRIA_OK ||
        cria_http_listen(server, &call, &loop, 1, address) != CRIA_OK)
        abort();
    if (pthread_create(&thread, NULL, run, loop) != 0) abort();
}

/* Says the bytes in pieces of `step`, then that no more come; everything that is answered. */
static size_t converse(struct cria_str bytes, size_t step, char *got, struct outcome *out)
{
    size_t len = 0;
    ssize_t n = 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_lock(&fuzzed.lock);
    fuzzed.outcome.count = 0;
    pthread_mutex_unlock(&fuzzed.lock);
    if (fd < 0 || connect(fd, (struct sockaddr *)&fuzzed.address, sizeof(fuzzed.address)) != 0)
        abort();
    for (size_t at = 0; at < bytes.len; at += step) {
        struct cria_str piece = cria_str_sub(bytes, at, step);
        if (send(fd, piece.ptr, piece.len, MSG_NOSIGNAL) < 0) break; /* it has closed */
    }
    shutdown(fd, SHUT_WR);
    while (len < GOT_BYTES && (n = recv(fd, got + len, GOT_BYTES - len, 0)) > 0) len += (size_t)n;
    close(fd);
    pthread_mutex_lock(&fuzzed.lock);
    *out = fuzzed.outcome;
    pthread_mutex_unlock(&fuzzed.lock);
    return len;
}

static int64_t length_in(struct cria_str head)
{
    struct cria_str line, name;
    int64_t length = -1;
    while (head.len) {
        cria_str_cut(&head, '\n', &line);
        cria_str_cut(&line, ':', &name);
        if (cria_str_is(name, "Content-Length")) {
            assert(length == -1);
            bool is_number = cria_str_to_int64(cria_str_trim(line), &length);
            assert(is_number && length >= 0);
        }
    }
    return length;
}

/* The answers are whole, and those that the server told of; statuses go to out. */
static void check(struct cria_str got, const struct outcome *outcome)
{
    unsigned n = 0;
    while (got.len) {
        size_t end = cria_str_find(got, CRIA_STR("\r\n\r\n"));
        assert(end != SIZE_MAX && cria_str_starts(got, "HTTP/1.1 "));
        int status = (int)strtol(got.ptr + 9, NULL, 10);
        struct cria_str head = cria_str_sub(got, 0, end + 2);
        got = cria_str_sub(got, end + 4, got.len);
        if (status == 100) continue;
        assert(n < outcome->count && status == outcome->answers[n].status);
        int64_t length = length_in(head);
        assert((status == 204) == (length < 0));
        if (length > 0 && !outcome->answers[n].is_head) {
            assert(got.len >= (size_t)length);
            got = cria_str_sub(got, (size_t)length, got.len);
        }
        n++;
    }
    assert(n == outcome->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static char got[GOT_BYTES];
    static struct outcome whole, cut;
    if (size == 0 || size > MOST_BYTES) return 0;
    pthread_once(&once, start);
    struct cria_str bytes = cria_str_make((const char *)data, size);
    check(cria_str_make(got, converse(bytes, size, got, &whole)), &whole);
    check(cria_str_make(got, converse(bytes, 1 + size % 61, got, &cut)), &cut);
    assert(whole.count == cut.count);
    for (unsigned i = 0; i < whole.count; i++)
        assert(whole.answers[i].status == cut.answers[i].status);
    return 0;
}
