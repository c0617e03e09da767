/* chat.c - the turns that run now, by session, and what the api asks of them.
 * Room: chat. A session is claimed in the registry before anything of a turn is looked at, and let
 * go after its stop is durable: two turns never overlap, and who waits for one waits for the claim
 * to go. */
#include "chat/chat.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/map.h"
#include "chat/session.h"
#include "chat/turn.h"
#include "platform/clock.h"
#include "platform/crypto.h"

enum { KEY_SIZE = 2 * CRIA_ID_SIZE + 2, WAIT_MS = 30000, DEFAULT_TURNS = 64 };
enum { DEFAULT_DEADLINE_MS = 180000, PAGE_OF_FRAMES = 500 };

/** What stands in the registry for a session: a turn, or somebody who keeps turns away. */
struct claim {
    char key[KEY_SIZE];
    uint64_t serial; /* tells it from a later one at the same address */
    bool has_begun;  /* turn is on its loop and can be cancelled */
    struct cria_turn turn;
};

struct cria_chat {
    struct cria_chat_options options;
    struct cria_model *model;
    _Atomic int64_t window_tokens;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    struct cria_map claims;
    uint64_t last_serial;
    unsigned live; /* turns that are not freed yet */
    bool is_stopping;
    struct cria_chat_figures figures;
};

enum cria_status cria_chat_new(const struct cria_chat_options *options, struct cria_call *call,
                               struct cria_chat **out)
{
    struct cria_chat *chat = calloc(1, sizeof(*chat));
    if (!chat) return cria_fail_memory(call);
    chat->options = *options;
    if (!chat->options.max_turns) chat->options.max_turns = DEFAULT_TURNS;
    if (!chat->options.turn_deadline_ms) chat->options.turn_deadline_ms = DEFAULT_DEADLINE_MS;
    atomic_init(&chat->window_tokens, CRIA_WINDOW_TOKENS);
    pthread_mutex_init(&chat->lock, NULL);
    pthread_cond_init(&chat->changed, NULL);
    if (options->llm_url && options->llm_url[0]) {
        struct cria_model_options model = {
            .url = options->llm_url, .name = options->llm_model, .key = options->llm_key};
        if (cria_model_new(&model, &chat->model) != CRIA_OK) {
            cria_chat_free(chat);
            return cria_fail_memory(call);
        }
    }
    *out = chat;
    return CRIA_OK;
}

void cria_chat_free(struct cria_chat *chat)
{
    if (!chat) return;
    cria_model_free(chat->model);
    cria_map_release(&chat->claims);
    pthread_cond_destroy(&chat->changed);
    pthread_mutex_destroy(&chat->lock);
    free(chat);
}

struct cria_chat_figures cria_chat_figures(struct cria_chat *chat)
{
    pthread_mutex_lock(&chat->lock);
    struct cria_chat_figures figures = chat->figures;
    pthread_mutex_unlock(&chat->lock);
    return figures;
}

/* ---- the registry */

static struct timespec in_ms(uint32_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) at.tv_sec++, at.tv_nsec -= 1000000000;
    return at;
}

static bool make_key(char key[KEY_SIZE], struct cria_str project, struct cria_str session_id)
{
    if (project.len >= CRIA_ID_SIZE || session_id.len >= CRIA_ID_SIZE) return false;
    snprintf(key, KEY_SIZE, "%.*s/%.*s", CRIA_STR_ARG(project), CRIA_STR_ARG(session_id));
    return true;
}

static enum cria_status refuse_session(struct cria_call *call)
{
    return cria_fail(call, CRIA_E_NOT_FOUND, "Chat session not found");
}

/* Under the lock. */
static struct claim *find_claim(struct cria_chat *chat, const char *key)
{
    return cria_map_get(&chat->claims, cria_str_from(key));
}

static void drop_claim(struct cria_chat *chat, struct claim *claim)
{
    pthread_mutex_lock(&chat->lock);
    cria_map_remove(&chat->claims, cria_str_from(claim->key));
    pthread_cond_broadcast(&chat->changed);
    pthread_mutex_unlock(&chat->lock);
}

static bool stands(struct cria_chat *chat, const char *key, uint64_t serial)
{
    const struct claim *claim = find_claim(chat, key);
    return claim && claim->serial == serial;
}

static bool put_claim(struct cria_chat *chat, struct claim *claim)
{
    claim->serial = ++chat->last_serial;
    return cria_map_put(&chat->claims, cria_str_from(claim->key), claim);
}

/* Cancels the turn of the session, if one runs, and waits for its end; with the lock held. */
static bool end_turn(struct cria_chat *chat, const char *key, enum cria_turn_halt why)
{
    struct claim *claim = find_claim(chat, key);
    struct timespec until = in_ms(WAIT_MS);
    int failed = 0;
    if (!claim) return true;
    const uint64_t serial = claim->serial;
    /* One that is just being accepted can be cancelled when it has begun. */
    while (stands(chat, key, serial) && !claim->has_begun && !failed)
        failed = pthread_cond_timedwait(&chat->changed, &chat->lock, &until);
    if (stands(chat, key, serial) && claim->has_begun) cria_turn_cancel(&claim->turn, why);
    while (stands(chat, key, serial) && !failed)
        failed = pthread_cond_timedwait(&chat->changed, &chat->lock, &until);
    return !stands(chat, key, serial);
}

static void turn_ended(struct cria_turn *turn, bool is_error)
{
    struct claim *claim = CRIA_CONTAINER(turn, struct claim, turn);
    struct cria_chat *chat = turn->owner;
    pthread_mutex_lock(&chat->lock);
    cria_map_remove(&chat->claims, cria_str_from(claim->key));
    chat->figures.running--;
    chat->figures.finished++;
    chat->figures.failed += is_error;
    pthread_cond_broadcast(&chat->changed);
    pthread_mutex_unlock(&chat->lock);
}

static void turn_gone(struct cria_turn *turn)
{
    struct claim *claim = CRIA_CONTAINER(turn, struct claim, turn);
    struct cria_chat *chat = turn->owner;
    free(claim);
    pthread_mutex_lock(&chat->lock);
    chat->live--;
    pthread_cond_broadcast(&chat->changed);
    pthread_mutex_unlock(&chat->lock);
}

/* ---- starting a turn */

static enum cria_status claim_session(struct cria_chat *chat, struct cria_call *call,
                                      const struct cria_turn_params *params, struct claim **out)
{
    enum cria_status st = CRIA_OK;
    struct claim *claim = calloc(1, sizeof(*claim));
    if (!claim) return cria_fail_memory(call);
    if (!make_key(claim->key, params->project, params->session_id)) {
        free(claim);
        return refuse_session(call);
    }
    pthread_mutex_lock(&chat->lock);
    if (chat->is_stopping) {
        st = cria_fail(call, CRIA_E_UNAVAILABLE, "The server is stopping");
    } else if (find_claim(chat, claim->key)) {
        st = cria_fail_final(call, CRIA_E_CONFLICT, "A turn is already running on this session");
    } else if (chat->claims.count >= chat->options.max_turns) {
        st = cria_fail(call, CRIA_E_LIMIT, "Too many turns are running");
        call->retry_after_ms = 1000;
    } else if (!put_claim(chat, claim)) {
        st = cria_fail_memory(call);
    }
    pthread_mutex_unlock(&chat->lock);
    if (st != CRIA_OK) {
        free(claim);
        return st;
    }
    *out = claim;
    return CRIA_OK;
}

/** What accepting a turn writes. */
struct accept {
    const struct cria_turn_params *params;
    struct cria_binding binding;
    struct cria_turn_row row;
    struct cria_frame frame;
    int64_t seq; /* out */
};

/* A turn whose end could not be saved is closed before the next one begins. */
static enum cria_status close_left(struct cria_tx *tx, struct cria_call *call,
                                   const struct cria_turn_params *params)
{
    struct cria_turn_row row;
    enum cria_status st = cria_tx_turn_latest(tx, call, params->project, params->session_id, &row);
    if (st == CRIA_E_NOT_FOUND) return CRIA_OK;
    if (st != CRIA_OK || !row.is_running) return st;
    struct cria_turn_close close = {.project = params->project,
                                    .session_id = params->session_id,
                                    .turn_id = row.id,
                                    .error = CRIA_STR("interrupted")};
    return cria_turn_close_fn(tx, call, &close);
}

static enum cria_status accept_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct accept *accept = arg;
    const struct cria_turn_params *params = accept->params;
    struct cria_session session;
    enum cria_status st = close_left(tx, call, params);
    if (st == CRIA_OK)
        st = cria_tx_session_get(tx, call, params->project, params->session_id, &session);
    if (st == CRIA_E_NOT_FOUND) return refuse_session(call);
    if (st != CRIA_OK) return st;
    accept->seq = session.event_count;
    if (accept->binding.locks) {
        session.index_ids_json = accept->binding.index_ids_json;
        session.is_locked = true;
    }
    if (!session.title.ptr) session.title = cria_title_make(call->arena, params->prompt);
    if (!session.title.ptr) return cria_fail_memory(call);
    session.last_updated_at_us = accept->row.started_at_us;
    st = cria_tx_session_update(tx, call, params->project, &session);
    if (st == CRIA_OK) st = cria_tx_turn_insert(tx, call, params->project, &accept->row);
    if (st != CRIA_OK) return st;
    return cria_tx_frames_append(tx, call, params->project, params->session_id, accept->row.id,
                                 &accept->frame, 1);
}

/* Looks at everything and loads what the turn needs; changes nothing. */
static enum cria_status prepare(struct cria_chat *chat, struct cria_call *call,
                                const struct cria_turn_params *params, struct cria_turn *turn,
                                struct cria_binding *binding)
{
    struct cria_session session;
    struct cria_frame_list events = {0};
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(chat->options.store, call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_session_get(tx, call, params->project, params->session_id, &session);
    if (st == CRIA_E_NOT_FOUND) {
        st = refuse_session(call);
        goto out;
    }
    if (st == CRIA_OK) st = cria_session_bind(tx, call, params->project, &session, params, binding);
    if (st == CRIA_OK && session.event_count > 0) {
        int64_t from = session.event_count - CRIA_HISTORY_EVENTS;
        st = cria_tx_events_list(tx, call, params->project, params->session_id, from > 0 ? from : 0,
                                 CRIA_HISTORY_EVENTS, &events);
    }
    if (st != CRIA_OK) goto out;
    cria_evidence_init(&turn->evidence, &turn->arena, 0);
    st = cria_history_read(&turn->arena, &events, &turn->evidence, &turn->history);
    if (st != CRIA_OK) st = cria_fail_memory(call);
out:
    cria_store_read_end(tx);
    return st;
}

static struct cria_str exports_json(struct cria_arena *arena, const struct cria_binding *binding)
{
    struct cria_str *ids = CRIA_NEW_ARRAY(arena, binding->searched_count, struct cria_str);
    if (!ids) return (struct cria_str){0};
    for (size_t i = 0; i < binding->searched_count; i++) {
        ids[i] = cria_arena_copy(arena, binding->searched[i].id);
        if (!ids[i].ptr) return ids[i];
        /* "idx-<uuid>" and "exp-<uuid>" are one index. */
        if (cria_str_starts(ids[i], "idx-")) memcpy((char *)(uintptr_t)ids[i].ptr, "exp", 3);
    }
    return cria_ids_json(arena, ids, binding->searched_count);
}

/* Copies what outlives the request. */
static bool fill_turn(struct cria_chat *chat, struct cria_turn *turn, struct cria_loop *loop,
                      const struct cria_turn_params *params, const struct cria_binding *binding)
{
    struct cria_arena *arena = &turn->arena;
    struct cria_search_index *indexes =
        CRIA_NEW_ARRAY(arena, binding->searched_count, struct cria_search_index);
    if (!indexes) return false;
    for (size_t i = 0; i < binding->searched_count; i++) {
        indexes[i] = binding->searched[i];
        indexes[i].id = cria_arena_copy(arena, binding->searched[i].id);
    }
    turn->owner = chat;
    turn->store = chat->options.store;
    turn->pool = chat->options.pool;
    turn->model = chat->model;
    turn->loop = loop;
    turn->ended = turn_ended;
    turn->gone = turn_gone;
    turn->deadline_ms = chat->options.turn_deadline_ms;
    turn->learned_window = &chat->window_tokens;
    turn->project = cria_arena_copy(arena, params->project);
    turn->session_id = cria_arena_copy(arena, params->session_id);
    turn->question = cria_arena_copy(arena, params->prompt);
    if (turn->history.count)
        turn->previous_question = turn->history.items[turn->history.count - 1].question;
    turn->skipped_json = cria_ids_json(arena, binding->skipped, binding->skipped_count);
    turn->exports_json = exports_json(arena, binding);
    turn->scope = (struct cria_tool_scope){.store = chat->options.store,
                                           .search = chat->options.search,
                                           .project = turn->project,
                                           .indexes = indexes,
                                           .index_count = binding->searched_count};
    return cria_str_copy_z(params->project, turn->events.project, CRIA_ID_SIZE) &&
           cria_str_copy_z(params->session_id, turn->events.session, CRIA_ID_SIZE) &&
           turn->skipped_json.ptr && turn->exports_json.ptr && !arena->failed;
}

static enum cria_status save_start(struct cria_chat *chat, struct cria_call *call,
                                   const struct cria_turn_params *params, struct cria_turn *turn,
                                   const struct cria_binding *binding)
{
    struct cria_turn_state state = {turn->skipped_json, turn->exports_json};
    struct accept accept = {.params = params, .binding = *binding};
    char id[CRIA_ID_SIZE];
    struct cria_buf json;
    enum cria_status st;
    cria_id_new("trn-", id);
    cria_buf_init(&json, 1 << 20);
    cria_event_text_write(&json, "user_input", params->prompt, CRIA_STR(""));
    accept.row = (struct cria_turn_row){
        .id = cria_str_from(id),
        .session_id = params->session_id,
        .is_running = true,
        .started_at_us = cria_wall_us(),
        .state_json = cria_turn_state_write(call->arena, &state),
    };
    accept.frame = (struct cria_frame){.n = 1, .json = cria_buf_str(&json)};
    st = cria_turn_log_new(accept.row.id, &turn->log);
    if (st != CRIA_OK || json.failed || !accept.row.state_json.ptr)
        st = cria_fail_memory(call);
    else
        st = cria_store_write(chat->options.store, call, accept_fn, &accept);
    if (st == CRIA_OK) {
        turn->seq = accept.seq;
        cria_turn_log_append(turn->log, &accept.frame, 1, false);
    }
    cria_buf_release(&json);
    return st;
}

enum cria_status cria_chat_turn_start(struct cria_chat *chat, struct cria_call *call,
                                      struct cria_loop *loop, const struct cria_turn_params *params,
                                      struct cria_turn_log **out)
{
    struct cria_binding binding;
    struct claim *claim = NULL;
    uint64_t started_ns = cria_now_ns();
    enum cria_status st = claim_session(chat, call, params, &claim);
    if (st != CRIA_OK) return st;
    struct cria_turn *turn = &claim->turn;
    turn->started_ns = started_ns;
    cria_arena_init(&turn->arena, CRIA_TURN_ARENA_BYTES);
    st = prepare(chat, call, params, turn, &binding);
    if (st == CRIA_OK && !fill_turn(chat, turn, loop, params, &binding))
        st = cria_fail_memory(call);
    if (st == CRIA_OK) st = save_start(chat, call, params, turn, &binding);
    if (st != CRIA_OK) {
        drop_claim(chat, claim);
        cria_turn_log_unref(turn->log);
        cria_arena_release(&turn->arena);
        free(claim);
        return st;
    }
    *out = cria_turn_log_ref(turn->log);
    pthread_mutex_lock(&chat->lock);
    chat->live++;
    chat->figures.running++;
    claim->has_begun = true;
    cria_turn_begin(turn);
    if (chat->is_stopping) cria_turn_cancel(turn, CRIA_HALT_SERVER_STOPPING);
    pthread_cond_broadcast(&chat->changed);
    pthread_mutex_unlock(&chat->lock);
    return CRIA_OK;
}

/* ---- attaching */

/* Reads all frames of an ended turn into a log. */
static enum cria_status load_log(struct cria_chat *chat, struct cria_call *call, struct cria_tx *tx,
                                 struct cria_str project, const struct cria_turn_row *row,
                                 struct cria_turn_log **out)
{
    struct cria_turn_log *log = NULL;
    struct cria_frame_list list;
    uint32_t after = 0;
    (void)chat;
    if (cria_turn_log_new(row->id, &log) != CRIA_OK) return cria_fail_memory(call);
    do {
        enum cria_status st = cria_tx_frames_list(tx, call, project, row->session_id, row->id,
                                                  after, PAGE_OF_FRAMES, &list);
        if (st != CRIA_OK) {
            cria_turn_log_unref(log);
            return st;
        }
        if (list.count) after = list.items[list.count - 1].n;
        cria_turn_log_append(log, list.items, list.count, list.count < PAGE_OF_FRAMES);
    } while (list.count == PAGE_OF_FRAMES);
    *out = log;
    return CRIA_OK;
}

static enum cria_status attach_stored(struct cria_chat *chat, struct cria_call *call,
                                      struct cria_str project, struct cria_str session_id,
                                      struct cria_turn_log **out)
{
    struct cria_session session;
    struct cria_turn_row row;
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(chat->options.store, call, &tx);
    *out = NULL;
    if (st != CRIA_OK) return st;
    st = cria_tx_session_get(tx, call, project, session_id, &session);
    if (st == CRIA_E_NOT_FOUND) {
        st = refuse_session(call);
        goto out;
    }
    if (st == CRIA_OK) st = cria_tx_turn_latest(tx, call, project, session_id, &row);
    if (st == CRIA_E_NOT_FOUND) {
        st = CRIA_OK; /* no turn yet */
        goto out;
    }
    if (st == CRIA_OK) st = load_log(chat, call, tx, project, &row, out);
out:
    cria_store_read_end(tx);
    return st;
}

enum cria_status cria_chat_attach(struct cria_chat *chat, struct cria_call *call,
                                  struct cria_str project, struct cria_str session_id,
                                  struct cria_str last_event_id, struct cria_turn_log **out,
                                  uint32_t *after_n)
{
    struct cria_turn_log *log = NULL;
    struct cria_str turn_id;
    char key[KEY_SIZE];
    uint32_t n = 0;
    if (!make_key(key, project, session_id)) return refuse_session(call);
    struct timespec until = in_ms(WAIT_MS);
    int failed = 0;
    pthread_mutex_lock(&chat->lock);
    struct claim *claim;
    /* While a turn is being accepted its first frame may be on disk or not: soon that is known. One
     * whose log was cut by a lack of memory is read from the store once it has ended. */
    while ((claim = find_claim(chat, key)) && !failed &&
           (!claim->has_begun || cria_turn_log_is_cut(claim->turn.log)))
        failed = pthread_cond_timedwait(&chat->changed, &chat->lock, &until);
    if (claim && claim->has_begun && !cria_turn_log_is_cut(claim->turn.log))
        log = cria_turn_log_ref(claim->turn.log);
    pthread_mutex_unlock(&chat->lock);

    enum cria_status st = CRIA_OK;
    if (!log) st = attach_stored(chat, call, project, session_id, &log);
    if (st == CRIA_OK && log && last_event_id.len) {
        bool good = cria_frame_id_parse(last_event_id, &turn_id, &n) &&
                    cria_str_is(turn_id, cria_turn_log_id(log)) && n <= cria_turn_log_count(log);
        if (!good)
            st = cria_fail(call, CRIA_E_INVALID,
                           "Last-Event-ID is not of this session's latest turn");
    }
    if (st != CRIA_OK) {
        cria_turn_log_unref(log);
        return st;
    }
    *out = log;
    *after_n = n;
    return CRIA_OK;
}

/* ---- ending */

static enum cria_status check_session(struct cria_chat *chat, struct cria_call *call,
                                      struct cria_str project, struct cria_str session_id)
{
    struct cria_session session;
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(chat->options.store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_session_get(tx, call, project, session_id, &session);
    cria_store_read_end(tx);
    return st == CRIA_E_NOT_FOUND ? refuse_session(call) : st;
}

enum cria_status cria_chat_cancel(struct cria_chat *chat, struct cria_call *call,
                                  struct cria_str project, struct cria_str session_id)
{
    char key[KEY_SIZE];
    if (!make_key(key, project, session_id)) return refuse_session(call);
    enum cria_status st = check_session(chat, call, project, session_id);
    if (st != CRIA_OK) return st;
    pthread_mutex_lock(&chat->lock);
    bool ended = end_turn(chat, key, CRIA_HALT_CANCELLED);
    pthread_mutex_unlock(&chat->lock);
    return ended ? CRIA_OK : cria_fail(call, CRIA_E_TIMEOUT, "The turn has not stopped yet");
}

struct removal {
    struct cria_str project, session_id;
};

static enum cria_status remove_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct removal *removal = arg;
    enum cria_status st = cria_tx_session_delete(tx, call, removal->project, removal->session_id);
    return st == CRIA_E_NOT_FOUND ? refuse_session(call) : st;
}

enum cria_status cria_chat_delete(struct cria_chat *chat, struct cria_call *call,
                                  struct cria_str project, struct cria_str session_id)
{
    struct removal removal = {project, session_id};
    struct claim guard = {0};
    if (!make_key(guard.key, project, session_id)) return refuse_session(call);
    pthread_mutex_lock(&chat->lock);
    bool ended;
    do ended = end_turn(chat, guard.key, CRIA_HALT_DELETED);
    while (ended && find_claim(chat, guard.key));
    /* The guard keeps new turns away until the rows are gone. */
    bool is_held = ended && put_claim(chat, &guard);
    pthread_mutex_unlock(&chat->lock);
    if (!ended) return cria_fail(call, CRIA_E_TIMEOUT, "The turn has not stopped yet");
    if (!is_held) return cria_fail_memory(call);
    enum cria_status st = cria_store_write_freeing(chat->options.store, call, remove_fn, &removal);
    drop_claim(chat, &guard);
    return st;
}

void cria_chat_reader_left(struct cria_chat *chat, struct cria_turn_log *log)
{
    struct cria_str key;
    size_t at = 0;
    void *value;
    if (!chat->options.cancel_on_disconnect) return;
    pthread_mutex_lock(&chat->lock);
    while (cria_map_next(&chat->claims, &at, &key, &value)) {
        struct claim *claim = value;
        if (claim->has_begun && claim->turn.log == log)
            cria_turn_cancel(&claim->turn, CRIA_HALT_CANCELLED);
    }
    pthread_mutex_unlock(&chat->lock);
}

void cria_chat_stop(struct cria_chat *chat, uint32_t wait_ms)
{
    struct timespec until = in_ms(wait_ms);
    struct cria_str key;
    size_t at = 0;
    void *value;
    int failed = 0;
    if (!chat) return;
    pthread_mutex_lock(&chat->lock);
    chat->is_stopping = true;
    while (cria_map_next(&chat->claims, &at, &key, &value)) {
        struct claim *claim = value;
        if (claim->has_begun) cria_turn_cancel(&claim->turn, CRIA_HALT_SERVER_STOPPING);
    }
    while ((chat->live || chat->claims.count) && !failed)
        failed = pthread_cond_timedwait(&chat->changed, &chat->lock, &until);
    unsigned left = chat->live;
    pthread_mutex_unlock(&chat->lock);
    if (left) cria_log(CRIA_LOG_WARN, "chat.stop", "turns_left=%u", left);
    if (chat->model) cria_model_close(chat->model, wait_ms);
}

/* ---- after a crash */

enum cria_status cria_chat_recover(struct cria_chat *chat, struct cria_call *call)
{
    struct cria_turn_ref_list left;
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(chat->options.store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_turn_unfinished(tx, call, &left);
    cria_store_read_end(tx);
    for (size_t i = 0; st == CRIA_OK && i < left.count; i++) {
        struct cria_arena arena;
        struct cria_call one;
        struct cria_turn_close close = {.project = left.items[i].project_id,
                                        .session_id = left.items[i].turn.session_id,
                                        .turn_id = left.items[i].turn.id,
                                        .error = CRIA_STR("interrupted")};
        cria_arena_init(&arena, 64 << 20);
        cria_call_init(&one, &arena);
        /* One that cannot be mended must not keep the server from starting. */
        if (cria_store_write(chat->options.store, &one, cria_turn_close_fn, &close) != CRIA_OK)
            cria_log(CRIA_LOG_ERROR, "chat.recover", "turn=%.*s why='%s'",
                     CRIA_STR_ARG(left.items[i].turn.id), one.error);
        cria_arena_release(&arena);
    }
    if (st == CRIA_OK && left.count)
        cria_log(CRIA_LOG_INFO, "chat.recovered", "turns=%zu", left.count);
    return st;
}
