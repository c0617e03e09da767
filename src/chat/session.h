/* session.h - what a session is bound to, and the title of its first message.
 * Room: chat. The rules are the table in the contract's NOTES, section 3; these functions only read
 * the transaction they get, so a refused call has changed nothing. */
#ifndef CRIA_CHAT_SESSION_H
#define CRIA_CHAT_SESSION_H

#include "chat/chat.h"

enum { CRIA_SESSION_INDEXES_MAX = 10, CRIA_TITLE_CHARS = 60 };

/** What a turn runs over. All of it lies in call->arena. */
struct cria_binding {
    const struct cria_str *asked; /* as spelt by the client (or as bound), repeats once */
    size_t asked_count;
    const struct cria_search_index *searched; /* those with an export, in that order */
    size_t searched_count;
    const struct cria_str *skipped; /* the others, as spelt */
    size_t skipped_count;
    bool locks; /* the session is bound: this turn locks it, over index_ids_json */
    struct cria_str index_ids_json;
};

/**
 * Applies the table to a stream call.
 * @return CRIA_E_INVALID unbound without ids, or more than 10; CRIA_E_NOT_FOUND all unknown;
 *         CRIA_E_CONFLICT (final) another set on a locked session, or none can be queried.
 */
CRIA_MUST_CHECK enum cria_status cria_session_bind(struct cria_tx *tx, struct cria_call *call,
                                                   struct cria_str project,
                                                   const struct cria_session *session,
                                                   const struct cria_turn_params *params,
                                                   struct cria_binding *out);

/** White space folded; cut at a word end within 60 code points, then "..." follows. {NULL,0} when
 * memory is short. */
struct cria_str cria_title_make(struct cria_arena *arena, struct cria_str message);

/** A JSON array of strings into the arena; {NULL,0} when memory is short. */
struct cria_str cria_ids_json(struct cria_arena *arena, const struct cria_str *ids, size_t count);
/** The way back. */
CRIA_MUST_CHECK enum cria_status cria_ids_parse(struct cria_arena *arena, struct cria_str json,
                                                const struct cria_str **out, size_t *count);
/** Whether both ids name the same index (idx-… and exp-… of one UUID do). */
bool cria_index_id_equal(struct cria_str a, struct cria_str b);

#endif
