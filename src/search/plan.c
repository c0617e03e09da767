#include "search/plan.h"

#include <math.h>

#include "search/postings.h"

static const double SIMILAR_LEAST = 0.5;
/* Of the words leg in the mixture: other languages have more endings and compounds, which 4-grams
 * see; pairs of characters say almost all. */
static const double WORDS_ENGLISH = 0.5, WORDS_OTHER = 0.35, WORDS_OF_PAIRS = 0.85;
enum { SIMILAR_MOST = 4, SECOND_LANGUAGE_SHARE = 10, GRAM_PIECE = 1024 /* bytes at once */ };

/* As if some more chunks without the word lay in a small collection: in one of three chunks a word
 * that two of them hold is no stop word, and one that none holds is not worth all others. Twenty of
 * them beside a few chunks, three beside 250, none beside thousands. */
double cria_idf(double count, double df)
{
    double prior = 20 / (1 + count / 40);
    if (df > count) df = count;
    return log(1.0 + (count + prior - df + 0.5) / (df + 0.5));
}

struct collect {
    struct cria_query_plan *plan;
    struct cria_arena *arena;
    struct cria_str words[CRIA_MAX_QUERY_TERMS]; /* as written, by position */
    size_t asked_as[CRIA_MAX_QUERY_TERMS];       /* the query's term by position, + 1 */
    uint32_t word_count;
    bool drops_query_words;
    bool is_second; /* stems of the collection's second language are added to the first's */
    enum cria_language language;
    uint32_t pairs; /* terms that are character pairs */
    bool failed;
};

static bool collect_plain(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct collect *c = arg;
    if (position >= CRIA_MAX_QUERY_TERMS) return false;
    c->pairs += !is_word;
    c->words[position] = cria_arena_copy(c->arena, term);
    c->word_count = position + 1;
    return c->words[position].ptr != NULL;
}

/* Looks the stem up everywhere; false when no chunk has it. */
static bool look_up(struct collect *c, struct cria_query_term *term)
{
    struct cria_query_plan *plan = c->plan;
    double df = 0, title_df = 0;
    term->ordinals = CRIA_NEW_ARRAY(c->arena, plan->source_count, uint32_t);
    term->postings = CRIA_NEW_ARRAY(c->arena, plan->source_count, struct cria_segment_term);
    if (!term->ordinals || !term->postings) {
        c->failed = true;
        return false;
    }
    for (size_t s = 0; s < plan->source_count; s++) {
        const struct cria_segment *segment = plan->sources[s].segment;
        term->ordinals[s] = cria_dictionary_find(&segment->dictionary, term->text);
        if (term->ordinals[s] == UINT32_MAX) continue;
        if (!cria_segment_term(segment, term->ordinals[s], &term->postings[s])) {
            plan->is_damaged = true;
            term->ordinals[s] = UINT32_MAX;
            continue;
        }
        df += term->postings[s].df;
        title_df += term->postings[s].title_df;
    }
    term->mark = cria_term_mark(term->text);
    term->idf = cria_idf(plan->chunk_count, df);
    term->title_idf = cria_idf(plan->chunk_count, title_df);
    return df > 0;
}

struct similar {
    double similarity;
    struct cria_str text;
};

static void keep_similar(struct similar best[SIMILAR_MOST], struct cria_arena *arena,
                         struct cria_str text, double similarity)
{
    size_t at = SIMILAR_MOST;
    for (size_t i = 0; i < SIMILAR_MOST; i++)
        if (cria_str_equal(best[i].text, text)) return;
    while (at > 0 && similarity > best[at - 1].similarity) at--;
    if (at == SIMILAR_MOST) return;
    memmove(&best[at + 1], &best[at], (SIMILAR_MOST - 1 - at) * sizeof(best[0]));
    best[at] = (struct similar){similarity, cria_arena_copy(arena, text)};
}

/* For a word that no chunk has: the vocabularies' most similar ones, weighted by their similarity.
 */
static void add_similar(struct collect *c, struct cria_str word, size_t stands_for)
{
    struct cria_query_plan *plan = c->plan;
    struct similar best[SIMILAR_MOST] = {0};
    for (size_t s = 0; s < plan->source_count; s++) {
        const struct cria_segment *segment = plan->sources[s].segment;
        struct cria_similar_term found[SIMILAR_MOST];
        char term[CRIA_DICTIONARY_MAX_TERM + 1];
        size_t count = cria_similar_find(&segment->similar, &segment->dictionary, word,
                                         SIMILAR_LEAST, SIMILAR_MOST, found);
        for (size_t i = 0; i < count; i++) {
            struct cria_str text =
                cria_dictionary_term(&segment->dictionary, found[i].ordinal, term);
            if (text.ptr) keep_similar(best, c->arena, text, found[i].similarity);
        }
    }
    for (size_t i = 0;
         i < SIMILAR_MOST && best[i].text.ptr && plan->term_count < CRIA_MAX_QUERY_TERMS; i++) {
        struct cria_query_term *term = &plan->terms[plan->term_count];
        *term = (struct cria_query_term){.text = best[i].text,
                                         .weight = best[i].similarity,
                                         .stands_for = stands_for,
                                         .position = UINT32_MAX};
        if (look_up(c, term)) plan->term_count++;
    }
}

static bool is_number(struct cria_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < '0' || word.ptr[i] > '9') return false;
    return true;
}

/* A stem of the collection's second language beside the first's of the same word. */
static bool collect_second(struct collect *c, struct cria_str term, uint32_t position)
{
    struct cria_query_plan *plan = c->plan;
    if (!c->asked_as[position]) return true;
    size_t stands_for = c->asked_as[position] - 1;
    struct cria_query_term *out = &plan->terms[plan->term_count];
    *out = (struct cria_query_term){.text = cria_arena_copy(c->arena, term),
                                    .weight = 1,
                                    .position = UINT32_MAX,
                                    .stands_for = stands_for};
    if (out->text.ptr && look_up(c, out)) plan->term_count++;
    return !c->failed;
}

static bool collect_stem(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct collect *c = arg;
    struct cria_query_plan *plan = c->plan;
    if (position >= c->word_count || plan->term_count == CRIA_MAX_QUERY_TERMS) return false;
    if (c->drops_query_words && is_word && cria_is_query_word(c->words[position], c->language))
        return true;
    for (size_t i = 0; i < plan->term_count; i++)
        if (cria_str_equal(plan->terms[i].text, term) && plan->terms[i].weight == 1) {
            if (!c->asked_as[position]) c->asked_as[position] = plan->terms[i].stands_for + 1;
            return true;
        }
    if (c->is_second) return collect_second(c, term, position);
    struct cria_query_term *out = &plan->terms[plan->term_count];
    *out = (struct cria_query_term){.text = cria_arena_copy(c->arena, term),
                                    .weight = 1,
                                    .position = position,
                                    .stands_for = plan->asked};
    if (!out->text.ptr) {
        c->failed = true;
        return false;
    }
    bool known = look_up(c, out);
    double idf = out->idf;
    plan->idf_mass += idf;
    if (known) {
        plan->term_count++;
    } else {
        struct cria_str word = c->words[position];
        plan->unknown[plan->unknown_count++] = word;
        if (is_word && word.len >= 4 && !is_number(word)) add_similar(c, out->text, plan->asked);
    }
    c->asked_as[position] = ++plan->asked;
    plan->ideal_words += idf;
    return !c->failed;
}

static bool plan_grams(struct cria_query_plan *plan, struct cria_str query, const struct collect *c)
{
    struct cria_buf kept, folded;
    cria_buf_init(&kept, 1 << 20);
    cria_buf_init(&folded, 1 << 20);
    if (c->drops_query_words) { /* the query's own words are left out of this leg too */
        for (uint32_t i = 0; i < c->word_count; i++) {
            if (cria_is_query_word(c->words[i], c->language)) continue;
            cria_buf_add(&kept, c->words[i]);
            cria_buf_add_char(&kept, ' ');
        }
        query = cria_buf_str(&kept);
    }
    cria_fold_bytes(&folded, query);
    plan->gram_count = cria_distinct_grams(
        cria_str_sub(cria_buf_str(&folded), 0, CRIA_MAX_QUERY_GRAMS + 3), plan->grams);
    for (size_t i = 0; i < plan->gram_count; i++) {
        double df = 0;
        for (size_t s = 0; s < plan->source_count; s++)
            df += cria_segment_gram_df(plan->sources[s].segment, plan->grams[i]);
        plan->gram_idf[i] = cria_idf(plan->chunk_count, df);
        plan->ideal_grams += plan->gram_idf[i];
    }
    bool good = !kept.failed && !folded.failed;
    cria_buf_release(&kept);
    cria_buf_release(&folded);
    return good;
}

/* The sums over the collection; its most spoken language, and the second one where it counts. */
static void add_up(struct cria_query_plan *plan, enum cria_language *second)
{
    uint64_t languages[CRIA_LANG_COUNT] = {0};
    double length = 0, title = 0, folded = 0;
    for (size_t s = 0; s < plan->source_count; s++) {
        const struct cria_segment_meta *meta = &plan->sources[s].segment->meta;
        plan->chunk_count += meta->chunk_count;
        length += (double)meta->total_length;
        title += (double)meta->total_title;
        folded += (double)meta->total_folded;
        for (size_t i = 0; i < CRIA_LANG_COUNT; i++) languages[i] += meta->languages[i];
    }
    double count = plan->chunk_count > 0 ? plan->chunk_count : 1;
    plan->average_length = length / count;
    plan->average_title = title / count;
    plan->average_folded = folded / count;
    size_t best = 0, next = CRIA_LANG_COUNT;
    for (size_t i = 1; i < CRIA_LANG_COUNT; i++)
        if (languages[i] > languages[best]) best = i;
    for (size_t i = 0; i < CRIA_LANG_COUNT; i++)
        if (i != best && languages[i] &&
            (next == CRIA_LANG_COUNT || languages[i] > languages[next]))
            next = i;
    plan->language = (enum cria_language)best;
    *second = next < CRIA_LANG_COUNT &&
                      languages[next] * SECOND_LANGUAGE_SHARE >= (uint64_t)plan->chunk_count
                  ? (enum cria_language)next
                  : CRIA_LANG_COUNT;
}

static size_t question_words(const struct collect *c, enum cria_language language)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < c->word_count; i++) sum += cria_is_query_word(c->words[i], language);
    return sum;
}

bool cria_query_plan_make(struct cria_query_plan *plan, struct cria_arena *arena,
                          struct cria_analyser *analyser, const struct cria_rank_source *sources,
                          size_t count, struct cria_str query)
{
    struct collect *c = CRIA_NEW(arena, struct collect);
    enum cria_language second = CRIA_LANG_COUNT;
    *plan = (struct cria_query_plan){.sources = sources, .source_count = count};
    if (!c) return false;
    add_up(plan, &second);
    if (plan->chunk_count == 0) return true;
    c->plan = plan;
    c->arena = arena;
    c->language = plan->language;
    cria_analyse(analyser, query, c->language, true, collect_plain, c);
    if (second != CRIA_LANG_COUNT && question_words(c, second) > question_words(c, c->language)) {
        c->language = second; /* the question is in the language of the fewer documents */
        second = plan->language;
        plan->language = c->language;
    }
    c->drops_query_words = true;
    if (question_words(c, c->language) == c->word_count)
        c->drops_query_words = false; /* "to be or not to be" */
    plan->is_pairs = c->pairs * 2 > c->word_count;
    plan->word_share = plan->is_pairs                        ? WORDS_OF_PAIRS
                       : plan->language == CRIA_LANG_ENGLISH ? WORDS_ENGLISH
                                                             : WORDS_OTHER;
    cria_analyse(analyser, query, c->language, false, collect_stem, c);
    if (second != CRIA_LANG_COUNT && !plan->is_pairs) {
        c->is_second = true;
        cria_analyse(analyser, query, second, false, collect_stem, c);
    }
    return !c->failed && !arena->failed && plan_grams(plan, query, c);
}

/* ---- 4-grams of texts */

static size_t gram_slot(uint32_t gram)
{
    return (gram * 2654435761u) >> 20;
}

void cria_gram_table_init(struct cria_gram_table *table, const struct cria_query_plan *plan)
{
    *table = (struct cria_gram_table){.plan = plan};
    for (size_t i = 0; i < plan->gram_count; i++) {
        size_t at = gram_slot(plan->grams[i]);
        while (table->slots[at]) at = (at + 1) & (CRIA_COUNT(table->slots) - 1);
        table->slots[at] = (uint16_t)(i + 1);
    }
}

/* Counts the query's grams among those that begin at text[0..count). Where they are cannot be
 * guessed, so places whose slot is taken are noted first, without a branch for each. */
static void count_grams(const struct cria_gram_table *table, const char *text, size_t count,
                        uint16_t tf[CRIA_MAX_QUERY_GRAMS])
{
    const struct cria_query_plan *plan = table->plan;
    uint16_t places[GRAM_PIECE];
    size_t taken = 0;
    uint32_t gram;
    for (size_t i = 0; i < count; i++) {
        memcpy(&gram, text + i, 4);
        places[taken] = (uint16_t)i;
        taken += table->slots[gram_slot(gram)] != 0;
    }
    for (size_t k = 0; k < taken; k++) {
        memcpy(&gram, text + places[k], 4);
        size_t at = gram_slot(gram);
        while (table->slots[at] && plan->grams[table->slots[at] - 1] != gram)
            at = (at + 1) & (CRIA_COUNT(table->slots) - 1);
        if (table->slots[at] && tf[table->slots[at] - 1] < UINT16_MAX) tf[table->slots[at] - 1]++;
    }
}

double cria_gram_score(const struct cria_gram_table *table, struct cria_str folded, double average)
{
    const struct cria_query_plan *plan = table->plan;
    uint16_t tf[CRIA_MAX_QUERY_GRAMS];
    double score = 0;
    memset(tf, 0, plan->gram_count * sizeof(tf[0]));
    for (size_t i = 0; i + 4 <= folded.len; i += GRAM_PIECE) {
        size_t left = folded.len - i - 3;
        count_grams(table, folded.ptr + i, left < GRAM_PIECE ? left : GRAM_PIECE, tf);
    }
    for (size_t i = 0; i < plan->gram_count; i++)
        if (tf[i]) score += plan->gram_idf[i] * cria_bm25(tf[i], (double)folded.len, average);
    return score;
}
