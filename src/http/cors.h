/* cors.h - what pages of other origins may do (the CORS protocol of the Fetch standard): nothing,
 * unless their origin is configured. Room: http. Pure but for the headers it sets. */
#ifndef CRIA_HTTP_CORS_H
#define CRIA_HTTP_CORS_H

#include "http/http.h"

/** Whether `origin` is in the comma list `origins`, byte for byte; an empty one never is. */
bool cria_cors_lists(struct cria_str origins, struct cria_str origin);

/** Adds to the head of any reply what lets a page of a listed origin read it; nothing when
 * `origins` is empty. */
void cria_cors_write(const struct cria_exchange *ex, struct cria_str origins,
                     struct cria_buf *head);

/**
 * Answers an OPTIONS request that is the preflight of a listed origin: sets its headers.
 * @param allow  a bit per cria_method that the path takes.
 * @return false: it is none, and nothing was set.
 */
bool cria_cors_preflight(struct cria_exchange *ex, struct cria_str origins, unsigned allow);

/** "GET, HEAD, POST": the methods of a bit set, for Allow and its kin. */
void cria_methods_write(unsigned methods, struct cria_buf *out);

#endif
