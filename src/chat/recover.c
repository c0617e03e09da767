#include "chat/recover.h"

#include "base/json_out.h"
#include "chat/events.h"
#include "platform/clock.h"

/* ---- call ids: five base-36 digits of the seq, two of the step, two of the call */

static void put36(char *at, unsigned digits, uint64_t value)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (unsigned i = digits; i-- > 0; value /= 36) at[i] = letters[value % 36];
}

void cria_call_id_make(int64_t seq, unsigned step, unsigned k, char out[CRIA_CALL_ID_LEN + 1])
{
    put36(out, 5, (uint64_t)seq);
    put36(out + 5, 2, step);
    put36(out + 7, 2, k);
    out[CRIA_CALL_ID_LEN] = '\0';
}

unsigned cria_call_id_step(struct cria_str id)
{
    unsigned step = 0;
    if (id.len != CRIA_CALL_ID_LEN) return 0;
    for (size_t i = 5; i < 7; i++) {
        char c = id.ptr[i];
        bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'z';
        if (!is_digit && !is_letter) return 0;
        step = step * 36 + (unsigned)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return step;
}

/* ---- the turn's row */

struct cria_str cria_turn_state_write(struct cria_arena *arena, const struct cria_turn_state *state)
{
    return cria_arena_printf(arena, "{\"skipped\":%.*s,\"exports\":%.*s}",
                             CRIA_STR_ARG(state->skipped_json), CRIA_STR_ARG(state->exports_json));
}

static struct cria_str array_text(struct cria_arena *arena, const struct cria_json *value)
{
    struct cria_buf buf;
    struct cria_str text = CRIA_STR("[]");
    if (!value || value->kind != CRIA_JSON_ARRAY) return text;
    cria_buf_init(&buf, 1 << 20);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_json(&out, value);
    if (!buf.failed) text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text.ptr ? text : CRIA_STR("[]");
}

static struct cria_turn_state state_read(struct cria_arena *arena, struct cria_str json)
{
    const struct cria_json *root = NULL;
    const char *why;
    if (json.len && cria_json_parse(arena, json, &root, &why) != CRIA_OK) root = NULL;
    return (struct cria_turn_state){
        .skipped_json = array_text(arena, cria_json_get(root, "skipped")),
        .exports_json = array_text(arena, cria_json_get(root, "exports")),
    };
}

/* ---- what is open */

struct open_turn {
    enum cria_block block;
    struct cria_buf said;
    struct cria_str call_id, call_name; /* of the call without a result */
    unsigned steps;
    uint32_t n;
};

static enum cria_status read_frame(struct open_turn *open, struct cria_call *call,
                                   const struct cria_frame *frame)
{
    const struct cria_json *root = NULL;
    const char *why;
    enum cria_status st = cria_json_parse(call->arena, frame->json, &root, &why);
    if (st != CRIA_OK) return cria_fail(call, st, "A saved event cannot be read: %s", why);
    struct cria_str type = cria_json_get_str(root, "type");
    open->n = frame->n;
    if (frame->is_delta) {
        open->block = cria_str_is(type, "text_delta") ? CRIA_BLOCK_TEXT : CRIA_BLOCK_THINKING;
        cria_buf_add(&open->said, cria_json_get_str(root, "content"));
        return CRIA_OK;
    }
    open->block = CRIA_BLOCK_NONE;
    cria_buf_clear(&open->said);
    if (cria_str_is(type, "tool_call")) {
        open->call_id = cria_json_get_str(root, "call_id");
        open->call_name = cria_json_get_str(root, "name");
        unsigned step = cria_call_id_step(open->call_id);
        if (step > open->steps) open->steps = step;
    } else if (cria_str_is(type, "tool_result")) {
        open->call_id = (struct cria_str){0};
    }
    return CRIA_OK;
}

static enum cria_status read_frames(struct cria_tx *tx, struct cria_call *call,
                                    const struct cria_turn_close *close, struct open_turn *open)
{
    const uint32_t page = 500;
    struct cria_frame_list list;
    do {
        enum cria_status st = cria_tx_frames_list(tx, call, close->project, close->session_id,
                                                  close->turn_id, open->n, page, &list);
        for (size_t i = 0; i < list.count && st == CRIA_OK; i++)
            st = read_frame(open, call, &list.items[i]);
        if (st != CRIA_OK) return st;
    } while (list.count == page);
    return open->said.failed ? cria_fail_memory(call) : CRIA_OK;
}

/* ---- closing */

static enum cria_status add_frame(struct cria_call *call, struct cria_turn_close *close,
                                  struct open_turn *open, struct cria_frame *frames,
                                  struct cria_buf *json)
{
    struct cria_str text = {0};
    if (!json->failed) text = cria_arena_copy(call->arena, cria_buf_str(json));
    cria_buf_clear(json);
    if (!text.ptr) return cria_fail_memory(call);
    frames[close->count++] = (struct cria_frame){.n = ++open->n, .json = text};
    return CRIA_OK;
}

static enum cria_status make_frames(struct cria_call *call, struct cria_turn_close *close,
                                    struct open_turn *open, const struct cria_turn_usage *usage,
                                    struct cria_str skipped_json, struct cria_buf *json)
{
    struct cria_frame *frames = CRIA_NEW_ARRAY(call->arena, 3, struct cria_frame);
    enum cria_status st = CRIA_OK;
    if (!frames) return cria_fail_memory(call);
    close->frames = frames;
    if (open->block != CRIA_BLOCK_NONE) {
        cria_event_text_write(json, open->block == CRIA_BLOCK_TEXT ? "text" : "thinking",
                              cria_buf_str(&open->said), CRIA_STR(""));
        st = add_frame(call, close, open, frames, json);
    }
    if (st == CRIA_OK && open->call_id.len) {
        struct cria_buf error;
        cria_buf_init(&error, 4096);
        cria_tool_error_write(&error, close->error);
        cria_event_result_write(json, open->call_id, open->call_name, cria_buf_str(&error));
        cria_buf_release(&error);
        st = add_frame(call, close, open, frames, json);
    }
    if (st != CRIA_OK) return st;
    cria_event_stop_write(json, close->error, usage, skipped_json);
    return add_frame(call, close, open, frames, json);
}

static enum cria_status save(struct cria_tx *tx, struct cria_call *call,
                             struct cria_turn_close *close, const struct cria_turn_usage *usage,
                             struct cria_str exports_json, int64_t now_us, struct cria_buf *json)
{
    struct cria_session session;
    enum cria_status st = cria_tx_frames_append(tx, call, close->project, close->session_id,
                                                close->turn_id, close->frames, close->count);
    if (st == CRIA_OK)
        st = cria_tx_session_get(tx, call, close->project, close->session_id, &session);
    if (st != CRIA_OK) return st;
    cria_job_metadata_write(json, close->error, usage, exports_json);
    session.job_metadata_json = cria_buf_str(json);
    session.last_updated_at_us = now_us;
    if (json->failed) return cria_fail_memory(call);
    st = cria_tx_session_update(tx, call, close->project, &session);
    if (st != CRIA_OK) return st;
    return cria_tx_turn_finish(tx, call, close->project, close->session_id, close->turn_id, now_us);
}

enum cria_status cria_turn_close_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_turn_close *close = arg;
    struct open_turn open = {0};
    struct cria_turn_row row;
    struct cria_buf json;
    close->frames = NULL;
    close->count = 0;
    enum cria_status st = cria_tx_turn_latest(tx, call, close->project, close->session_id, &row);
    if (st == CRIA_E_NOT_FOUND) return CRIA_OK;
    if (st != CRIA_OK || !row.is_running || !cria_str_equal(row.id, close->turn_id)) return st;

    cria_buf_init(&open.said, CRIA_TURN_BYTES_MAX);
    cria_buf_init(&json, CRIA_TURN_BYTES_MAX * 2);
    st = read_frames(tx, call, close, &open);
    if (st == CRIA_OK) {
        int64_t now_us = cria_wall_us();
        struct cria_turn_state state = state_read(call->arena, row.state_json);
        struct cria_turn_usage usage = {
            .duration_ms =
                now_us > row.started_at_us ? (double)(now_us - row.started_at_us) / 1000.0 : 0.0,
            .input_tokens = -1,
            .output_tokens = -1,
            .turns = open.steps,
        };
        st = make_frames(call, close, &open, &usage, state.skipped_json, &json);
        if (st == CRIA_OK) st = save(tx, call, close, &usage, state.exports_json, now_us, &json);
    }
    cria_buf_release(&open.said);
    cria_buf_release(&json);
    return st;
}
