/* Whole turns: a real store, a real search, workers, a loop, and a scripted model. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "chat/chat.h"
#include "chat/turn_log.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "tests/support/stub_llm.h"
#include "tests/support/test.h"

#define PROJECT CRIA_STR("prj-1")
#define RENT "idx-00000000-0000-7000-8000-000000000001"
#define RENT_EXP "exp-00000000-0000-7000-8000-000000000001"
#define FOOD "idx-00000000-0000-7000-8000-000000000002"
#define RAW "idx-00000000-0000-7000-8000-000000000003" /* never exported */
#define GONE "idx-00000000-0000-7000-8000-00000000dead"

static const char lease[] =
    "The monthly rent is 1,250 euros and is due on the third working day of each month. "
    "The tenant pays a deposit of three months' rent to the landlord.\n\n"
    "Pets may be kept only with the written consent of the landlord. "
    "The consent may be withdrawn when neighbours complain about noise.\n";
static const char recipe[] = "Mix two hundred grams of flour with three eggs and a pinch of salt. "
                             "Let the dough rest for thirty minutes in a cool place.\n";

struct fixture {
    char folder[64];
    struct cria_store *store;
    struct cria_search *search;
    struct cria_pool *pool;
    struct cria_loop *loop;
    pthread_t thread;
    struct cria_chat *chat;
    struct stub_llm *stub;
    struct cria_arena arena;
    struct cria_call call;
    uint32_t deadline_ms;
    unsigned max_turns;
    bool with_model;
};

/* ---- the documents */

struct seed {
    const char *index_id, *entry_id, *document_id, *name, *text;
};

static enum cria_status seed_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct seed *seed = arg;
    struct cria_index index = {
        .id = cria_str_from(seed->index_id),
        .name = CRIA_STR("an index"),
        .source_directory_id = CRIA_STR("dir-1"),
        .output_directory_id = CRIA_STR("dir-2"),
        .sync_frequency = CRIA_STR("manual"),
        .status = CRIA_INDEX_READY,
        .failed_files_json = CRIA_STR("[]"),
        .created_at_us = 1,
        .updated_at_us = 1,
        .generation = seed->text ? 1 : 0,
        .last_exported_at_us = seed->text ? 1 : 0,
    };
    enum cria_status st = cria_tx_index_insert(tx, call, PROJECT, &index);
    if (st == CRIA_OK) st = cria_tx_index_update_state(tx, call, PROJECT, &index);
    if (st != CRIA_OK || !seed->text) return st;
    struct cria_str text = cria_str_from(seed->text);
    struct cria_str blank = CRIA_STR("\n\n");
    struct cria_chunk chunks[8] = {0};
    size_t count = 0, at = 0;
    while (at < text.len) { /* a chunk per paragraph */
        size_t end = cria_str_find(cria_str_sub(text, at, SIZE_MAX), blank);
        end = end == SIZE_MAX ? text.len - 1 : at + end;
        chunks[count] = (struct cria_chunk){
            .n = (uint32_t)count,
            .char_start = cria_utf8_count(cria_str_sub(text, 0, at)),
            .char_end = cria_utf8_count(cria_str_sub(text, 0, end)),
            .byte_start = at,
            .byte_end = end,
            .page_start = (uint32_t)count + 1,
            .page_end = (uint32_t)count + 1,
            .token_count = 30,
            .heading = count ? CRIA_STR("Pets") : CRIA_STR("Rent"),
        };
        count++;
        at = end + 2;
    }
    struct cria_str pages = CRIA_STR("[[1,0,0]]");
    if (count == 2)
        pages = cria_arena_printf(call->arena, "[[1,0,0],[2,%u,%u]]",
                                  (unsigned)chunks[1].byte_start, (unsigned)chunks[1].char_start);
    struct cria_document document = {
        .id = cria_str_from(seed->document_id),
        .index_id = index.id,
        .entry_id = cria_str_from(seed->entry_id),
        .source_entry_id = CRIA_STR("dfl-source"),
        .content_key = CRIA_STR("key"),
        .display_name = cria_str_from(seed->name),
        .metadata_json = CRIA_STR("{\"year\":2024}"),
        .format = CRIA_STR("pdf"),
        .file_id = CRIA_STR("00000000-0000-4000-8000-000000000009"),
        .sha256 = CRIA_STR("00"),
        .char_count = cria_utf8_count(text),
        .byte_count = text.len,
        .page_count = (uint32_t)count,
        .chunk_count = (uint32_t)count,
        .pages_json = pages,
        .headings_json = CRIA_STR("[]"),
        .created_at_us = 1,
    };
    st = cria_tx_document_insert(tx, call, PROJECT, &document, text, chunks, count);
    if (st != CRIA_OK) return st;
    return cria_tx_documents_publish(tx, call, PROJECT, index.id, NULL, 0);
}

static void seed(struct fixture *f)
{
    static const struct seed seeds[] = {
        {RENT, "dfl-1", "doc-1", "Lease.pdf", lease},
        {FOOD, "dfl-2", "doc-2", "Noodles.txt", recipe},
        {RAW, NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < CRIA_COUNT(seeds); i++) {
        struct seed one = seeds[i];
        enum cria_status st = cria_store_write(f->store, &f->call, seed_fn, &one);
        if (st != CRIA_OK) fail_msg("seed: %s %s", cria_status_name(st), f->call.error);
    }
}

/* ---- the fixture */

static void *run_loop(void *arg)
{
    cria_loop_run(arg);
    return NULL;
}

static void open_chat(struct fixture *f)
{
    struct cria_chat_options options = {
        .store = f->store,
        .search = f->search,
        .pool = f->pool,
        .llm_url = f->with_model ? f->stub->url : NULL,
        .llm_model = "stub-1",
        .turn_deadline_ms = f->deadline_ms,
        .max_turns = f->max_turns,
    };
    assert_int_equal(cria_chat_new(&options, &f->call, &f->chat), CRIA_OK);
}

static void close_chat(struct fixture *f)
{
    cria_chat_stop(f->chat, 10000);
    cria_chat_free(f->chat);
    f->chat = NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    cria_arena_init(&f->arena, 256 << 20);
    cria_call_init(&f->call, &f->arena);
    snprintf(f->folder, sizeof(f->folder), "/tmp/cria-turn-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    struct cria_store_options store = {.folder = f->folder, .ballast_bytes = 4096};
    if (cria_store_open(&store, &f->call, &f->store) != CRIA_OK) fail_msg("%s", f->call.error);
    struct cria_search_options search = {.store = f->store};
    assert_int_equal(cria_search_new(&search, &f->call, &f->search), CRIA_OK);
    assert_int_equal(cria_pool_new("test", 4, &f->pool), CRIA_OK);
    assert_int_equal(cria_loop_new(&f->loop), CRIA_OK);
    pthread_create(&f->thread, NULL, run_loop, f->loop);
    f->stub = stub_new();
    f->deadline_ms = 20000;
    seed(f);
    *state = f;
    return 0;
}

static int setup_extractive(void **state)
{
    setup(state);
    open_chat(*state);
    return 0;
}

static int setup_model(void **state)
{
    setup(state);
    struct fixture *f = *state;
    f->with_model = true;
    open_chat(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->chat) close_chat(f);
    cria_loop_stop(f->loop);
    pthread_join(f->thread, NULL);
    cria_pool_free(f->pool);
    cria_loop_free(f->loop);
    stub_free(f->stub);
    cria_search_free(f->search);
    cria_store_close(f->store);
    cria_arena_release(&f->arena);
    test_remove_tree(f->folder);
    free(f);
    return 0;
}

/* ---- asking */

static struct cria_str new_session(struct fixture *f, const char *const *ids, size_t count)
{
    struct cria_str slices[12];
    for (size_t i = 0; i < count; i++) slices[i] = cria_str_from(ids[i]);
    struct cria_session_create create = {.project = PROJECT,
                                         .params = {.index_ids = slices, .index_count = count}};
    enum cria_status st = cria_store_write(f->store, &f->call, cria_session_create_fn, &create);
    if (st != CRIA_OK) fail_msg("create: %s %s", cria_status_name(st), f->call.error);
    return create.session.id;
}

static struct cria_session get_session(struct fixture *f, struct cria_str id)
{
    struct cria_tx *tx = NULL;
    struct cria_session session;
    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    assert_int_equal(cria_tx_session_get(tx, &f->call, PROJECT, id, &session), CRIA_OK);
    cria_store_read_end(tx);
    return session;
}

static enum cria_status start_over(struct fixture *f, struct cria_str session,
                                   const char *const *ids, size_t count, const char *prompt,
                                   bool all, struct cria_turn_log **log)
{
    struct cria_str slices[12];
    for (size_t i = 0; i < count; i++) slices[i] = cria_str_from(ids[i]);
    struct cria_turn_params params = {.project = PROJECT,
                                      .session_id = session,
                                      .index_ids = slices,
                                      .index_count = count,
                                      .prompt = cria_str_from(prompt),
                                      .require_all_indexes = all};
    cria_call_init(&f->call, &f->arena);
    return cria_chat_turn_start(f->chat, &f->call, f->loop, &params, log);
}

static struct cria_turn_log *start(struct fixture *f, struct cria_str session, const char *prompt)
{
    struct cria_turn_log *log = NULL;
    enum cria_status st = start_over(f, session, NULL, 0, prompt, false, &log);
    if (st != CRIA_OK) fail_msg("start: %s %s", cria_status_name(st), f->call.error);
    return log;
}

struct waiter {
    struct cria_log_reader reader;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool news;
};

static void wake_waiter(struct cria_log_reader *reader)
{
    struct waiter *waiter = CRIA_CONTAINER(reader, struct waiter, reader);
    pthread_mutex_lock(&waiter->lock);
    waiter->news = true;
    pthread_cond_signal(&waiter->cond);
    pthread_mutex_unlock(&waiter->lock);
}

/* Reads from after_n until the text holds `until` (NULL: the end); adds to the arena. */
static struct cria_str read_until(struct fixture *f, struct cria_turn_log *log, uint32_t after_n,
                                  const char *until)
{
    struct waiter waiter = {.reader = {.wake = wake_waiter}};
    struct cria_buf out;
    enum cria_log_read got;
    cria_buf_init(&out, 16 << 20);
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.cond, NULL);
    cria_turn_log_subscribe(log, &waiter.reader);
    for (;;) {
        got = cria_turn_log_read(log, &after_n, &out, 100);
        if (got == CRIA_LOG_END) break;
        if (until && cria_str_find(cria_buf_str(&out), cria_str_from(until)) != SIZE_MAX) break;
        if (got == CRIA_LOG_MORE) continue;
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.news) pthread_cond_wait(&waiter.cond, &waiter.lock);
        waiter.news = false;
        pthread_mutex_unlock(&waiter.lock);
    }
    cria_turn_log_unsubscribe(log, &waiter.reader);
    pthread_cond_destroy(&waiter.cond);
    pthread_mutex_destroy(&waiter.lock);
    struct cria_str text = cria_arena_copy(&f->arena, cria_buf_str(&out));
    cria_buf_release(&out);
    return text;
}

/* ---- the invariants of the contract's NOTES, section 4 */

struct event {
    struct cria_str type, json;
    const struct cria_json *value;
    bool is_delta;
};
struct seen {
    struct event events[600];
    size_t count;
    const struct cria_json *text, *stop; /* the last text event, the stop */
    struct cria_str answer;
};

static void split_frames(struct fixture *f, struct cria_str frames, struct seen *seen)
{
    struct cria_str rest = frames, turn = {0};
    const char *why;
    seen->count = 0;
    while (rest.len) {
        struct cria_str id, event, data, blank, turn_id;
        uint32_t n;
        cria_str_cut(&rest, '\n', &id);
        cria_str_cut(&rest, '\n', &event);
        cria_str_cut(&rest, '\n', &data);
        cria_str_cut(&rest, '\n', &blank);
        assert_true(cria_str_starts(id, "id: ") && cria_str_starts(data, "data: "));
        assert_int_equal(blank.len, 0);
        assert_true(cria_frame_id_parse(cria_str_sub(id, 4, SIZE_MAX), &turn_id, &n));
        assert_int_equal(n, seen->count + 1);
        if (!turn.ptr) turn = turn_id;
        assert_true(cria_str_equal(turn, turn_id));
        assert_true(seen->count < CRIA_COUNT(seen->events));
        struct event *one = &seen->events[seen->count++];
        one->json = cria_str_sub(data, 6, SIZE_MAX);
        one->is_delta = cria_str_is(event, "event: delta");
        if (!one->is_delta) assert_str_equal(event, "event: message");
        assert_int_equal(cria_json_parse(&f->arena, one->json, &one->value, &why), CRIA_OK);
        one->type = cria_json_get_str(one->value, "type");
        bool is_delta_type =
            cria_str_is(one->type, "text_delta") || cria_str_is(one->type, "thinking_delta");
        assert_int_equal(is_delta_type, one->is_delta);
    }
}

static void check_blocks(struct seen *seen)
{
    struct cria_buf said;
    struct cria_str open = {0}, call = {0};
    cria_buf_init(&said, 8 << 20);
    for (size_t i = 0; i < seen->count; i++) {
        const struct event *event = &seen->events[i];
        struct cria_str content = cria_json_get_str(event->value, "content");
        if (i == 0) assert_str_equal(event->type, "user_input");
        if (event->is_delta) {
            struct cria_str kind = cria_str_sub(event->type, 0, event->type.len - 6);
            if (open.ptr) assert_true(cria_str_equal(open, kind));
            open = kind;
            assert_true(content.len > 0);
            cria_buf_add(&said, content);
            continue;
        }
        if (cria_str_is(event->type, "text") || cria_str_is(event->type, "thinking")) {
            assert_true(cria_str_equal(open, event->type));
            assert_true(cria_str_equal(content, cria_buf_str(&said)));
            open = (struct cria_str){0};
            cria_buf_clear(&said);
            if (cria_str_is(event->type, "text")) seen->text = event->value;
        } else if (cria_str_is(event->type, "tool_call")) {
            assert_null(call.ptr);
            call = cria_json_get_str(event->value, "call_id");
            assert_int_equal(call.len, 9);
            assert_int_equal(cria_json_get(event->value, "arguments")->kind, CRIA_JSON_OBJECT);
        } else if (cria_str_is(event->type, "tool_result")) {
            assert_true(cria_str_equal(call, cria_json_get_str(event->value, "call_id")));
            assert_non_null(cria_json_get(event->value, "image_attachment"));
            assert_true(cria_str_equal(cria_json_get_str(event->value, "name"),
                                       cria_json_get_str(seen->events[i - 1].value, "name")));
            call = (struct cria_str){0};
        } else if (cria_str_is(event->type, "stop")) {
            assert_int_equal(i, seen->count - 1);
            seen->stop = event->value;
        } else {
            assert_str_equal(event->type, "user_input");
            assert_int_equal(i, 0);
        }
        assert_null(open.ptr); /* nothing comes between deltas and their block */
    }
    assert_null(call.ptr);
    cria_buf_release(&said);
}

/* Reads the turn to its end and checks all that must hold of any turn. */
static struct seen *finish(struct fixture *f, struct cria_str session_id, struct cria_turn_log *log,
                           struct cria_str *frames)
{
    struct seen *seen = CRIA_NEW(&f->arena, struct seen);
    struct cria_tx *tx = NULL;
    struct cria_frame_list events;
    const char *why;
    size_t messages = 0;
    *frames = read_until(f, log, 0, NULL);
    split_frames(f, *frames, seen);
    check_blocks(seen);
    assert_non_null(seen->stop);
    cria_turn_log_unref(log);

    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    assert_int_equal(cria_tx_events_list(tx, &f->call, PROJECT, session_id, 0, 0, &events),
                     CRIA_OK);
    cria_store_read_end(tx);
    for (size_t i = 0; i < seen->count; i++) messages += !seen->events[i].is_delta;
    assert_true(events.count >= messages);
    size_t at = events.count - messages; /* this turn's are the last ones */
    for (size_t i = 0; i < seen->count; i++)
        if (!seen->events[i].is_delta)
            assert_true(cria_str_equal(seen->events[i].json, events.items[at++].json));

    const struct cria_json *job;
    struct cria_session session = get_session(f, session_id);
    assert_int_equal(cria_json_parse(&f->arena, session.job_metadata_json, &job, &why), CRIA_OK);
    const struct cria_json *usage = cria_json_get(seen->stop, "usage");
    assert_int_equal(cria_json_get_int(job, "turns", -1), cria_json_get_int(usage, "turns", -2));
    assert_int_equal(cria_json_get_bool(job, "is_error", false),
                     cria_json_get_bool(seen->stop, "is_error", true));
    assert_true(
        cria_str_equal(cria_json_get_str(job, "error"), cria_json_get_str(seen->stop, "error")));
    assert_non_null(cria_json_get(seen->stop, "skipped_index_ids"));
    seen->answer = cria_json_get_str(seen->text, "content");
    return seen;
}

static struct seen *ask(struct fixture *f, struct cria_str session, const char *prompt)
{
    struct cria_str frames;
    return finish(f, session, start(f, session, prompt), &frames);
}

static void check_citations(const struct seen *seen, size_t count)
{
    const struct cria_json *list = cria_json_get(seen->text, "citations");
    assert_non_null(list);
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < list->count; i++) {
        const struct cria_json *item = &list->items[i];
        struct cria_str file = cria_json_get_str(item, "file_id");
        struct cria_str text = cria_str_from(cria_str_is(file, "dfl-1") ? lease : recipe);
        size_t from = cria_utf8_offset(text, (size_t)cria_json_get_int(item, "char_start", -1));
        size_t to = cria_utf8_offset(text, (size_t)cria_json_get_int(item, "char_end", -1));
        assert_true(
            cria_str_equal(cria_json_get_str(item, "quote"), cria_str_sub(text, from, to - from)));
        assert_int_equal(cria_json_get_int(item, "n", 0), i + 1);
    }
}

static bool contains(struct cria_str text, const char *part)
{
    return cria_str_find(text, cria_str_from(part)) != SIZE_MAX;
}

static void assert_error(const struct seen *seen, const char *error)
{
    assert_true(cria_json_get_bool(seen->stop, "is_error", false));
    if (!contains(cria_json_get_str(seen->stop, "error"), error))
        fail_msg("stop says '%.*s'", CRIA_STR_ARG(cria_json_get_str(seen->stop, "error")));
}

static void assert_good(const struct seen *seen)
{
    if (cria_json_get_bool(seen->stop, "is_error", true))
        fail_msg("stop says '%.*s'", CRIA_STR_ARG(cria_json_get_str(seen->stop, "error")));
}

/* ---- without a model */

static const char *const rent[] = {RENT};

CRIA_TEST(an_extractive_turn_quotes_word_for_word)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    struct seen *seen = ask(f, session, "How much is the monthly rent and when is it due?");
    assert_good(seen);
    assert_true(cria_str_starts(seen->answer,
                                "No language model is set up: these are passages quoted word for "
                                "word, not a written answer.\n"));
    assert_true(contains(seen->answer, "\n> The monthly rent is 1,250 euros"));
    assert_true(contains(seen->answer, "[1] Lease.pdf, p. 1"));
    check_citations(seen, cria_json_get(seen->text, "citations")->count);
    assert_str_equal(cria_json_get_str(seen->text, "grounding"), "answered");
    assert_str_equal(seen->events[1].type, "tool_call");
    assert_str_equal(cria_json_get_str(seen->events[1].value, "name"), "retrieve");
    const struct cria_json *results =
        cria_json_get(cria_json_get(seen->events[2].value, "result"), "results");
    assert_true(results->count > 0);
    assert_str_equal(cria_json_get_str(cria_json_get(&results->items[0], "static_fields"),
                                       "parsed_directory_file_id"),
                     "dfl-1");
    const struct cria_json *usage = cria_json_get(seen->stop, "usage");
    assert_int_equal(cria_json_get_int(usage, "turns", -1), 0);
    assert_true(cria_json_is_null(cria_json_get(usage, "total_input_tokens")));

    struct cria_session row = get_session(f, session);
    assert_true(row.is_locked);
    assert_str_equal(row.title, "How much is the monthly rent and when is it due?");
    assert_true(contains(row.job_metadata_json, "\"export_config_ids\":[\"" RENT_EXP "\"]"));
}

CRIA_TEST(an_extractive_turn_refuses_what_is_not_there)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    struct seen *seen = ask(f, session, "Xylophone quantum zeppelin?");
    assert_good(seen);
    assert_str_equal(cria_json_get_str(seen->text, "grounding"), "not_found");
    check_citations(seen, 0);
    assert_true(contains(seen->answer, "do not seem to hold an answer"));
    seen =
        ask(f, session, "Please summarize everything about pets and the consent of the landlord");
    assert_true(contains(seen->answer, "no summary or comparison can be written"));
    assert_true(contains(seen->answer, "- Lease.pdf"));
    assert_str_equal(cria_json_get_str(seen->text, "grounding"), "partial");
    seen = ask(f, session, "And what about them?"); /* leans on the question before */
    assert_true(
        contains(cria_json_get_str(cria_json_get(seen->events[1].value, "arguments"), "query"),
                 "pets and the consent of the landlord"));
    assert_int_equal(cria_chat_figures(f->chat).finished, 3);
}

CRIA_TEST(the_stream_is_the_same_live_after_the_end_and_from_the_store)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1), live, again, frames;
    struct seen *seen = finish(f, session, start(f, session, "Are pets allowed?"), &live);
    for (int round = 0; round < 2; round++) {
        for (size_t n = 0; n <= seen->count; n++) {
            struct cria_turn_log *log = NULL;
            uint32_t after = 99;
            struct cria_str id = {0}, rest = live;
            for (size_t i = 0; i < n; i++) { /* what a reader of n frames has */
                struct cria_str line;
                cria_str_cut(&rest, '\n', &line);
                id = cria_str_sub(line, 4, SIZE_MAX);
                for (int k = 0; k < 3; k++) cria_str_cut(&rest, '\n', &line);
            }
            assert_int_equal(
                cria_chat_attach(f->chat, &f->call, PROJECT, session, id, &log, &after), CRIA_OK);
            assert_int_equal(after, n);
            again = read_until(f, log, after, NULL);
            assert_true(cria_str_equal(again, rest));
            cria_turn_log_unref(log);
        }
        close_chat(f); /* as after a restart */
        open_chat(f);
        assert_int_equal(cria_chat_recover(f->chat, &f->call), CRIA_OK);
    }
    struct cria_turn_log *log = NULL;
    uint32_t after;
    static const char *const bad[] = {"trn-x-1", "nonsense", "trn-x-0"};
    for (size_t i = 0; i < CRIA_COUNT(bad); i++)
        assert_int_equal(cria_chat_attach(f->chat, &f->call, PROJECT, session,
                                          cria_str_from(bad[i]), &log, &after),
                         CRIA_E_INVALID);
    assert_int_equal(cria_chat_attach(f->chat, &f->call, PROJECT, CRIA_STR("ses-none"),
                                      (struct cria_str){0}, &log, &after),
                     CRIA_E_NOT_FOUND);
    struct cria_str fresh = new_session(f, rent, 1);
    assert_int_equal(
        cria_chat_attach(f->chat, &f->call, PROJECT, fresh, (struct cria_str){0}, &log, &after),
        CRIA_OK);
    assert_null(log);
    /* The next turn takes the place of this one, also for who attaches. */
    finish(f, session, start(f, session, "And the deposit?"), &frames);
    struct cria_str old_id = cria_str_sub(live, 4, cria_str_find(live, CRIA_STR("\n")) - 4);
    assert_int_equal(cria_chat_attach(f->chat, &f->call, PROJECT, session, old_id, &log, &after),
                     CRIA_E_INVALID);
}

CRIA_TEST(binding_follows_the_table)
{
    struct fixture *f = *state;
    enum { U, B, L };
    static const struct {
        int session;
        const char *ids[12];
        bool all;
        enum cria_status status;
        const char *bound, *skipped;
    } cases[] = {
        {U, {RENT}, false, CRIA_OK, NULL, "[]"},
        {U, {NULL}, false, CRIA_E_INVALID, NULL, NULL},
        {B, {NULL}, false, CRIA_OK, "[\"" RENT "\",\"" FOOD "\"]", "[]"},
        {B, {FOOD, RENT_EXP, RENT}, false, CRIA_OK, "[\"" RENT "\",\"" FOOD "\"]", "[]"},
        {B, {FOOD}, false, CRIA_OK, "[\"" FOOD "\"]", "[]"},
        {B, {RENT_EXP, RENT_EXP}, false, CRIA_OK, "[\"" RENT_EXP "\"]", "[]"},
        {L, {FOOD, RENT}, false, CRIA_OK, "[\"" RENT "\",\"" FOOD "\"]", "[]"},
        {L, {NULL}, false, CRIA_OK, "[\"" RENT "\",\"" FOOD "\"]", "[]"},
        {L, {RENT}, false, CRIA_E_CONFLICT, NULL, NULL},
        {L, {GONE}, false, CRIA_E_NOT_FOUND, NULL, NULL},
        {U, {GONE}, false, CRIA_E_NOT_FOUND, NULL, NULL},
        {B, {GONE}, false, CRIA_E_NOT_FOUND, NULL, NULL},
        {U, {RAW}, false, CRIA_E_CONFLICT, NULL, NULL},
        {U, {RAW, GONE}, false, CRIA_E_CONFLICT, NULL, NULL},
        {U, {GONE, RENT, RAW}, false, CRIA_OK, NULL, "[\"" GONE "\",\"" RAW "\"]"},
        {U, {RENT, RAW}, true, CRIA_E_CONFLICT, NULL, NULL},
        {U, {RENT, GONE}, true, CRIA_E_NOT_FOUND, NULL, NULL},
        {U,
         {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", RENT},
         false,
         CRIA_E_INVALID,
         NULL,
         NULL},
    };
    static const char *const both[] = {RENT, FOOD};
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_str session = new_session(f, both, cases[i].session == U ? 0 : 2), frames;
        struct cria_turn_log *log = NULL;
        size_t count = 0;
        while (count < 12 && cases[i].ids[count]) count++;
        if (cases[i].session == L) ask(f, session, "How much is the rent?");
        struct cria_session before = get_session(f, session), after;
        enum cria_status st = start_over(f, session, cases[i].ids, count, "How much is the rent?",
                                         cases[i].all, &log);
        if (st != cases[i].status) fail_msg("case %zu: %s", i, cria_status_name(st));
        if (st == CRIA_OK) {
            struct seen *seen = finish(f, session, log, &frames);
            assert_true(contains(seen->events[seen->count - 1].json, "\"skipped_index_ids\":"));
            assert_true(cria_str_ends(
                seen->events[seen->count - 1].json,
                cria_arena_z(&f->arena, cria_arena_printf(&f->arena, "%s}", cases[i].skipped))));
            after = get_session(f, session);
            assert_int_equal(after.is_locked, cases[i].session != U);
            if (cases[i].bound)
                assert_str_equal(after.index_ids_json, cases[i].bound);
            else
                assert_null(after.index_ids_json.ptr);
            continue;
        }
        if (st == CRIA_E_CONFLICT) assert_int_equal(f->call.retry, CRIA_RETRY_NEVER);
        assert_true(f->call.error[0] != '\0');
        after = get_session(f, session);
        assert_int_equal(after.last_updated_at_us, before.last_updated_at_us);
        assert_int_equal(after.event_count, before.event_count);
        assert_int_equal(after.is_locked, before.is_locked);
        assert_true(cria_str_equal(after.title, before.title));
    }
    struct cria_turn_log *log = NULL;
    assert_int_equal(start_over(f, CRIA_STR("ses-none"), rent, 1, "x", false, &log),
                     CRIA_E_NOT_FOUND);
}

CRIA_TEST(creating_checks_ids_and_keeps_their_spelling)
{
    struct fixture *f = *state;
    static const char *const twice[] = {RENT_EXP, FOOD, RENT};
    struct cria_session row = get_session(f, new_session(f, twice, 3));
    assert_str_equal(row.index_ids_json, "[\"" RENT_EXP "\",\"" FOOD "\"]");
    assert_str_equal(row.shared_access, "read_only");
    assert_null(row.title.ptr);
    struct cria_str ids[] = {CRIA_STR(RENT), CRIA_STR(GONE)};
    struct cria_session_create create = {.project = PROJECT,
                                         .params = {.index_ids = ids, .index_count = 2}};
    assert_int_equal(cria_store_write(f->store, &f->call, cria_session_create_fn, &create),
                     CRIA_E_NOT_FOUND);
    struct cria_str many[11];
    for (size_t i = 0; i < 11; i++) many[i] = CRIA_STR(RENT);
    create.params = (struct cria_session_new){.index_ids = many, .index_count = 11};
    assert_int_equal(cria_store_write(f->store, &f->call, cria_session_create_fn, &create),
                     CRIA_E_INVALID);
    struct cria_session_title title = {
        .project = PROJECT, .session_id = row.id, .first_message = CRIA_STR("a  new\ttitle")};
    assert_int_equal(cria_store_write(f->store, &f->call, cria_session_title_fn, &title), CRIA_OK);
    assert_str_equal(get_session(f, row.id).title, "a new title");
}

/* ---- after a crash */

struct left {
    struct cria_str session, turn;
    const char *const *json; /* "+" before a delta */
    size_t count;
};

static enum cria_status left_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct left *left = arg;
    struct cria_turn_row row = {
        .id = left->turn,
        .session_id = left->session,
        .is_running = true,
        .started_at_us = cria_wall_us() - 5000000,
        .state_json = CRIA_STR("{\"skipped\":[\"" GONE "\"],\"exports\":[\"" RENT_EXP "\"]}")};
    enum cria_status st = cria_tx_turn_insert(tx, call, PROJECT, &row);
    for (size_t i = 0; st == CRIA_OK && i < left->count; i++) {
        bool is_delta = left->json[i][0] == '+';
        struct cria_frame frame = {.n = (uint32_t)i + 1,
                                   .is_delta = is_delta,
                                   .json = cria_str_from(left->json[i] + is_delta)};
        st = cria_tx_frames_append(tx, call, PROJECT, left->session, left->turn, &frame, 1);
    }
    return st;
}

CRIA_TEST(a_crash_leaves_a_turn_that_ends_with_what_was_said)
{
    struct fixture *f = *state;
    static const struct {
        const char *json[8];
        const char *closing;
        int turns;
    } cases[] = {
        {{"{\"type\":\"user_input\",\"content\":\"q\"}"}, "", 0},
        {{"{\"type\":\"user_input\",\"content\":\"q\"}",
          "+{\"type\":\"text_delta\",\"content\":\"half \"}",
          "+{\"type\":\"text_delta\",\"content\":\"said\"}"},
         "{\"type\":\"text\",\"content\":\"half said\"}",
         0},
        {{"{\"type\":\"user_input\",\"content\":\"q\"}",
          "+{\"type\":\"thinking_delta\",\"content\":\"hm\"}"},
         "{\"type\":\"thinking\",\"content\":\"hm\"}",
         0},
        {{"{\"type\":\"user_input\",\"content\":\"q\"}",
          "{\"type\":\"tool_call\",\"call_id\":\"000010201\",\"name\":\"retrieve\",\"arguments\":{}"
          "}"},
         "{\"type\":\"tool_result\",\"call_id\":\"000010201\",\"name\":\"retrieve\",\"result\":{"
         "\"error\":\"interrupted\"},\"image_attachment\":null}",
         2},
        {{"{\"type\":\"user_input\",\"content\":\"q\"}",
          "{\"type\":\"tool_call\",\"call_id\":\"000010101\",\"name\":\"retrieve\",\"arguments\":{}"
          "}",
          "{\"type\":\"tool_result\",\"call_id\":\"000010101\",\"name\":\"retrieve\",\"result\":{},"
          "\"image_attachment\":null}"},
         "",
         1},
    };
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct left left = {.session = new_session(f, rent, 1), .json = cases[i].json};
        struct cria_turn_log *log = NULL;
        struct cria_str frames;
        uint32_t after;
        char id[CRIA_ID_SIZE];
        cria_id_new("trn-", id);
        left.turn = cria_arena_copy(&f->arena, cria_str_from(id));
        while (cases[i].json[left.count]) left.count++;
        assert_int_equal(cria_store_write(f->store, &f->call, left_fn, &left), CRIA_OK);
        close_chat(f);
        open_chat(f);
        assert_int_equal(cria_chat_recover(f->chat, &f->call), CRIA_OK);
        assert_int_equal(cria_chat_attach(f->chat, &f->call, PROJECT, left.session,
                                          (struct cria_str){0}, &log, &after),
                         CRIA_OK);
        struct seen *seen = finish(f, left.session, log, &frames);
        assert_error(seen, "interrupted");
        assert_true(
            contains(seen->events[seen->count - 1].json, "\"skipped_index_ids\":[\"" GONE "\"]"));
        assert_int_equal(cria_json_get_int(cria_json_get(seen->stop, "usage"), "turns", -1),
                         cases[i].turns);
        assert_int_equal(seen->count, left.count + (cases[i].closing[0] ? 2 : 1));
        if (cases[i].closing[0]) assert_str_equal(seen->events[left.count].json, cases[i].closing);
        assert_true(contains(get_session(f, left.session).job_metadata_json, RENT_EXP));
        /* The session stays usable, and a second recovery finds nothing. */
        assert_int_equal(cria_chat_recover(f->chat, &f->call), CRIA_OK);
        assert_good(ask(f, left.session, "How much is the rent?"));
    }
}

CRIA_TEST(a_turn_that_nobody_closed_is_closed_by_the_next_one)
{
    struct fixture *f = *state;
    static const char *const json[] = {"{\"type\":\"user_input\",\"content\":\"q\"}",
                                       "+{\"type\":\"text_delta\",\"content\":\"half\"}"};
    struct left left = {new_session(f, rent, 1), CRIA_STR("trn-left"), json, 2};
    struct cria_frame_list events;
    struct cria_tx *tx = NULL;
    assert_int_equal(cria_store_write(f->store, &f->call, left_fn, &left), CRIA_OK);
    assert_good(ask(f, left.session, "How much is the rent?"));
    assert_int_equal(cria_store_read_begin(f->store, &f->call, &tx), CRIA_OK);
    assert_int_equal(cria_tx_events_list(tx, &f->call, PROJECT, left.session, 0, 0, &events),
                     CRIA_OK);
    cria_store_read_end(tx);
    assert_str_equal(events.items[1].json, "{\"type\":\"text\",\"content\":\"half\"}");
    assert_true(cria_str_starts(events.items[2].json,
                                "{\"type\":\"stop\",\"is_error\":true,\"error\":\"interrupted\""));
}

/* ---- with a model */

#define DELTA(members) "data: {\"choices\":[{\"delta\":{" members "}}]}\n\n"
#define SAYS(text) DELTA("\"content\":\"" text "\"")
#define THINKS(text) DELTA("\"reasoning_content\":\"" text "\"")
#define CALLS(n, name, arguments)                                                               \
    DELTA("\"tool_calls\":[{\"index\":" #n ",\"id\":\"c" #n "\",\"function\":{\"name\":\"" name \
          "\",\"arguments\":\"" arguments "\"}}]")
#define END                                                                                 \
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"                   \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":10}}\n\n" \
    "data: [DONE]\n\n"

static void plays(struct fixture *f, struct cria_str body)
{
    stub_play(f->stub, (struct stub_play){.body = body});
}

static void plays_and(struct fixture *f, struct cria_str body, enum stub_end end)
{
    stub_play(f->stub, (struct stub_play){.body = body, .end = end});
}

static struct cria_str two_calls(void)
{
    return CRIA_STR(THINKS("I should ") THINKS("search.") SAYS("Let me look.") CALLS(
        0, "retrieve", "{\\\"query\\\":\\\"monthly rent\\\"}") CALLS(1, "find_files", "{}") END);
}

CRIA_TEST(a_model_turn_uses_tools_and_cites)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    plays(f, two_calls());
    plays(f, CRIA_STR(
                 CALLS(0, "grep_file", "{\\\"file\\\":\\\"f1\\\",\\\"pattern\\\":\\\"deposit\\\"}")
                     CALLS(1, "read_file",
                           "{\\\"file\\\":\\\"Lease.pdf\\\",\\\"page\\\":\\\"2\\\"}") END));
    plays(f, CRIA_STR(SAYS("The monthly rent is 1,250 ") SAYS("euros [") SAYS("1]. Unknown [77].")
                          END));
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_good(seen);
    static const char *const order[] = {
        "user_input",  "thinking_delta", "thinking",    "text_delta",  "text",
        "tool_call",   "tool_result",    "tool_call",   "tool_result", "tool_call",
        "tool_result", "tool_call",      "tool_result", "text_delta",
    };
    size_t at = 0;
    for (size_t i = 0; i < seen->count && at < CRIA_COUNT(order); i++) {
        if (seen->events[i].is_delta && i &&
            cria_str_equal(seen->events[i].type, seen->events[i - 1].type))
            continue;
        assert_str_equal(seen->events[i].type, order[at++]);
    }
    assert_str_equal(seen->answer, "The monthly rent is 1,250 euros [1]. Unknown.");
    check_citations(seen, 1);
    const struct cria_json *citation = &cria_json_get(seen->text, "citations")->items[0];
    assert_str_equal(cria_json_get_str(citation, "file_name"), "Lease.pdf");
    assert_int_equal(cria_json_get_int(citation, "page_start", 0), 1);
    assert_false(cria_str_is(cria_json_get_str(citation, "support"), "none"));
    const struct cria_json *usage = cria_json_get(seen->stop, "usage");
    assert_int_equal(cria_json_get_int(usage, "turns", 0), 3);
    assert_int_equal(cria_json_get_int(usage, "total_input_tokens", 0), 300);
    assert_int_equal(cria_json_get_int(usage, "total_output_tokens", 0), 30);
    /* The third request holds both steps, each call with its result. */
    struct cria_str last = stub_request(f->stub, 2);
    assert_true(contains(last, "\"role\":\"tool\",\"tool_call_id\":\"000000202\""));
    assert_true(contains(last, "[1] f1 Lease.pdf p. 1, Rent:"));
    assert_true(contains(last, "written consent"));
    assert_true(contains(last, "\"tools\":["));

    /* The next turn knows the answer, with the numbers the model knows. */
    plays(f, CRIA_STR(SAYS("As [1] says.") END));
    seen = ask(f, session, "Really?");
    assert_good(seen);
    assert_true(contains(stub_request(f->stub, 3),
                         "{\"role\":\"user\",\"content\":\"How much is the rent?\"},{\"role\":"
                         "\"assistant\",\"content\":\"Let me look.\\n\\nThe monthly rent is 1,250 "
                         "euros [1]. Unknown.\"},{\"role\":\"user\",\"content\":\"Really?\"}"));
    assert_str_equal(seen->answer, "As [1] says.");
    check_citations(seen, 1);
}

CRIA_TEST(bad_calls_get_results_that_help)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    plays(f, CRIA_STR(CALLS(0, "erase_disk", "{}") CALLS(1, "retrieve", "{\\\"query\\\":")
                          CALLS(2, "read_file", "{\\\"file\\\":\\\"dfl-2\\\"}")
                              CALLS(3, "retreive", "{\\\"q\\\":\\\"rent\\\"}") END));
    plays(f, CRIA_STR(CALLS(0, "retrieve", "{\\\"q\\\":\\\"rent\\\"}") END));
    plays(f, CRIA_STR(CALLS(0, "retrieve", "{\\\"q\\\":\\\"rent\\\"}") END));
    plays(f, CRIA_STR(SAYS("The rent is 1,250 euros a month [1].") END));
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_good(seen);
    assert_true(contains(seen->events[2].json, "{\"error\":\"there is no such tool\"}"));
    assert_true(
        contains(seen->events[4].json, "{\"error\":\"the arguments are not a JSON object\"}"));
    /* A file of another index does not exist for this session. */
    assert_true(contains(seen->events[6].json, "{\"error\":"));
    assert_str_equal(cria_json_get_str(seen->events[7].value, "name"), "retrieve");
    assert_true(contains(stub_request(f->stub, 2), "This was asked already"));
    /* Two repeats in a row end it: the last call has no tools. */
    assert_false(contains(stub_request(f->stub, 3), "\"tools\":["));
    assert_true(contains(stub_request(f->stub, 3), "No more tools: answer now."));
}

CRIA_TEST(an_endless_tool_loop_ends_in_an_answer)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    static char bodies[8][600];
    for (int i = 0; i < 7; i++) {
        snprintf(
            bodies[i], sizeof(bodies[i]),
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
            "\"name\":\"retrieve\",\"arguments\":\"{\\\"query\\\":\\\"rent %d\\\"}\"}}]}}]}\n\n%s",
            i, END);
        plays(f, cria_str_from(bodies[i]));
    }
    plays(f, CRIA_STR(SAYS("I give up.") END));
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_good(seen);
    assert_int_equal(f->stub->request_count, 8);
    assert_str_equal(seen->answer, "I give up.");
    assert_str_equal(cria_json_get_str(seen->text, "grounding"), "not_found");
    assert_int_equal(cria_json_get_int(cria_json_get(seen->stop, "usage"), "turns", 0), 8);
}

CRIA_TEST(a_model_without_tools_gets_passages_instead)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    stub_play(f->stub, (struct stub_play){
                           .status = 400,
                           .body = CRIA_STR("{\"error\":\"stub-1 does not support tools\"}")});
    plays(f, CRIA_STR(SAYS("1,250 euros monthly rent [1].") END));
    plays(f, CRIA_STR(SAYS("Yes, pets need written consent [2].") END));
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_good(seen);
    assert_str_equal(seen->events[1].type, "tool_call");
    check_citations(seen, 1);
    assert_int_equal(cria_json_get_int(cria_json_get(seen->stop, "usage"), "turns", 0), 1);
    assert_true(contains(stub_request(f->stub, 1), "Question: How much is the rent?"));
    seen = ask(f, session, "Are pets allowed?"); /* it is remembered */
    assert_good(seen);
    assert_int_equal(f->stub->request_count, 3);
}

CRIA_TEST(a_cancelled_turn_keeps_what_was_said)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1), frames;
    struct cria_turn_log *log, *other = NULL;
    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    log = start(f, session, "How much is the rent?");
    read_until(f, log, 0, "text_delta");
    assert_int_equal(start_over(f, session, rent, 1, "Again?", false, &other), CRIA_E_CONFLICT);
    assert_int_equal(f->call.retry, CRIA_RETRY_NEVER);
    assert_int_equal(cria_chat_figures(f->chat).running, 1);
    cria_call_init(&f->call, &f->arena);
    assert_int_equal(cria_chat_cancel(f->chat, &f->call, PROJECT, session), CRIA_OK);
    struct seen *seen = finish(f, session, log, &frames);
    assert_error(seen, "cancelled");
    assert_str_equal(seen->answer, "It begins");
    assert_int_equal(cria_chat_cancel(f->chat, &f->call, PROJECT, session), CRIA_OK);
    assert_int_equal(cria_chat_cancel(f->chat, &f->call, PROJECT, CRIA_STR("ses-none")),
                     CRIA_E_NOT_FOUND);
    plays(f, CRIA_STR(SAYS("Fine.") END));
    assert_good(ask(f, session, "And now?"));
}

CRIA_TEST(a_provider_that_dies_ends_the_turn_with_an_error)
{
    static const struct {
        const char *body;
        enum stub_end end;
        int status;
        const char *error, *answer;
    } cases[] = {
        {SAYS("half an ans"), STUB_CUT, 200, "broke off", "half an ans"},
        {SAYS("half an ans"), STUB_CLEAN, 200, "broke off", "half an ans"},
        {SAYS("so") "data: {\"error\":{\"message\":\"GPU on fire\"}}\n\n", STUB_CLEAN, 200,
         "GPU on fire", "so"},
        {"{\"error\":\"bad key\"}", STUB_CLEAN, 401, "refuses the key", NULL},
        {"<html>", STUB_CLEAN, 200, "web page", NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CRIA_COUNT(cases); i++) {
        struct cria_str session = new_session(f, rent, 1);
        stub_play(f->stub, (struct stub_play){.status = cases[i].status,
                                              .body = cria_str_from(cases[i].body),
                                              .end = cases[i].end});
        struct seen *seen = ask(f, session, "How much is the rent?");
        assert_error(seen, cases[i].error);
        if (cases[i].answer)
            assert_str_equal(seen->answer, cases[i].answer);
        else
            assert_null(seen->text);
        /* Between the tools and the next request it may die as well. */
        plays(f, two_calls());
        stub_play(f->stub, (struct stub_play){.status = cases[i].status,
                                              .body = cria_str_from(cases[i].body),
                                              .end = cases[i].end});
        assert_error(ask(f, session, "How much is the rent?"), cases[i].error);
        plays(f, CRIA_STR(SAYS("Fine.") END));
        assert_good(ask(f, session, "And now?"));
    }
}

CRIA_TEST(the_deadline_ends_a_turn)
{
    struct fixture *f = *state;
    close_chat(f);
    f->deadline_ms = 150;
    open_chat(f);
    struct cria_str session = new_session(f, rent, 1);
    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_error(seen, "took too long");
    assert_str_equal(seen->answer, "It begins");
}

CRIA_TEST(deleting_and_stopping_end_running_turns)
{
    struct fixture *f = *state;
    struct cria_str first = new_session(f, rent, 1), second = new_session(f, rent, 1), text;
    struct cria_turn_log *log;
    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    log = start(f, first, "How much is the rent?");
    read_until(f, log, 0, "text_delta");
    assert_int_equal(cria_chat_delete(f->chat, &f->call, PROJECT, first), CRIA_OK);
    text = read_until(f, log, 0, NULL);
    assert_true(contains(text, "\"is_error\":true,\"error\":\"session deleted\""));
    cria_turn_log_unref(log);
    assert_int_equal(cria_chat_delete(f->chat, &f->call, PROJECT, first), CRIA_E_NOT_FOUND);

    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    log = start(f, second, "How much is the rent?");
    read_until(f, log, 0, "text_delta");
    cria_chat_stop(f->chat, 10000);
    struct seen *seen = finish(f, second, log, &text);
    assert_error(seen, "server stopping");
    assert_int_equal(start_over(f, second, NULL, 0, "x", false, &log), CRIA_E_UNAVAILABLE);
}

CRIA_TEST(too_many_turns_are_refused_with_a_time)
{
    struct fixture *f = *state;
    close_chat(f);
    f->max_turns = 1;
    open_chat(f);
    struct cria_str first = new_session(f, rent, 1), second = new_session(f, rent, 1), frames;
    struct cria_turn_log *log, *other = NULL;
    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    log = start(f, first, "How much is the rent?");
    assert_int_equal(start_over(f, second, NULL, 0, "x", false, &other), CRIA_E_LIMIT);
    assert_true(f->call.retry_after_ms > 0);
    assert_int_equal(cria_chat_cancel(f->chat, &f->call, PROJECT, first), CRIA_OK);
    finish(f, first, log, &frames);
}

CRIA_TEST(an_answer_without_end_is_cut_at_the_limit)
{
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1);
    struct cria_buf body;
    cria_buf_init(&body, 64 << 20);
    for (int i = 0; i < 6000; i++) {
        cria_buf_add(&body, CRIA_STR("data: {\"choices\":[{\"delta\":{\"content\":\""));
        for (int k = 0; k < 100; k++) cria_buf_add(&body, CRIA_STR("endless \\n "));
        cria_buf_add(&body, CRIA_STR("\"}}]}\n\n"));
    }
    plays(f, cria_arena_copy(&f->arena, cria_buf_str(&body)));
    cria_buf_release(&body);
    struct seen *seen = ask(f, session, "How much is the rent?");
    assert_error(seen, "too large");
    size_t total = 0;
    for (size_t i = 0; i < seen->count; i++) total += seen->events[i].json.len;
    assert_true(total <= CRIA_TURN_BYTES_MAX);
    assert_true(seen->answer.len > 100000);
}

/* ---- when things fail below */

/* Waits for the end without keeping what is read: an armed fault may hit the reader. */
static void wait_end(struct cria_turn_log *log)
{
    struct waiter waiter = {.reader = {.wake = wake_waiter}};
    struct cria_buf out;
    uint32_t after = 0;
    enum cria_log_read got;
    cria_buf_init(&out, 16 << 20);
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.cond, NULL);
    cria_turn_log_subscribe(log, &waiter.reader);
    while ((got = cria_turn_log_read(log, &after, &out, 4096)) != CRIA_LOG_END || out.failed) {
        cria_buf_clear(&out);
        if (got != CRIA_LOG_WAIT) continue;
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.news) pthread_cond_wait(&waiter.cond, &waiter.lock);
        waiter.news = false;
        pthread_mutex_unlock(&waiter.lock);
    }
    cria_turn_log_unsubscribe(log, &waiter.reader);
    pthread_cond_destroy(&waiter.cond);
    pthread_mutex_destroy(&waiter.lock);
    cria_buf_release(&out);
}

static void reopen_store(struct fixture *f)
{
    struct cria_store_options store = {.folder = f->folder, .ballast_bytes = 4096};
    struct cria_search_options search;
    close_chat(f);
    cria_search_free(f->search);
    cria_store_close(f->store);
    cria_call_init(&f->call, &f->arena);
    assert_int_equal(cria_store_open(&store, &f->call, &f->store), CRIA_OK);
    search = (struct cria_search_options){.store = f->store};
    assert_int_equal(cria_search_new(&search, &f->call, &f->search), CRIA_OK);
    open_chat(f);
}

CRIA_TEST(a_store_that_dies_ends_the_turn_for_its_readers_and_again_at_the_next_start)
{
#ifdef CRIA_FAULTS
    struct fixture *f = *state;
    struct cria_str session = new_session(f, rent, 1), live, frames;
    struct cria_turn_log *log;
    uint32_t after;
    plays_and(f, CRIA_STR(SAYS("It begins")), STUB_HOLD);
    log = start(f, session, "How much is the rent?");
    struct cria_str seen_before = read_until(f, log, 0, "text_delta");
    cria_fault_arm(CRIA_FAULT_STORE, 1);
    assert_int_equal(cria_chat_cancel(f->chat, &f->call, PROJECT, session), CRIA_OK);
    assert_true(cria_fault_fired());
    cria_fault_arm(CRIA_FAULT_STORE, 0);
    live = read_until(f, log, 0, NULL);
    cria_turn_log_unref(log);
    assert_true(cria_str_equal(seen_before, cria_str_sub(live, 0, seen_before.len)));
    assert_true(contains(live, "\"is_error\":true,\"error\":\"the answer could not be saved\""));

    reopen_store(f);
    assert_int_equal(cria_chat_recover(f->chat, &f->call), CRIA_OK);
    assert_int_equal(
        cria_chat_attach(f->chat, &f->call, PROJECT, session, (struct cria_str){0}, &log, &after),
        CRIA_OK);
    struct seen *seen = finish(f, session, log, &frames);
    assert_error(seen, "interrupted");
    assert_str_equal(seen->answer, "It begins");
    assert_true(cria_str_equal(seen_before, cria_str_sub(frames, 0, seen_before.len)));
#else
    (void)state;
    skip();
#endif
}

#ifdef CRIA_FAULTS
/* One turn with the nth allocation failing: whatever happens, what is saved is a proper turn, or
 * nothing at all. */
static bool turn_with_fault(struct fixture *f, unsigned nth, unsigned *refused, unsigned *failed)
{
    struct cria_str session = new_session(f, rent, 1), frames;
    struct cria_turn_log *log = NULL;
    uint32_t after;
    cria_fault_arm(CRIA_FAULT_ALLOC, nth);
    enum cria_status st =
        start_over(f, session, NULL, 0, "How much is the monthly rent?", false, &log);
    if (st == CRIA_OK) wait_end(log);
    bool fired = cria_fault_fired();
    cria_fault_arm(CRIA_FAULT_ALLOC, 0);
    if (st != CRIA_OK) {
        assert_true(fired);
        assert_int_equal(get_session(f, session).event_count, 0);
        ++*refused;
        return true;
    }
    cria_turn_log_unref(log);
    assert_int_equal(
        cria_chat_attach(f->chat, &f->call, PROJECT, session, (struct cria_str){0}, &log, &after),
        CRIA_OK);
    struct seen *seen = finish(f, session, log, &frames);
    *failed += cria_json_get_bool(seen->stop, "is_error", false);
    if (!fired) assert_good(seen);
    return fired;
}
#endif

CRIA_TEST(a_turn_survives_any_failed_allocation)
{
#ifdef CRIA_FAULTS
    struct fixture *f = *state;
    unsigned refused = 0, failed = 0, nth = 1;
    while (turn_with_fault(f, nth, &refused, &failed)) nth += nth < 200 ? 1 : 7;
    assert_true(refused > 5 && failed > 5);
#else
    (void)state;
    skip();
#endif
}

CRIA_TEST(a_model_turn_survives_failed_allocations)
{
#ifdef CRIA_FAULTS
    struct fixture *f = *state;
    unsigned refused = 0, failed = 0, nth = 20;
    bool fired = true;
    for (; fired; nth += 2) {
        stub_reset(f->stub);
        plays(f, two_calls());
        plays(f, CRIA_STR(SAYS("The monthly rent is 1,250 euros [1].") END));
        plays(f, CRIA_STR(SAYS("The monthly rent is 1,250 euros [1].") END));
        fired = turn_with_fault(f, nth, &refused, &failed);
    }
    assert_true(failed > 5);
#else
    (void)state;
    skip();
#endif
}

#define WITH(test, how) cmocka_unit_test_setup_teardown(test, setup_##how, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(an_extractive_turn_quotes_word_for_word, extractive),
        WITH(an_extractive_turn_refuses_what_is_not_there, extractive),
        WITH(the_stream_is_the_same_live_after_the_end_and_from_the_store, extractive),
        WITH(binding_follows_the_table, extractive),
        WITH(creating_checks_ids_and_keeps_their_spelling, extractive),
        WITH(a_crash_leaves_a_turn_that_ends_with_what_was_said, extractive),
        WITH(a_turn_that_nobody_closed_is_closed_by_the_next_one, extractive),
        WITH(a_model_turn_uses_tools_and_cites, model),
        WITH(bad_calls_get_results_that_help, model),
        WITH(an_endless_tool_loop_ends_in_an_answer, model),
        WITH(a_model_without_tools_gets_passages_instead, model),
        WITH(a_cancelled_turn_keeps_what_was_said, model),
        WITH(a_provider_that_dies_ends_the_turn_with_an_error, model),
        WITH(the_deadline_ends_a_turn, model),
        WITH(deleting_and_stopping_end_running_turns, model),
        WITH(too_many_turns_are_refused_with_a_time, model),
        WITH(an_answer_without_end_is_cut_at_the_limit, model),
        WITH(a_store_that_dies_ends_the_turn_for_its_readers_and_again_at_the_next_start, model),
        WITH(a_turn_survives_any_failed_allocation, extractive),
        WITH(a_model_turn_survives_failed_allocations, model),
    };
    if (cria_crypto_init() != CRIA_OK) return 1;
    cria_log_set_level(CRIA_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
