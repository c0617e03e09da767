/* chat.c - sessions of the question-answering agent; their turns are in chat_stream.c. */
#include "api/handlers.h"
#include "api/once.h"
#include "api/page.h"
#include "api/sessions.h"
#include "base/time.h"

enum { INDEXES_MAX = 10 };

/* ---- rendering and look-up */

static void write_members(struct cria_json_out *out, const struct cria_session *row)
{
    char time[CRIA_TIME_SIZE];
    cria_out_member_str(out, "session_id", row->id);
    cria_out_member_str(out, "last_updated_at",
                        cria_time_format_local(row->last_updated_at_us, time));
    cria_out_member_str(out, "shared_access", row->shared_access);
    cria_out_member_opt(out, "generated_title", row->title);
    if (row->index_ids_json.len)
        cria_out_member_raw(out, "index_ids", row->index_ids_json);
    else
        cria_out_member_null(out, "index_ids");
    if (row->job_metadata_json.len)
        cria_out_member_raw(out, "job_metadata", row->job_metadata_json);
    else
        cria_out_member_null(out, "job_metadata");
}

void cria_session_write(struct cria_json_out *out, const struct cria_session *row)
{
    cria_out_object(out);
    write_members(out, row);
    cria_out_end(out);
}

enum cria_status cria_session_find(struct cria_tx *tx, struct cria_exchange *ex,
                                   struct cria_session *out)
{
    enum cria_status st =
        cria_tx_session_get(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0], out);
    return cria_named(&ex->call, st, "Chat session not found");
}

enum cria_status cria_session_write_now(struct cria_exchange *ex)
{
    struct cria_session row;
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_session_find(tx, ex, &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_session_write(&out, &row);
    return CRIA_OK;
}

/* ---- create: on the loop, so that many at once share one commit */

struct creation {
    struct cria_session_create create;
    struct cria_once once;
    struct cria_write write;
};

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct cria_session_create *create = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_session_write(&out, &create->session);
}

static void created(struct cria_write *write, enum cria_status status)
{
    struct creation *creation = CRIA_CONTAINER(write, struct creation, write);
    struct cria_exchange *ex = creation->once.ex;
    cria_reply(ex, cria_named(&ex->call, status, "Index not found"));
}

static enum cria_status begin(struct cria_exchange *ex)
{
    static const char *const accesses[] = {"query", "read_only"};
    struct cria_check check;
    struct creation *creation = CRIA_NEW(ex->call.arena, struct creation);
    size_t access;
    if (!creation) return cria_fail_memory(&ex->call);
    struct cria_session_new *params = &creation->create.params;
    cria_check_init(&check, ex);
    cria_check_body(&check, false);
    cria_member_strs(&check.body, "index_ids", CRIA_NULLABLE, INDEXES_MAX, false,
                     &params->index_ids, &params->index_count);
    if (cria_member_word(&check.body, "shared_access", CRIA_NULLABLE, accesses,
                         CRIA_COUNT(accesses), &access))
        params->shared_access = cria_str_from(accesses[access]);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_once_init(&creation->once, ex, cria_session_create_fn, &creation->create, render);
    if (st != CRIA_OK) return st;
    creation->create.project = cria_project_of(ex);
    creation->write = (struct cria_write){.fn = cria_once_fn,
                                          .arg = &creation->once,
                                          .call = &ex->call,
                                          .done = created,
                                          .loop = cria_exchange_loop(ex)};
    cria_store_submit(cria_app_of(ex)->store, &creation->write);
    return CRIA_OK;
}

void cria_api_create_chat_session(struct cria_exchange *ex)
{
    enum cria_status st = begin(ex);
    if (st != CRIA_OK) cria_reply(ex, st); /* else `created` answers */
}

/* ---- list, get, title, delete */

static enum cria_status list_chat_sessions(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_session_list rows;
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_session_list(tx, &ex->call, cria_project_of(ex), &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        cria_session_write(&out, &rows.items[i]);
        last.at_us = rows.items[i].last_updated_at_us;
        last.id = rows.items[i].id;
    }
    cria_out_end(&out);
    cria_page_write(&page, &out, rows.has_more ? &last : NULL);
    cria_out_end(&out);
    return CRIA_OK;
}
CRIA_HANDLER(list_chat_sessions)

static enum cria_status get_chat_session(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_session row;
    struct cria_frame_list events;
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK) st = cria_session_find(tx, ex, &row);
    if (st == CRIA_OK)
        st = cria_tx_events_list(tx, &ex->call, cria_project_of(ex), row.id, 0, 0, &events);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_out_object(&out);
    write_members(&out, &row);
    cria_out_name(&out, "events");
    cria_out_array(&out);
    for (size_t i = 0; i < events.count; i++) cria_out_raw(&out, events.items[i].json);
    cria_out_end(&out);
    cria_out_end(&out);
    return CRIA_OK;
}
CRIA_HANDLER(get_chat_session)

static enum cria_status get_chat_session_summary(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    return st == CRIA_OK ? cria_session_write_now(ex) : st;
}
CRIA_HANDLER(get_chat_session_summary)

static enum cria_status set_chat_session_title(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_session_title title = {.session_id = ex->request.path_values[0]};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "first_message", CRIA_REQUIRED, 1, SIZE_MAX, &title.first_message);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    title.project = cria_project_of(ex);
    st = cria_store_write(cria_app_of(ex)->store, &ex->call, cria_session_title_fn, &title);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_session_write(&out, &title.session);
    return CRIA_OK;
}
CRIA_HANDLER(set_chat_session_title)

static enum cria_status delete_chat_session(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st = cria_chat_delete(cria_app_of(ex)->chat, &ex->call, cria_project_of(ex),
                              ex->request.path_values[0]);
    ex->status = 204;
    return cria_named(&ex->call, st, "Chat session not found");
}
CRIA_HANDLER(delete_chat_session)
