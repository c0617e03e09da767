/* range.h - one byte range of RFC 9110 section 14. Room: http. Pure. */
#ifndef CRIA_HTTP_RANGE_H
#define CRIA_HTTP_RANGE_H

#include "base/str.h"

enum cria_range {
    CRIA_RANGE_WHOLE, /* none was asked for, or in a form we may ignore (several, another unit) */
    CRIA_RANGE_PART,  /* 206: offset and count are set */
    CRIA_RANGE_BEYOND /* 416 */
};

/** Reads a Range header ({NULL,0}: none) against a size in bytes. */
enum cria_range cria_range_parse(struct cria_str header, uint64_t size_bytes, uint64_t *offset,
                                 uint64_t *count);

#endif
