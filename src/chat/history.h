/* history.h - what earlier turns of a session mean for this one: questions, answers, the passages
 * they cite. Room: chat. Pure. */
#ifndef CRIA_CHAT_HISTORY_H
#define CRIA_CHAT_HISTORY_H

#include "chat/evidence.h"
#include "store/records.h"

enum { CRIA_HISTORY_EVENTS = 200 }; /* newest ones that are looked at */

struct cria_exchange_said {
    struct cria_str question, answer; /* markers of the answer are passage numbers again */
};
struct cria_history {
    struct cria_exchange_said *items; /* oldest first */
    size_t count;
};

/** Reads events (oldest first; the first turn may be cut) and adds the cited passages to the
 * evidence, which must lie in the same arena. Events that cannot be read are skipped. @return
 * CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_history_read(struct cria_arena *arena,
                                                   const struct cria_frame_list *events,
                                                   struct cria_evidence *evidence,
                                                   struct cria_history *out);

/** Whether a question seems to lean on the one before: short, or with "it", "that", "and what
 * about". */
bool cria_is_follow_up(struct cria_str question);

#endif
