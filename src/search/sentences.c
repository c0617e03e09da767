/* sentences.c - the sentences that answer a query best, and whether they answer it at all.
 * Room: search. Method and figures: docs/search.md. A sentence is scored by its words and 4-grams
 * with the weights of the whole collection, by the chunk it stands in, and by whether it holds what
 * the question asks for (a date, a number). */
#include <stdlib.h>

#include "base/utf8.h"
#include "search/internal.h"

enum { MAX_HITS = 20, LONGEST_BYTES = 1200 };
static const double CHUNK_SHARE = 0.6, TYPE_BONUS = 0.06, SAME_ABOVE = 0.8;
/* Found on XQuAD with the article withheld: docs/search.md. */
struct least {
    double strong, weak;
};
static const struct least least_english = {0.62, 0.47}, least_other = {0.58, 0.43},
                          least_pairs = {0.44, 0.33};

struct candidate {
    struct cria_sentence sentence;
    struct cria_str folded;
    double coverage;
};

struct scorer {
    const struct cria_query_plan *plan;
    struct cria_gram_table grams;
    struct cria_analyser *analyser;
    uint32_t tf[CRIA_MAX_QUERY_TERMS];
    uint32_t length;
};

static bool count_term(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct scorer *scorer = arg;
    (void)position, (void)is_word;
    scorer->length++;
    for (size_t i = 0; i < scorer->plan->term_count; i++)
        scorer->tf[i] += cria_str_equal(scorer->plan->terms[i].text, term);
    return true;
}

/* Words of the query in the sentence, each once, by weight; long sentences get a little less. */
static double word_score(struct scorer *scorer, struct cria_str text, enum cria_language language,
                         double *coverage)
{
    const struct cria_query_plan *plan = scorer->plan;
    double held[CRIA_MAX_QUERY_TERMS] = {0}, sum = 0;
    memset(scorer->tf, 0, sizeof(scorer->tf));
    scorer->length = 0;
    cria_analyse(scorer->analyser, text, language, false, count_term, scorer);
    for (size_t i = 0; i < plan->term_count; i++) {
        double mass = scorer->tf[i] ? plan->terms[i].idf * plan->terms[i].weight : 0;
        if (mass > held[plan->terms[i].stands_for]) held[plan->terms[i].stands_for] = mass;
    }
    for (size_t i = 0; i < plan->asked; i++) sum += held[i];
    *coverage = plan->idf_mass > 0 ? sum / plan->idf_mass : 0;
    double over = scorer->length > 25 ? (scorer->length - 25) / 25.0 : 0;
    return *coverage / (1 + 0.1 * over);
}

static bool has_digit(struct cria_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') return true;
    return false;
}

static bool has_word(struct cria_str text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++) {
        bool starts = i == 0 || text.ptr[i - 1] == ' ';
        bool ends = i + n == text.len || strchr(" ?,.", text.ptr[i + n]);
        if (starts && ends && cria_str_equal_nocase(cria_str_sub(text, i, n), cria_str_from(word)))
            return true;
    }
    return false;
}

static bool has_inner_capital(struct cria_str text)
{
    for (size_t i = 2; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' && text.ptr[i - 1] == ' ') return true;
    return false;
}

static double type_bonus(struct cria_str query, struct cria_str sentence)
{
    bool wants_number = has_word(query, "when") || has_word(query, "how many") ||
                        has_word(query, "how much") || has_word(query, "what year") ||
                        has_word(query, "how long") || has_word(query, "how old");
    bool wants_name = has_word(query, "who") || has_word(query, "where") || has_word(query, "whom");
    if (wants_number) return has_digit(sentence) ? TYPE_BONUS : -TYPE_BONUS;
    if (wants_name) return has_inner_capital(sentence) ? TYPE_BONUS / 2 : -TYPE_BONUS / 2;
    return 0;
}

static struct cria_str fold_copy(struct cria_arena *arena, struct cria_str text)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 1 << 20);
    cria_fold_bytes(&buf, text);
    struct cria_str copy =
        buf.failed ? (struct cria_str){0} : cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return copy;
}

static enum cria_status take_hit(struct cria_call *call, struct scorer *scorer,
                                 const struct cria_search_request *request,
                                 const struct cria_search_result *result, size_t hit_n,
                                 struct candidate **items, size_t *count)
{
    const struct cria_search_hit *hit = &result->hits[hit_n];
    const struct cria_query_plan *plan = scorer->plan;
    enum cria_language language = (enum cria_language)hit->language;
    double best_score = result->hits[0].score > 0 ? result->hits[0].score : 1;
    struct cria_span *spans;
    size_t span_count, bytes = 0, chars = 0;
    if (!cria_sentence_spans(call->arena, hit->content, &spans, &span_count))
        return cria_fail_memory(call);
    struct candidate *grown = CRIA_NEW_ARRAY(call->arena, *count + span_count, struct candidate);
    if (!grown) return cria_fail_memory(call);
    if (*count) memcpy(grown, *items, *count * sizeof(*grown));
    *items = grown;
    for (size_t i = 0; i < span_count; i++) {
        struct candidate *c = &grown[*count];
        struct cria_str text =
            cria_str_sub(hit->content, spans[i].start, spans[i].end - spans[i].start);
        chars += cria_utf8_count(cria_str_sub(hit->content, bytes, spans[i].start - bytes));
        bytes = spans[i].start;
        if (text.len > LONGEST_BYTES) text = cria_utf8_cut(text, LONGEST_BYTES);
        if (text.ptr[0] == '#') continue; /* a heading says what follows is about, not the answer */
        c->folded = fold_copy(call->arena, text);
        if (!c->folded.ptr) return cria_fail_memory(call);
        double words = word_score(scorer, text, language, &c->coverage);
        double grams = cria_gram_score(&scorer->grams, c->folded, 120) /
                       (plan->ideal_grams > 0 ? plan->ideal_grams : 1);
        c->sentence = (struct cria_sentence){
            .hit_n = hit_n,
            .char_start = hit->chunk.char_start + chars,
            .char_end = hit->chunk.char_start + chars + cria_utf8_count(text),
            .page_start = hit->chunk.page_start,
            .page_end = hit->chunk.page_end,
            .text = text,
            .score = plan->word_share * words + (1 - plan->word_share) * grams +
                     CHUNK_SHARE * hit->score / best_score + type_bonus(request->query, text)};
        (*count)++;
    }
    return CRIA_OK;
}

static int best_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->sentence.score != y->sentence.score)
        return x->sentence.score < y->sentence.score ? 1 : -1;
    if (x->sentence.hit_n != y->sentence.hit_n)
        return x->sentence.hit_n < y->sentence.hit_n ? -1 : 1;
    return (x->sentence.char_start > y->sentence.char_start) -
           (x->sentence.char_start < y->sentence.char_start);
}

/* Share of a's 4-grams that b has too: the same sentence again is not quoted twice. */
static bool says_the_same(struct cria_str a, struct cria_str b)
{
    size_t shared = 0, all = a.len > 3 ? a.len - 3 : 0;
    if (!all || b.len < 4) return cria_str_equal(a, b);
    for (size_t i = 0; i < all; i++) shared += memmem(b.ptr, b.len, a.ptr + i, 4) != NULL;
    return (double)shared / (double)all >= SAME_ABOVE;
}

static enum cria_grade grade_of(const struct cria_query_plan *plan,
                                const struct cria_search_result *result,
                                const struct candidate *best)
{
    double signal = 0.5 * result->confidence + 0.5 * best->coverage;
    const struct least *least = plan->is_pairs                        ? &least_pairs
                                : plan->language == CRIA_LANG_ENGLISH ? &least_english
                                                                      : &least_other;
    if (signal >= least->strong) return CRIA_GRADE_STRONG;
    return signal >= least->weak ? CRIA_GRADE_WEAK : CRIA_GRADE_NONE;
}

static enum cria_status pick(struct cria_call *call, const struct cria_query_plan *plan,
                             const struct cria_search_result *result, struct candidate *items,
                             size_t count, size_t limit, struct cria_sentences *out)
{
    struct cria_sentence *picked = CRIA_NEW_ARRAY(call->arena, limit, struct cria_sentence);
    const struct candidate **kept = CRIA_NEW_ARRAY(call->arena, limit, const struct candidate *);
    if (!picked || !kept) return cria_fail_memory(call);
    qsort(items, count, sizeof(*items), best_first);
    for (size_t i = 0; i < count && out->count < limit; i++) {
        bool again = false;
        for (size_t k = 0; k < out->count; k++)
            again = again || says_the_same(items[i].folded, kept[k]->folded);
        if (again) continue;
        kept[out->count] = &items[i];
        picked[out->count++] = items[i].sentence;
    }
    out->items = picked;
    out->grade = count ? grade_of(plan, result, &items[0]) : CRIA_GRADE_NONE;
    return CRIA_OK;
}

enum cria_status cria_search_sentences(struct cria_search *search, struct cria_call *call,
                                       const struct cria_search_request *request,
                                       const struct cria_search_result *result, size_t limit,
                                       struct cria_sentences *out)
{
    struct cria_search_view view;
    struct candidate *items = NULL;
    size_t count = 0;
    *out = (struct cria_sentences){.grade = CRIA_GRADE_NONE};
    if (result->count == 0) return CRIA_OK;
    enum cria_status st = cria_search_open(search, call, request, &view);
    struct scorer *scorer = st == CRIA_OK ? CRIA_NEW(call->arena, struct scorer) : NULL;
    if (st == CRIA_OK && !scorer) st = cria_fail_memory(call);
    if (st == CRIA_OK) {
        scorer->plan = view.plan;
        cria_gram_table_init(&scorer->grams, view.plan);
        scorer->analyser = cria_search_analyser(search);
        if (!scorer->analyser) st = cria_fail_memory(call);
        for (size_t i = 0; i < result->count && i < MAX_HITS && st == CRIA_OK; i++)
            st = take_hit(call, scorer, request, result, i, &items, &count);
        if (scorer->analyser) cria_search_analyser_back(search, scorer->analyser);
    }
    if (st == CRIA_OK && count) st = pick(call, view.plan, result, items, count, limit, out);
    cria_search_close(&view);
    return st;
}
