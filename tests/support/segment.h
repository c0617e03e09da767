/* segment.h - parts of segments in memory, for tests: a sink, and bytes that end where a page of
 * their own would, so that overruns show under AddressSanitizer. */
#ifndef CRIA_TESTS_SUPPORT_SEGMENT_H
#define CRIA_TESTS_SUPPORT_SEGMENT_H

#include <stdlib.h>

#include "search/bytes.h"
#include "tests/support/test.h"

struct test_segment {
    uint8_t *ptr;
    size_t len, room;
    size_t fails_at;        /* bytes that the sink takes before it gives up; 0: all */
    size_t bad_at, bad_len; /* what the check refuses */
};

static inline bool test_segment_write(void *arg, const void *bytes, size_t len)
{
    struct test_segment *segment = arg;
    if (segment->fails_at && segment->len + len > segment->fails_at) return false;
    if (segment->len + len > segment->room) {
        segment->room = (segment->len + len) * 2;
        segment->ptr = realloc(segment->ptr, segment->room);
        assert_non_null(segment->ptr);
    }
    if (len) memcpy(segment->ptr + segment->len, bytes, len);
    segment->len += len;
    return true;
}

static inline struct cria_sink test_segment_sink(struct test_segment *segment)
{
    return (struct cria_sink){test_segment_write, segment};
}

static inline bool test_segment_check(void *arg, size_t offset, size_t len)
{
    const struct test_segment *segment = arg;
    return segment->bad_len == 0 || offset >= segment->bad_at + segment->bad_len ||
           offset + len <= segment->bad_at;
}

/** A copy of exactly the bytes written, to be freed. */
static inline struct cria_bytes test_segment_copy(const struct test_segment *segment)
{
    uint8_t *copy = malloc(segment->len ? segment->len : 1);
    assert_non_null(copy);
    if (segment->len) memcpy(copy, segment->ptr, segment->len);
    return (struct cria_bytes){.ptr = copy, .len = segment->len};
}

static inline void test_segment_release(struct test_segment *segment)
{
    free(segment->ptr);
    memset(segment, 0, sizeof(*segment));
}

/** Numbers that come out the same everywhere; never 0 as a state. */
static inline uint32_t test_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

#endif
