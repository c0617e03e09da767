/* str.h - strings as slices: a pointer and a length, by value, borrowed from who owns the bytes.
 * Room: base. Nothing here allocates; a NUL is only written at the edge to C libraries. */
#ifndef CRIA_BASE_STR_H
#define CRIA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cria_str {
    const char *ptr; /* may be NULL when len is 0: "no string" */
    size_t len;      /* bytes */
};

#define CRIA_STR(literal) ((struct cria_str){"" literal, sizeof(literal) - 1})
#define CRIA_STR_INIT(literal)          \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }                                         /* for static tables */
#define CRIA_STR_ARG(s) (int)(s).len, (s).ptr /* for "%.*s"; len must fit an int */

static inline struct cria_str cria_str_from(const char *text)
{
    return (struct cria_str){text, text ? strlen(text) : 0};
}

static inline struct cria_str cria_str_make(const char *ptr, size_t len)
{
    return (struct cria_str){ptr, len};
}

/** The part from `start` on, of at most `len` bytes; both are cut to what is there. */
static inline struct cria_str cria_str_sub(struct cria_str s, size_t start, size_t len)
{
    if (start > s.len) start = s.len;
    if (len > s.len - start) len = s.len - start;
    return (struct cria_str){s.ptr ? s.ptr + start : NULL, len};
}

static inline bool cria_str_equal(struct cria_str a, struct cria_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool cria_str_is(struct cria_str a, const char *text)
{
    return cria_str_equal(a, cria_str_from(text));
}

static inline bool cria_str_starts(struct cria_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.ptr, prefix, n) == 0;
}

static inline bool cria_str_ends(struct cria_str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.len >= n && memcmp(s.ptr + s.len - n, suffix, n) == 0;
}

/** Order of bytes, like memcmp; the shorter one first when one is the other's start. */
int cria_str_compare(struct cria_str a, struct cria_str b);

/** Equal when ASCII letters are folded. */
bool cria_str_equal_nocase(struct cria_str a, struct cria_str b);

/** Where `needle` begins in `s`, or SIZE_MAX. An empty needle is at 0. */
size_t cria_str_find(struct cria_str s, struct cria_str needle);

/** Without ASCII white space at both ends. */
struct cria_str cria_str_trim(struct cria_str s);

/**
 * Splits at the first `separator`: head gets what is before it and *rest what follows.
 * @return false when there is none; then head is all of *rest and *rest becomes empty.
 */
bool cria_str_cut(struct cria_str *rest, char separator, struct cria_str *head);

/** Reads an optional minus and 1 to 19 digits, the whole slice; false on anything else or overflow.
 */
bool cria_str_to_int64(struct cria_str s, int64_t *out);

/** Copies with a NUL into a caller's array; false (and an empty string) when it does not fit
 * or holds a NUL itself. */
bool cria_str_copy_z(struct cria_str s, char *out, size_t size);

/** a + b and a * b of outside numbers; false on overflow, then *out is untouched. */
static inline bool cria_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

static inline bool cria_size_mul(size_t a, size_t b, size_t *out)
{
    if (b && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

#endif
