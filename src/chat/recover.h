/* recover.h - closes a turn from what the store holds of it: after a crash or a failed write.
 * Room: chat. What was said is kept: open blocks get their text or thinking event, calls without a
 * result get an error result, then comes the error stop. */
#ifndef CRIA_CHAT_RECOVER_H
#define CRIA_CHAT_RECOVER_H

#include "store/records.h"

/** The argument of cria_turn_close_fn; slices borrowed until it is done. */
struct cria_turn_close {
    struct cria_str project, session_id, turn_id;
    struct cria_str error;           /* of the stop event */
    const struct cria_frame *frames; /* out: what was added; in the write's call->arena */
    size_t count;
};
/** A write function. CRIA_OK and no frames when the turn is not the latest or has ended. */
cria_write_fn cria_turn_close_fn;

/** What a turn's row remembers for that (cria_turn_row.state_json). */
struct cria_turn_state {
    struct cria_str skipped_json, exports_json; /* arrays */
};
/** {NULL,0} when memory is short. */
struct cria_str cria_turn_state_write(struct cria_arena *arena,
                                      const struct cria_turn_state *state);

enum { CRIA_CALL_ID_LEN = 9 };
/** The id of call k (from 1) in model step `step` of the turn that began at event seq of its
 * session: 9 letters and digits, unique within the session. */
void cria_call_id_make(int64_t seq, unsigned step, unsigned k, char out[CRIA_CALL_ID_LEN + 1]);
/** The step in such an id; 0 when it is none. */
unsigned cria_call_id_step(struct cria_str id);

#endif
