/* events.h - writes one turn's frames: makes their JSON, numbers them, commits them in groups, and
 * shows them to readers only then.
 * Room: chat. Belongs to the turn's loop; the commits themselves run on the store's writer thread.
 *   caller --> filling --(commit)--> flying --(durable)--> turn_log --> readers
 * While a commit is under way all further frames collect in `filling` and go together. */
#ifndef CRIA_CHAT_EVENTS_H
#define CRIA_CHAT_EVENTS_H

#include "chat/recover.h"
#include "chat/turn_log.h"

/** Frames that go into one commit. */
struct cria_event_batch {
    struct cria_buf json; /* data lines, one behind the other */
    struct cria_event_slot *slots;
    struct cria_frame *frames; /* over json, made when it flies */
    size_t count, capacity;
    bool is_last;
};

/** What the last commit also writes: the end of the turn in its session. */
struct cria_turn_end {
    struct cria_str job_metadata_json;
    int64_t at_us;
};

enum cria_block { CRIA_BLOCK_NONE, CRIA_BLOCK_TEXT, CRIA_BLOCK_THINKING };

struct cria_events {
    struct cria_store *store;
    struct cria_loop *loop;
    struct cria_turn_log *log;
    char project[CRIA_ID_SIZE], session[CRIA_ID_SIZE];
    /** On the loop, after each commit or failure: is_ended and is_broken tell. Last use of events
     * when is_ended. */
    void (*changed)(void *arg);
    /** On the loop, once, when the end is settled but no reader has seen it: who reads it may ask
     * again at once. */
    void (*ending)(void *arg);
    void *arg;

    struct cria_event_batch batches[2], *filling, *flying; /* flying NULL: no commit under way */
    struct cria_turn_end end;
    struct cria_write write;
    struct cria_call write_call;
    struct cria_arena write_arena;
    struct cria_timer *timer; /* paces commits of deltas alone */
    uint64_t delta_at_ns;     /* when the last such commit began */
    enum cria_block block;    /* open: its text so far, and the part that has no frame yet */
    struct cria_buf text, delta;
    size_t used_bytes; /* JSON of all frames */
    uint32_t n;        /* of the latest frame */
    bool failed;       /* no room or memory for more text: stop should follow */
    bool has_lost;     /* a frame was lost for want of memory: all later ones go as well, and the
                          turn is to be closed by cria_events_break */
    bool is_broken;    /* a commit failed: the turn is being closed, more frames are dropped */
    bool is_ended;     /* the stop frame is in the log */
    struct cria_turn_close close;
};

/** On the loop. n: frames that the log has already. */
CRIA_MUST_CHECK enum cria_status cria_events_init(struct cria_events *events,
                                                  struct cria_store *store, struct cria_loop *loop,
                                                  struct cria_turn_log *log);
/** On the loop, when nothing flies. */
void cria_events_release(struct cria_events *events);

/** More of the open block; a block of the other kind is closed first (plainly). */
void cria_events_add_text(struct cria_events *events, enum cria_block kind, struct cria_str text);
/** Closes the open block, if any. members: further members of its JSON, each led by a comma ("" for
 * none). */
void cria_events_close_block(struct cria_events *events, struct cria_str members);
/** arguments_json and result_json: one compact line of JSON each. */
void cria_events_tool_call(struct cria_events *events, struct cria_str call_id,
                           struct cria_str name, struct cria_str arguments_json);
void cria_events_tool_result(struct cria_events *events, struct cria_str call_id,
                             struct cria_str name, struct cria_str result_json);
/** The last frame; what `end` points to lives until is_ended. */
void cria_events_stop(struct cria_events *events, struct cria_str stop_json,
                      const struct cria_turn_end *end);
/** Starts a commit if one is due: call after each burst of frames. */
void cria_events_pump(struct cria_events *events);
/** Gives up writing: the turn is closed from what the store holds of it, like after a crash. Only
 * when nothing flies. */
void cria_events_break(struct cria_events *events, enum cria_status status);
/** Whether that many bytes of JSON would still fit beside what closing the turn needs. */
bool cria_events_fits(const struct cria_events *events, size_t bytes);

/* The JSON of frames, for the events above and for closing turns after a crash. */
void cria_event_text_write(struct cria_buf *out, const char *type, struct cria_str content,
                           struct cria_str members);
void cria_event_call_write(struct cria_buf *out, struct cria_str call_id, struct cria_str name,
                           struct cria_str arguments_json);
void cria_event_result_write(struct cria_buf *out, struct cria_str call_id, struct cria_str name,
                             struct cria_str result_json);
struct cria_turn_usage {
    double duration_ms;
    int64_t input_tokens, output_tokens; /* -1: null */
    int64_t turns;
};
/** error {NULL,0}: a good end. skipped_json: an array. */
void cria_event_stop_write(struct cria_buf *out, struct cria_str error,
                           const struct cria_turn_usage *usage, struct cria_str skipped_json);
/** The session's job_metadata. exports_json: an array. */
void cria_job_metadata_write(struct cria_buf *out, struct cria_str error,
                             const struct cria_turn_usage *usage, struct cria_str exports_json);
/** {"error": "<sentence>"}: the result of a tool call that failed. */
void cria_tool_error_write(struct cria_buf *out, struct cria_str sentence);

#endif
