#include "chat/history.h"

#include "base/buf.h"
#include "base/json.h"
#include "chat/fold.h"
#include "chat/markers.h"

/* Results are large and only the numbers in them matter here: a member name stands outside strings
 * when no backslash is before its quote. */
static uint32_t highest_passage(struct cria_str json)
{
    const struct cria_str name = CRIA_STR("\"passage_id\":");
    uint32_t best = 0;
    for (;;) {
        size_t at = cria_str_find(json, name);
        if (at == SIZE_MAX) return best;
        bool is_member = at == 0 || json.ptr[at - 1] != '\\';
        json = cria_str_sub(json, at + name.len, SIZE_MAX);
        uint32_t id = 0;
        for (size_t i = 0; i < json.len && i < 7 && json.ptr[i] >= '0' && json.ptr[i] <= '9'; i++)
            id = id * 10 + (uint32_t)(json.ptr[i] - '0');
        if (is_member && id > best) best = id;
    }
}

static uint32_t passage_of(const struct cria_json *citations, uint32_t n)
{
    for (size_t i = 0; citations && i < citations->count; i++)
        if (cria_json_get_int(&citations->items[i], "n", 0) == n)
            return (uint32_t)cria_json_get_int(&citations->items[i], "passage_id", 0);
    return 0;
}

/* Puts the passage numbers back where the answer shows 1, 2, 3. */
static void add_answer(struct cria_buf *out, struct cria_str text,
                       const struct cria_json *citations)
{
    struct cria_marker marker;
    size_t at = 0, from = 0;
    if (out->len) cria_buf_add(out, CRIA_STR("\n\n"));
    while (cria_marker_next(text, &at, &marker)) {
        uint32_t id = passage_of(citations, marker.n);
        cria_buf_add(out, cria_str_sub(text, from, marker.start - from));
        if (id) cria_buf_printf(out, "[%u]", id);
        from = marker.end;
    }
    cria_buf_add(out, cria_str_sub(text, from, SIZE_MAX));
}

static bool add_cited(struct cria_evidence *evidence, const struct cria_json *citations)
{
    for (size_t i = 0; citations && i < citations->count; i++) {
        const struct cria_json *item = &citations->items[i];
        struct cria_passage passage = {
            .id = (uint32_t)cria_json_get_int(item, "passage_id", 0),
            .index_id = cria_json_get_str(item, "index_id"),
            .file_id = cria_json_get_str(item, "file_id"),
            .file_name = cria_json_get_str(item, "file_name"),
            .page_start = (uint32_t)cria_json_get_int(item, "page_start", 0),
            .page_end = (uint32_t)cria_json_get_int(item, "page_end", 0),
            .char_start = (uint64_t)cria_json_get_int(item, "char_start", 0),
            .char_end = (uint64_t)cria_json_get_int(item, "char_end", 0),
            .text = cria_json_get_str(item, "quote"),
        };
        if (!passage.id || cria_evidence_find(evidence, passage.id)) continue;
        if (!cria_evidence_add(evidence, &passage)) return false;
    }
    return true;
}

static enum cria_status close_answer(struct cria_arena *arena, struct cria_history *history,
                                     struct cria_buf *answer)
{
    if (answer->failed) return CRIA_E_NO_MEMORY;
    if (history->count && answer->len) {
        struct cria_str text = cria_arena_copy(arena, cria_buf_str(answer));
        if (!text.ptr) return CRIA_E_NO_MEMORY;
        history->items[history->count - 1].answer = text;
    }
    cria_buf_clear(answer);
    return CRIA_OK;
}

static enum cria_status read_event(struct cria_arena *arena, struct cria_str json,
                                   struct cria_evidence *evidence, struct cria_history *history,
                                   struct cria_buf *answer)
{
    const struct cria_json *root = NULL;
    const char *why;
    if (cria_str_starts(json, "{\"type\":\"tool_result\"")) {
        uint32_t id = highest_passage(json);
        if (id > evidence->last_id) evidence->last_id = id;
        return CRIA_OK;
    }
    bool is_question = cria_str_starts(json, "{\"type\":\"user_input\"");
    if (!is_question && !cria_str_starts(json, "{\"type\":\"text\"")) return CRIA_OK;
    enum cria_status st = cria_json_parse(arena, json, &root, &why);
    if (st != CRIA_OK) return st == CRIA_E_NO_MEMORY ? st : CRIA_OK;
    if (is_question) {
        st = close_answer(arena, history, answer);
        history->items[history->count++].question = cria_json_get_str(root, "content");
        return st;
    }
    const struct cria_json *citations = cria_json_get(root, "citations");
    add_answer(answer, cria_json_get_str(root, "content"), citations);
    return add_cited(evidence, citations) ? CRIA_OK : CRIA_E_NO_MEMORY;
}

enum cria_status cria_history_read(struct cria_arena *arena, const struct cria_frame_list *events,
                                   struct cria_evidence *evidence, struct cria_history *out)
{
    struct cria_buf answer;
    enum cria_status st = CRIA_OK;
    *out = (struct cria_history){0};
    out->items = CRIA_NEW_ARRAY(arena, events->count, struct cria_exchange_said);
    if (!out->items) return CRIA_E_NO_MEMORY;
    cria_buf_init(&answer, 8 << 20);
    for (size_t i = 0; i < events->count && st == CRIA_OK; i++)
        st = read_event(arena, events->items[i].json, evidence, out, &answer);
    if (st == CRIA_OK) st = close_answer(arena, out, &answer);
    cria_buf_release(&answer);
    return st;
}

bool cria_is_follow_up(struct cria_str question)
{
    static const char *const words[] = {
        "it",    "its",  "they", "them",   "their",  "that", "this",  "those",  "these",
        "there", "he",   "she",  "his",    "her",    "him",  "one",   "ones",   "also",
        "else",  "more", "same", "er",     "es",     "ihn",  "deren", "dessen", "davon",
        "dazu",  "il",   "elle", "ils",    "elles",  "cela", "ça",    "eso",    "esto",
        "ese",   "ella", "lui",  "quello", "questo", "он",   "она",   "это",    "они",
    };
    /* "And what about …": in the middle they join what is asked for. */
    static const char *const openings[] = {"and", "und", "et", "y", "e", "en", "и"};
    size_t count = 0;
    bool leans = false;
    struct cria_str rest = question, word;
    while (rest.len) {
        cria_str_cut(&rest, ' ', &word);
        while (word.len && strchr("?!.,;:\"'()", word.ptr[word.len - 1])) word.len--;
        if (word.len == 0) continue;
        for (size_t i = 0; count == 0 && i < CRIA_COUNT(openings); i++)
            leans |= cria_str_equal_nocase(word, cria_str_from(openings[i]));
        count++;
        for (size_t i = 0; i < CRIA_COUNT(words); i++)
            leans |= cria_str_equal_nocase(word, cria_str_from(words[i]));
    }
    return count > 0 && (count <= 3 || (leans && count <= 12));
}
