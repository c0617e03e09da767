/* retrieve_load ADDRESS INDEX QUERIES CLIENTS SECONDS - asks a Cria server's index the
 * questions of a queries.tsv (kind TAB words) in turn, one in flight on each connection, and prints
 * one JSON line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load.h"

enum { MAX_CLIENTS = 256, MAX_QUESTIONS = 10000, REQUEST_BYTES = 8192 };

struct client {
    int fd;
    struct load_answer answer;
    double sent_us;
};

static struct client clients[MAX_CLIENTS];
static char *questions[MAX_QUESTIONS];
static size_t question_count, next_question;
static struct load_times times;
static unsigned long errors, hits;
static const char *index_id;

static void read_questions(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    while (file && question_count < MAX_QUESTIONS && getline(&line, &capacity, file) > 0) {
        char *text = strchr(line, '\t');
        if (!text) continue;
        text[strcspn(text, "\"\\\r\n")] = '\0';
        questions[question_count] = strdup(text + 1);
        if (!questions[question_count++]) abort();
    }
    if (file) fclose(file);
    free(line);
}

static void ask(struct client *c)
{
    char body[REQUEST_BYTES / 2], request[REQUEST_BYTES];
    int len = snprintf(body, sizeof(body), "{\"index_id\":\"%s\",\"query\":\"%s\",\"top_k\":10}",
                       index_id, questions[next_question++ % question_count]);
    int n = snprintf(request, sizeof(request),
                     "POST /api/v1/retrieval/retrieve HTTP/1.1\r\nHost: bench\r\n"
                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     len, body);
    c->answer.len = c->answer.header_len = 0;
    c->sent_us = load_now_us();
    if (n <= 0 || n >= REQUEST_BYTES || write(c->fd, request, (size_t)n) != n) errors++;
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
    if (!load_is_whole(a)) return;
    load_times_add(&times, load_now_us() - c->sent_us);
    if (load_status(a) != 200) errors++;
    if (memmem(a->bytes, a->len, "\"content\"", 9)) hits++;
    ask(c);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: retrieve_load ADDRESS INDEX QUERIES CLIENTS SECONDS\n");
        return 64;
    }
    long count = strtol(argv[4], NULL, 10);
    double seconds = strtod(argv[5], NULL), start = load_now_us();
    int poll = epoll_create1(EPOLL_CLOEXEC);
    index_id = argv[2];
    read_questions(argv[3]);
    if (count < 1 || count > MAX_CLIENTS || question_count == 0) return 64;
    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        clients[i].fd = load_connect(argv[1]);
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event);
        ask(&clients[i]);
    }
    while (load_now_us() - start < seconds * 1e6) {
        struct epoll_event events[64];
        int n = epoll_wait(poll, events, 64, 100);
        for (int i = 0; i < n; i++) take(events[i].data.ptr);
    }
    double took = (load_now_us() - start) / 1e6;
    printf("{\"per_second\":%.1f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f,\"count\":%zu,"
           "\"with_hits\":%lu,\"errors\":%lu}\n",
           (double)times.count / took, load_times_at(&times, .5), load_times_at(&times, .99),
           load_times_at(&times, 1), times.count, hits, errors);
    return errors != 0;
}
