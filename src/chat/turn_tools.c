/* turn_tools.c - the tool calls of one model step: at most four at once on workers, told in call
 * order. Room: chat. Thread: the turn's loop; the jobs alone run on workers. */
#include "base/json_out.h"
#include "base/log.h"
#include "chat/turn.h"
#include "platform/clock.h"

enum { RESULT_JSON_MAX = 1 << 20, RESULT_TEXT_MAX = 128 << 10 };

static void run_tool(struct cria_job *base)
{
    struct cria_turn_job *job = CRIA_CONTAINER(base, struct cria_turn_job, job);
    struct cria_tool_run *run = &job->work.run;
    run->call.deadline_ns = cria_now_ns() + (uint64_t)CRIA_TOOL_TIME_MS * 1000000;
    job->tool->run(run);
}

/* The arguments in one canonical line. */
static enum cria_status set_arguments(struct cria_turn *turn, struct cria_turn_call *call,
                                      struct cria_str json)
{
    struct cria_buf line;
    const char *why;
    enum cria_status st = cria_json_parse(&turn->arena, json, &call->arguments, &why);
    if (st == CRIA_E_NO_MEMORY) return st;
    if (st != CRIA_OK || call->arguments->kind != CRIA_JSON_OBJECT) {
        call->is_broken = true;
        call->arguments = NULL;
        call->arguments_json = CRIA_STR("{}");
        return CRIA_OK;
    }
    cria_buf_init(&line, CRIA_TOOL_ARGUMENTS_MAX * 8);
    struct cria_json_out out = cria_json_out_to(&line);
    cria_out_json(&out, call->arguments);
    if (!line.failed) call->arguments_json = cria_arena_copy(&turn->arena, cria_buf_str(&line));
    cria_buf_release(&line);
    return call->arguments_json.ptr ? CRIA_OK : CRIA_E_NO_MEMORY;
}

enum cria_status cria_turn_calls_begin(struct cria_turn *turn, const struct cria_tool_call *calls,
                                       size_t count, unsigned step)
{
    struct cria_turn_call *list = CRIA_NEW_ARRAY(&turn->arena, count, struct cria_turn_call);
    if (!list) return CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        char id[CRIA_CALL_ID_LEN + 1];
        struct cria_turn_call *call = &list[i];
        cria_call_id_make(turn->seq, step, (unsigned)i + 1, id);
        call->id = cria_arena_copy(&turn->arena, cria_str_from(id));
        call->tool = cria_tool_find(calls[i].name);
        call->name = call->tool ? call->tool->name : cria_arena_copy(&turn->arena, calls[i].name);
        call->is_broken = calls[i].is_broken;
        enum cria_status st = set_arguments(turn, call, calls[i].arguments_json);
        if (st != CRIA_OK || turn->arena.failed) return CRIA_E_NO_MEMORY;
        for (struct cria_turn_call *old = turn->told; old && !call->same; old = old->next)
            if (!old->same && old->tool == call->tool && call->tool && !call->is_broken &&
                cria_str_equal(old->arguments_json, call->arguments_json))
                call->same = old;
    }
    turn->calls = list;
    turn->call_count = count;
    turn->calls_told = turn->calls_begun = 0;
    turn->call_is_open = false;
    return CRIA_OK;
}

static bool needs_job(const struct cria_turn_call *call)
{
    return call->tool && !call->is_broken && !call->same;
}

/* Puts the next call on a worker, if it needs one. */
static bool begin_call(struct cria_turn *turn, struct cria_turn_call *call)
{
    turn->tool_calls++;
    if (!needs_job(call) || turn->tool_calls > CRIA_TURN_TOOL_CALLS) return true;
    struct cria_turn_job *job = cria_turn_job_new(turn, call->arguments);
    if (!job) return false;
    struct cria_tool_file *file = &job->work.run.file;
    file->text = cria_tool_arg_str(call->arguments, cria_tool_file_names);
    const struct cria_file_handle *handle = cria_evidence_handle(&turn->evidence, file->text);
    if (handle) {
        file->index_id = handle->index_id;
        file->file_id = handle->file_id;
    }
    job->tool = call->tool;
    call->job = job;
    cria_turn_job_start(job, run_tool);
    return true;
}

/* What a call that was not run says. */
static void tell_refusal(const struct cria_turn *turn, const struct cria_turn_call *call,
                         struct cria_buf *json, struct cria_buf *text)
{
    if (call->same) {
        cria_buf_add(json, call->same->result_json);
        cria_buf_add_z(text, "This was asked already, with the same result: change the query, or "
                             "answer.\n");
    } else if (!call->tool) {
        cria_tool_tell_error(NULL, CRIA_STR("there is no such tool"), json, text);
    } else if (call->is_broken) {
        cria_tool_tell_error(call->tool, CRIA_STR("the arguments are not a JSON object"), json,
                             text);
    } else {
        cria_tool_error_write(json, CRIA_STR("no more tool calls in this turn"));
        cria_buf_add_z(text, "No more tool calls are possible: answer now.\n");
    }
    (void)turn;
}

static void tell_run(struct cria_turn *turn, struct cria_turn_call *call, struct cria_buf *json,
                     struct cria_buf *text)
{
    struct cria_tool_run *run = &call->job->work.run;
    if (run->status != CRIA_OK) {
        struct cria_str why = cria_str_from(
            run->call.error[0]                                                 ? run->call.error
            : run->status == CRIA_E_TIMEOUT || run->status == CRIA_E_CANCELLED ? "it took too long"
                                                                               : "it failed");
        cria_log(CRIA_LOG_INFO, "turn.tool_failed", "tool=%.*s status=%s", CRIA_STR_ARG(call->name),
                 cria_status_name(run->status));
        cria_tool_tell_error(call->tool, why, json, text);
        return;
    }
    call->tool->tell(run, &turn->evidence, json, text);
    if (call->tool == &cria_tools[0]) {
        turn->has_searched = true;
        turn->is_strong |= !run->is_weak;
    } else if (run->passage_count) {
        turn->is_strong = true;
    }
}

/* Emits the result of the call that is next in order. */
static bool tell_call(struct cria_turn *turn, struct cria_turn_call *call)
{
    struct cria_buf json, text;
    cria_buf_init(&json, RESULT_JSON_MAX);
    cria_buf_init(&text, RESULT_TEXT_MAX);
    if (call->job)
        tell_run(turn, call, &json, &text);
    else
        tell_refusal(turn, call, &json, &text);
    if (json.failed || !cria_events_fits(&turn->events, json.len)) {
        cria_buf_clear(&json);
        cria_buf_clear(&text);
        cria_tool_tell_error(call->tool, CRIA_STR("the result is too large"), &json, &text);
    }
    turn->repeats = call->same ? turn->repeats + 1 : 0;
    if (turn->repeats >= 2 || turn->tool_calls >= CRIA_TURN_TOOL_CALLS) turn->is_last_round = true;
    call->result_json = cria_arena_copy(&turn->arena, cria_buf_str(&json));
    call->text = cria_arena_copy(&turn->arena, cria_buf_str(&text));
    cria_buf_release(&json);
    cria_buf_release(&text);
    if (call->job) cria_turn_job_drop(call->job);
    call->job = NULL;
    if (turn->arena.failed) return false;
    cria_events_tool_result(&turn->events, call->id, call->name, call->result_json);
    turn->call_is_open = false;
    call->next = turn->told;
    turn->told = call;
    return true;
}

/* All are told: they become a step of the prompt. */
static bool add_step(struct cria_turn *turn)
{
    struct cria_step *step = CRIA_NEW(&turn->arena, struct cria_step);
    struct cria_prompt_call *calls =
        CRIA_NEW_ARRAY(&turn->arena, turn->call_count, struct cria_prompt_call);
    struct cria_str *results = CRIA_NEW_ARRAY(&turn->arena, turn->call_count, struct cria_str);
    if (!step || !calls || !results) return false;
    for (size_t i = 0; i < turn->call_count; i++) {
        const struct cria_turn_call *call = &turn->calls[i];
        calls[i] = (struct cria_prompt_call){call->id, call->name, call->arguments_json};
        results[i] = call->text;
    }
    *step = (struct cria_step){
        .text = turn->said, .calls = calls, .results = results, .call_count = turn->call_count};
    if (turn->last_step)
        turn->last_step->next = step;
    else
        turn->steps = step;
    turn->last_step = step;
    turn->calls = NULL;
    turn->call_count = 0;
    return true;
}

enum cria_calls cria_turn_calls_work(struct cria_turn *turn)
{
    while (turn->calls_told < turn->call_count) {
        struct cria_turn_call *call = &turn->calls[turn->calls_told];
        /* Those that run are the ones begun and not told. */
        while (turn->calls_begun < turn->call_count &&
               turn->calls_begun - turn->calls_told < CRIA_TURN_PARALLEL)
            if (!begin_call(turn, &turn->calls[turn->calls_begun++])) return CRIA_CALLS_FAILED;
        if (!turn->call_is_open) {
            cria_events_tool_call(&turn->events, call->id, call->name, call->arguments_json);
            turn->call_is_open = true;
        }
        if (call->job && !call->job->is_done) return CRIA_CALLS_WAIT;
        if (!tell_call(turn, call)) return CRIA_CALLS_FAILED;
        turn->calls_told++;
    }
    return add_step(turn) ? CRIA_CALLS_DONE : CRIA_CALLS_FAILED;
}

void cria_turn_calls_abandon(struct cria_turn *turn, struct cria_str error)
{
    struct cria_buf json;
    if (!turn->call_is_open) return;
    const struct cria_turn_call *call = &turn->calls[turn->calls_told];
    cria_buf_init(&json, 4096);
    cria_tool_error_write(&json, error);
    cria_events_tool_result(&turn->events, call->id, call->name, cria_buf_str(&json));
    cria_buf_release(&json);
    turn->call_is_open = false;
}
