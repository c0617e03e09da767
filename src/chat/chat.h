/* chat.h - sessions and turns: binding, locking, running a turn, its durable stream.
 * Room: chat; may use search, store, model, platform, base. Rules: contract NOTES sections 3 and 4.
 * Threads: unless said otherwise the functions block and are called on request workers; turns
 * themselves run on workers (tools, extractive answers) and on the loop given (model streams). */
#ifndef CRIA_CHAT_CHAT_H
#define CRIA_CHAT_CHAT_H

#include "base/buf.h"
#include "platform/loop.h"
#include "platform/pool.h"
#include "search/search.h"
#include "store/records.h"

struct cria_chat;
struct cria_turn_log; /* a turn's frames, in memory while somebody needs them; any thread */

struct cria_chat_options {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_pool *pool; /* request workers */
    const char
        *llm_url; /* base URL of an OpenAI-compatible API, ".../v1"; NULL or "": extractive */
    const char *llm_model;
    const char *llm_key;       /* NULL or "": none is sent */
    unsigned max_turns;        /* running at once: 429 beyond; 0: 64 */
    uint32_t turn_deadline_ms; /* 180,000 */
    bool cancel_on_disconnect; /* false: a turn outlives its reader */
};

CRIA_MUST_CHECK enum cria_status cria_chat_new(const struct cria_chat_options *options,
                                               struct cria_call *call, struct cria_chat **out);
/** Closes the turns that a crash left: what was said is kept, a persisted error `stop` ends them.
 * At start. */
CRIA_MUST_CHECK enum cria_status cria_chat_recover(struct cria_chat *chat, struct cria_call *call);
/** Stops all turns with an error `stop` ("server stopping"), waits for them (at most wait_ms). */
void cria_chat_stop(struct cria_chat *chat, uint32_t wait_ms);
void cria_chat_free(struct cria_chat *chat);

/** The index row that an id means (idx- or exp-); CRIA_E_NOT_FOUND with its sentence. */
CRIA_MUST_CHECK enum cria_status cria_chat_index_get(struct cria_tx *tx, struct cria_call *call,
                                                     struct cria_str project,
                                                     struct cria_str index_id,
                                                     struct cria_index *out);

struct cria_session_new {
    const struct cria_str *index_ids; /* as given, repeats allowed */
    size_t index_count;               /* 0: unbound */
    struct cria_str shared_access;    /* null: the default, read_only */
};
/** A write function (store.h): checks the ids and inserts the session. arg is a
 * cria_session_create. */
struct cria_session_create {
    struct cria_str project;
    struct cria_session_new params;
    struct cria_session session; /* out: the row */
};
cria_write_fn cria_session_create_fn;
/** The same as a write function for the legacy title call. */
struct cria_session_title {
    struct cria_str project, session_id, first_message;
    struct cria_session session; /* out */
};
cria_write_fn cria_session_title_fn;

struct cria_turn_params {
    struct cria_str project, session_id;
    const struct cria_str *index_ids; /* as given */
    size_t index_count;
    struct cria_str prompt;
    bool require_all_indexes;
};
/**
 * Checks everything (404, 409, 422-like refusals leave the session untouched), makes the user_input
 * durable, locks and titles the session, and starts the turn, whose model work will run on `loop`.
 * @param[out] out  the turn's log, one reference for the caller: read it with cria_turn_log_read.
 */
CRIA_MUST_CHECK enum cria_status cria_chat_turn_start(struct cria_chat *chat,
                                                      struct cria_call *call,
                                                      struct cria_loop *loop,
                                                      const struct cria_turn_params *params,
                                                      struct cria_turn_log **out);
/**
 * Attaches to the session's latest turn.
 * @param last_event_id  {NULL,0}: from its first frame.
 * @param[out] out       NULL with CRIA_OK when the session never ran a turn.
 * @param[out] after_n   the cursor to read from.
 * @return CRIA_E_INVALID the id is not of the latest turn; CRIA_E_NOT_FOUND no such session.
 */
CRIA_MUST_CHECK enum cria_status cria_chat_attach(struct cria_chat *chat, struct cria_call *call,
                                                  struct cria_str project,
                                                  struct cria_str session_id,
                                                  struct cria_str last_event_id,
                                                  struct cria_turn_log **out, uint32_t *after_n);
/** Cancels the running turn and waits until its `stop` is durable; does nothing when none runs. */
CRIA_MUST_CHECK enum cria_status cria_chat_cancel(struct cria_chat *chat, struct cria_call *call,
                                                  struct cria_str project,
                                                  struct cria_str session_id);
/** Stops a running turn (its readers get an error `stop`) and deletes the session. */
CRIA_MUST_CHECK enum cria_status cria_chat_delete(struct cria_chat *chat, struct cria_call *call,
                                                  struct cria_str project,
                                                  struct cria_str session_id);

enum cria_log_read { CRIA_LOG_WAIT, CRIA_LOG_MORE, CRIA_LOG_END };
/** Appends whole SSE frames behind *after_n to out, up to about room bytes, and moves *after_n. Any
 * thread; never blocks but on a short lock. END: all frames up to `stop` were given. */
enum cria_log_read cria_turn_log_read(struct cria_turn_log *log, uint32_t *after_n,
                                      struct cria_buf *out, size_t room);
/** One reader that wants to be woken when frames come; lies in the caller's object until
 * unsubscribed. */
struct cria_log_reader {
    void (*wake)(
        struct cria_log_reader *reader); /* any thread, must not block nor call back into the log */
    struct cria_log_reader *next, *previous;
};
void cria_turn_log_subscribe(struct cria_turn_log *log, struct cria_log_reader *reader);
/** No wake is running or comes after it returned. */
void cria_turn_log_unsubscribe(struct cria_turn_log *log, struct cria_log_reader *reader);
struct cria_turn_log *cria_turn_log_ref(struct cria_turn_log *log);
void cria_turn_log_unref(struct cria_turn_log *log);
/** A reader of this turn left before its end: cancels the turn when that setting is on. */
void cria_chat_reader_left(struct cria_chat *chat, struct cria_turn_log *log);

struct cria_chat_figures {
    uint64_t running, finished, failed;
};
struct cria_chat_figures cria_chat_figures(struct cria_chat *chat);

#endif
