/* stub_model PORT TOKENS - an OpenAI-compatible chat endpoint that thinks in no time: every request
 * gets TOKENS text deltas, usage and [DONE], as fast as the socket takes them. One thread, epoll,
 * keep-alive. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 1 << 20, ANSWER_BYTES = 1 << 20, MAX_FDS = 4096 };

struct conn {
    char *bytes;
    size_t len;
};

static struct conn conns[MAX_FDS];
static char answer[ANSWER_BYTES];
static size_t answer_len;

static void add_chunk(const char *event)
{
    answer_len += (size_t)snprintf(answer + answer_len, sizeof(answer) - answer_len,
                                   "%zx\r\n%s\r\n", strlen(event), event);
}

static void make_answer(long tokens)
{
    char event[512];
    answer_len = (size_t)snprintf(answer, sizeof(answer),
                                  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n");
    for (long i = 0; i < tokens; i++) {
        snprintf(event, sizeof(event),
                 "data: "
                 "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"stub\","
                 "\"choices\":[{\"index\":0,"
                 "\"delta\":{\"content\":\"word%ld \"},\"finish_reason\":null}]}\n\n",
                 i);
        add_chunk(event);
    }
    add_chunk("data: "
              "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"stub\",\"choices\":[{"
              "\"index\":0,"
              "\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    add_chunk("data: "
              "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"stub\",\"choices\":[]"
              ",\"usage\":"
              "{\"prompt_tokens\":100,\"completion_tokens\":64,\"total_tokens\":164}}\n\n");
    add_chunk("data: [DONE]\n\n");
    answer_len += (size_t)snprintf(answer + answer_len, sizeof(answer) - answer_len, "0\r\n\r\n");
}

/* Length of the first whole request in the connection's bytes, 0 when there is none yet. */
static size_t request_len(const struct conn *c)
{
    const char *end = memmem(c->bytes, c->len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t body = 0, header = (size_t)(end - c->bytes) + 4;
    for (const char *line = c->bytes; line && line < end;
         line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2)) {
        if (*line == '\r') line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoull(line + 15, NULL, 10);
    }
    return c->len >= header + body ? header + body : 0;
}

static void serve(int fd)
{
    struct conn *c = &conns[fd];
    if (!c->bytes) c->bytes = malloc(REQUEST_BYTES);
    ssize_t n = c->bytes ? read(fd, c->bytes + c->len, REQUEST_BYTES - c->len) : 0;
    if (n <= 0) {
        close(fd);
        c->len = 0;
        return;
    }
    c->len += (size_t)n;
    for (size_t len; (len = request_len(c)) != 0;) {
        memmove(c->bytes, c->bytes + len, c->len - len);
        c->len -= len;
        if (write(fd, answer, answer_len) != (ssize_t)answer_len) close(fd);
    }
}

int main(int argc, char **argv)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc < 3) return 64;
    at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    make_answer(strtol(argv[2], NULL, 10));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(listener, 1024) != 0)
        return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd < 0 || fd >= MAX_FDS) continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            event.data.fd = fd;
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
