/* put.h - what a writer of segment parts keeps: its sink, what went in, whether that failed.
 * Room: search. One thread. */
#ifndef CRIA_SEARCH_PUT_H
#define CRIA_SEARCH_PUT_H

#include "search/bytes.h"

enum { CRIA_PUT_BYTES = 4096 };

struct cria_put {
    const struct cria_sink *sink;
    uint64_t written; /* bytes, those in the buffer too */
    size_t held;
    bool failed; /* the sink gave up; what follows is dropped */
    uint8_t buffer[CRIA_PUT_BYTES];
};

static inline bool cria_put_flush(struct cria_put *put)
{
    if (put->held && !put->failed && !put->sink->write(put->sink->arg, put->buffer, put->held))
        put->failed = true;
    put->held = 0;
    return !put->failed;
}

static inline void cria_put(struct cria_put *put, const void *bytes, size_t len)
{
    put->written += len;
    if (len > sizeof(put->buffer) - put->held) {
        cria_put_flush(put);
        if (len > sizeof(put->buffer)) {
            if (!put->failed && !put->sink->write(put->sink->arg, bytes, len)) put->failed = true;
            return;
        }
    }
    if (len) memcpy(put->buffer + put->held, bytes, len);
    put->held += len;
}

/** Zeroes up to the next multiple of 8. */
static inline void cria_put_align(struct cria_put *put)
{
    cria_put(put, "\0\0\0\0\0\0\0", (8 - (put->written & 7)) & 7);
}

static inline void cria_put32(struct cria_put *put, uint32_t value)
{
    cria_put(put, &value, sizeof(value));
}
static inline void cria_put64(struct cria_put *put, uint64_t value)
{
    cria_put(put, &value, sizeof(value));
}

#endif
