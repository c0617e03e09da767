/* quality_measure.c - what bench/quality counts: documents, passages, sentences. */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "bench/quality.h"
#include "platform/clock.h"
#include "search/analyse.h"

enum { MAX_RELEVANT = 4096, ALL_CHUNKS = 500, MAX_SPANS = 16, LEAST_LETTERS = 5 };

/* The next line that is JSON; false at the end. The arena is emptied. */
static bool next_json(struct cria_arena *arena, struct cria_str *rest,
                      const struct cria_json **json)
{
    struct cria_str line;
    const char *why;
    while (rest->len) {
        cria_str_cut(rest, '\n', &line);
        cria_arena_reset(arena);
        if (line.len && cria_json_parse(arena, line, json, &why) == CRIA_OK) return true;
    }
    return false;
}

/* ---- slips */

static uint64_t hash_of(struct cria_str text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 29;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The n-th word of ASCII letters that is long enough and no question's own; their number when n is
 * beyond them. */
static size_t long_word(struct cria_str query, size_t n, struct cria_span *word)
{
    size_t found = 0;
    for (size_t at = 0, end; at < query.len; at = end + 1) {
        char lower[64];
        for (end = at; end < query.len && is_letter(query.ptr[end]);) end++;
        bool is_whole = (at == 0 || !((unsigned char)query.ptr[at - 1] & 128)) &&
                        (end == query.len || !((unsigned char)query.ptr[end] & 128));
        if (!is_whole || end - at < LEAST_LETTERS || end - at >= sizeof(lower)) continue;
        for (size_t i = at; i < end; i++) lower[i - at] = (char)(query.ptr[i] | 32);
        bool asks = false;
        for (int language = 0; language < CRIA_LANG_COUNT; language++)
            asks = asks || cria_is_query_word((struct cria_str){lower, end - at},
                                              (enum cria_language)language);
        if (asks) continue;
        if (found++ == n) *word = (struct cria_span){at, end};
    }
    return found;
}

bool quality_typo(struct cria_arena *arena, struct cria_str query, struct cria_str *out)
{
    struct cria_span word = {0, 0};
    size_t count = long_word(query, SIZE_MAX, &word);
    uint64_t seed = hash_of(query);
    if (count == 0) return false;
    long_word(query, seed % count, &word);
    size_t at = word.start + 1 + (seed >> 8) % (word.end - word.start - 2);
    char *text = cria_arena_alloc(arena, query.len + 2);
    if (!text) return false;
    memcpy(text, query.ptr, query.len);
    *out = (struct cria_str){text, query.len};
    switch ((seed >> 16) % 4) {
    case 0:
        text[at] = query.ptr[at + 1];
        text[at + 1] = query.ptr[at];
        break;
    case 1:
        memmove(text + at, query.ptr + at + 1, query.len - at - 1);
        out->len--;
        break;
    case 2:
        memcpy(text + at + 1, query.ptr + at, query.len - at);
        out->len++;
        break;
    default: text[at] = (char)('a' + (query.ptr[at] - 'a' + 1 + (int)((seed >> 24) % 25)) % 26);
    }
    return true;
}

/* ---- documents */

/* Distinct documents in rank order. */
static size_t documents_of(const struct cria_search_result *result, struct cria_str *out,
                           size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < result->count && n < most; i++) {
        bool seen = false;
        for (size_t k = 0; k < n && !seen; k++)
            seen = cria_str_equal(out[k], result->hits[i].entry_id);
        if (!seen) out[n++] = result->hits[i].entry_id;
    }
    return n;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

struct judged {
    double ndcg, found, first, top;
    size_t relevant;
};

static struct judged judge(struct cria_str qrels, struct cria_str id, const struct cria_str *names,
                           size_t n)
{
    struct judged j = {0};
    struct cria_str row, field;
    double gains[MAX_RELEVANT], ideal = 0;
    while (qrels.len) {
        int64_t gain = 0;
        cria_str_cut(&qrels, '\n', &row);
        cria_str_cut(&row, '\t', &field);
        if (!cria_str_equal(field, id)) continue;
        cria_str_cut(&row, '\t', &field);
        if (!cria_str_to_int64(cria_str_trim(row), &gain) || gain <= 0 ||
            j.relevant == MAX_RELEVANT)
            continue;
        gains[j.relevant++] = (double)gain;
        for (size_t i = 0; i < n; i++) {
            if (!cria_str_equal(names[i], field)) continue;
            double rank = 1.0 / (double)(i + 1);
            if (i < 10) j.ndcg += (double)gain / log2((double)i + 2);
            if (i < 10 && rank > j.first) j.first = rank;
            j.found++;
        }
    }
    if (j.relevant) qsort(gains, j.relevant, sizeof(double), descending);
    for (size_t i = 0; i < j.relevant && i < 10; i++) ideal += gains[i] / log2((double)i + 2);
    if (ideal > 0) j.ndcg /= ideal;
    j.top = j.first >= 1;
    return j;
}

static struct judged ask(const struct quality_corpus *c, struct cria_str qrels, struct cria_str id,
                         struct cria_str text)
{
    struct cria_search_request request;
    struct cria_search_result result;
    struct cria_str names[QUALITY_TOP];
    quality_find(c, text, ALL_CHUNKS, NULL, &request, &result);
    return judge(qrels, id, names, documents_of(&result, names, QUALITY_TOP));
}

struct quality_ranking quality_rank(const struct quality_corpus *c, struct cria_str queries,
                                    struct cria_str qrels, bool typos)
{
    struct quality_ranking r = {0};
    struct cria_arena *arena = c->bench->call->arena;
    const struct cria_json *json;
    while (next_json(arena, &queries, &json)) {
        struct cria_str id = cria_json_get_str(json, "id"), text = cria_json_get_str(json, "text"),
                        slip;
        if (!judge(qrels, id, NULL, 0).relevant) continue;
        uint64_t begin = cria_now_ns();
        struct judged j = ask(c, qrels, id, text);
        r.ms += (double)(cria_now_ns() - begin) / 1e6;
        r.ndcg += j.ndcg;
        r.recall += j.found / (double)j.relevant;
        r.mrr += j.first;
        r.first += j.top;
        r.queries++;
        if (!typos || !quality_typo(arena, text, &slip)) continue;
        r.typo_ndcg += ask(c, qrels, id, slip).ndcg;
        r.typo_queries++;
    }
    double n = r.queries ? (double)r.queries : 1;
    r.ndcg /= n, r.recall /= n, r.mrr /= n, r.first /= n, r.ms /= n;
    if (r.typo_queries) r.typo_ndcg /= (double)r.typo_queries;
    return r;
}

/* ---- passages */

struct marked {
    struct cria_str doc;
    struct cria_span spans[MAX_SPANS]; /* code points of the document */
    size_t count;
};

/* The document's text as it was stored: the title, a blank line, the text. */
static struct cria_str text_of(struct cria_arena *arena, struct cria_str docs, struct cria_str id)
{
    struct cria_str line;
    const struct cria_json *json;
    const char *why;
    while (docs.len) {
        cria_str_cut(&docs, '\n', &line);
        if (line.len == 0 || cria_str_find(cria_str_sub(line, 0, 60), id) == SIZE_MAX ||
            cria_json_parse(arena, line, &json, &why) != CRIA_OK ||
            !cria_str_equal(cria_json_get_str(json, "id"), id))
            continue;
        return cria_arena_printf(arena, "%.*s\n\n%.*s",
                                 CRIA_STR_ARG(cria_json_get_str(json, "title")),
                                 CRIA_STR_ARG(cria_json_get_str(json, "text")));
    }
    return (struct cria_str){0};
}

static struct marked marks_of(struct cria_arena *arena, const struct cria_json *json,
                              const struct cria_str *docs)
{
    struct marked m = {.doc = cria_json_get_str(json, "doc")};
    const struct cria_json *spans = cria_json_get(json, "spans"),
                           *answers = cria_json_get(json, "answers");
    for (size_t i = 0; spans && i < spans->count && m.count < MAX_SPANS; i++) {
        int64_t start = 0, end = 0;
        const struct cria_json *span = &spans->items[i];
        if (span->count == 2 && cria_json_as_int(&span->items[0], &start) &&
            cria_json_as_int(&span->items[1], &end))
            m.spans[m.count++] = (struct cria_span){(size_t)start, (size_t)end};
    }
    if (spans || !docs || !answers) return m;
    struct cria_str text = text_of(arena, *docs, m.doc);
    for (size_t i = 0; i < answers->count && m.count < MAX_SPANS; i++) {
        size_t at = cria_str_find(text, answers->items[i].text);
        if (at == SIZE_MAX) continue;
        size_t start = cria_utf8_count(cria_str_sub(text, 0, at));
        m.spans[m.count++] =
            (struct cria_span){start, start + cria_utf8_count(answers->items[i].text)};
    }
    return m;
}

/* Marked characters that the first `most` hits hold; hits do not overlap. */
static double held(const struct marked *m, const struct cria_search_result *result, size_t most)
{
    double all = 0, sum = 0;
    for (size_t k = 0; k < m->count; k++) all += (double)(m->spans[k].end - m->spans[k].start);
    for (size_t i = 0; i < result->count && i < most; i++) {
        const struct cria_search_hit *hit = &result->hits[i];
        if (!cria_str_equal(hit->entry_id, m->doc)) continue;
        for (size_t k = 0; k < m->count; k++) {
            size_t from = m->spans[k].start, to = m->spans[k].end;
            if (hit->chunk.char_start > from) from = hit->chunk.char_start;
            if (hit->chunk.char_end < to) to = hit->chunk.char_end;
            if (to > from) sum += (double)(to - from);
        }
    }
    return all > 0 ? sum / all : 0;
}

/* A passage is right that touches a span that is marked; where none is, one that holds an answer
 * whole. Both in the document that the question was asked of. */
static size_t first_right(const struct marked *m, const struct cria_json *json,
                          const struct cria_search_result *result)
{
    const struct cria_json *answers = cria_json_get(json, "answers");
    bool has_spans = cria_json_get(json, "spans") != NULL;
    for (size_t i = 0; i < result->count; i++) {
        const struct cria_search_hit *hit = &result->hits[i];
        if (!cria_str_equal(hit->entry_id, m->doc)) continue;
        for (size_t k = 0; has_spans && k < m->count; k++)
            if (hit->chunk.char_start < m->spans[k].end && hit->chunk.char_end > m->spans[k].start)
                return i;
        for (size_t k = 0; !has_spans && answers && k < answers->count; k++)
            if (cria_str_find(hit->content, answers->items[k].text) != SIZE_MAX) return i;
    }
    return SIZE_MAX;
}

struct quality_passages quality_find_passages(const struct quality_corpus *c, struct cria_str qa,
                                              const struct cria_str *texts)
{
    struct quality_passages p = {0};
    struct cria_arena *arena = c->bench->call->arena;
    const struct cria_json *json;
    while (next_json(arena, &qa, &json)) {
        struct cria_search_request request;
        struct cria_search_result result;
        struct marked m = marks_of(arena, json, texts);
        if (m.count == 0) continue;
        quality_find(c, cria_json_get_str(json, "question"), 10, NULL, &request, &result);
        size_t first = first_right(&m, json, &result);
        p.hit1 += first == 0;
        p.hit5 += first < 5;
        p.hit10 += first < 10;
        p.recall5 += held(&m, &result, 5);
        p.recall10 += held(&m, &result, 10);
        p.asked++;
    }
    double n = p.asked ? (double)p.asked : 1;
    p.hit1 /= n, p.hit5 /= n, p.hit10 /= n, p.recall5 /= n, p.recall10 /= n;
    return p;
}

/* ---- sentences */

static bool holds_answer(struct cria_str text, const struct cria_json *answers)
{
    for (size_t i = 0; answers && i < answers->count; i++)
        if (cria_str_find(text, answers->items[i].text) != SIZE_MAX) return true;
    return false;
}

/* {"title": {"operator": "ne", "value": …}} of the document's own title. */
static const struct cria_json *without(struct cria_arena *arena, struct cria_str docs,
                                       struct cria_str id)
{
    struct cria_str line;
    const struct cria_json *json, *filters = NULL;
    const char *why;
    while (docs.len) {
        cria_str_cut(&docs, '\n', &line);
        if (line.len == 0 || cria_str_find(cria_str_sub(line, 0, 40), id) == SIZE_MAX ||
            cria_json_parse(arena, line, &json, &why) != CRIA_OK ||
            !cria_str_equal(cria_json_get_str(json, "id"), id))
            continue;
        struct cria_str title = quality_title_json(arena, cria_json_get_str(json, "title"));
        title = cria_str_sub(title, 9, title.len - 10); /* the value alone, with its quotes */
        struct cria_str text = cria_arena_printf(
            arena, "{\"title\":{\"operator\":\"ne\",\"value\":%.*s}}", CRIA_STR_ARG(title));
        if (cria_json_parse(arena, text, &filters, &why) != CRIA_OK) return NULL;
        return filters;
    }
    return NULL;
}

struct quality_answers quality_answer(const struct quality_corpus *c, struct cria_str qa,
                                      struct cria_str docs, bool withheld)
{
    struct quality_answers a = {0};
    struct cria_call *call = c->bench->call;
    const struct cria_json *json;
    while (next_json(call->arena, &qa, &json)) {
        const struct cria_json *answers = cria_json_get(json, "answers"), *filters = NULL;
        struct cria_search_request request;
        struct cria_search_result result;
        struct cria_sentences sentences;
        bool any = false;
        if (withheld) filters = without(call->arena, docs, cria_json_get_str(json, "doc"));
        quality_find(c, cria_json_get_str(json, "question"), 20, filters, &request, &result);
        if (cria_search_sentences(c->bench->search, call, &request, &result, 3, &sentences) !=
            CRIA_OK)
            exit(1);
        for (size_t i = 0; i < sentences.count; i++)
            any = any || holds_answer(sentences.items[i].text, answers);
        a.asked++;
        a.first += sentences.count && holds_answer(sentences.items[0].text, answers);
        a.three += any;
        a.strong += sentences.grade == CRIA_GRADE_STRONG;
        a.weak += sentences.grade == CRIA_GRADE_WEAK;
    }
    double n = a.asked ? (double)a.asked : 1;
    a.first /= n, a.three /= n, a.strong /= n, a.weak /= n;
    return a;
}
