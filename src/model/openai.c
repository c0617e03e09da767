/* openai.c - one completion: tries, learns, retries, and hands its pieces to who polls.
 * Thread: the loop it was started on; the model's learned facts are atomic.
 *
 *   SEND --> STREAM --> END        WAITING: a pause before the next try
 *    ^          |\----> ERROR      A try is repeated only while it brought no text. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "model/http_client.h"
#include "model/openai_request.h"
#include "model/openai_stream.h"
#include "model/provider.h"
#include "platform/crypto.h"

enum { MAX_TRIES = 4, ERROR_BODY_MAX = 64 << 10, REQUEST_MAX = 64 << 20, ARENA_MAX = 8 << 20 };
enum { TAIL_MS = 3000 }; /* how long to wait for usage and the end behind a finish_reason */

/* The connections of one loop; made and freed on it. */
struct loop_client {
    struct cria_model *model;
    struct cria_loop *loop;
    struct cria_http_client *client;
    struct cria_task closing;
    struct loop_client *next;
};

struct cria_model {
    struct cria_model_options options;
    char *url, *name, *authorization;
    atomic_bool lacks_tools, lacks_usage;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct loop_client *clients; /* under the lock */
};

/* Text that was not polled yet, in runs of one kind. */
struct piece {
    struct piece *next;
    bool is_thinking;
    struct cria_buf text;
};

enum state { STREAM, WAITING, ENDED, BROKEN };

struct cria_completion {
    struct cria_model *model;
    struct cria_loop *loop;
    struct cria_http_client *client;
    const struct cria_prompt *prompt;
    struct cria_str *tool_names;
    void (*wake)(void *arg);
    void *wake_arg;
    struct cria_http_fetch *fetch;
    struct cria_timer *timer;
    struct cria_arena arena;
    struct cria_buf body, error_body;
    struct cria_openai_stream stream;
    struct piece *pieces, *given;
    struct cria_model_answer answer;
    char error[CRIA_ERROR_SIZE];
    enum state state;
    unsigned tries;
    bool was_shown, has_stream, with_usage, is_enough;
    bool tries_without_usage; /* the server may not take the option: this try shows */
};

/* ---- the model */

static char *join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 1;
    char *text = malloc(size);
    if (text) snprintf(text, size, "%s%s", a, b);
    return text;
}

static char *endpoint(const char *base)
{
    struct cria_str url = cria_str_trim(cria_str_from(base));
    char head[2048];
    while (url.len && url.ptr[url.len - 1] == '/') url.len--;
    if (!cria_str_copy_z(url, head, sizeof(head))) return NULL;
    return join(head, cria_str_ends(url, "/chat/completions") ? "" : "/chat/completions");
}

enum cria_status cria_model_new(const struct cria_model_options *options, struct cria_model **out)
{
    struct cria_model *model = calloc(1, sizeof(*model));
    if (!model) return CRIA_E_NO_MEMORY;
    model->options = *options;
    if (!model->options.connect_ms) model->options.connect_ms = 10000;
    if (!model->options.first_byte_ms) model->options.first_byte_ms = 120000;
    if (!model->options.idle_ms) model->options.idle_ms = 60000;
    if (!model->options.retry_ms) model->options.retry_ms = 250;
    pthread_mutex_init(&model->lock, NULL);
    pthread_cond_init(&model->changed, NULL);
    model->url = endpoint(options->url);
    model->name = join(options->name ? options->name : "", "");
    bool has_key = options->key && options->key[0];
    if (has_key) model->authorization = join("Authorization: Bearer ", options->key);
    if (!model->url || !model->name || (has_key && !model->authorization)) {
        cria_model_free(model);
        return CRIA_E_NO_MEMORY;
    }
    *out = model;
    return CRIA_OK;
}

static void close_client(struct cria_task *task)
{
    struct loop_client *entry = CRIA_CONTAINER(task, struct loop_client, closing);
    struct cria_model *model = entry->model;
    cria_http_client_free(entry->client);
    pthread_mutex_lock(&model->lock);
    for (struct loop_client **at = &model->clients; *at; at = &(*at)->next) {
        if (*at != entry) continue;
        *at = entry->next;
        break;
    }
    pthread_cond_broadcast(&model->changed);
    pthread_mutex_unlock(&model->lock);
    free(entry);
}

void cria_model_close(struct cria_model *model, uint32_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&model->lock);
    for (struct loop_client *entry = model->clients; entry; entry = entry->next) {
        if (entry->closing.run) continue;
        entry->closing.run = close_client;
        cria_loop_post(entry->loop, &entry->closing);
    }
    int failed = 0;
    while (model->clients && !failed)
        failed = pthread_cond_timedwait(&model->changed, &model->lock, &until);
    pthread_mutex_unlock(&model->lock);
}

void cria_model_free(struct cria_model *model)
{
    if (!model) return;
    /* A client whose loop did not answer in time stays behind: its handles are the loop's. */
    free(model->url);
    free(model->name);
    free(model->authorization);
    pthread_cond_destroy(&model->changed);
    pthread_mutex_destroy(&model->lock);
    free(model);
}

bool cria_model_lacks_tools(const struct cria_model *model)
{
    return atomic_load(&model->lacks_tools);
}

static struct cria_http_client *client_of(struct cria_model *model, struct cria_loop *loop)
{
    struct loop_client *entry;
    assert(cria_loop_is_current(loop));
    pthread_mutex_lock(&model->lock);
    for (entry = model->clients; entry && entry->loop != loop; entry = entry->next) {}
    pthread_mutex_unlock(&model->lock);
    if (entry) return entry->client; /* only this thread makes and frees it */
    entry = calloc(1, sizeof(*entry));
    if (!entry || cria_http_client_new(loop, &entry->client) != CRIA_OK) {
        free(entry);
        return NULL;
    }
    entry->model = model;
    entry->loop = loop;
    pthread_mutex_lock(&model->lock);
    entry->next = model->clients;
    model->clients = entry;
    pthread_mutex_unlock(&model->lock);
    return entry->client;
}

/* ---- pieces */

static void piece_free(struct piece *piece)
{
    if (!piece) return;
    cria_buf_release(&piece->text);
    free(piece);
}

static void take_text(void *arg, struct cria_str text, bool is_thinking)
{
    struct cria_completion *completion = arg;
    struct piece *tail = completion->pieces;
    while (tail && tail->next) tail = tail->next;
    if (!tail || tail->is_thinking != is_thinking) {
        struct piece *fresh = calloc(1, sizeof(*fresh));
        if (!fresh) {
            completion->is_enough = true;
            return;
        }
        fresh->is_thinking = is_thinking;
        cria_buf_init(&fresh->text, 16 << 20);
        *(tail ? &tail->next : &completion->pieces) = fresh;
        tail = fresh;
    }
    cria_buf_add(&tail->text, text);
    completion->is_enough |= tail->text.failed;
}

static void drop_pieces(struct cria_completion *completion)
{
    while (completion->pieces) {
        struct piece *next = completion->pieces->next;
        piece_free(completion->pieces);
        completion->pieces = next;
    }
}

/* ---- tries */

static void on_bytes(void *arg, struct cria_str bytes)
{
    struct cria_completion *completion = arg;
    if (cria_http_fetch_result(completion->fetch)->status != 200)
        cria_buf_add(&completion->error_body, bytes);
    else if (!completion->is_enough && !cria_openai_stream_feed(&completion->stream, bytes))
        completion->is_enough = true;
}

static void on_news(void *arg);

static void end_try(struct cria_completion *completion)
{
    cria_http_fetch_free(completion->fetch);
    completion->fetch = NULL;
    if (completion->timer) cria_timer_stop(completion->timer);
    if (completion->has_stream) cria_openai_stream_release(&completion->stream);
    completion->has_stream = false;
    cria_buf_clear(&completion->error_body);
}

static enum cria_status send_request(struct cria_completion *completion)
{
    struct cria_model *model = completion->model;
    const struct cria_prompt *prompt = completion->prompt;
    const char *headers[] = {"Content-Type: application/json", "Accept: text/event-stream",
                             "Accept-Encoding: identity", "Expect:", model->authorization};
    struct cria_http_fetch_options options = {
        .url = model->url,
        .headers = headers,
        .header_count = model->authorization ? 5 : 4,
        .connect_ms = model->options.connect_ms,
        .first_byte_ms = model->options.first_byte_ms,
        .idle_ms = model->options.idle_ms,
        .on_bytes = on_bytes,
        .on_news = on_news,
        .arg = completion,
    };
    completion->tries++;
    completion->with_usage = !completion->tries_without_usage && !atomic_load(&model->lacks_usage);
    completion->is_enough = false;
    cria_buf_clear(&completion->body);
    cria_openai_request_write(&completion->body, cria_str_from(model->name), prompt,
                              completion->with_usage);
    if (completion->body.failed) return CRIA_E_NO_MEMORY;
    options.body = cria_buf_str(&completion->body);
    cria_openai_stream_init(&completion->stream, completion->tool_names, prompt->tool_count,
                            take_text, completion);
    completion->has_stream = true;
    completion->state = STREAM;
    return cria_http_fetch_new(completion->client, &options, &completion->fetch);
}

static void fail(struct cria_completion *completion, enum cria_model_problem problem,
                 const char *text)
{
    if (text != completion->error) snprintf(completion->error, CRIA_ERROR_SIZE, "%s", text);
    completion->answer.problem = problem;
    completion->answer.error = completion->error;
    end_try(completion);
    completion->state = BROKEN;
}

static void read_end(struct cria_completion *completion, bool clean);

/* A pause is over, or nothing came behind the finish_reason. */
static void on_timer(void *arg)
{
    struct cria_completion *completion = arg;
    if (completion->state == STREAM)
        read_end(completion, true);
    else if (send_request(completion) == CRIA_OK)
        return;
    else
        fail(completion, CRIA_MODEL_FAILED, "Out of memory while asking the model");
    completion->wake(completion->wake_arg);
}

/* Asks again after a while, unless some of the answer came or it was tried often enough. */
static bool try_again(struct cria_completion *completion, int64_t wait_ms)
{
    if (completion->was_shown || completion->pieces || completion->tries >= MAX_TRIES) return false;
    if (wait_ms < 0) {
        uint32_t most = completion->model->options.retry_ms << (completion->tries - 1);
        wait_ms = most - cria_random_below(most / 4 + 1);
    }
    drop_pieces(completion);
    end_try(completion);
    completion->state = WAITING;
    cria_timer_start(completion->timer, (uint64_t)wait_ms, 0);
    return true;
}

static bool is_passing(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501);
}

/* The provider said no: by status, or by an error object in an answer of 200. */
static void refused(struct cria_completion *completion, int status, const char *text)
{
    struct cria_model *model = completion->model;
    int64_t retry_ms = cria_http_fetch_result(completion->fetch)->retry_after_ms;
    bool had_tools = completion->prompt->tool_count > 0;
    enum cria_openai_refusal kind =
        cria_openai_refusal_kind(cria_str_from(text), had_tools, &completion->answer.window_tokens);
    cria_log(CRIA_LOG_WARN, "model.refused", "status=%d try=%u", status, completion->tries);
    switch (kind) {
    case CRIA_REFUSAL_TOO_LONG:
        fail(completion, CRIA_MODEL_PROMPT_LONG, "The conversation is too long for the model");
        return;
    case CRIA_REFUSAL_USAGE: break;
    case CRIA_REFUSAL_TOOLS:
        if (is_passing(status) && status != 500) break;
        atomic_store(&model->lacks_tools, true);
        fail(completion, CRIA_MODEL_NO_TOOLS, "The model does not take tools");
        return;
    case CRIA_REFUSAL_PASSING:
        if (try_again(completion, 0)) return;
        break;
    case CRIA_REFUSAL_OTHER: break;
    }
    if (is_passing(status) && try_again(completion, retry_ms)) return;
    /* Some servers refuse the option without naming it: ask once without. */
    if ((status == 400 || status == 422) && completion->with_usage) {
        completion->tries_without_usage = true;
        if (try_again(completion, 0)) return;
    }
    if (status == 401 || status == 403)
        snprintf(completion->error, CRIA_ERROR_SIZE,
                 "The model's server refuses the key (HTTP %d): check the key that is set up",
                 status);
    else if (status == 404)
        snprintf(completion->error, CRIA_ERROR_SIZE,
                 "The model's server does not know this address or model (HTTP 404): check base "
                 "URL and model name");
    else if (status == 429)
        snprintf(completion->error, CRIA_ERROR_SIZE,
                 "The model's server takes no more requests now (HTTP 429)");
    else if (status)
        snprintf(completion->error, CRIA_ERROR_SIZE,
                 "The model's server answered with HTTP %d%s%.220s", status, text[0] ? ": " : "",
                 text);
    else
        snprintf(completion->error, CRIA_ERROR_SIZE, "%.300s", text);
    fail(completion, CRIA_MODEL_FAILED, completion->error);
}

static void complete(struct cria_completion *completion)
{
    struct cria_openai_stream *stream = &completion->stream;
    struct cria_model_answer *answer = &completion->answer;
    answer->input_tokens = stream->input_tokens;
    answer->output_tokens = stream->output_tokens;
    answer->finish_reason = cria_arena_copy(&completion->arena, cria_str_from(stream->finish));
    if (cria_tool_calls_finish(&stream->calls, &completion->arena, &answer->calls,
                               &answer->call_count) != CRIA_OK) {
        fail(completion, CRIA_MODEL_FAILED, "Out of memory while reading the model's answer");
        return;
    }
    if (completion->tries_without_usage) atomic_store(&completion->model->lacks_usage, true);
    end_try(completion);
    completion->state = ENDED;
}

static void read_end(struct cria_completion *completion, bool clean)
{
    struct cria_openai_stream *stream = &completion->stream;
    completion->answer.input_tokens = stream->input_tokens;
    completion->answer.output_tokens = stream->output_tokens;
    switch (cria_openai_stream_end(stream, clean)) {
    case CRIA_OPENAI_COMPLETE: complete(completion); return;
    case CRIA_OPENAI_TRUNCATED:
        if (try_again(completion, -1)) return;
        fail(completion, CRIA_MODEL_FAILED, "The model's answer broke off");
        return;
    case CRIA_OPENAI_EMPTY:
        fail(completion, CRIA_MODEL_EMPTY_ANSWER, "The model gave an empty answer");
        return;
    case CRIA_OPENAI_REFUSED: fail(completion, CRIA_MODEL_FAILED, stream->error); return;
    case CRIA_OPENAI_ERROR: {
        char text[sizeof(stream->error)];
        snprintf(text, sizeof(text), "%s", stream->error);
        refused(completion, stream->error_code, text);
        return;
    }
    }
}

static void ended(struct cria_completion *completion)
{
    const struct cria_http_result *result = cria_http_fetch_result(completion->fetch);
    char text[256];
    int code;
    if (result->status == 200 && !(result->timed_out && !completion->stream.finish[0])) {
        read_end(completion, !result->is_broken);
    } else if (result->timed_out) {
        fail(completion, CRIA_MODEL_FAILED, "The model did not answer in time");
    } else if (result->is_broken && result->status == 0) {
        if (!result->is_refused_url && try_again(completion, -1)) return;
        snprintf(completion->error, CRIA_ERROR_SIZE, "The model's server cannot be reached: %s",
                 result->error);
        fail(completion, CRIA_MODEL_FAILED, completion->error);
    } else {
        cria_openai_error_text(cria_buf_str(&completion->error_body), text, sizeof(text), &code);
        refused(completion, result->status, text);
    }
}

static void on_news(void *arg)
{
    struct cria_completion *completion = arg;
    if (completion->state != STREAM) return;
    const struct cria_http_result *result = cria_http_fetch_result(completion->fetch);
    if (result->ended)
        ended(completion);
    else if (result->status == 200 && completion->is_enough)
        read_end(completion, true);
    else if (completion->stream.finish[0])
        cria_timer_start(completion->timer, TAIL_MS, 0);
    if (completion->state != WAITING &&
        (completion->pieces || completion->state == ENDED || completion->state == BROKEN))
        completion->wake(completion->wake_arg);
}

/* ---- the interface */

enum cria_status cria_completion_start(struct cria_model *model, struct cria_loop *loop,
                                       const struct cria_prompt *prompt, void (*wake)(void *arg),
                                       void *arg, struct cria_completion **out)
{
    enum cria_status st = CRIA_E_NO_MEMORY;
    struct cria_completion *completion = calloc(1, sizeof(*completion));
    if (!completion) return CRIA_E_NO_MEMORY;
    completion->model = model;
    completion->loop = loop;
    completion->prompt = prompt;
    completion->wake = wake;
    completion->wake_arg = arg;
    completion->answer.input_tokens = completion->answer.output_tokens = -1;
    cria_arena_init(&completion->arena, ARENA_MAX);
    cria_buf_init(&completion->body, REQUEST_MAX);
    cria_buf_init(&completion->error_body, ERROR_BODY_MAX);
    completion->tool_names =
        CRIA_NEW_ARRAY(&completion->arena, prompt->tool_count, struct cria_str);
    completion->client = client_of(model, loop);
    if (!completion->client || !completion->tool_names) goto out;
    for (size_t i = 0; i < prompt->tool_count; i++)
        completion->tool_names[i] = prompt->tools[i].name;
    st = cria_timer_new(loop, on_timer, completion, &completion->timer);
    if (st == CRIA_OK) st = send_request(completion);
out:
    if (st == CRIA_OK)
        *out = completion;
    else
        cria_completion_free(completion);
    return st;
}

void cria_completion_free(struct cria_completion *completion)
{
    if (!completion) return;
    end_try(completion);
    cria_timer_free(completion->timer);
    drop_pieces(completion);
    piece_free(completion->given);
    cria_buf_release(&completion->body);
    cria_buf_release(&completion->error_body);
    cria_arena_release(&completion->arena);
    free(completion);
}

enum cria_model_poll cria_completion_poll(struct cria_completion *completion, struct cria_str *text)
{
    struct piece *piece = completion->pieces;
    piece_free(completion->given);
    completion->given = NULL;
    if (piece) {
        completion->pieces = piece->next;
        completion->given = piece;
        completion->was_shown = true;
        *text = cria_buf_str(&piece->text);
        return piece->is_thinking ? CRIA_MODEL_THINKING : CRIA_MODEL_TEXT;
    }
    switch (completion->state) {
    case STREAM:
    case WAITING: return CRIA_MODEL_WAIT;
    case ENDED: return CRIA_MODEL_END;
    case BROKEN: return CRIA_MODEL_ERROR;
    }
    cria_unreachable();
}

const struct cria_model_answer *cria_completion_answer(const struct cria_completion *completion)
{
    return &completion->answer;
}
