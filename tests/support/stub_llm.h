/* stub_llm.h - a scripted chat completion server in the test's own process: answers the n-th
 * request with the n-th play, and keeps what was asked. Plain sockets and one thread per
 * connection. */
#ifndef CRIA_TESTS_SUPPORT_STUB_LLM_H
#define CRIA_TESTS_SUPPORT_STUB_LLM_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/test.h"

enum stub_cut { STUB_WHOLE, STUB_BYTES, STUB_RANDOM };
enum stub_end {
    STUB_CLEAN,
    STUB_CUT /* FIN in the middle */,
    STUB_RESET,
    STUB_HOLD /* stays silent until the stub is freed */
};

struct stub_play {
    int status;          /* 0: 200 */
    const char *headers; /* further lines, each with CRLF; NULL */
    struct cria_str body;
    enum stub_cut cut;
    enum stub_end end;
};

enum { STUB_PLAYS = 64, STUB_CONNECTIONS = 64 };
struct stub_llm {
    int listener, port;
    pthread_t thread, workers[STUB_CONNECTIONS];
    int sockets[STUB_CONNECTIONS];
    size_t worker_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stub_play plays[STUB_PLAYS];
    size_t play_count;
    bool repeats_last; /* the last play answers all that follows */
    struct cria_buf requests[STUB_PLAYS];
    size_t request_count;
    atomic_bool is_ending;
    char url[64];
};

struct stub_worker {
    struct stub_llm *stub;
    int fd;
};

static inline bool stub_send(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool stub_chunk(int fd, struct cria_str part)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "%zx\r\n", part.len);
    return stub_send(fd, head, (size_t)n) && stub_send(fd, part.ptr, part.len) &&
           stub_send(fd, "\r\n", 2);
}

/* Reads one request into body; false when the peer left. */
static inline bool stub_read(int fd, struct cria_buf *in, struct cria_buf *body)
{
    char bytes[16384];
    size_t need = SIZE_MAX, head = 0;
    cria_buf_clear(body);
    for (;;) {
        if (need == SIZE_MAX) {
            size_t at = cria_str_find(cria_buf_str(in), CRIA_STR("\r\n\r\n"));
            if (at != SIZE_MAX) {
                head = at + 4;
                need = 0;
                struct cria_str rest = cria_str_sub(cria_buf_str(in), 0, at), line;
                while (rest.len) {
                    int64_t length;
                    cria_str_cut(&rest, '\n', &line);
                    if (line.len > 15 && strncasecmp(line.ptr, "content-length:", 15) == 0 &&
                        cria_str_to_int64(cria_str_trim(cria_str_sub(line, 15, SIZE_MAX)), &length))
                        need = (size_t)length;
                }
            }
        }
        if (need != SIZE_MAX && in->len >= head + need) {
            cria_buf_add(body, cria_str_sub(cria_buf_str(in), 0, head + need));
            cria_buf_drop(in, head + need);
            return true;
        }
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        if (n <= 0) return false;
        cria_buf_add(in, cria_str_make(bytes, (size_t)n));
        if (in->failed) return false;
    }
}

static inline bool stub_answer(struct stub_llm *stub, int fd, const struct stub_play *play)
{
    char head[1024];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n%s%s\r\n",
                     play->status ? play->status : 200,
                     play->status && play->status != 200 ? "Content-Type: application/json\r\n"
                                                         : "Content-Type: text/event-stream\r\n",
                     play->headers ? play->headers : "");
    unsigned seed = (unsigned)play->body.len;
    if (!stub_send(fd, head, (size_t)n)) return false;
    for (size_t at = 0; at < play->body.len;) {
        size_t len = play->cut == STUB_WHOLE   ? play->body.len
                     : play->cut == STUB_BYTES ? 1
                                               : (size_t)(rand_r(&seed) % 40 + 1);
        struct cria_str part = cria_str_sub(play->body, at, len);
        if (!stub_chunk(fd, part)) return false;
        at += part.len;
    }
    if (play->end == STUB_HOLD) {
        while (!atomic_load(&stub->is_ending)) {
            struct pollfd wait = {.fd = fd, .events = POLLIN};
            if (poll(&wait, 1, 20) > 0) return false;
        }
        return false;
    }
    if (play->end == STUB_CUT) return false;
    if (play->end == STUB_RESET) {
        struct linger hard = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        return false;
    }
    return stub_send(fd, "0\r\n\r\n", 5);
}

static inline void *stub_serve(void *arg)
{
    struct stub_worker worker = *(struct stub_worker *)arg;
    struct stub_llm *stub = worker.stub;
    struct cria_buf in, request;
    free(arg);
    cria_buf_init(&in, 64 << 20);
    cria_buf_init(&request, 64 << 20);
    while (stub_read(worker.fd, &in, &request)) {
        struct stub_play play = {.status = 500, .body = CRIA_STR("{\"error\":\"no play left\"}")};
        pthread_mutex_lock(&stub->lock);
        size_t n = stub->request_count++;
        if (n >= stub->play_count && stub->repeats_last) n = stub->play_count - 1;
        if (n < stub->play_count) play = stub->plays[n];
        if (stub->request_count <= STUB_PLAYS) {
            struct cria_buf *kept = &stub->requests[stub->request_count - 1];
            cria_buf_init(kept, 64 << 20);
            cria_buf_add(kept, cria_buf_str(&request));
        }
        pthread_cond_broadcast(&stub->changed);
        pthread_mutex_unlock(&stub->lock);
        if (!stub_answer(stub, worker.fd, &play)) break;
    }
    cria_buf_release(&in);
    cria_buf_release(&request);
    shutdown(worker.fd, SHUT_WR);
    pthread_mutex_lock(&stub->lock);
    for (size_t i = 0; i < stub->worker_count; i++)
        if (stub->sockets[i] == worker.fd) stub->sockets[i] = -1;
    close(worker.fd);
    pthread_mutex_unlock(&stub->lock);
    return NULL;
}

static inline void *stub_listen(void *arg)
{
    struct stub_llm *stub = arg;
    for (;;) {
        int one = 1, fd = accept(stub->listener, NULL, NULL);
        if (fd < 0) return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct stub_worker *worker = malloc(sizeof(*worker));
        *worker = (struct stub_worker){stub, fd};
        pthread_mutex_lock(&stub->lock);
        size_t n = stub->worker_count;
        if (n < STUB_CONNECTIONS && !atomic_load(&stub->is_ending)) {
            stub->sockets[n] = fd;
            stub->worker_count++;
            pthread_create(&stub->workers[n], NULL, stub_serve, worker);
        } else {
            close(fd);
            free(worker);
        }
        pthread_mutex_unlock(&stub->lock);
    }
}

static inline struct stub_llm *stub_new(void)
{
    struct stub_llm *stub = calloc(1, sizeof(*stub));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    pthread_mutex_init(&stub->lock, NULL);
    pthread_cond_init(&stub->changed, NULL);
    stub->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(stub->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(stub->listener, 64), 0);
    assert_int_equal(getsockname(stub->listener, (struct sockaddr *)&at, &size), 0);
    stub->port = ntohs(at.sin_port);
    snprintf(stub->url, sizeof(stub->url), "http://127.0.0.1:%d/v1", stub->port);
    pthread_create(&stub->thread, NULL, stub_listen, stub);
    return stub;
}

static inline void stub_play(struct stub_llm *stub, struct stub_play play)
{
    pthread_mutex_lock(&stub->lock);
    assert_true(stub->play_count < STUB_PLAYS);
    stub->plays[stub->play_count++] = play;
    pthread_mutex_unlock(&stub->lock);
}

/** Forgets plays and requests. */
static inline void stub_reset(struct stub_llm *stub)
{
    pthread_mutex_lock(&stub->lock);
    for (size_t i = 0; i < STUB_PLAYS; i++) cria_buf_release(&stub->requests[i]);
    stub->play_count = stub->request_count = 0;
    pthread_mutex_unlock(&stub->lock);
}

/** The n-th request, head and body. */
static inline struct cria_str stub_request(struct stub_llm *stub, size_t n)
{
    pthread_mutex_lock(&stub->lock);
    assert_true(n < stub->request_count);
    struct cria_str text = cria_buf_str(&stub->requests[n]);
    pthread_mutex_unlock(&stub->lock);
    return text;
}

static inline void stub_wait_requests(struct stub_llm *stub, size_t count)
{
    pthread_mutex_lock(&stub->lock);
    while (stub->request_count < count) pthread_cond_wait(&stub->changed, &stub->lock);
    pthread_mutex_unlock(&stub->lock);
}

static inline void stub_free(struct stub_llm *stub)
{
    atomic_store(&stub->is_ending, true);
    shutdown(stub->listener, SHUT_RDWR);
    close(stub->listener);
    pthread_join(stub->thread, NULL);
    pthread_mutex_lock(&stub->lock);
    for (size_t i = 0; i < stub->worker_count; i++)
        if (stub->sockets[i] >= 0) shutdown(stub->sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&stub->lock);
    for (size_t i = 0; i < stub->worker_count; i++) pthread_join(stub->workers[i], NULL);
    for (size_t i = 0; i < STUB_PLAYS; i++) cria_buf_release(&stub->requests[i]);
    pthread_cond_destroy(&stub->changed);
    pthread_mutex_destroy(&stub->lock);
    free(stub);
}

#endif
