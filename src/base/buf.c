#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"

void cria_buf_init(struct cria_buf *buf, size_t limit_bytes)
{
    *buf = (struct cria_buf){.limit = limit_bytes};
}

void cria_buf_release(struct cria_buf *buf)
{
    if (!buf) return;
    free(buf->ptr);
    cria_buf_init(buf, buf->limit);
}

void cria_buf_clear(struct cria_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool cria_buf_reserve(struct cria_buf *buf, size_t more)
{
    size_t need, capacity = buf->capacity ? buf->capacity : 256;
    if (buf->failed) return false;
    if (!cria_size_add(buf->len, more, &need) || need > buf->limit) goto fail;
    if (need <= buf->capacity) return true;
    while (capacity < need)
        if (!cria_size_mul(capacity, 2, &capacity)) goto fail;
    if (capacity > buf->limit) capacity = buf->limit;
    char *grown = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : realloc(buf->ptr, capacity);
    if (!grown) goto fail;
    buf->ptr = grown;
    buf->capacity = capacity;
    return true;
fail:
    buf->failed = true;
    return false;
}

void cria_buf_add(struct cria_buf *buf, struct cria_str s)
{
    if (s.len == 0 || !cria_buf_reserve(buf, s.len)) return;
    memcpy(buf->ptr + buf->len, s.ptr, s.len);
    buf->len += s.len;
}

void cria_buf_add_z(struct cria_buf *buf, const char *text)
{
    cria_buf_add(buf, cria_str_from(text));
}

void cria_buf_add_char(struct cria_buf *buf, char c)
{
    if (cria_buf_reserve(buf, 1)) buf->ptr[buf->len++] = c;
}

void cria_buf_add_int(struct cria_buf *buf, int64_t value)
{
    char digits[24], *at = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--at = '-';
    cria_buf_add(buf, cria_str_make(at, (size_t)(digits + sizeof(digits) - at)));
}

void cria_buf_vprintf(struct cria_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (need < 0) {
        buf->failed = true;
        return;
    }
    if (!cria_buf_reserve(buf, (size_t)need + 1)) return;
    vsnprintf(buf->ptr + buf->len, (size_t)need + 1, format, args);
    buf->len += (size_t)need;
}

void cria_buf_printf(struct cria_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cria_buf_vprintf(buf, format, args);
    va_end(args);
}

void cria_buf_drop(struct cria_buf *buf, size_t n)
{
    if (n > buf->len) n = buf->len;
    if (n) memmove(buf->ptr, buf->ptr + n, buf->len - n);
    buf->len -= n;
}
