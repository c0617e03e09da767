/* turn.h - one turn while it runs. Room: chat.
 * After it was started everything happens on its loop; only cria_turn_cancel comes from elsewhere.
 * A turn frees itself after its stop is durable and its last job has come back. */
#ifndef CRIA_CHAT_TURN_H
#define CRIA_CHAT_TURN_H

#include "chat/citations.h"
#include "chat/events.h"
#include "chat/extractive.h"
#include "chat/history.h"
#include "chat/markers.h"
#include "chat/prompt.h"
#include "model/provider.h"

enum {
    CRIA_TURN_MODEL_CALLS = 8,
    CRIA_TURN_TOOL_CALLS = 16,
    CRIA_TURN_PARALLEL = 4,
    CRIA_TURN_ARENA_BYTES = 128 << 20
};

/** Why a turn is stopped from outside; the text of its stop event. */
enum cria_turn_halt {
    CRIA_HALT_NONE,
    CRIA_HALT_CANCELLED,
    CRIA_HALT_DELETED,
    CRIA_HALT_SERVER_STOPPING
};

struct cria_turn_job; /* work on a worker */
struct cria_turn_call;

struct cria_turn {
    /* Set before it starts. */
    struct cria_store *store;
    struct cria_pool *pool;
    struct cria_model *model; /* NULL: extractive */
    struct cria_loop *loop;
    struct cria_turn_log *log;
    /** On the loop, once, when the stop is in the log: takes the turn out of the registry. */
    void (*ended)(struct cria_turn *turn, bool is_error);
    /** On the loop, at the very end: frees the turn. */
    void (*gone)(struct cria_turn *turn);
    struct cria_arena arena;
    struct cria_tool_scope scope;
    struct cria_str project, session_id, question, previous_question;
    struct cria_str skipped_json, exports_json;
    struct cria_history history;
    struct cria_evidence evidence;
    int64_t seq; /* of the session when it began: makes call ids unique */
    uint32_t deadline_ms;
    _Atomic int64_t *window_tokens; /* learned, of the chat */

    /* From outside. */
    atomic_int halt; /* enum cria_turn_halt */
    atomic_bool is_stopped; /* tells jobs to give up */
    atomic_bool is_posted;
    struct cria_task start_task, halt_task;

    /* The machine's own. */
    unsigned state;
    uint64_t started_ns;
    struct cria_timer *timer;
    bool is_late;
    struct cria_events events;
    struct cria_markers markers;
    struct cria_str error; /* of the stop event; null: a good end */
    struct cria_turn_usage usage;
    unsigned jobs; /* on workers now */
    struct cria_turn_job *job; /* the one of QUOTE and VERIFY */
    bool is_job_done;
    struct cria_citations citations;

    struct cria_completion *completion;
    struct cria_prompt prompt;
    struct cria_step *steps, *last_step;
    struct cria_turn_call *calls; /* of the step that runs its tools */
    size_t call_count, calls_told, calls_begun;
    struct cria_turn_call *done_calls; /* earlier ones, newest first: repeats are told so */
    struct cria_str said; /* text of this step before its calls */
    unsigned tool_calls, repeats;
    bool is_flat, is_last_round, has_retried, has_shrunk, has_searched, is_strong, call_is_open;
    struct cria_str today, tag;
};

/** Begins: posts to the loop. */
void cria_turn_begin(struct cria_turn *turn);
/** Any thread; the turn must be in the registry and its lock held, so that it cannot go away. The
 * first reason counts. */
void cria_turn_cancel(struct cria_turn *turn, enum cria_turn_halt why);

#endif
