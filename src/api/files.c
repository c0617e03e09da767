/* files.c - stored files: bytes and their description. */
#include "api/handlers.h"
#include "api/page.h"
#include "api/presign.h"
#include "api/render.h"
#include "base/utf8.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/blobs.h"

enum { NAME_BYTES = 255 };

/* ---- what uploads share
 * ------------------------------------------------------------------------------------ */

static const struct {
    const char *extension, *media_type;
} media_types[] = {
    {"pdf", "application/pdf"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"md", "text/markdown"},
    {"txt", "text/plain"},
    {"csv", "text/csv"},
    {"tsv", "text/tab-separated-values"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
};

struct cria_str cria_clean_name(struct cria_arena *arena, struct cria_str sent, const char *id)
{
    struct cria_buf buf;
    struct cria_str name = sent, out;
    for (size_t i = sent.len; i-- > 0;) {
        if (sent.ptr[i] != '/' && sent.ptr[i] != '\\') continue;
        name = cria_str_sub(sent, i + 1, sent.len);
        break;
    }
    cria_buf_init(&buf, 4 * NAME_BYTES + 64);
    for (size_t at = 0; at < name.len && buf.len < NAME_BYTES;) {
        size_t from = at;
        uint32_t c = cria_utf8_next(name, &at);
        bool is_control = c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0) ||
                          (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        if (c != CRIA_UTF8_BAD && !is_control)
            cria_buf_add(&buf, cria_str_sub(name, from, at - from));
    }
    out = cria_str_trim(cria_utf8_cut(cria_buf_str(&buf), NAME_BYTES));
    if (out.len == 0 || cria_str_is(out, ".") || cria_str_is(out, ".."))
        out = cria_arena_printf(arena, "upload-%.8s", id);
    else
        out = cria_arena_copy(arena, out);
    cria_buf_release(&buf);
    return out;
}

struct cria_str cria_file_type(struct cria_arena *arena, struct cria_str name,
                               struct cria_str media_type)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.') dot--;
    if (dot > 1 && dot < name.len && name.len - dot <= 16) {
        char *type = cria_arena_z(arena, cria_str_sub(name, dot, name.len));
        for (char *c = type; c && *c; c++)
            if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
        return cria_str_from(type);
    }
    for (size_t i = 0; i < CRIA_COUNT(media_types); i++)
        if (cria_str_is(media_type, media_types[i].media_type))
            return cria_str_from(media_types[i].extension);
    return (struct cria_str){0};
}

struct cria_str cria_media_type(struct cria_str file_type, struct cria_str sent)
{
    for (size_t i = 0; i < CRIA_COUNT(media_types); i++)
        if (cria_str_is(file_type, media_types[i].extension))
            return cria_str_from(media_types[i].media_type);
    return sent.len && cria_utf8_valid(sent) ? sent : CRIA_STR("application/octet-stream");
}

struct cria_part *cria_form_part(struct cria_exchange *ex, const char *name)
{
    for (size_t i = 0; i < ex->request.part_count; i++)
        if (cria_str_is(ex->request.parts[i].name, name)) return &ex->request.parts[i];
    return NULL;
}

struct cria_str cria_form_text(struct cria_check *check, const char *name)
{
    struct cria_place place = {&cria_in_body, name, 0};
    const struct cria_part *part = cria_form_part(check->ex, name);
    if (!part) return (struct cria_str){0};
    if (part->spool_fd < 0 && cria_utf8_valid(part->value) &&
        (!part->value.len || !memchr(part->value.ptr, '\0', part->value.len)))
        return part->value;
    cria_check_add(check, &place, "string_type", (struct cria_str){0}, (struct cria_str){0},
                   "Input should be a valid string");
    return (struct cria_str){0};
}

enum cria_status cria_upload_keep(struct cria_exchange *ex, struct cria_part *part,
                                  struct cria_str external_id, struct cria_str purpose,
                                  struct cria_upload *out)
{
    struct cria_blob_source source = {.bytes = part->value,
                                      .spool_path = part->spool_fd >= 0 ? part->spool_path : NULL,
                                      .spool_fd = part->spool_fd,
                                      .size_bytes = part->size_bytes,
                                      .sha256 = part->sha256};
    int64_t now = cria_wall_us();
    bool moved = false;
    enum cria_status st =
        cria_blob_put(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), &source, &moved);
    part->spool_taken = moved;
    if (st != CRIA_OK) return st;
    cria_id_new("", out->id);
    struct cria_str name = cria_clean_name(ex->call.arena, part->file_name, out->id);
    struct cria_str type = cria_file_type(ex->call.arena, name, part->content_type);
    out->file = (struct cria_file){.id = cria_str_from(out->id),
                                   .name = name,
                                   .file_type = type,
                                   .media_type = cria_media_type(type, part->content_type),
                                   .external_file_id = external_id,
                                   .purpose = purpose,
                                   .sha256 = cria_str_from(part->sha256),
                                   .size_bytes = part->size_bytes,
                                   .created_at_us = now,
                                   .last_modified_at_us = now};
    return ex->call.arena->failed ? cria_fail_memory(&ex->call) : CRIA_OK;
}

void cria_render_file(struct cria_exchange *ex, struct cria_json_out *out,
                      const struct cria_file *row, bool link)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "name", row->name);
    cria_out_member_str(out, "project_id", cria_project_of(ex));
    cria_out_name(out, "download_url");
    if (link)
        cria_presign_file(ex, out, row->id, CRIA_LINK_SECONDS);
    else
        cria_out_null(out);
    cria_out_member_time(out, "expires_at", row->expires_at_us);
    cria_out_member_opt(out, "external_file_id", row->external_file_id);
    cria_out_member_opt(out, "file_type", row->file_type);
    cria_out_member_time(out, "last_modified_at", row->last_modified_at_us);
    cria_out_member_opt(out, "purpose", row->purpose);
    cria_out_end(out);
}

enum cria_status cria_file_of(struct cria_exchange *ex, struct cria_tx *tx, struct cria_str id,
                              struct cria_file *out)
{
    struct cria_entry entry;
    struct cria_str project = cria_project_of(ex);
    if (cria_str_starts(id, "dfl-")) {
        enum cria_status st =
            cria_tx_entry_get(tx, &ex->call, project, (struct cria_str){0}, id, &entry);
        if (st != CRIA_OK) return cria_not_found(ex, st, "File");
        if (!entry.file_id.ptr) return cria_not_found(ex, CRIA_E_NOT_FOUND, "File");
        id = entry.file_id;
    }
    return cria_not_found(ex, cria_tx_file_get(tx, &ex->call, project, id, out), "File");
}

/* ---- createFile
 * --------------------------------------------------------------------------------------------- */

struct insertion {
    struct cria_str project;
    struct cria_upload upload;
};

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct insertion *insertion = arg;
    return cria_tx_file_insert(tx, call, insertion->project, &insertion->upload.file);
}

static void render_created(struct cria_exchange *ex, void *arg)
{
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_render_file(ex, &out, &((const struct insertion *)arg)->upload.file, false);
}

static enum cria_status create(struct cria_exchange *ex, struct cria_check *check)
{
    static const char *const purposes[] = {"user_data", "parse", "extract",   "split",
                                           "classify",  "sheet", "agent_app", NULL};
    struct cria_place at_file = {&cria_in_body, "file", 0},
                      at_purpose = {&cria_in_body, "purpose", 0};
    struct cria_part *part = cria_form_part(ex, "file");
    struct cria_str purpose = cria_form_text(check, "purpose"),
                    external = cria_form_text(check, "external_file_id");
    struct insertion insertion;
    bool replayed, known = false;
    if (!part)
        cria_check_add(check, &at_file, "missing", (struct cria_str){0}, (struct cria_str){0},
                       "Field required");
    for (size_t i = 0; purposes[i]; i++) known = known || cria_str_is(purpose, purposes[i]);
    if (!purpose.ptr && !cria_form_part(ex, "purpose"))
        cria_check_add(check, &at_purpose, "missing", (struct cria_str){0}, (struct cria_str){0},
                       "Field required");
    else if (purpose.ptr && !known) {
        struct cria_json given = {.kind = CRIA_JSON_STRING, .text = purpose};
        cria_check_add(
            check, &at_purpose, "enum", cria_json_text(ex->call.arena, &given),
            (struct cria_str){0},
            "Input should be 'user_data', 'parse', 'extract', 'split', 'classify', 'sheet' or "
            "'agent_app'");
    }
    if (cria_str_is(external, "null") || external.len == 0) external = (struct cria_str){0};
    enum cria_status st = cria_api_enter(ex, check);
    if (st != CRIA_OK) return st;
    insertion.project = cria_project_of(ex);
    st = cria_upload_keep(ex, part, external, purpose, &insertion.upload);
    return st == CRIA_OK ? cria_api_create(ex, insert, &insertion, render_created, &replayed) : st;
}

/* ---- lists
 * ----------------------------------------------------------------------------------------------------
 */

static enum cria_status answer_list(struct cria_exchange *ex, const struct cria_file_query *query,
                                    const struct cria_page *page, bool link)
{
    struct cria_tx *tx = NULL;
    struct cria_file_list list;
    enum cria_status st = cria_read_begin(ex, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_file_list(tx, &ex->call, cria_project_of(ex), query, &page->window, &list);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {0};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < list.count; i++) {
        cria_render_file(ex, &out, &list.items[i], link);
        last = (struct cria_cursor){.at_us = list.items[i].created_at_us,
                                    .name = list.items[i].name,
                                    .id = list.items[i].id};
    }
    cria_out_end(&out);
    cria_page_close(ex, &out, page, list.has_more, &last, true);
    cria_out_end(&out);
    return CRIA_OK;
}

static void check_ids(struct cria_check *check, const struct cria_place *list,
                      const struct cria_str *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cria_place at = {list, NULL, i};
        struct cria_json given = {.kind = CRIA_JSON_STRING, .text = ids[i]};
        if (!cria_is_uuid(ids[i]))
            cria_check_add(check, &at, "uuid_parsing",
                           cria_json_text(check->ex->call.arena, &given), (struct cria_str){0},
                           "Input should be a valid UUID");
    }
}

static enum cria_status list(struct cria_exchange *ex, struct cria_check *check)
{
    static const char *const orders[] = {"name", "id", "created_at", NULL};
    struct cria_place at_ids = {&cria_in_query, "file_ids", 0};
    struct cria_page page;
    struct cria_str token;
    struct cria_file_query query = {.name = cria_request_query(ex, "file_name"),
                                    .external_file_id = cria_request_query(ex, "external_file_id")};
    query.ids = cria_query_all(check, "file_ids", &query.id_count);
    query.has_ids = query.id_count > 0;
    check_ids(check, &at_ids, query.ids, query.id_count);
    cria_page_query(check, &page, &token);
    struct cria_str order = cria_query_enum(check, "order_by", orders);
    query.order_count = 1;
    query.order[0].field = cria_str_is(order, "name") ? CRIA_FILE_BY_NAME
                           : cria_str_is(order, "id") ? CRIA_FILE_BY_ID
                                                      : CRIA_FILE_BY_CREATED;
    query.order[0].descending = query.order[0].field == CRIA_FILE_BY_CREATED;
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = cria_page_open(ex, check, &page, token);
    return st == CRIA_OK ? answer_list(ex, &query, &page, cria_wants_link(check)) : st;
}

/* "name, created_at desc" */
static bool read_order(struct cria_str text, struct cria_file_query *query)
{
    while (text.len) {
        struct cria_str one, field;
        cria_str_cut(&text, ',', &one);
        one = cria_str_trim(one);
        cria_str_cut(&one, ' ', &field);
        one = cria_str_trim(one);
        if (query->order_count == CRIA_COUNT(query->order)) return false;
        if (one.len && !cria_str_is(one, "desc") && !cria_str_is(one, "asc")) return false;
        size_t n = query->order_count++;
        query->order[n].descending = cria_str_is(one, "desc");
        if (cria_str_is(field, "name"))
            query->order[n].field = CRIA_FILE_BY_NAME;
        else if (cria_str_is(field, "id"))
            query->order[n].field = CRIA_FILE_BY_ID;
        else if (cria_str_is(field, "created_at"))
            query->order[n].field = CRIA_FILE_BY_CREATED;
        else
            return false;
    }
    return true;
}

static struct cria_str want_uuid(struct cria_check *check, const struct cria_place *up,
                                 const struct cria_json *from, const char *name)
{
    struct cria_place at = {up, name, 0};
    struct cria_str text = cria_want_str(check, up, from, name, CRIA_WANT_NULLABLE, 0, 0);
    if (text.ptr && !cria_is_uuid(text))
        cria_check_add(check, &at, "uuid_parsing",
                       cria_json_text(check->ex->call.arena, cria_json_get(from, name)),
                       (struct cria_str){0}, "Input should be a valid UUID");
    return text;
}

static enum cria_status query(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_place at_filter = {&cria_in_body, "filter", 0},
                      at_ids = {&at_filter, "file_ids", 0};
    struct cria_place at_order = {&cria_in_body, "order_by", 0};
    struct cria_file_query q = {0};
    struct cria_page page;
    struct cria_str token;
    enum cria_status st = cria_check_body(check, true);
    if (st != CRIA_OK) return st;
    const struct cria_json *filter =
        cria_want_object(check, &cria_in_body, check->body, "filter", CRIA_WANT_NULLABLE);
    struct cria_str source = want_uuid(check, &at_filter, filter, "data_source_id");
    struct cria_str project = want_uuid(check, &at_filter, filter, "project_id");
    q.external_file_id =
        cria_want_str(check, &at_filter, filter, "external_file_id", CRIA_WANT_NULLABLE, 0, 0);
    q.name = cria_want_str(check, &at_filter, filter, "file_name", CRIA_WANT_NULLABLE, 0, 0);
    q.ids = cria_want_strings(check, &at_filter, filter, "file_ids", CRIA_WANT_NULLABLE, 0,
                              &q.id_count, &q.has_ids);
    check_ids(check, &at_ids, q.ids, q.id_count);
    cria_want_bool(check, &at_filter, filter, "only_manually_uploaded", CRIA_WANT_NULLABLE, false);
    struct cria_str order =
        cria_want_str(check, &cria_in_body, check->body, "order_by", CRIA_WANT_NULLABLE, 0, 0);
    if (order.len && !read_order(order, &q))
        cria_check_add(
            check, &at_order, "value_error",
            cria_json_text(ex->call.arena, cria_json_get(check->body, "order_by")),
            (struct cria_str){0},
            "Value error, fields are name, id and created_at, each with or without ' desc'");
    if (q.order_count == 0) {
        q.order_count = 1;
        q.order[0].field = CRIA_FILE_BY_CREATED;
        q.order[0].descending = true;
    }
    cria_page_body(check, &page, &token);
    st = cria_api_enter(ex, check);
    if (st == CRIA_OK && project.ptr)
        st = cria_account_scope(cria_app_of(ex)->account, &ex->call, project, (struct cria_str){0});
    if (st == CRIA_OK) st = cria_page_open(ex, check, &page, token);
    if (source.ptr) { /* there are no data sources: nothing comes from one */
        q.has_ids = true;
        q.id_count = 0;
    }
    return st == CRIA_OK ? answer_list(ex, &q, &page, false) : st;
}

/* ---- one file
 * ---------------------------------------------------------------------------------------------------
 */

static enum cria_status get_one(struct cria_exchange *ex, struct cria_file *file)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_read_begin(ex, &tx);
    if (st != CRIA_OK) return st;
    st = cria_file_of(ex, tx, ex->request.path_values[0], file);
    cria_store_read_end(tx);
    return st;
}

static enum cria_status get(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_file file;
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = get_one(ex, &file);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_render_file(ex, &out, &file, cria_wants_link(check));
    return CRIA_OK;
}

static enum cria_status content(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_file file;
    int64_t seconds = cria_query_int_of(check, "expires_at_seconds", CRIA_LINK_SECONDS, 1, 604800);
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = get_one(ex, &file);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_presign_file(ex, &out, file.id, seconds);
    return CRIA_OK;
}

struct removal {
    struct cria_exchange *ex;
    struct cria_str sha256;
};

static enum cria_status remove_one(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct removal *removal = arg;
    struct cria_file file;
    enum cria_status st = cria_file_of(removal->ex, tx, removal->ex->request.path_values[0], &file);
    if (st != CRIA_OK) return st;
    return cria_tx_file_delete(tx, call, cria_project_of(removal->ex), file.id, cria_wall_us(),
                               &removal->sha256);
}

static enum cria_status delete_one(struct cria_exchange *ex, struct cria_check *check)
{
    struct removal removal = {.ex = ex};
    char sha[CRIA_SHA256_HEX];
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK)
        st = cria_store_write_freeing(cria_app_of(ex)->store, &ex->call, remove_one, &removal);
    if (st == CRIA_OK && cria_str_copy_z(removal.sha256, sha, sizeof(sha)))
        cria_blob_release(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), sha);
    return st;
}

CRIA_API_HANDLER(cria_create_file, create)
CRIA_API_HANDLER(cria_list_files, list)
CRIA_API_HANDLER(cria_query_files, query)
CRIA_API_HANDLER(cria_get_file, get)
CRIA_API_HANDLER(cria_get_file_content, content)
CRIA_API_HANDLER(cria_delete_file, delete_one)
