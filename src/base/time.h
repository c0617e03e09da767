/* time.h - moments as microseconds since 1970 in UTC, and their written forms.
 * Room: base. Pure: the clock itself is platform/clock.h. */
#ifndef CRIA_BASE_TIME_H
#define CRIA_BASE_TIME_H

#include "base/str.h"

enum { CRIA_TIME_SIZE = 32 };

/** "2026-04-22T12:34:41.342245Z", NUL-terminated. Years 0 to 9999. */
struct cria_str cria_time_format(int64_t at_us, char out[CRIA_TIME_SIZE]);
/** The same without the Z: only `last_updated_at` of a chat session is written so. */
struct cria_str cria_time_format_local(int64_t at_us, char out[CRIA_TIME_SIZE]);
/** RFC 3339 with zone, fraction optional; without a zone UTC is meant; also a plain date. */
bool cria_time_parse(struct cria_str s, int64_t *at_us);
/** IMF-fixdate of RFC 9110, "Sun, 06 Nov 1994 08:49:37 GMT". */
struct cria_str cria_time_format_http(int64_t at_us, char out[CRIA_TIME_SIZE]);

#endif
