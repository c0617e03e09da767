/* runs.h - ascending numbers as bytes: runs of neighbours, each as the gap before it and, when it
 * has more than one, its length; both as 7 bits a byte, low ones first. A lone number within 63 of
 * the one before takes a byte. Room: search. Pure. */
#ifndef CRIA_SEARCH_RUNS_H
#define CRIA_SEARCH_RUNS_H

#include "search/bytes.h"

enum { CRIA_RUN_BYTES = 10 }; /* the most that one run takes */

/** Writes; a zeroed one is ready. */
struct cria_runs_out {
    uint32_t base;       /* the end of the run before */
    uint32_t start, end; /* of the open run; equal: there is none */
};

static inline size_t cria_varint_put(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    for (; value >= 128; value >>= 7) out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

/** Closes the open run; the bytes written to out. */
static inline size_t cria_runs_flush(struct cria_runs_out *runs, uint8_t out[CRIA_RUN_BYTES])
{
    uint32_t count = runs->end - runs->start;
    if (count == 0) return 0;
    size_t n = cria_varint_put(out, (uint64_t)(runs->start - runs->base) << 1 | (count > 1));
    if (count > 1) n += cria_varint_put(out + n, count - 2);
    runs->base = runs->start = runs->end;
    return n;
}

/** Adds a number, above all before and below UINT32_MAX; the bytes written to out. */
static inline size_t cria_runs_add(struct cria_runs_out *runs, uint32_t number,
                                   uint8_t out[CRIA_RUN_BYTES])
{
    size_t n = 0;
    if (runs->start == runs->end || number != runs->end) {
        n = cria_runs_flush(runs, out);
        runs->start = number;
    }
    runs->end = number + 1;
    return n;
}

/** Reads [at, end). */
struct cria_runs_in {
    const uint8_t *at, *end;
    uint32_t base;
    bool failed; /* the bytes make no sense */
};

static inline uint64_t cria_varint_get(struct cria_runs_in *runs)
{
    uint64_t value = 0;
    for (unsigned shift = 0; runs->at < runs->end && shift < 35; shift += 7) {
        uint8_t byte = *runs->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    runs->failed = true;
    return 0;
}

/** The next run [*start, *end), not empty and not beyond `limit`; false at the end or when it
 * failed. Runs ascend on any bytes. */
static inline bool cria_runs_next(struct cria_runs_in *runs, uint32_t limit, uint32_t *start,
                                  uint32_t *end)
{
    if (runs->at >= runs->end) return false;
    uint64_t head = cria_varint_get(runs), from = runs->base + (head >> 1), count = 1;
    if (head & 1) count = cria_varint_get(runs) + 2;
    if (runs->failed || from + count > limit) {
        runs->failed = true;
        runs->at = runs->end;
        return false;
    }
    *start = (uint32_t)from;
    *end = runs->base = (uint32_t)(from + count);
    return true;
}

#endif
