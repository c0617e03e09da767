#include "bench/load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int load_connect(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    char host[64] = "";
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (colon && (size_t)(colon - address) < sizeof(host))
        memcpy(host, address, (size_t)(colon - address));
    to.sin_port = htons((uint16_t)strtoul(colon ? colon + 1 : "0", NULL, 10));
    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        perror(address);
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

static void read_header(struct load_answer *answer)
{
    char *end = memmem(answer->bytes, answer->len, "\r\n\r\n", 4);
    if (!end) return;
    answer->header_len = (size_t)(end - answer->bytes) + 4;
    answer->body_len = 0;
    for (char *line = answer->bytes; line && line < end;
         line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2)) {
        if (*line == '\r') line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            answer->body_len = strtoull(line + 15, NULL, 10);
        if (strncasecmp(line, "transfer-encoding:", 18) == 0) answer->body_len = SIZE_MAX;
    }
}

bool load_is_whole(struct load_answer *answer)
{
    if (answer->header_len == 0) read_header(answer);
    if (answer->header_len == 0) return false;
    if (answer->body_len != SIZE_MAX) return answer->len >= answer->header_len + answer->body_len;
    return answer->len >= answer->header_len + 5 &&
           memcmp(answer->bytes + answer->len - 5, "0\r\n\r\n", 5) == 0;
}

int load_status(const struct load_answer *answer)
{
    return answer->len > 12 ? (int)strtol(answer->bytes + 9, NULL, 10) : 0;
}

void load_times_add(struct load_times *times, double us)
{
    if (times->count == times->capacity) {
        times->capacity = times->capacity ? times->capacity * 2 : 4096;
        times->us = realloc(times->us, times->capacity * sizeof(*times->us));
        if (!times->us) abort();
    }
    times->us[times->count++] = us;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double load_times_at(struct load_times *times, double share)
{
    if (times->count == 0) return 0;
    qsort(times->us, times->count, sizeof(*times->us), order);
    return times->us[(size_t)((double)(times->count - 1) * share)];
}

double load_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}
