#include "chat/events.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "chat/recover.h"
#include "platform/clock.h"

enum { CLOSING_RESERVE = 64 << 10, WRITE_ARENA_BYTES = 16 << 20, DELTA_PACE_MS = 20 };
enum { PIECE_BYTES = 16 << 10 };

struct cria_event_slot {
    uint32_t n;
    bool is_delta;
    size_t from, len; /* in the batch's json */
};

static void on_pace(void *arg)
{
    cria_events_pump(arg);
}

enum cria_status cria_events_init(struct cria_events *events, struct cria_store *store,
                                  struct cria_loop *loop, struct cria_turn_log *log)
{
    events->store = store;
    events->loop = loop;
    events->log = log;
    /* A log that was cut at its first frame holds none; the store has user_input as the first. */
    events->n = cria_turn_log_count(log);
    if (events->n == 0) events->n = 1;
    events->filling = &events->batches[0];
    for (size_t i = 0; i < 2; i++)
        cria_buf_init(&events->batches[i].json, CRIA_TURN_BYTES_MAX + CLOSING_RESERVE);
    cria_buf_init(&events->text, CRIA_TURN_BYTES_MAX);
    cria_buf_init(&events->delta, CRIA_TURN_BYTES_MAX);
    cria_arena_init(&events->write_arena, WRITE_ARENA_BYTES);
    cria_call_init(&events->write_call, &events->write_arena);
    return cria_timer_new(loop, on_pace, events, &events->timer);
}

void cria_events_release(struct cria_events *events)
{
    assert(!events->flying);
    for (size_t i = 0; i < 2; i++) {
        cria_buf_release(&events->batches[i].json);
        free(events->batches[i].slots);
        free(events->batches[i].frames);
    }
    cria_buf_release(&events->text);
    cria_buf_release(&events->delta);
    cria_arena_release(&events->write_arena);
    cria_timer_free(events->timer);
}

/* ---- frames */

static bool batch_grow(struct cria_event_batch *batch)
{
    if (batch->count < batch->capacity) return true;
    size_t capacity = batch->capacity ? batch->capacity * 2 : 8;
    struct cria_event_slot *slots = realloc(batch->slots, capacity * sizeof(*slots));
    if (slots) batch->slots = slots;
    struct cria_frame *frames = realloc(batch->frames, capacity * sizeof(*frames));
    if (frames) batch->frames = frames;
    if (!slots || !frames) return false;
    batch->capacity = capacity;
    return true;
}

/* Opens a frame in the batch: its JSON is written to batch->json next, then frame_end. */
static struct cria_buf *frame_begin(struct cria_events *events)
{
    struct cria_event_batch *batch = events->filling;
    if (events->is_broken || events->has_lost) return NULL;
    if (!batch_grow(batch)) {
        events->has_lost = true;
        return NULL;
    }
    batch->slots[batch->count] = (struct cria_event_slot){.from = batch->json.len};
    return &batch->json;
}

static void frame_end(struct cria_events *events, bool is_delta)
{
    struct cria_event_batch *batch = events->filling;
    struct cria_event_slot *slot = &batch->slots[batch->count];
    if (batch->json.failed) {
        batch->json.failed = false;
        batch->json.len = slot->from; /* a cut frame must not go out */
        events->has_lost = true;
        return;
    }
    /* A frame is one line; what newlines spliced JSON has stand between its tokens. */
    for (size_t i = slot->from; i < batch->json.len; i++)
        if (batch->json.ptr[i] == '\n' || batch->json.ptr[i] == '\r') batch->json.ptr[i] = ' ';
    slot->n = ++events->n;
    slot->is_delta = is_delta;
    slot->len = batch->json.len - slot->from;
    events->used_bytes += slot->len;
    batch->count++;
}

/* Text that waited for its frame gets one. */
static void flush_delta(struct cria_events *events)
{
    struct cria_buf *json;
    if (events->delta.len == 0 || !(json = frame_begin(events))) return;
    cria_event_text_write(json, events->block == CRIA_BLOCK_TEXT ? "text_delta" : "thinking_delta",
                          cria_buf_str(&events->delta), CRIA_STR(""));
    frame_end(events, true);
    cria_buf_clear(&events->delta);
}

bool cria_events_fits(const struct cria_events *events, size_t bytes)
{
    /* The open block is written once more when it closes; escapes may lengthen it. */
    size_t closing = events->text.len * 2 + events->delta.len * 2;
    return events->used_bytes + closing + bytes + CLOSING_RESERVE <= CRIA_TURN_BYTES_MAX;
}

static void add_piece(struct cria_events *events, struct cria_str text)
{
    size_t text_len = events->text.len, delta_len = events->delta.len;
    if (!cria_events_fits(events, text.len * 4)) {
        events->failed = true;
        return;
    }
    cria_buf_add(&events->text, text);
    cria_buf_add(&events->delta, text);
    if (events->text.failed || events->delta.failed) {
        events->text.failed = events->delta.failed = false;
        events->text.len = text_len; /* a block stays equal to what its deltas say */
        events->delta.len = delta_len;
        events->failed = true;
    }
}

void cria_events_add_text(struct cria_events *events, enum cria_block kind, struct cria_str text)
{
    if (text.len == 0 || events->failed || events->is_broken) return;
    if (events->block != kind) cria_events_close_block(events, CRIA_STR(""));
    events->block = kind;
    while (text.len && !events->failed) { /* of a text too long as much as there is room for */
        struct cria_str piece = cria_utf8_cut(text, PIECE_BYTES);
        if (piece.len == 0) piece = cria_str_sub(text, 0, PIECE_BYTES);
        add_piece(events, piece);
        text = cria_str_sub(text, piece.len, SIZE_MAX);
    }
}

void cria_events_close_block(struct cria_events *events, struct cria_str members)
{
    struct cria_buf *json;
    if (events->block == CRIA_BLOCK_NONE) return;
    flush_delta(events);
    events->text.len -= events->delta.len; /* what got no frame was not said */
    cria_buf_clear(&events->delta);
    if (events->text.len && (json = frame_begin(events))) {
        cria_event_text_write(json, events->block == CRIA_BLOCK_TEXT ? "text" : "thinking",
                              cria_buf_str(&events->text), members);
        frame_end(events, false);
    }
    cria_buf_clear(&events->text);
    events->block = CRIA_BLOCK_NONE;
}

void cria_events_tool_call(struct cria_events *events, struct cria_str call_id,
                           struct cria_str name, struct cria_str arguments_json)
{
    struct cria_buf *json;
    cria_events_close_block(events, CRIA_STR(""));
    if (!(json = frame_begin(events))) return;
    cria_event_call_write(json, call_id, name, arguments_json);
    frame_end(events, false);
}

void cria_events_tool_result(struct cria_events *events, struct cria_str call_id,
                             struct cria_str name, struct cria_str result_json)
{
    struct cria_buf *json = frame_begin(events);
    if (!json) return;
    cria_event_result_write(json, call_id, name, result_json);
    frame_end(events, false);
}

void cria_events_stop(struct cria_events *events, struct cria_str stop_json,
                      const struct cria_turn_end *end)
{
    struct cria_buf *json;
    cria_events_close_block(events, CRIA_STR(""));
    if (!(json = frame_begin(events))) return;
    cria_buf_add(json, stop_json);
    frame_end(events, false);
    events->end = *end;
    events->filling->is_last = true;
}

/* ---- commits */

static enum cria_status write_batch(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_events *events = arg;
    struct cria_event_batch *batch = events->flying;
    struct cria_str project = cria_str_from(events->project);
    struct cria_str session_id = cria_str_from(events->session);
    struct cria_str turn_id = cria_str_from(cria_turn_log_id(events->log));
    struct cria_session session;
    enum cria_status st =
        cria_tx_frames_append(tx, call, project, session_id, turn_id, batch->frames, batch->count);
    if (st != CRIA_OK || !batch->is_last) return st;
    st = cria_tx_session_get(tx, call, project, session_id, &session);
    if (st != CRIA_OK) return st;
    session.job_metadata_json = events->end.job_metadata_json;
    session.last_updated_at_us = events->end.at_us;
    st = cria_tx_session_update(tx, call, project, &session);
    if (st != CRIA_OK) return st;
    return cria_tx_turn_finish(tx, call, project, session_id, turn_id, events->end.at_us);
}

static void batch_clear(struct cria_event_batch *batch)
{
    cria_buf_clear(&batch->json);
    batch->count = 0;
    batch->is_last = false;
}

/* The turn was closed from what the store holds, or even that failed. */
static void on_closed(struct cria_write *write, enum cria_status status)
{
    struct cria_events *events = CRIA_CONTAINER(write, struct cria_events, write);
    struct cria_buf stop;
    events->flying = NULL;
    events->ending(events->arg);
    if (status == CRIA_OK) {
        cria_turn_log_append(events->log, events->close.frames, events->close.count, true);
    } else {
        /* The last resort: readers get a stop that is not durable. The session's next turn, or the
         * next start, closes this one in the store. */
        struct cria_turn_usage usage = {.input_tokens = -1, .output_tokens = -1};
        struct cria_frame frame = {.n = cria_turn_log_count(events->log) + 1};
        cria_buf_init(&stop, CLOSING_RESERVE);
        cria_event_stop_write(&stop, events->close.error, &usage, CRIA_STR("[]"));
        frame.json = cria_buf_str(&stop);
        cria_turn_log_append(events->log, &frame, 1, true);
        cria_buf_release(&stop);
    }
    events->is_ended = true;
    events->changed(events->arg);
}

/* Nobody saw what failed; what was seen before is in the store. */
void cria_events_break(struct cria_events *events, enum cria_status status)
{
    if (events->flying || events->is_broken) return;
    events->is_broken = true;
    events->block = CRIA_BLOCK_NONE;
    events->close = (struct cria_turn_close){
        .project = cria_str_from(events->project),
        .session_id = cria_str_from(events->session),
        .turn_id = cria_str_from(cria_turn_log_id(events->log)),
        .error = status == CRIA_E_NO_SPACE    ? CRIA_STR("the disk is full")
                 : status == CRIA_E_NO_MEMORY ? CRIA_STR("out of memory")
                                              : CRIA_STR("the answer could not be saved"),
    };
    events->flying = events->filling;
    events->write = (struct cria_write){.fn = cria_turn_close_fn,
                                        .arg = &events->close,
                                        .call = &events->write_call,
                                        .done = on_closed,
                                        .loop = events->loop,
                                        .is_freeing = true}; /* small, and ends things */
    cria_store_submit(events->store, &events->write);
}

static void on_committed(struct cria_write *write, enum cria_status status)
{
    struct cria_events *events = CRIA_CONTAINER(write, struct cria_events, write);
    struct cria_event_batch *batch = events->flying;
    events->flying = NULL;
    cria_arena_reset(&events->write_arena);
    if (status == CRIA_OK) {
        if (batch->is_last) events->ending(events->arg);
        cria_turn_log_append(events->log, batch->frames, batch->count, batch->is_last);
        events->is_ended |= batch->is_last;
        batch_clear(batch);
        cria_events_pump(events);
    } else {
        cria_log(CRIA_LOG_ERROR, "turn.commit_failed", "turn=%s status=%s",
                 cria_turn_log_id(events->log), cria_status_name(status));
        cria_events_break(events, status);
    }
    events->changed(events->arg); /* may free the turn */
}

static void submit(struct cria_events *events)
{
    struct cria_event_batch *batch = events->filling;
    for (size_t i = 0; i < batch->count; i++) {
        const struct cria_event_slot *slot = &batch->slots[i];
        batch->frames[i] = (struct cria_frame){
            .n = slot->n,
            .is_delta = slot->is_delta,
            .json = cria_str_make(batch->json.ptr + slot->from, slot->len),
        };
    }
    events->flying = batch;
    events->filling = batch == &events->batches[0] ? &events->batches[1] : &events->batches[0];
    events->write = (struct cria_write){.fn = write_batch,
                                        .arg = events,
                                        .call = &events->write_call,
                                        .done = on_committed,
                                        .loop = events->loop};
    cria_store_submit(events->store, &events->write);
}

void cria_events_pump(struct cria_events *events)
{
    if (events->flying || events->is_ended || events->is_broken) return;
    if (events->filling->count == 0) {
        if (events->delta.len == 0) return;
        /* Deltas alone: the first goes at once, later ones at a pace that joins them. */
        uint64_t now_ns = cria_now_ns(), pace_ns = DELTA_PACE_MS * UINT64_C(1000000);
        if (events->delta_at_ns && now_ns - events->delta_at_ns < pace_ns) {
            uint64_t left_ms = (pace_ns - (now_ns - events->delta_at_ns)) / 1000000;
            cria_timer_start(events->timer, left_ms + 1, 0);
            return;
        }
        events->delta_at_ns = now_ns;
    }
    flush_delta(events);
    if (events->filling->count) submit(events);
}
