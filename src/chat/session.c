#include "chat/session.h"

#include "base/json_out.h"
#include "base/utf8.h"
#include "platform/clock.h"
#include "platform/crypto.h"

/* ---- ids */

bool cria_index_id_equal(struct cria_str a, struct cria_str b)
{
    bool both = (cria_str_starts(a, "idx-") || cria_str_starts(a, "exp-")) &&
                (cria_str_starts(b, "idx-") || cria_str_starts(b, "exp-"));
    if (!both) return cria_str_equal(a, b);
    return cria_str_equal(cria_str_sub(a, 4, SIZE_MAX), cria_str_sub(b, 4, SIZE_MAX));
}

static bool holds(const struct cria_str *ids, size_t count, struct cria_str id)
{
    for (size_t i = 0; i < count; i++)
        if (cria_index_id_equal(ids[i], id)) return true;
    return false;
}

static bool same_set(const struct cria_str *a, size_t a_count, const struct cria_str *b,
                     size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        if (!holds(b, b_count, a[i])) return false;
    for (size_t i = 0; i < b_count; i++)
        if (!holds(a, a_count, b[i])) return false;
    return true;
}

struct cria_str cria_ids_json(struct cria_arena *arena, const struct cria_str *ids, size_t count)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 1 << 20);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_array(&out);
    for (size_t i = 0; i < count; i++) cria_out_str(&out, ids[i]);
    cria_out_end(&out);
    struct cria_str text = {0};
    if (!buf.failed) text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

enum cria_status cria_ids_parse(struct cria_arena *arena, struct cria_str json,
                                const struct cria_str **out, size_t *count)
{
    const struct cria_json *value = NULL;
    const char *why;
    *out = NULL;
    *count = 0;
    if (json.len == 0) return CRIA_OK;
    enum cria_status st = cria_json_parse(arena, json, &value, &why);
    if (st != CRIA_OK) return st == CRIA_E_NO_MEMORY ? st : CRIA_E_CORRUPT;
    if (value->kind != CRIA_JSON_ARRAY) return CRIA_E_CORRUPT;
    struct cria_str *ids = CRIA_NEW_ARRAY(arena, value->count, struct cria_str);
    if (!ids) return CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < value->count; i++) ids[i] = value->items[i].text;
    *out = ids;
    *count = value->count;
    return CRIA_OK;
}

/* Copies the list, each index once. */
static enum cria_status keep_once(struct cria_call *call, const struct cria_str *ids, size_t count,
                                  const struct cria_str **out, size_t *out_count)
{
    struct cria_str *kept = CRIA_NEW_ARRAY(call->arena, count, struct cria_str);
    if (!kept) return cria_fail_memory(call);
    *out_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!holds(kept, *out_count, ids[i])) kept[(*out_count)++] = ids[i];
    *out = kept;
    return CRIA_OK;
}

enum cria_status cria_chat_index_get(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id,
                                     struct cria_index *out)
{
    enum cria_status st = cria_tx_index_get(tx, call, project, index_id, out);
    if (st != CRIA_E_NOT_FOUND) return st;
    int len = (int)cria_utf8_cut(index_id, 80).len;
    return cria_fail(call, CRIA_E_NOT_FOUND, "Index not found: %.*s", len, index_id.ptr);
}

static enum cria_status check_count(struct cria_call *call, size_t count)
{
    if (count <= CRIA_SESSION_INDEXES_MAX) return CRIA_OK;
    return cria_fail(call, CRIA_E_INVALID, "List should have at most %d items",
                     CRIA_SESSION_INDEXES_MAX);
}

/* ---- create, title */

enum cria_status cria_session_create_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_session_create *create = arg;
    const struct cria_str *ids;
    char id[CRIA_ID_SIZE];
    size_t count;
    struct cria_index index;
    struct cria_session row = {0};
    enum cria_status st = check_count(call, create->params.index_count);
    if (st != CRIA_OK) return st;
    st = keep_once(call, create->params.index_ids, create->params.index_count, &ids, &count);
    for (size_t i = 0; i < count && st == CRIA_OK; i++)
        st = cria_chat_index_get(tx, call, create->project, ids[i], &index);
    if (st != CRIA_OK) return st;

    cria_id_new("ses-", id);
    row.id = cria_arena_copy(call->arena, cria_str_from(id));
    if (count) row.index_ids_json = cria_ids_json(call->arena, ids, count);
    row.shared_access =
        create->params.shared_access.len ? create->params.shared_access : CRIA_STR("read_only");
    row.created_at_us = row.last_updated_at_us = cria_wall_us();
    if (!row.id.ptr || (count && !row.index_ids_json.ptr)) return cria_fail_memory(call);
    st = cria_tx_session_insert(tx, call, create->project, &row);
    if (st == CRIA_OK) create->session = row;
    return st;
}

/* Unicode's white space, as far as people type it. */
static bool is_white(uint32_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

struct cria_str cria_title_make(struct cria_arena *arena, struct cria_str message)
{
    char text[CRIA_TITLE_CHARS * 4 + 8];
    size_t len = 0, chars = 0, word_end = 0, at = 0;
    bool gap = false, is_cut = false;
    while (at < message.len) {
        uint32_t c = cria_utf8_next(message, &at);
        char bytes[4];
        if (is_white(c)) {
            gap = len > 0;
            continue;
        }
        if (gap) word_end = len;
        if (chars + (gap ? 2 : 1) > CRIA_TITLE_CHARS) {
            is_cut = true;
            break;
        }
        if (gap) {
            text[len++] = ' ';
            chars++;
        }
        gap = false;
        size_t n = cria_utf8_put(bytes, c == CRIA_UTF8_BAD ? 0xFFFD : c);
        memcpy(text + len, bytes, n);
        len += n;
        chars++;
    }
    /* The last word did not fit: it goes, unless it is the only one. */
    if (is_cut && word_end) len = word_end;
    if (is_cut) {
        memcpy(text + len, "...", 3);
        len += 3;
    }
    return cria_arena_copy(arena, cria_str_make(text, len));
}

enum cria_status cria_session_title_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_session_title *title = arg;
    struct cria_session row;
    enum cria_status st = cria_tx_session_get(tx, call, title->project, title->session_id, &row);
    if (st == CRIA_E_NOT_FOUND) return cria_fail(call, st, "Chat session not found");
    if (st != CRIA_OK) return st;
    row.title = cria_title_make(call->arena, title->first_message);
    if (!row.title.ptr) return cria_fail_memory(call);
    row.last_updated_at_us = cria_wall_us();
    st = cria_tx_session_update(tx, call, title->project, &row);
    if (st == CRIA_OK) title->session = row;
    return st;
}

/* ---- a turn's indexes */

static enum cria_status look_up(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                bool require_all, struct cria_binding *binding)
{
    size_t count = binding->asked_count, known = 0;
    struct cria_search_index *searched =
        CRIA_NEW_ARRAY(call->arena, count, struct cria_search_index);
    struct cria_str *skipped = CRIA_NEW_ARRAY(call->arena, count, struct cria_str);
    if (!searched || !skipped) return cria_fail_memory(call);
    for (size_t i = 0; i < count; i++) {
        struct cria_str id = binding->asked[i];
        struct cria_index row;
        enum cria_status st = cria_chat_index_get(tx, call, project, id, &row);
        if (st == CRIA_E_NOT_FOUND && require_all) return st;
        if (st != CRIA_OK && st != CRIA_E_NOT_FOUND) return st;
        known += st == CRIA_OK;
        if (st == CRIA_OK && row.last_exported_at_us) {
            searched[binding->searched_count++] = (struct cria_search_index){
                .id = row.id, .generation = row.generation, .has_vectors = row.has_vectors};
            continue;
        }
        if (st == CRIA_OK && require_all)
            return cria_fail_final(call, CRIA_E_CONFLICT, "Index %.*s has no export yet",
                                   (int)cria_utf8_cut(id, 80).len, id.ptr);
        skipped[binding->skipped_count++] = id;
    }
    binding->searched = searched;
    binding->skipped = skipped;
    if (known == 0)
        return cria_fail(call, CRIA_E_NOT_FOUND,
                         count == 1 ? "Index not found: %.*s" : "None of the indexes was found",
                         (int)cria_utf8_cut(binding->asked[0], 80).len, binding->asked[0].ptr);
    if (binding->searched_count == 0)
        return cria_fail_final(call, CRIA_E_CONFLICT, "None of the indexes has an export yet");
    return CRIA_OK;
}

enum cria_status cria_session_bind(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, const struct cria_session *session,
                                   const struct cria_turn_params *params, struct cria_binding *out)
{
    struct cria_binding binding = {.locks = session->index_ids_json.len > 0};
    const struct cria_str *bound;
    size_t bound_count;
    enum cria_status st = check_count(call, params->index_count);
    if (st != CRIA_OK) return st;
    st = cria_ids_parse(call->arena, session->index_ids_json, &bound, &bound_count);
    if (st != CRIA_OK) return cria_fail(call, st, "The session's indexes cannot be read");
    if (!binding.locks && params->index_count == 0)
        return cria_fail(call, CRIA_E_INVALID,
                         "The session is bound to no index: name at least one");
    bool same = params->index_count == 0 ||
                same_set(params->index_ids, params->index_count, bound, bound_count);
    if (params->index_count)
        st = keep_once(call, params->index_ids, params->index_count, &binding.asked,
                       &binding.asked_count);
    else
        binding.asked = bound, binding.asked_count = bound_count;
    if (st == CRIA_OK) st = look_up(tx, call, project, params->require_all_indexes, &binding);
    if (st == CRIA_E_NOT_FOUND) return st;
    if (binding.locks && session->is_locked && !same)
        return cria_fail_final(call, CRIA_E_CONFLICT,
                               "The session is locked to the indexes of its first turn");
    if (st != CRIA_OK) return st;
    if (binding.locks) {
        /* The same set keeps the order and spelling it was bound with. */
        binding.index_ids_json =
            same ? session->index_ids_json
                 : cria_ids_json(call->arena, binding.asked, binding.asked_count);
        if (!binding.index_ids_json.ptr) return cria_fail_memory(call);
    }
    *out = binding;
    return CRIA_OK;
}
