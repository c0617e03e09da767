#include "base/utf8.h"

/* RFC 3629 section 4, table of well-formed sequences. */
static size_t sequence(const unsigned char *p, size_t left, uint32_t *out)
{
    unsigned char c = p[0], low = 0x80, high = 0xBF;
    size_t n;
    uint32_t value;
    if (c < 0x80) {
        *out = c;
        return 1;
    }
    if (c >= 0xC2 && c <= 0xDF) {
        n = 2;
        value = c & 0x1Fu;
    } else if (c >= 0xE0 && c <= 0xEF) {
        n = 3;
        value = c & 0x0Fu;
        if (c == 0xE0) low = 0xA0;
        if (c == 0xED) high = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        n = 4;
        value = c & 0x07u;
        if (c == 0xF0) low = 0x90;
        if (c == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (left < n) return 0;
    for (size_t i = 1; i < n; i++) {
        if (p[i] < low || p[i] > high) return 0;
        value = value << 6 | (p[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *out = value;
    return n;
}

size_t cria_utf8_valid_len(struct cria_str s)
{
    size_t at = 0;
    while (at < s.len) {
        uint64_t word;
        while (s.len - at >= 8) { /* most text is ASCII: eight bytes at a time */
            memcpy(&word, s.ptr + at, 8);
            if (word & UINT64_C(0x8080808080808080)) break;
            at += 8;
        }
        if (at == s.len) break;
        uint32_t ignored;
        size_t n = sequence((const unsigned char *)s.ptr + at, s.len - at, &ignored);
        if (n == 0) break;
        at += n;
    }
    return at;
}

uint32_t cria_utf8_next(struct cria_str s, size_t *at)
{
    uint32_t value;
    size_t n = sequence((const unsigned char *)s.ptr + *at, s.len - *at, &value);
    *at += n ? n : 1;
    return n ? value : CRIA_UTF8_BAD;
}

size_t cria_utf8_put(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        if (c >= 0xD800 && c <= 0xDFFF) return 0;
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    if (c > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t cria_utf8_count(struct cria_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) count += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return count;
}

size_t cria_utf8_offset(struct cria_str s, size_t n)
{
    for (size_t i = 0; i < s.len; i++) {
        if (((unsigned char)s.ptr[i] & 0xC0) == 0x80) continue;
        if (n-- == 0) return i;
    }
    return s.len;
}

struct cria_str cria_utf8_cut(struct cria_str s, size_t max_bytes)
{
    if (s.len <= max_bytes) return s;
    while (max_bytes && ((unsigned char)s.ptr[max_bytes] & 0xC0) == 0x80) max_bytes--;
    return cria_str_sub(s, 0, max_bytes);
}
