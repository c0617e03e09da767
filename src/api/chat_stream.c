/* chat_stream.c - turns: started, streamed, attached to again, cancelled.
 * The stream of a reader is the turn's log, read by the connection's loop whenever the socket takes
 * more. A reader holds one reference of the log and one of the exchange; the loop calls `closed`
 * exactly once, which gives both back. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/sessions.h"
#include "base/utf8.h"

enum { INDEXES_MAX = 10, PROMPT_CHARS = 1000, EVENT_ID_CHARS = 128 };

struct reader {
    struct cria_log_reader link;
    struct cria_exchange *ex;
    struct cria_turn_log *log;
    struct cria_chat *chat;
    uint32_t after_n;
    bool has_all;
};

static void wake(struct cria_log_reader *link)
{
    cria_exchange_wake(CRIA_CONTAINER(link, struct reader, link)->ex);
}

static enum cria_pull pull(void *self, struct cria_buf *out, size_t room)
{
    struct reader *reader = self;
    switch (cria_turn_log_read(reader->log, &reader->after_n, out, room)) {
    case CRIA_LOG_WAIT: return CRIA_PULL_WAIT;
    case CRIA_LOG_MORE: return CRIA_PULL_MORE;
    case CRIA_LOG_END: reader->has_all = true; return CRIA_PULL_END;
    }
    cria_unreachable();
}

static void closed(void *self, bool by_peer)
{
    struct reader *reader = self;
    cria_turn_log_unsubscribe(reader->log, &reader->link);
    if (by_peer && !reader->has_all) cria_chat_reader_left(reader->chat, reader->log);
    cria_turn_log_unref(reader->log);
    cria_exchange_unref(reader->ex);
    free(reader);
}

/* Takes the log's reference. On CRIA_OK the exchange has begun to stream. */
static enum cria_status stream(struct cria_exchange *ex, struct cria_turn_log *log,
                               uint32_t after_n)
{
    static const struct cria_stream_ops ops = {.pull = pull, .closed = closed};
    struct reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        cria_turn_log_unref(log);
        return cria_fail_memory(&ex->call);
    }
    *reader = (struct reader){.link = {.wake = wake},
                              .ex = cria_exchange_ref(ex),
                              .log = log,
                              .chat = cria_app_of(ex)->chat,
                              .after_n = after_n};
    cria_turn_log_subscribe(log, &reader->link);
    cria_exchange_stream(ex, NULL, &ops, reader);
    return CRIA_OK;
}

/* ---- start a turn */

static bool is_blank(struct cria_str text)
{
    size_t at = 0;
    while (at < text.len) {
        uint32_t c = cria_utf8_next(text, &at);
        bool is_white = c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
                        (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                        c == 0x205F || c == 0x3000 || c == 0xFEFF;
        if (!is_white) return false;
    }
    return true;
}

/* A refusal that concerns the indexes is told where they stand in the body. */
static enum cria_status blame_indexes(struct cria_check *check)
{
    char sentence[CRIA_ERROR_SIZE];
    struct cria_value at = cria_value_member(&check->body, "index_ids");
    memcpy(sentence, check->ex->call.error, sizeof(sentence));
    cria_check_error(check, &at, sentence);
    return cria_check_problems(check);
}

static enum cria_status start(struct cria_exchange *ex, struct cria_turn_log **out)
{
    struct cria_check check;
    struct cria_value prompt;
    struct cria_app *app = cria_app_of(ex);
    struct cria_turn_params params = {.session_id = ex->request.path_values[0]};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_strs(&check.body, "index_ids", CRIA_REQUIRED, INDEXES_MAX, false, &params.index_ids,
                     &params.index_count);
    if (cria_member_any(&check.body, "prompt", CRIA_REQUIRED, &prompt) &&
        cria_value_str(&prompt, 1, PROMPT_CHARS, &params.prompt) && is_blank(params.prompt))
        cria_check_error(&check, &prompt, "a prompt must not be blank");
    cria_member_bool(&check.body, "require_all_indexes", CRIA_OPTIONAL,
                     &params.require_all_indexes);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    if (atomic_load(app->is_stopping))
        return cria_fail(&ex->call, CRIA_E_UNAVAILABLE, "The server is stopping");
    params.project = cria_project_of(ex);
    st = cria_chat_turn_start(app->chat, &ex->call, cria_exchange_loop(ex), &params, out);
    if (st == CRIA_E_CONFLICT) ex->call.retry = CRIA_RETRY_NEVER;
    return st == CRIA_E_INVALID ? blame_indexes(&check) : st;
}

void cria_api_stream_chat_turn(struct cria_exchange *ex)
{
    struct cria_turn_log *log = NULL;
    enum cria_status st = start(ex, &log);
    if (st == CRIA_OK) st = stream(ex, log, 0);
    if (st != CRIA_OK) cria_reply(ex, st);
}

/* ---- attach again, cancel */

static enum cria_status attach(struct cria_exchange *ex, struct cria_turn_log **out,
                               uint32_t *after_n)
{
    struct cria_check check;
    struct cria_str last = {0};
    cria_check_init(&check, ex);
    struct cria_value header = cria_value_header(&check, "Last-Event-ID");
    if (header.json) cria_value_str(&header, 1, EVENT_ID_CHARS, &last);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_chat_attach(cria_app_of(ex)->chat, &ex->call, cria_project_of(ex),
                              ex->request.path_values[0], last, out, after_n);
    if (st == CRIA_E_INVALID && check.count == 0) {
        cria_check_error(&check, &header, "this is no frame of the session's latest turn");
        return cria_check_problems(&check);
    }
    return cria_named(&ex->call, st, "Chat session not found");
}

void cria_api_resume_chat_turn(struct cria_exchange *ex)
{
    struct cria_turn_log *log = NULL;
    uint32_t after_n = 0;
    enum cria_status st = attach(ex, &log, &after_n);
    if (st == CRIA_OK && log) {
        st = stream(ex, log, after_n);
        if (st == CRIA_OK) return;
    }
    ex->status = 204; /* no turn was run yet */
    cria_reply(ex, st);
}

static enum cria_status cancel_chat_turn(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_chat_cancel(cria_app_of(ex)->chat, &ex->call, cria_project_of(ex),
                              ex->request.path_values[0]);
    st = cria_named(&ex->call, st, "Chat session not found");
    return st == CRIA_OK ? cria_session_write_now(ex) : st;
}
CRIA_HANDLER(cancel_chat_turn)
