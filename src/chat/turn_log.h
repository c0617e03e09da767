/* turn_log.h - the durable frames of one turn, in memory, for any number of readers.
 * Room: chat. Any thread: one short lock. What readers may do is in chat.h; here is what the writer
 * of a turn does. Frames get in only after they are on disk. */
#ifndef CRIA_CHAT_TURN_LOG_H
#define CRIA_CHAT_TURN_LOG_H

#include "chat/chat.h"

enum { CRIA_TURN_BYTES_MAX = 4 << 20 }; /* of all frames' data */

/** turn_id: "trn-<uuid>". One reference for the caller. */
CRIA_MUST_CHECK enum cria_status cria_turn_log_new(struct cria_str turn_id,
                                                   struct cria_turn_log **out);
/** Makes the frames readable and wakes the readers. is_last: no more will come. When memory is
 * short the log is cut: it ends early, and who wants the rest attaches again. */
void cria_turn_log_append(struct cria_turn_log *log, const struct cria_frame *frames, size_t count,
                          bool is_last);
bool cria_turn_log_is_cut(struct cria_turn_log *log);
/** Frames in it. */
uint32_t cria_turn_log_count(struct cria_turn_log *log);
/** The turn's id, NUL-terminated; lives as long as the log. */
const char *cria_turn_log_id(const struct cria_turn_log *log);

/** Splits "<turn id>-<n>" (n from 1); false when it is no such text. */
bool cria_frame_id_parse(struct cria_str id, struct cria_str *turn_id, uint32_t *n);
/** Appends one SSE frame. */
void cria_frame_write(struct cria_buf *out, const char *turn_id, const struct cria_frame *frame);

#endif
