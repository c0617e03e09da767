/* load.h - a small HTTP client for load: many connections, one thread, epoll.
 * Used by the benchmarks only; trusts the server it measures. */
#ifndef CRIA_BENCH_LOAD_H
#define CRIA_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One answer as it comes in. */
struct load_answer {
    char *bytes; /* header and what has come of the body, chunk framing included */
    size_t len, capacity;
    size_t header_len; /* 0: header not whole */
    size_t body_len;   /* by Content-Length; SIZE_MAX: chunked */
};

int load_connect(const char *address); /* "127.0.0.1:8484"; exits on failure */
/** Whether the answer is whole; reads its header when it can. */
bool load_is_whole(struct load_answer *answer);
int load_status(const struct load_answer *answer);

/** Times in microseconds, sorted on demand. */
struct load_times {
    double *us;
    size_t count, capacity;
};
void load_times_add(struct load_times *times, double us);
double load_times_at(struct load_times *times, double share);
double load_now_us(void);

#endif
