/* turn.c - one turn, from the user's message to the saved answer.
 * Room: chat; uses model/, search/, store/, base/. Yours to change: the steps and their table; what
 * clients see is events.h. Thread: its loop, so no locks; what blocks goes to workers. The question
 * is durable and the session locked before a turn comes here (chat.c).
 *
 *   ACCEPT --> CONTEXT --> MODEL --> VERIFY --> TEXT --> STOP --> DONE
 *     | \         ^          |                   ^        ^
 *     |  \        +- TOOLS <-+                   |        |
 *     |   \----------^                           |        |
 *     +--> QUOTE --------------------------------+        |
 *   any before STOP (cancel, deadline, errors) --> FAIL --+ */
#include "chat/turn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/log.h"
#include "base/time.h"
#include "platform/clock.h"
#include "platform/crypto.h"

enum verdict { WAIT, MORE };

#define TO(state) (1u << TURN_##state)
#define TURN_STATES(X) /* state, step, where it may go */             \
    X(ACCEPT, accept, TO(QUOTE) | TO(TOOLS) | TO(CONTEXT) | TO(FAIL)) \
    X(QUOTE, quote, TO(TEXT) | TO(FAIL))                              \
    X(CONTEXT, context, TO(MODEL) | TO(FAIL))                         \
    X(MODEL, model, TO(TOOLS) | TO(VERIFY) | TO(CONTEXT) | TO(FAIL))  \
    X(TOOLS, tools, TO(CONTEXT) | TO(FAIL))                           \
    X(VERIFY, verify, TO(TEXT) | TO(FAIL))                            \
    X(TEXT, text, TO(STOP) | TO(FAIL))                                \
    X(FAIL, fail, TO(STOP))                                           \
    X(STOP, stop, TO(DONE))                                           \
    X(DONE, done, 0)

#define STATE(name, step, to) TURN_##name,
enum turn_state { TURN_STATES(STATE) };
#undef STATE

#define STEP(name, step, to) static enum verdict step(struct cria_turn *turn);
TURN_STATES(STEP)
#undef STEP

#define ROW(name, step, to) [TURN_##name] = {#name, step, to},
static const struct {
    const char *name;
    enum verdict (*step)(struct cria_turn *turn);
    unsigned to;
} machine[] = {TURN_STATES(ROW)};
#undef ROW

static enum verdict enter(struct cria_turn *turn, enum turn_state next)
{
    assert(machine[turn->state].to & (1u << next));
    cria_log(CRIA_LOG_DEBUG, "turn.state", "turn=%s to=%s", cria_turn_log_id(turn->log),
             machine[next].name);
    turn->state = next;
    return MORE;
}

static enum verdict fail_with(struct cria_turn *turn, struct cria_str error)
{
    turn->error = error.ptr ? error : CRIA_STR("out of memory");
    return enter(turn, TURN_FAIL);
}

static enum verdict fail_memory(struct cria_turn *turn)
{
    return fail_with(turn, CRIA_STR("out of memory"));
}

static struct cria_str halt_text(enum cria_turn_halt why)
{
    switch (why) {
    case CRIA_HALT_NONE: break;
    case CRIA_HALT_CANCELLED: return CRIA_STR("cancelled");
    case CRIA_HALT_DELETED: return CRIA_STR("session deleted");
    case CRIA_HALT_SERVER_STOPPING: return CRIA_STR("server stopping");
    }
    return CRIA_STR("the turn took too long");
}

/* Cancel, deadline and trouble with the frames are looked at here and nowhere else. */
static void look_around(struct cria_turn *turn)
{
    if (turn->state >= TURN_FAIL) return;
    int why = atomic_load(&turn->halt);
    if (turn->events.is_broken || turn->events.is_ended)
        turn->error = CRIA_STR("the answer could not be saved");
    else if (why != CRIA_HALT_NONE || turn->is_late)
        turn->error = halt_text((enum cria_turn_halt)why);
    else if (turn->events.has_lost)
        turn->error = CRIA_STR("out of memory");
    else if (turn->events.failed)
        turn->error = CRIA_STR("the answer is too large");
    else
        return;
    enter(turn, TURN_FAIL);
}

static void turn_free(struct cria_turn *turn)
{
    while (turn->jobs) cria_turn_job_drop(turn->jobs);
    cria_markers_release(&turn->markers);
    cria_events_release(&turn->events);
    cria_timer_free(turn->timer);
    cria_turn_log_unref(turn->log);
    cria_arena_release(&turn->arena);
    turn->gone(turn);
}

void cria_turn_run(struct cria_turn *turn)
{
    do {
        look_around(turn);
    } while (machine[turn->state].step(turn) == MORE);
    /* Out of the registry nobody cancels it any more, but a cancel may still be on its way here. */
    bool is_awaited = atomic_load(&turn->halt) != CRIA_HALT_NONE && !turn->halt_came;
    if (turn->state != TURN_DONE)
        cria_events_pump(&turn->events);
    else if (turn->running_jobs == 0 && !is_awaited)
        turn_free(turn);
}

/* ---- jobs */

static void job_done(struct cria_job *base)
{
    struct cria_turn_job *job = CRIA_CONTAINER(base, struct cria_turn_job, job);
    job->is_done = true;
    job->turn->running_jobs--;
    cria_turn_run(job->turn);
}

struct cria_turn_job *cria_turn_job_new(struct cria_turn *turn, const struct cria_json *arguments)
{
    struct cria_turn_job *job = calloc(1, sizeof(*job));
    if (!job) return NULL;
    job->turn = turn;
    cria_arena_init(&job->arena, CRIA_TOOL_ARENA_BYTES);
    cria_call_init(&job->work.run.call, &job->arena);
    job->work.run.call.cancelled = &turn->is_stopped;
    job->work.run.scope = &turn->scope;
    job->work.run.arguments = arguments;
    job->next = turn->jobs;
    turn->jobs = job;
    return job;
}

void cria_turn_job_start(struct cria_turn_job *job, void (*run)(struct cria_job *job))
{
    job->job = (struct cria_job){.run = run, .done = job_done, .loop = job->turn->loop};
    job->turn->running_jobs++;
    cria_pool_submit(job->turn->pool, &job->job);
}

void cria_turn_job_drop(struct cria_turn_job *job)
{
    struct cria_turn_job **at = &job->turn->jobs;
    while (*at != job) at = &(*at)->next;
    *at = job->next;
    cria_arena_release(&job->arena);
    free(job);
}

/* ---- ACCEPT */

static void on_deadline(void *arg)
{
    struct cria_turn *turn = arg;
    turn->is_late = true;
    atomic_store(&turn->is_stopped, true);
    cria_turn_run(turn);
}

static void on_frames(void *arg)
{
    cria_turn_run(arg);
}

/* Our own search, for models that cannot search themselves. */
static enum verdict search_first(struct cria_turn *turn)
{
    struct cria_buf json;
    struct cria_str query =
        cria_extractive_query(&turn->arena, turn->question, turn->previous_question);
    cria_buf_init(&json, CRIA_TOOL_ARGUMENTS_MAX);
    struct cria_json_out out = cria_json_out_to(&json);
    cria_out_object(&out);
    cria_out_member_str(&out, "query", query);
    cria_out_end(&out);
    struct cria_tool_call call = {.name = CRIA_STR("retrieve"),
                                  .arguments_json = cria_buf_str(&json)};
    enum cria_status st = json.failed ? CRIA_E_NO_MEMORY : cria_turn_calls_begin(turn, &call, 1, 0);
    cria_buf_release(&json);
    return st == CRIA_OK ? enter(turn, TURN_TOOLS) : fail_memory(turn);
}

static enum verdict accept(struct cria_turn *turn)
{
    char today[CRIA_TIME_SIZE], tag[9];
    unsigned char random[4];
    turn->usage.input_tokens = turn->usage.output_tokens = -1;
    cria_markers_init(&turn->markers, &turn->evidence);
    if (cria_timer_new(turn->loop, on_deadline, turn, &turn->timer) != CRIA_OK)
        return fail_memory(turn);
    uint64_t past_ms = (cria_now_ns() - turn->started_ns) / 1000000;
    cria_timer_start(turn->timer, turn->deadline_ms > past_ms ? turn->deadline_ms - past_ms : 0, 0);
    if (!turn->model) return enter(turn, TURN_QUOTE);

    cria_time_format(cria_wall_us(), today);
    turn->today = cria_arena_copy(&turn->arena, cria_str_make(today, 10));
    cria_random_bytes(random, sizeof(random));
    for (size_t i = 0; i < 8; i++)
        tag[i] = "0123456789abcdef"[random[i / 2] >> (i % 2 ? 0 : 4) & 15];
    turn->tag = cria_arena_copy(&turn->arena, cria_str_make(tag, 8));
    if (turn->arena.failed) return fail_memory(turn);
    turn->window_tokens = atomic_load(turn->learned_window);
    turn->is_flat = cria_model_lacks_tools(turn->model);
    return turn->is_flat ? search_first(turn) : enter(turn, TURN_CONTEXT);
}

/* ---- QUOTE: the extractive way */

static void run_quote(struct cria_job *base)
{
    cria_extractive_run(&CRIA_CONTAINER(base, struct cria_turn_job, job)->work);
}

static enum verdict begin_quote(struct cria_turn *turn)
{
    struct cria_buf json;
    struct cria_turn_job *job = turn->job = cria_turn_job_new(turn, NULL);
    char id[CRIA_CALL_ID_LEN + 1];
    if (!job) return fail_memory(turn);
    job->work.query = cria_extractive_query(&turn->arena, turn->question, turn->previous_question);
    job->work.wants_overview = cria_wants_overview(turn->question);
    if (!job->work.query.ptr) return fail_memory(turn);
    cria_turn_job_start(job, run_quote);

    cria_call_id_make(turn->seq, 0, 1, id);
    cria_buf_init(&json, CRIA_TOOL_ARGUMENTS_MAX);
    struct cria_json_out out = cria_json_out_to(&json);
    cria_out_object(&out);
    cria_out_member_str(&out, "query", job->work.query);
    cria_out_member_int(&out, "top_k", CRIA_QUOTE_HITS);
    cria_out_end(&out);
    struct cria_tool_call call = {.name = CRIA_STR("retrieve"),
                                  .arguments_json = cria_buf_str(&json)};
    enum cria_status st = json.failed ? CRIA_E_NO_MEMORY : cria_turn_calls_begin(turn, &call, 1, 0);
    cria_buf_release(&json);
    if (st != CRIA_OK) return fail_memory(turn);
    cria_events_tool_call(&turn->events, turn->calls[0].id, turn->calls[0].name,
                          turn->calls[0].arguments_json);
    turn->call_is_open = true;
    return WAIT;
}

static enum verdict quote(struct cria_turn *turn)
{
    struct cria_buf json, answer;
    if (!turn->job) return begin_quote(turn);
    if (!turn->job->is_done) return WAIT;
    struct cria_extractive *work = &turn->job->work;
    if (work->run.status != CRIA_OK) {
        cria_log(CRIA_LOG_WARN, "turn.search_failed", "status=%s",
                 cria_status_name(work->run.status));
        return fail_with(turn, CRIA_STR("the search failed"));
    }
    cria_buf_init(&json, CRIA_TURN_BYTES_MAX / 2);
    cria_buf_init(&answer, CRIA_TURN_BYTES_MAX / 8);
    enum cria_status st =
        cria_extractive_tell(work, &turn->evidence, &json, &answer, &turn->citations);
    if (st == CRIA_OK) {
        cria_events_tool_result(&turn->events, turn->calls[0].id, turn->calls[0].name,
                                cria_buf_str(&json));
        turn->call_is_open = false;
        cria_events_add_text(&turn->events, CRIA_BLOCK_TEXT, cria_buf_str(&answer));
    }
    cria_buf_release(&json);
    cria_buf_release(&answer);
    return st == CRIA_OK ? enter(turn, TURN_TEXT) : fail_memory(turn);
}

/* ---- CONTEXT and MODEL */

static void on_model(void *arg)
{
    cria_turn_run(arg);
}

static enum verdict context(struct cria_turn *turn)
{
    if (turn->usage.turns + 1 >= CRIA_TURN_MODEL_CALLS) turn->is_last_round = true;
    struct cria_prompt_source source = {
        .question = turn->question,
        .history = &turn->history,
        .steps = turn->steps,
        .is_last_round = turn->is_last_round,
        .tag = turn->tag,
        .today = turn->today,
        .window_tokens = turn->window_tokens,
    };
    /* The last round has no tools: a flat prompt is valid everywhere, tool_choice is not. */
    if (!turn->is_flat && !turn->is_last_round) {
        source.tools = cria_tools_prompt(&turn->arena);
        source.tool_count = source.tools ? cria_tool_count : 0;
    }
    enum cria_status st = cria_prompt_build(&turn->arena, &source, &turn->prompt);
    if (st == CRIA_OK)
        st = cria_completion_start(turn->model, turn->loop, &turn->prompt, on_model, turn,
                                   &turn->completion);
    if (st != CRIA_OK) return fail_memory(turn);
    turn->usage.turns++;
    return enter(turn, TURN_MODEL);
}

static void add_tokens(struct cria_turn *turn, const struct cria_model_answer *answer)
{
    struct cria_turn_usage *usage = &turn->usage;
    if (answer->input_tokens >= 0)
        usage->input_tokens =
            answer->input_tokens + (usage->input_tokens > 0 ? usage->input_tokens : 0);
    if (answer->output_tokens >= 0)
        usage->output_tokens =
            answer->output_tokens + (usage->output_tokens > 0 ? usage->output_tokens : 0);
}

static void add_answer_text(struct cria_turn *turn, struct cria_str text, bool is_final)
{
    struct cria_buf shown;
    cria_buf_init(&shown, CRIA_TURN_BYTES_MAX);
    if (text.len) cria_markers_feed(&turn->markers, text, &shown);
    if (is_final) cria_markers_flush(&turn->markers, &shown);
    cria_events_add_text(&turn->events, CRIA_BLOCK_TEXT, cria_buf_str(&shown));
    turn->events.failed |= shown.failed;
    cria_buf_release(&shown);
}

/* Judges the open text block and closes it. */
static bool close_text(struct cria_turn *turn, bool always_judge)
{
    struct cria_buf members;
    struct cria_citations found;
    if (turn->events.block != CRIA_BLOCK_TEXT) return true;
    if (cria_citations_make(&turn->arena, &turn->evidence, turn->markers.ids, turn->markers.count,
                            cria_buf_str(&turn->events.text), !turn->is_strong, &found) != CRIA_OK)
        return false;
    cria_buf_init(&members, CRIA_TURN_BYTES_MAX / 4);
    if (found.count || always_judge) cria_citations_write(&members, &found);
    bool good = !members.failed && cria_events_fits(&turn->events, members.len);
    cria_events_close_block(&turn->events, good ? cria_buf_str(&members) : CRIA_STR(""));
    cria_buf_release(&members);
    return true;
}

static enum verdict model_ended(struct cria_turn *turn)
{
    const struct cria_model_answer *answer = cria_completion_answer(turn->completion);
    enum cria_status st = CRIA_OK;
    bool has_calls = answer->call_count > 0 && !turn->is_flat && !turn->is_last_round;
    add_tokens(turn, answer);
    add_answer_text(turn, (struct cria_str){0}, true);
    if (has_calls) {
        turn->said = cria_arena_copy(&turn->arena, turn->events.block == CRIA_BLOCK_TEXT
                                                       ? cria_buf_str(&turn->events.text)
                                                       : CRIA_STR(""));
        st = cria_turn_calls_begin(turn, answer->calls, answer->call_count,
                                   (unsigned)turn->usage.turns);
        if (st == CRIA_OK && !close_text(turn, false)) st = CRIA_E_NO_MEMORY;
    }
    cria_completion_free(turn->completion);
    turn->completion = NULL;
    if (st != CRIA_OK) return fail_memory(turn);
    if (has_calls) return enter(turn, TURN_TOOLS);
    if (turn->events.block != CRIA_BLOCK_TEXT)
        return fail_with(turn, CRIA_STR("The model gave an empty answer"));
    return enter(turn, TURN_VERIFY);
}

/* Some failures are worth another call: without tools, or with a shorter prompt. */
static enum verdict model_failed(struct cria_turn *turn)
{
    const struct cria_model_answer *answer = cria_completion_answer(turn->completion);
    enum cria_model_problem problem = answer->problem;
    int64_t window = answer->window_tokens;
    bool was_shown = turn->events.block == CRIA_BLOCK_TEXT;
    struct cria_str error = cria_arena_copy(&turn->arena, cria_str_from(answer->error));
    add_tokens(turn, answer);
    add_answer_text(turn, (struct cria_str){0}, true);
    cria_completion_free(turn->completion);
    turn->completion = NULL;
    switch (problem) {
    case CRIA_MODEL_FAILED: break;
    case CRIA_MODEL_NO_TOOLS:
        if (turn->is_flat || was_shown) break;
        turn->is_flat = true;
        turn->usage.turns--; /* it did not run */
        if (turn->steps) return enter(turn, TURN_CONTEXT);
        return search_first(turn);
    case CRIA_MODEL_PROMPT_LONG:
        if (turn->has_shrunk || was_shown) break;
        turn->has_shrunk = true;
        turn->window_tokens = window ? window : turn->window_tokens / 2;
        if (window) atomic_store(turn->learned_window, window);
        turn->usage.turns--;
        return enter(turn, TURN_CONTEXT);
    case CRIA_MODEL_EMPTY_ANSWER:
        if (turn->has_retried || was_shown) break;
        turn->has_retried = true;
        turn->window_tokens /= 2; /* some servers answer an overlong prompt with nothing */
        return enter(turn, TURN_CONTEXT);
    }
    return fail_with(turn, error);
}

static enum verdict model(struct cria_turn *turn)
{
    struct cria_str piece = {0};
    switch (cria_completion_poll(turn->completion, &piece)) {
    case CRIA_MODEL_WAIT: return WAIT;
    case CRIA_MODEL_TEXT: add_answer_text(turn, piece, false); return MORE;
    case CRIA_MODEL_THINKING:
        if (turn->events.block == CRIA_BLOCK_TEXT) {
            add_answer_text(turn, (struct cria_str){0}, true);
            if (!close_text(turn, false)) return fail_memory(turn);
        }
        cria_events_add_text(&turn->events, CRIA_BLOCK_THINKING, piece);
        return MORE;
    case CRIA_MODEL_END: return model_ended(turn);
    case CRIA_MODEL_ERROR: return model_failed(turn);
    }
    cria_unreachable();
}

static enum verdict tools(struct cria_turn *turn)
{
    switch (cria_turn_calls_work(turn)) {
    case CRIA_CALLS_WAIT: return WAIT;
    case CRIA_CALLS_DONE: return enter(turn, TURN_CONTEXT);
    case CRIA_CALLS_FAILED: return fail_memory(turn);
    }
    cria_unreachable();
}

/* ---- VERIFY and TEXT */

static void run_verify(struct cria_job *base)
{
    struct cria_turn_job *job = CRIA_CONTAINER(base, struct cria_turn_job, job);
    struct cria_turn *turn = job->turn;
    cria_citations_verify(&turn->scope, &job->work.run.call, &turn->citations);
}

static enum verdict verify(struct cria_turn *turn)
{
    if (turn->job) return turn->job->is_done ? enter(turn, TURN_TEXT) : WAIT;
    if (cria_citations_make(&turn->arena, &turn->evidence, turn->markers.ids, turn->markers.count,
                            cria_buf_str(&turn->events.text), !turn->is_strong,
                            &turn->citations) != CRIA_OK)
        return fail_memory(turn);
    if (turn->citations.count == 0) return enter(turn, TURN_TEXT);
    turn->job = cria_turn_job_new(turn, NULL);
    if (!turn->job) return fail_memory(turn);
    cria_turn_job_start(turn->job, run_verify);
    return WAIT;
}

static enum verdict text(struct cria_turn *turn)
{
    struct cria_buf members;
    cria_buf_init(&members, CRIA_TURN_BYTES_MAX / 4);
    cria_citations_write(&members, &turn->citations);
    bool good = !members.failed && cria_events_fits(&turn->events, members.len);
    if (good) cria_events_close_block(&turn->events, cria_buf_str(&members));
    cria_buf_release(&members);
    return good ? enter(turn, TURN_STOP) : fail_with(turn, CRIA_STR("the answer is too large"));
}

/* ---- FAIL, STOP, DONE */

static enum verdict fail(struct cria_turn *turn)
{
    atomic_store(&turn->is_stopped, true);
    cria_completion_free(turn->completion);
    turn->completion = NULL;
    if (!turn->events.is_broken) {
        add_answer_text(turn, (struct cria_str){0}, true);
        /* A verify job may be at its citations: the block is judged anew. */
        close_text(turn, false);
        cria_events_close_block(&turn->events, CRIA_STR(""));
        cria_turn_calls_abandon(turn, turn->error);
    }
    return enter(turn, TURN_STOP);
}

static void write_stop(struct cria_turn *turn)
{
    struct cria_buf json, job;
    struct cria_turn_end end = {.at_us = cria_wall_us()};
    turn->usage.duration_ms = (double)(cria_now_ns() - turn->started_ns) / 1e6;
    cria_buf_init(&json, 1 << 20);
    cria_buf_init(&job, 1 << 20);
    cria_event_stop_write(&json, turn->error, &turn->usage, turn->skipped_json);
    cria_job_metadata_write(&job, turn->error, &turn->usage, turn->exports_json);
    if (!job.failed) end.job_metadata_json = cria_arena_copy(&turn->arena, cria_buf_str(&job));
    if (!json.failed && end.job_metadata_json.ptr)
        cria_events_stop(&turn->events, cria_buf_str(&json), &end);
    cria_buf_release(&json);
    cria_buf_release(&job);
}

static enum verdict stop(struct cria_turn *turn)
{
    struct cria_events *events = &turn->events;
    if (events->is_ended) return enter(turn, TURN_DONE);
    if (events->is_broken) return WAIT;
    if (events->end.at_us == 0) write_stop(turn);
    /* No memory for the last frame: the way a crash is mended needs less of it. */
    if (events->end.at_us == 0) cria_events_break(events, CRIA_E_NO_MEMORY);
    return WAIT;
}

static enum verdict done(struct cria_turn *turn)
{
    if (turn->timer) cria_timer_stop(turn->timer);
    return WAIT;
}

static void on_ending(void *arg)
{
    struct cria_turn *turn = arg;
    turn->ended(turn, turn->error.ptr || turn->events.is_broken);
}

/* ---- from outside */

static void start_on_loop(struct cria_task *task)
{
    struct cria_turn *turn = CRIA_CONTAINER(task, struct cria_turn, start_task);
    turn->state = TURN_ACCEPT;
    turn->events.changed = on_frames;
    turn->events.ending = on_ending;
    turn->events.arg = turn;
    if (cria_events_init(&turn->events, turn->store, turn->loop, turn->log) != CRIA_OK)
        cria_events_break(&turn->events, CRIA_E_NO_MEMORY);
    cria_turn_run(turn);
}

void cria_turn_begin(struct cria_turn *turn)
{
    turn->start_task.run = start_on_loop;
    cria_loop_post(turn->loop, &turn->start_task);
}

static void halt_on_loop(struct cria_task *task)
{
    struct cria_turn *turn = CRIA_CONTAINER(task, struct cria_turn, halt_task);
    turn->halt_came = true;
    cria_turn_run(turn);
}

void cria_turn_cancel(struct cria_turn *turn, enum cria_turn_halt why)
{
    int none = CRIA_HALT_NONE;
    if (!atomic_compare_exchange_strong(&turn->halt, &none, why)) return;
    atomic_store(&turn->is_stopped, true);
    turn->halt_task.run = halt_on_loop;
    cria_loop_post(turn->loop, &turn->halt_task);
}
