#include "base/str.h"

int cria_str_compare(struct cria_str a, struct cria_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (order) return order;
    return (a.len > b.len) - (a.len < b.len);
}

static unsigned char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : (unsigned char)c;
}

bool cria_str_equal_nocase(struct cria_str a, struct cria_str b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.ptr[i]) != fold(b.ptr[i])) return false;
    return true;
}

size_t cria_str_find(struct cria_str s, struct cria_str needle)
{
    if (needle.len == 0) return 0;
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        const char *hit = memchr(s.ptr + i, needle.ptr[0], s.len - needle.len - i + 1);
        if (!hit) break;
        i = (size_t)(hit - s.ptr);
        if (memcmp(hit, needle.ptr, needle.len) == 0) return i;
    }
    return SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct cria_str cria_str_trim(struct cria_str s)
{
    while (s.len && is_space(s.ptr[0])) s = cria_str_sub(s, 1, s.len);
    while (s.len && is_space(s.ptr[s.len - 1])) s.len--;
    return s;
}

bool cria_str_cut(struct cria_str *rest, char separator, struct cria_str *head)
{
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    if (!at) {
        *head = *rest;
        *rest = (struct cria_str){rest->ptr ? rest->ptr + rest->len : NULL, 0};
        return false;
    }
    size_t n = (size_t)(at - rest->ptr);
    *head = cria_str_sub(*rest, 0, n);
    *rest = cria_str_sub(*rest, n + 1, rest->len);
    return true;
}

bool cria_str_to_int64(struct cria_str s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    uint64_t value = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    size_t i = negative ? 1 : 0;
    if (i == s.len || s.len - i > 19) return false;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        value = value * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    if (value > limit) return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool cria_str_copy_z(struct cria_str s, char *out, size_t size)
{
    if (size == 0) return false;
    out[0] = '\0';
    if (s.len >= size || (s.len && memchr(s.ptr, '\0', s.len))) return false;
    if (s.len) memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}
