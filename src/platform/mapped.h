/* mapped.h - files as memory. Room: platform. Any thread.
 * A mapped file that somebody cuts, or whose disk fails, ends a process with SIGBUS as soon as it
 * is read. Here such a page turns into zeros instead, for good, and the mapping knows: who checks
 * what it reads finds damage where before there was none. */
#ifndef CRIA_PLATFORM_MAPPED_H
#define CRIA_PLATFORM_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cria_mapped;

/** Maps the first `len` bytes (> 0) of an open file for reading, page-aligned; the descriptor may
 * be closed then. The first one sets the process' action for SIGBUS; one that is about no mapping
 * goes to the action before it. @return NULL on failure: errno says why. */
struct cria_mapped *cria_mapped_new(int fd, size_t len);
/** NULL is fine. Nobody reads it any more. */
void cria_mapped_free(struct cria_mapped *mapped);
const uint8_t *cria_mapped_bytes(const struct cria_mapped *mapped);
/** Whether bytes of it could not be had since it was made. */
bool cria_mapped_is_lost(const struct cria_mapped *mapped);

#endif
