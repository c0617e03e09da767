/* http_load ADDRESS CLIENTS SECONDS METHOD PATH [BODY] - keeps one request in flight on each
 * connection and prints one JSON line. With METHOD "TURN", BODY is an index id and PATH the prompt:
 * each client opens a session and runs a turn, over and over; first token and whole are told apart.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load.h"

enum { MAX_CLIENTS = 20000, REQUEST_BYTES = 8192 };

struct client {
    int fd;
    struct load_answer answer;
    double sent_us, first_us;
    bool in_turn; /* TURN: the stream, not the session */
};

static struct client clients[MAX_CLIENTS];
static struct load_times whole, first;
static unsigned long errors;
static const char *method, *path, *body;
static bool is_turn;

static void send_text(struct client *c, const char *verb, const char *target, const char *text)
{
    char request[REQUEST_BYTES];
    int n = snprintf(request, sizeof(request),
                     "%s %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     verb, target, strlen(text), text);
    c->answer.len = c->answer.header_len = 0;
    c->first_us = 0;
    c->sent_us = load_now_us();
    if (n <= 0 || n >= REQUEST_BYTES || write(c->fd, request, (size_t)n) != n) errors++;
}

static void begin(struct client *c)
{
    c->in_turn = false;
    if (is_turn)
        send_text(c, "POST", "/api/v1/chat", "{}");
    else
        send_text(c, method, path, body);
}

static void begin_turn(struct client *c)
{
    char target[256], text[2048];
    const char *id = memmem(c->answer.bytes, c->answer.len, "\"session_id\":\"", 14);
    if (!id) {
        errors++;
        begin(c);
        return;
    }
    snprintf(target, sizeof(target), "/api/v1/chat/%.*s/messages/stream",
             (int)strcspn(id + 14, "\""), id + 14);
    snprintf(text, sizeof(text), "{\"index_ids\":[\"%s\"],\"prompt\":\"%s\"}", body, path);
    c->in_turn = true;
    send_text(c, "POST", target, text);
}

static void take(struct client *c)
{
    struct load_answer *a = &c->answer;
    for (;;) {
        if (a->capacity - a->len < 65536) {
            a->capacity = a->capacity ? a->capacity * 2 : 131072;
            a->bytes = realloc(a->bytes, a->capacity);
            if (!a->bytes) abort();
        }
        ssize_t n = read(c->fd, a->bytes + a->len, a->capacity - a->len);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {
            fprintf(stderr, "a connection was closed\n");
            exit(1);
        }
        a->len += (size_t)n;
    }
    if (c->in_turn && !c->first_us && memmem(a->bytes, a->len, "text_delta", 10))
        c->first_us = load_now_us();
    if (!load_is_whole(a)) return;
    if (load_status(a) >= 300) errors++;
    if (is_turn && !c->in_turn) {
        begin_turn(c);
        return;
    }
    if (is_turn && !memmem(a->bytes, a->len, "\"is_error\":false", 16)) errors++;
    load_times_add(&whole, load_now_us() - c->sent_us);
    if (c->first_us) load_times_add(&first, c->first_us - c->sent_us);
    begin(c);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: http_load ADDRESS CLIENTS SECONDS METHOD PATH [BODY]\n");
        return 64;
    }
    int count = (int)strtol(argv[2], NULL, 10), poll = epoll_create1(EPOLL_CLOEXEC);
    double seconds = strtod(argv[3], NULL);
    method = argv[4];
    path = argv[5];
    body = argc > 6 ? argv[6] : "";
    is_turn = strcmp(method, "TURN") == 0;
    if (count < 1 || count > MAX_CLIENTS) return 64;
    double start = load_now_us();
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        clients[i].fd = load_connect(argv[1]);
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event);
        begin(&clients[i]);
    }
    while (load_now_us() - start < seconds * 1e6) {
        struct epoll_event events[64];
        int n = epoll_wait(poll, events, 64, 100);
        for (int i = 0; i < n; i++) take(events[i].data.ptr);
    }
    double took = (load_now_us() - start) / 1e6;
    printf("{\"per_second\":%.1f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"first_p50_us\":%.0f,\"count\":%"
           "zu,\"errors\":%lu}\n",
           (double)whole.count / took, load_times_at(&whole, .5), load_times_at(&whole, .99),
           load_times_at(&first, .5), whole.count, errors);
    return errors != 0;
}
