/* reply.h - the one place that turns a status into an HTTP answer. Room: api. Any thread. */
#ifndef CRIA_API_REPLY_H
#define CRIA_API_REPLY_H

#include "http/http.h"

/**
 * Ends the exchange. CRIA_OK: ex->body as JSON with ex->status, else 200; 204 has no body.
 * Otherwise {"detail": …} with the call's sentence; CRIA_E_INVALID sends ex->body when it holds a
 * list of problems already (cria_check_problems). What is our fault is logged and told in general
 * words.
 */
void cria_reply(struct cria_exchange *ex, enum cria_status status);
/** The HTTP status of a failure. */
int cria_reply_code(enum cria_status status);

#endif
