/* sessions.h - chat sessions, as chat.c and chat_stream.c share them. Room: api. */
#ifndef CRIA_API_SESSIONS_H
#define CRIA_API_SESSIONS_H

#include "api/handler.h"
#include "store/records.h"

/** Writes a ChatSessionSummary. */
void cria_session_write(struct cria_json_out *out, const struct cria_session *row);
/** The session of the path; CRIA_E_NOT_FOUND with its sentence. */
CRIA_MUST_CHECK enum cria_status cria_session_find(struct cria_tx *tx, struct cria_exchange *ex,
                                                   struct cria_session *out);
/** Reads the session of the path and writes its summary as the answer. */
CRIA_MUST_CHECK enum cria_status cria_session_write_now(struct cria_exchange *ex);

#endif
