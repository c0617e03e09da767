/* buf.h - growing output with a limit, which remembers its first failure: write on, check once.
 * Room: base. One thread at a time; heap memory of its own. */
#ifndef CRIA_BASE_BUF_H
#define CRIA_BASE_BUF_H

#include <stdarg.h>

#include "base/status.h"
#include "base/str.h"

struct cria_buf {
    char *ptr;
    size_t len, capacity, limit; /* bytes */
    bool failed;                 /* something did not fit; what is there is cut off, not wrong */
};

/** Allocates nothing. limit_bytes: the most it will hold. */
void cria_buf_init(struct cria_buf *buf, size_t limit_bytes);
/** Frees the bytes; the buffer may be used again with the same limit. Accepts a zeroed one. */
void cria_buf_release(struct cria_buf *buf);
/** Forgets content and failure, keeps the memory. */
void cria_buf_clear(struct cria_buf *buf);
/** Makes room for `more` bytes behind len; false (and failed) when it cannot. */
bool cria_buf_reserve(struct cria_buf *buf, size_t more);
void cria_buf_add(struct cria_buf *buf, struct cria_str s);
void cria_buf_add_z(struct cria_buf *buf, const char *text);
void cria_buf_add_char(struct cria_buf *buf, char c);
void cria_buf_add_int(struct cria_buf *buf, int64_t value);
void cria_buf_printf(struct cria_buf *buf, const char *format, ...) CRIA_PRINTF(2, 3);
void cria_buf_vprintf(struct cria_buf *buf, const char *format, va_list args);
/** Drops the first n bytes. */
void cria_buf_drop(struct cria_buf *buf, size_t n);
static inline struct cria_str cria_buf_str(const struct cria_buf *buf)
{
    return (struct cria_str){buf->ptr, buf->len};
}
/** CRIA_OK or CRIA_E_NO_MEMORY. */
static inline enum cria_status cria_buf_status(const struct cria_buf *buf)
{
    return buf->failed ? CRIA_E_NO_MEMORY : CRIA_OK;
}

#endif
