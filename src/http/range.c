#include "http/range.h"

static bool digits(struct cria_str s, uint64_t *out)
{
    int64_t value;
    if (s.len == 0 || s.ptr[0] == '-' || s.len > 18 || !cria_str_to_int64(s, &value)) return false;
    *out = (uint64_t)value;
    return true;
}

enum cria_range cria_range_parse(struct cria_str header, uint64_t size_bytes, uint64_t *offset,
                                 uint64_t *count)
{
    struct cria_str rest = header, first;
    uint64_t from, to;
    *offset = 0;
    *count = size_bytes;
    if (!cria_str_starts(header, "bytes=") || memchr(header.ptr, ',', header.len))
        return CRIA_RANGE_WHOLE;
    rest = cria_str_sub(rest, 6, rest.len);
    if (!cria_str_cut(&rest, '-', &first)) return CRIA_RANGE_WHOLE;
    first = cria_str_trim(first);
    rest = cria_str_trim(rest);
    if (first.len == 0) { /* the last n bytes */
        if (!digits(rest, &to)) return CRIA_RANGE_WHOLE;
        if (to == 0 || size_bytes == 0) return CRIA_RANGE_BEYOND;
        if (to > size_bytes) to = size_bytes;
        *offset = size_bytes - to;
        *count = to;
        return CRIA_RANGE_PART;
    }
    if (!digits(first, &from) || (rest.len && !digits(rest, &to))) return CRIA_RANGE_WHOLE;
    if (rest.len == 0) to = UINT64_MAX;
    if (to < from) return CRIA_RANGE_WHOLE;
    if (from >= size_bytes) return CRIA_RANGE_BEYOND;
    if (to >= size_bytes) to = size_bytes - 1;
    *offset = from;
    *count = to - from + 1;
    return CRIA_RANGE_PART;
}
