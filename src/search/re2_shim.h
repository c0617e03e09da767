/* re2_shim.h - RE2 for C: regular expressions in linear time. Room: search. Any thread. */
#ifndef CRIA_SEARCH_RE2_SHIM_H
#define CRIA_SEARCH_RE2_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cria_re2;

/** NULL when it does not compile; then `error` has a sentence. literal: plain text, letters of any
 * case. */
struct cria_re2 *cria_re2_new(const char *pattern, size_t len, bool literal, char *error,
                              size_t error_size);
void cria_re2_free(struct cria_re2 *re);
/** First match in text[from, len); its bounds. `^` and `$` match at line ends; text before `from`
 * is seen by them. */
bool cria_re2_find(const struct cria_re2 *re, const char *text, size_t len, size_t from,
                   size_t *start, size_t *end);

#ifdef __cplusplus
}
#endif

#endif
