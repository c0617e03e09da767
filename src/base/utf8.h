/* utf8.h - UTF-8 as RFC 3629 has it: checking, stepping, counting code points.
 * Room: base. Pure; every function takes hostile bytes. */
#ifndef CRIA_BASE_UTF8_H
#define CRIA_BASE_UTF8_H

#include "base/str.h"

#define CRIA_UTF8_BAD UINT32_MAX

/** Bytes of the longest valid start of `s`; s.len when all of it is valid. */
size_t cria_utf8_valid_len(struct cria_str s);
static inline bool cria_utf8_valid(struct cria_str s)
{
    return cria_utf8_valid_len(s) == s.len;
}
/** Reads the code point at *at (< s.len) and moves *at behind it; on a bad sequence gives
 * CRIA_UTF8_BAD and moves one byte. */
uint32_t cria_utf8_next(struct cria_str s, size_t *at);
/** Writes 1 to 4 bytes; 0 for surrogates and beyond U+10FFFF. */
size_t cria_utf8_put(char out[4], uint32_t code_point);
/** Code points in valid UTF-8 (counts the bytes that are no continuation). */
size_t cria_utf8_count(struct cria_str s);
/** Byte offset of the n-th code point of valid UTF-8, s.len when there are fewer. */
size_t cria_utf8_offset(struct cria_str s, size_t n);
/** The longest start of at most max_bytes that ends between two code points. */
struct cria_str cria_utf8_cut(struct cria_str s, size_t max_bytes);

#endif
