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

/** Work on a worker, with an arena of its own. Freed with the turn, or when it was used up. */
struct cria_turn_job {
    struct cria_job job;
    struct cria_turn *turn;
    struct cria_arena arena;
    struct cria_extractive work; /* its run alone, for a tool */
    const struct cria_tool *tool;
    bool is_done;
    struct cria_turn_job *next;
};

/** One tool call of a model step. */
struct cria_turn_call {
    const struct cria_tool *tool; /* NULL: no such tool */
    struct cria_str id, name, arguments_json;
    const struct cria_json *arguments;
    bool is_broken;
    struct cria_turn_job *job;         /* while it runs */
    const struct cria_turn_call *same; /* an earlier call with the same arguments */
    struct cria_str result_json, text; /* when told */
    struct cria_turn_call *next;       /* older ones */
};

struct cria_turn {
    /* Set before it starts. */
    struct cria_store *store;
    struct cria_pool *pool;
    struct cria_model *model; /* NULL: extractive */
    struct cria_loop *loop;
    struct cria_turn_log *log;
    /** On the loop, once, when the stop is durable and before anybody sees it: takes the turn out
     * of the registry. */
    void (*ended)(struct cria_turn *turn, bool is_error);
    /** On the loop, at the very end: frees the turn. */
    void (*gone)(struct cria_turn *turn);
    void *owner; /* whom those two speak to */
    struct cria_arena arena;
    struct cria_tool_scope scope;
    struct cria_str project, session_id, question, previous_question;
    struct cria_str skipped_json, exports_json;
    struct cria_history history;
    struct cria_evidence evidence;
    int64_t seq; /* of the session when it began: makes call ids unique */
    uint32_t deadline_ms;
    _Atomic int64_t *learned_window; /* of the model, in tokens: the chat's */

    /* From outside. */
    atomic_int halt;        /* enum cria_turn_halt */
    atomic_bool is_stopped; /* tells jobs to give up */
    struct cria_task start_task, halt_task;

    /* The machine's own. */
    unsigned state;
    uint64_t started_ns;
    struct cria_timer *timer;
    bool is_late, halt_came;
    int64_t window_tokens;
    struct cria_events events;
    struct cria_markers markers;
    struct cria_str error; /* of the stop event; null: a good end */
    struct cria_turn_usage usage;
    unsigned running_jobs;
    struct cria_turn_job *jobs; /* all there are */
    struct cria_turn_job *job;  /* the one of QUOTE and VERIFY */
    struct cria_citations citations;

    struct cria_completion *completion;
    struct cria_prompt prompt;
    struct cria_step *steps, *last_step;
    struct cria_turn_call *calls; /* of the step that runs its tools */
    size_t call_count, calls_told, calls_begun;
    struct cria_turn_call *told; /* newest first: repeats are told so */
    struct cria_str said;        /* text of this step before its calls */
    unsigned tool_calls, repeats;
    bool is_flat, is_last_round, has_retried, has_shrunk, has_searched, is_strong, call_is_open;
    struct cria_str today, tag;
};

/* Between turn.c and turn_tools.c. */
/** A job whose `run` is called on a worker; counted and on its way. NULL when memory is short. */
struct cria_turn_job *cria_turn_job_new(struct cria_turn *turn, const struct cria_json *arguments);
void cria_turn_job_start(struct cria_turn_job *job, void (*run)(struct cria_job *job));
void cria_turn_job_drop(struct cria_turn_job *job);
void cria_turn_run(struct cria_turn *turn);
/** Takes over the calls of a finished model step (or our own search before the first); step: number
 * of the model call. @return CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_turn_calls_begin(struct cria_turn *turn,
                                                       const struct cria_tool_call *calls,
                                                       size_t count, unsigned step);
enum cria_calls { CRIA_CALLS_WAIT, CRIA_CALLS_DONE, CRIA_CALLS_FAILED };
/** Starts, collects and tells calls in order, as far as that goes. */
enum cria_calls cria_turn_calls_work(struct cria_turn *turn);
/** The turn ends: the call that was announced gets its result. */
void cria_turn_calls_abandon(struct cria_turn *turn, struct cria_str error);

/** Begins: posts to the loop. */
void cria_turn_begin(struct cria_turn *turn);
/** Any thread; the turn must be in the registry and its lock held, so that it cannot go away. The
 * first reason counts. */
void cria_turn_cancel(struct cria_turn *turn, enum cria_turn_halt why);

#endif
