/* sessions.c - chat sessions, their turns, and the frames of the turns' streams.
 * Message frames are rows of `events`, appended and never changed: the history. Delta frames lie
 * apart and go when the session's next turn begins. */
#include "store/query.h"
#include "store/records.h"

#define SESSION                                                                               \
    "id, index_ids, title, shared_access, job_metadata, is_locked, event_count, created_at, " \
    "last_updated_at"
#define TURN "id, session_id, is_running, started_at, ended_at, state"

enum cria_status cria_tx_session_insert(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, const struct cria_session *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("INSERT INTO sessions(project_id, " SESSION ") VALUES(?,?,?,?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->index_ids_json);
    cria_query_str(&q, row->title);
    cria_query_str(&q, row->shared_access);
    cria_query_str(&q, row->job_metadata_json);
    cria_query_int(&q, row->is_locked);
    cria_query_int(&q, row->event_count);
    cria_query_int(&q, row->created_at_us);
    cria_query_int(&q, row->last_updated_at_us);
    return cria_query_run(&q);
}

static void read_session(struct cria_query *q, struct cria_session *out)
{
    out->id = cria_query_get_str(q);
    out->index_ids_json = cria_query_get_str(q);
    out->title = cria_query_get_str(q);
    out->shared_access = cria_query_get_str(q);
    out->job_metadata_json = cria_query_get_str(q);
    out->is_locked = cria_query_get_int(q) != 0;
    out->event_count = cria_query_get_int(q);
    out->created_at_us = cria_query_get_int(q);
    out->last_updated_at_us = cria_query_get_int(q);
}

enum cria_status cria_tx_session_get(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str id,
                                     struct cria_session *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " SESSION " FROM sessions WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, id);
    bool found = cria_query_next(&q);
    if (found) read_session(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_session_list(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_window *window,
                                      struct cria_session_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    const struct cria_cursor *after = &window->after;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " SESSION " FROM sessions WHERE project_id = ? AND"
                             " (? = 0 OR last_updated_at < ? OR (last_updated_at = ? AND id < ?))"
                             " ORDER BY last_updated_at DESC, id DESC LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_int(&q, after->is_set);
    cria_query_int(&q, after->at_us);
    cria_query_int(&q, after->at_us);
    cria_query_str(&q, after->id);
    cria_query_int(&q, (int64_t)window->limit + 1);
    while (cria_query_next(&q)) {
        struct cria_session *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (row) read_session(&q, row);
    }
    out->has_more = rows.count > window->limit;
    out->count = out->has_more ? window->limit : rows.count;
    out->items = rows.items;
    return cria_query_close(&q);
}

enum cria_status cria_tx_session_update(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, const struct cria_session *row)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE sessions SET index_ids = ?, title = ?, job_metadata = ?, is_locked = ?,"
                 " last_updated_at = ? WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, row->index_ids_json);
    cria_query_str(&q, row->title);
    cria_query_str(&q, row->job_metadata_json);
    cria_query_int(&q, row->is_locked);
    cria_query_int(&q, row->last_updated_at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    return cria_query_run_one(&q);
}

enum cria_status cria_tx_session_delete(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str id)
{
    static const char *const statements[] = {
        "DELETE FROM events WHERE project_id = ? AND session_id = ?",
        "DELETE FROM deltas WHERE project_id = ? AND session_id = ?",
        "DELETE FROM turns WHERE project_id = ? AND session_id = ?",
        "DELETE FROM sessions WHERE project_id = ? AND id = ?",
    };
    enum cria_status st = CRIA_OK;
    for (size_t i = 0; i < CRIA_COUNT(statements) && st == CRIA_OK; i++) {
        struct cria_query q;
        cria_query_open(&q, tx, call, cria_str_from(statements[i]));
        cria_query_str(&q, project);
        cria_query_str(&q, id);
        st = i + 1 < CRIA_COUNT(statements) ? cria_query_run(&q) : cria_query_run_one(&q);
    }
    return st;
}

/* ---- turns
 * ---------------------------------------------------------------------------------------------- */

enum cria_status cria_tx_turn_insert(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, const struct cria_turn_row *row)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("DELETE FROM deltas WHERE project_id = ? AND session_id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->session_id);
    enum cria_status st = cria_query_run(&q);
    if (st != CRIA_OK) return st;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO turns(project_id, " TURN ") VALUES(?,?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, row->id);
    cria_query_str(&q, row->session_id);
    cria_query_int(&q, row->is_running);
    cria_query_int(&q, row->started_at_us);
    cria_query_int(&q, row->ended_at_us);
    cria_query_str(&q, row->state_json.ptr ? row->state_json : CRIA_STR("{}"));
    return cria_query_run(&q);
}

static void read_turn(struct cria_query *q, struct cria_turn_row *out)
{
    out->id = cria_query_get_str(q);
    out->session_id = cria_query_get_str(q);
    out->is_running = cria_query_get_int(q) != 0;
    out->started_at_us = cria_query_get_int(q);
    out->ended_at_us = cria_query_get_int(q);
    out->state_json = cria_query_get_str(q);
}

enum cria_status cria_tx_turn_latest(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     struct cria_turn_row *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " TURN " FROM turns WHERE project_id = ? AND session_id = ?"
                             " ORDER BY id DESC LIMIT 1")); /* ids are time-ordered */
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    bool found = cria_query_next(&q);
    if (found) read_turn(&q, out);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_turn_finish(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     struct cria_str id, int64_t at_us)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("UPDATE turns SET is_running = 0, ended_at = ?"
                             " WHERE project_id = ? AND session_id = ? AND id = ?"));
    cria_query_int(&q, at_us);
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    cria_query_str(&q, id);
    return cria_query_run_one(&q);
}

enum cria_status cria_tx_turn_unfinished(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_turn_ref_list *out)
{
    struct cria_query q;
    struct cria_rows rows = {0};
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT " TURN ", project_id FROM turns WHERE is_running = 1"));
    while (cria_query_next(&q)) {
        struct cria_turn_ref *row = cria_rows_add(&rows, &q, sizeof(*row));
        if (!row) break;
        read_turn(&q, &row->turn);
        row->project_id = cria_query_get_str(&q);
    }
    *out = (struct cria_turn_ref_list){rows.items, rows.count};
    return cria_query_close(&q);
}

/* ---- frames
 * --------------------------------------------------------------------------------------------- */

static enum cria_status append_delta(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     struct cria_str turn_id, const struct cria_frame *frame)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("INSERT INTO deltas(project_id, session_id, turn_id, n, body) VALUES(?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    cria_query_str(&q, turn_id);
    cria_query_int(&q, frame->n);
    cria_query_str(&q, frame->json);
    return cria_query_run(&q);
}

static enum cria_status append_event(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     struct cria_str turn_id, int64_t seq,
                                     const struct cria_frame *frame)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("INSERT INTO events(project_id, session_id, seq, turn_id, n, body) "
                             "VALUES(?,?,?,?,?,?)"));
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    cria_query_int(&q, seq);
    cria_query_str(&q, turn_id);
    cria_query_int(&q, frame->n);
    cria_query_str(&q, frame->json);
    return cria_query_run(&q);
}

static enum cria_status event_count(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, struct cria_str session_id,
                                    int64_t *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT event_count FROM sessions WHERE project_id = ? AND id = ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    bool found = cria_query_next(&q);
    if (found) *out = cria_query_get_int(&q);
    return cria_query_found(&q, found);
}

enum cria_status cria_tx_frames_append(struct cria_tx *tx, struct cria_call *call,
                                       struct cria_str project, struct cria_str session_id,
                                       struct cria_str turn_id, const struct cria_frame *frames,
                                       size_t count)
{
    int64_t seq = 0, before;
    enum cria_status st = event_count(tx, call, project, session_id, &seq);
    before = seq;
    for (size_t i = 0; i < count && st == CRIA_OK; i++)
        st = frames[i].is_delta
                 ? append_delta(tx, call, project, session_id, turn_id, &frames[i])
                 : append_event(tx, call, project, session_id, turn_id, seq++, &frames[i]);
    if (st != CRIA_OK || seq == before) return st;
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR("UPDATE sessions SET event_count = ? WHERE project_id = ? AND id = ?"));
    cria_query_int(&q, seq);
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    return cria_query_run_one(&q);
}

static enum cria_status read_frames(struct cria_query *q, struct cria_frame_list *out)
{
    struct cria_rows rows = {0};
    while (cria_query_next(q)) {
        struct cria_frame *row = cria_rows_add(&rows, q, sizeof(*row));
        if (!row) break;
        row->n = (uint32_t)cria_query_get_int(q);
        row->is_delta = cria_query_get_int(q) != 0;
        row->json = cria_query_get_str(q);
    }
    *out = (struct cria_frame_list){rows.items, rows.count};
    return cria_query_close(q);
}

enum cria_status cria_tx_frames_list(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     struct cria_str turn_id, uint32_t after_n, uint32_t limit,
                                     struct cria_frame_list *out)
{
    struct cria_query q;
    cria_query_open(&q, tx, call,
                    CRIA_STR("SELECT n, 0, body FROM events WHERE project_id = ? AND session_id = "
                             "? AND turn_id = ? AND n > ?"
                             " UNION ALL SELECT n, 1, body FROM deltas"
                             " WHERE project_id = ? AND session_id = ? AND turn_id = ? AND n > ? "
                             "ORDER BY 1 LIMIT ?"));
    for (int i = 0; i < 2; i++) {
        cria_query_str(&q, project);
        cria_query_str(&q, session_id);
        cria_query_str(&q, turn_id);
        cria_query_int(&q, after_n);
    }
    cria_query_int(&q, limit ? (int64_t)limit : INT64_MAX);
    return read_frames(&q, out);
}

enum cria_status cria_tx_events_list(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str session_id,
                                     int64_t from, uint32_t limit, struct cria_frame_list *out)
{
    struct cria_query q;
    cria_query_open(
        &q, tx, call,
        CRIA_STR(
            "SELECT n, 0, body FROM events WHERE project_id = ? AND session_id = ? AND seq >= ?"
            " ORDER BY seq LIMIT ?"));
    cria_query_str(&q, project);
    cria_query_str(&q, session_id);
    cria_query_int(&q, from);
    cria_query_int(&q, limit ? (int64_t)limit : INT64_MAX);
    return read_frames(&q, out);
}
