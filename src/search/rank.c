#include "search/rank.h"

#include <math.h>
#include <stdlib.h>

static const double K1 = 1.2, B = 0.75, PAIR_SHARE = 0.2, TITLE_SHARE = 0.2;
static const double SIMILAR_LEAST = 0.5;
enum { SIMILAR_MOST = 4, EXHAUSTIVE_BELOW = 20, EXHAUSTIVE_CHUNKS = 20000, GRAM_TABLE = 4096 };

/* As if twenty more chunks without the word lay in the collection: in one of three chunks a word
 * that two of them hold is no stop word, and one that none holds is not worth all others. */
static double idf_of(double count, double df)
{
    return log(1.0 + (count + 20 - df + 0.5) / (df + 0.5));
}

static double bm25(double idf, double tf, double length, double average)
{
    return idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / (average > 0 ? average : 1)));
}

/* ---- the plan
 * --------------------------------------------------------------------------------------------- */

struct collect {
    struct cria_query_plan *plan;
    struct cria_arena *arena;
    struct cria_str words[CRIA_MAX_QUERY_TERMS]; /* as written, by position */
    uint32_t word_count;
    bool drops_query_words;
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

static double df_of(const struct cria_query_plan *plan, const struct cria_query_term *term)
{
    double df = 0;
    for (size_t s = 0; s < plan->snapshot_count; s++)
        if (term->ids[s] < plan->snapshots[s]->term_count)
            df += plan->snapshots[s]->starts[term->ids[s] + 1] -
                  plan->snapshots[s]->starts[term->ids[s]];
    return df;
}

/* Looks the stem up everywhere; false when no chunk has it. */
static bool look_up(struct cria_query_plan *plan, struct cria_query_term *term)
{
    for (size_t s = 0; s < plan->snapshot_count; s++) {
        term->ids[s] = cria_vocabulary_find(plan->snapshots[s]->vocabulary, term->text);
        if (term->ids[s] >= plan->snapshots[s]->term_count) term->ids[s] = UINT32_MAX;
    }
    double df = df_of(plan, term);
    term->idf = idf_of(plan->chunk_count, df);
    return df > 0;
}

/* Dice of padded 3-grams: 2 x shared / all. */
static double dice(struct cria_str a, struct cria_str b)
{
    char x[96], y[96];
    if (a.len + 4 > sizeof(x) || b.len + 4 > sizeof(y)) return 0;
    size_t n = a.len + 2, m = b.len + 2, shared = 0;
    bool used[96] = {false};
    memcpy(x, "  ", 2), memcpy(x + 2, a.ptr, a.len), memcpy(x + 2 + a.len, "  ", 2);
    memcpy(y, "  ", 2), memcpy(y + 2, b.ptr, b.len), memcpy(y + 2 + b.len, "  ", 2);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            if (!used[j] && memcmp(x + i, y + j, 3) == 0) {
                used[j] = true;
                shared++;
                break;
            }
    return 2.0 * (double)shared / (double)(n + m);
}

/* For a word that no chunk has: the vocabulary's most similar ones, weighted by their similarity.
 */
static void add_similar(struct cria_query_plan *plan, struct cria_arena *arena,
                        struct cria_str word, size_t stands_for)
{
    struct {
        double similarity;
        struct cria_str text;
    } best[SIMILAR_MOST] = {0};
    for (size_t s = 0; s < plan->snapshot_count; s++) {
        struct cria_vocabulary *vocabulary = plan->snapshots[s]->vocabulary;
        pthread_rwlock_rdlock(&vocabulary->lock);
        for (size_t t = 0; t < plan->snapshots[s]->term_count; t++) {
            struct cria_str term = cria_str_from(vocabulary->terms[t]);
            if (term.len * 3 < word.len || word.len * 3 < term.len) continue;
            double similarity = dice(word, term);
            size_t at = SIMILAR_MOST;
            bool known = false;
            for (size_t i = 0; i < SIMILAR_MOST; i++)
                known = known || cria_str_equal(best[i].text, term);
            while (at > 0 && similarity > best[at - 1].similarity) at--;
            if (known || similarity < SIMILAR_LEAST || at == SIMILAR_MOST) continue;
            memmove(&best[at + 1], &best[at], (SIMILAR_MOST - 1 - at) * sizeof(best[0]));
            best[at].similarity = similarity;
            best[at].text = cria_arena_copy(arena, term);
        }
        pthread_rwlock_unlock(&vocabulary->lock);
    }
    for (size_t i = 0;
         i < SIMILAR_MOST && best[i].text.ptr && plan->term_count < CRIA_MAX_QUERY_TERMS; i++) {
        struct cria_query_term *term = &plan->terms[plan->term_count];
        *term = (struct cria_query_term){.text = best[i].text,
                                         .weight = best[i].similarity,
                                         .stands_for = stands_for,
                                         .position = UINT32_MAX};
        if (look_up(plan, term)) plan->term_count++;
    }
}

static bool is_number(struct cria_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < '0' || word.ptr[i] > '9') return false;
    return true;
}

static bool collect_stem(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct collect *c = arg;
    struct cria_query_plan *plan = c->plan;
    if (position >= c->word_count || plan->term_count == CRIA_MAX_QUERY_TERMS) return false;
    if (c->drops_query_words && is_word && cria_is_query_word(c->words[position], c->language))
        return true;
    for (size_t i = 0; i < plan->term_count; i++)
        if (cria_str_equal(plan->terms[i].text, term) && plan->terms[i].weight == 1) return true;
    struct cria_query_term *out = &plan->terms[plan->term_count];
    *out = (struct cria_query_term){.text = cria_arena_copy(c->arena, term),
                                    .weight = 1,
                                    .position = position,
                                    .stands_for = plan->asked};
    if (!out->text.ptr) {
        c->failed = true;
        return false;
    }
    bool known = look_up(plan, out);
    double idf = out->idf;
    plan->idf_mass += idf;
    if (known) {
        plan->term_count++;
    } else {
        struct cria_str word = c->words[position];
        plan->unknown[plan->unknown_count++] = word;
        if (is_word && word.len >= 4 && !is_number(word))
            add_similar(plan, c->arena, out->text, plan->asked);
    }
    plan->asked++;
    plan->ideal_words += idf;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool plan_grams(struct cria_query_plan *plan, struct cria_arena *arena,
                       struct cria_str query, const struct collect *c)
{
    struct cria_buf kept, folded;
    (void)arena;
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
    size_t count = 0;
    for (size_t i = 0; i + 4 <= folded.len && count < CRIA_MAX_QUERY_GRAMS; i++) {
        memcpy(&plan->grams[count], folded.ptr + i, 4);
        count++;
    }
    qsort(plan->grams, count, sizeof(plan->grams[0]), by_value);
    for (size_t i = 0; i < count; i++) {
        if (plan->gram_count && plan->grams[plan->gram_count - 1] == plan->grams[i]) continue;
        double df = 0;
        uint32_t gram = plan->grams[i];
        for (size_t s = 0; s < plan->snapshot_count; s++)
            df += cria_snapshot_gram_df(plan->snapshots[s], gram);
        if (df > plan->chunk_count) df = plan->chunk_count;
        plan->grams[plan->gram_count] = gram;
        plan->gram_idf[plan->gram_count] = idf_of(plan->chunk_count, df);
        plan->ideal_grams += plan->gram_idf[plan->gram_count];
        plan->gram_count++;
    }
    bool good = !kept.failed && !folded.failed;
    cria_buf_release(&kept);
    cria_buf_release(&folded);
    return good;
}

bool cria_query_plan_make(struct cria_query_plan *plan, struct cria_arena *arena,
                          struct cria_analyser *analyser, struct cria_snapshot **snapshots,
                          size_t count, struct cria_str query)
{
    struct collect *c = CRIA_NEW(arena, struct collect);
    double length = 0, title = 0, folded = 0;
    size_t content_words = 0;
    *plan = (struct cria_query_plan){
        .snapshots = snapshots, .snapshot_count = count, .word_share = 0.5};
    if (!c) return false;
    enum cria_language language = CRIA_LANG_ENGLISH;
    for (size_t s = 0; s < count; s++) {
        plan->chunk_count += (double)snapshots[s]->chunk_count;
        length += (double)snapshots[s]->total_length;
        title += (double)snapshots[s]->total_title;
        folded += (double)snapshots[s]->total_folded;
        if (snapshots[s]->chunk_count) language = snapshots[s]->language;
    }
    if (plan->chunk_count == 0) return true;
    plan->average_length = length / plan->chunk_count;
    plan->average_title = title / plan->chunk_count;
    plan->average_folded = folded / plan->chunk_count;
    c->plan = plan;
    c->arena = arena;
    c->language = plan->language = language;
    cria_analyse(analyser, query, language, true, collect_plain, c);
    c->drops_query_words = true;
    for (uint32_t i = 0; i < c->word_count; i++)
        content_words += !cria_is_query_word(c->words[i], c->language);
    if (content_words == 0) c->drops_query_words = false; /* "to be or not to be" */
    if (language != CRIA_LANG_ENGLISH) plan->word_share = 0.35;
    plan->is_pairs = c->pairs * 2 > c->word_count;
    if (plan->is_pairs) plan->word_share = 0.95; /* pairs of characters say it all */
    cria_analyse(analyser, query, language, false, collect_stem, c);
    return !c->failed && !arena->failed && plan_grams(plan, arena, query, c);
}

/* ---- scoring
 * -------------------------------------------------------------------------------------------------
 */

double cria_gram_score(const struct cria_query_plan *plan, const char *folded, size_t len,
                       double average)
{
    uint16_t table[GRAM_TABLE] = {0}; /* slot -> gram + 1 */
    uint16_t tf[CRIA_MAX_QUERY_GRAMS] = {0};
    double score = 0;
    for (size_t i = 0; i < plan->gram_count; i++) {
        size_t at = (plan->grams[i] * 2654435761u) >> 20;
        while (table[at]) at = (at + 1) & (GRAM_TABLE - 1);
        table[at] = (uint16_t)(i + 1);
    }
    for (size_t i = 0; i + 4 <= len; i++) {
        uint32_t gram;
        memcpy(&gram, folded + i, 4);
        size_t at = (gram * 2654435761u) >> 20;
        while (table[at] && plan->grams[table[at] - 1] != gram) at = (at + 1) & (GRAM_TABLE - 1);
        if (table[at] && tf[table[at] - 1] < UINT16_MAX) tf[table[at] - 1]++;
    }
    for (size_t i = 0; i < plan->gram_count; i++)
        if (tf[i]) score += bm25(plan->gram_idf[i], tf[i], (double)len, average);
    return score;
}

/* Adjacent stems of the query that are adjacent in the chunk; a pair's idf is guessed from its
 * rarer half. */
static double pair_score(const struct cria_query_plan *plan, size_t s,
                         const struct cria_indexed_chunk *chunk)
{
    double score = 0;
    for (size_t i = 0; i + 1 < plan->term_count; i++) {
        const struct cria_query_term *a = &plan->terms[i], *b = &plan->terms[i + 1];
        uint32_t tf = 0;
        if (a->weight != 1 || b->weight != 1 || b->position != a->position + 1) continue;
        if (a->ids[s] == UINT32_MAX || b->ids[s] == UINT32_MAX) continue;
        for (uint32_t k = 0; k + 1 < chunk->length; k++)
            tf += chunk->sequence[k] == a->ids[s] && chunk->sequence[k + 1] == b->ids[s];
        if (tf)
            score += bm25((a->idf > b->idf ? a->idf : b->idf) + 1, tf, chunk->length,
                          plan->average_length);
    }
    return score;
}

static uint32_t tf_in(const struct cria_posting *terms, uint32_t count, uint32_t id)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (terms[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && terms[low].id == id ? terms[low].tf : 0;
}

static double title_score(const struct cria_query_plan *plan, size_t s,
                          const struct cria_indexed_document *document)
{
    double score = 0;
    for (size_t i = 0; i < plan->term_count; i++) {
        uint32_t id = plan->terms[i].ids[s], tf;
        if (id == UINT32_MAX || !(tf = tf_in(document->title_terms, document->title_count, id)))
            continue;
        double df = 0;
        for (size_t k = 0; k < plan->snapshot_count; k++)
            if (plan->terms[i].ids[k] != UINT32_MAX)
                df += plan->snapshots[k]->title_df[plan->terms[i].ids[k]];
        score += plan->terms[i].weight * bm25(idf_of(plan->chunk_count, df), tf,
                                              document->title_length, plan->average_title);
    }
    return score;
}

/* Share of the query's idf mass that the chunk holds. */
static double coverage_of(const struct cria_query_plan *plan, size_t s,
                          const struct cria_indexed_chunk *chunk)
{
    double held[CRIA_MAX_QUERY_TERMS] = {0}, sum = 0;
    if (plan->idf_mass <= 0) return 0;
    for (size_t i = 0; i < plan->term_count; i++) {
        const struct cria_query_term *term = &plan->terms[i];
        if (term->ids[s] == UINT32_MAX || !tf_in(chunk->terms, chunk->term_count, term->ids[s]))
            continue;
        double mass = term->idf * term->weight;
        if (mass > held[term->stands_for]) held[term->stands_for] = mass;
    }
    for (size_t i = 0; i < plan->asked; i++) sum += held[i];
    return sum / plan->idf_mass > 1 ? 1 : sum / plan->idf_mass;
}

struct heap {
    struct cria_scored *items; /* worst of the best first */
    size_t count, limit;
};

static void heap_down(struct heap *heap, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < heap->count && heap->items[child].words < heap->items[least].words)
                least = child;
        if (least == at) return;
        struct cria_scored swap = heap->items[at];
        heap->items[at] = heap->items[least];
        heap->items[least] = swap;
        at = least;
    }
}

static void heap_add(struct heap *heap, struct cria_scored item)
{
    if (heap->count == heap->limit) {
        if (item.words <= heap->items[0].words) return;
        heap->items[0] = item;
        heap_down(heap, 0);
        return;
    }
    size_t at = heap->count++;
    heap->items[at] = item;
    while (at && heap->items[(at - 1) / 2].words > heap->items[at].words) {
        struct cria_scored swap = heap->items[at];
        heap->items[at] = heap->items[(at - 1) / 2];
        heap->items[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

/* The words leg over one snapshot: every posting of every term, the best kept. all: chunks without
 * a word too. */
static bool words_leg(const struct cria_query_plan *plan, size_t s, const bool *allowed, bool all,
                      struct heap *heap)
{
    const struct cria_snapshot *snapshot = plan->snapshots[s];
    float *scores = calloc(snapshot->chunk_count + 1, sizeof(*scores));
    if (!scores) return false;
    for (size_t i = 0; i < plan->term_count; i++) {
        const struct cria_query_term *term = &plan->terms[i];
        if (term->ids[s] == UINT32_MAX) continue;
        uint32_t end = snapshot->starts[term->ids[s] + 1];
        for (uint32_t p = snapshot->starts[term->ids[s]]; p < end; p++) {
            const struct cria_posting *posting = &snapshot->postings[p];
            scores[posting->id] +=
                (float)(term->weight * bm25(term->idf, posting->tf, snapshot->lengths[posting->id],
                                            plan->average_length));
        }
    }
    for (size_t n = 0; n < snapshot->chunk_count; n++) {
        if (scores[n] <= 0 && !all) continue;
        if (allowed && !allowed[snapshot->chunks[n].document]) continue;
        heap_add(heap, (struct cria_scored){
                           .snapshot = (uint32_t)s, .chunk = (uint32_t)n, .words = scores[n]});
    }
    free(scores);
    return true;
}

static int best_first(const void *a, const void *b)
{
    const struct cria_scored *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->snapshot != y->snapshot) return x->snapshot < y->snapshot ? -1 : 1;
    return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static double share(double score, double ideal)
{
    return ideal <= 0 ? 0 : score >= ideal ? 1 : score / ideal;
}

bool cria_rank(const struct cria_query_plan *plan, struct cria_arena *arena, bool *const *allowed,
               size_t candidates, struct cria_ranking *out)
{
    struct heap heap = {.limit = candidates};
    double best_words = 0, best_grams = 0;
    *out = (struct cria_ranking){0};
    if (plan->chunk_count == 0) return true;
    heap.items = CRIA_NEW_ARRAY(arena, candidates, struct cria_scored);
    for (size_t s = 0; heap.items && s < plan->snapshot_count; s++)
        if (!words_leg(plan, s, allowed ? allowed[s] : NULL, false, &heap)) return false;
    if (heap.items && heap.count < EXHAUSTIVE_BELOW && plan->chunk_count <= EXHAUSTIVE_CHUNKS) {
        /* Few chunks share a word with the query: the 4-grams look at all of them. */
        heap = (struct heap){.limit = (size_t)plan->chunk_count};
        heap.items = CRIA_NEW_ARRAY(arena, heap.limit, struct cria_scored);
        for (size_t s = 0; heap.items && s < plan->snapshot_count; s++)
            if (!words_leg(plan, s, allowed ? allowed[s] : NULL, true, &heap)) return false;
    }
    if (!heap.items) return false;
    for (size_t i = 0; i < heap.count; i++) {
        struct cria_scored *item = &heap.items[i];
        const struct cria_snapshot *snapshot = plan->snapshots[item->snapshot];
        const struct cria_indexed_chunk *chunk = cria_snapshot_chunk(snapshot, item->chunk);
        item->words += PAIR_SHARE * pair_score(plan, item->snapshot, chunk) +
                       TITLE_SHARE * title_score(plan, item->snapshot,
                                                 cria_snapshot_document(snapshot, item->chunk));
        item->grams = cria_gram_score(plan, chunk->folded, chunk->folded_len, plan->average_folded);
        if (item->words > best_words) best_words = item->words;
        if (item->grams > best_grams) best_grams = item->grams;
    }
    size_t kept = 0;
    for (size_t i = 0; i < heap.count; i++) {
        struct cria_scored item = heap.items[i];
        if (item.words <= 0 && item.grams <= 0) continue;
        item.score = plan->word_share * (best_words > 0 ? item.words / best_words : 0) +
                     (1 - plan->word_share) * (best_grams > 0 ? item.grams / best_grams : 0);
        heap.items[kept++] = item;
    }
    qsort(heap.items, kept, sizeof(*heap.items), best_first);
    if (kept) /* the same factor for all: the order stays, and a score tells how good the match is
                 at all */
        out->confidence = plan->word_share * share(heap.items[0].words, plan->ideal_words) +
                          (1 - plan->word_share) * share(heap.items[0].grams, plan->ideal_grams);
    for (size_t i = 0; i < kept; i++) {
        const struct cria_snapshot *snapshot = plan->snapshots[heap.items[i].snapshot];
        heap.items[i].coverage = coverage_of(plan, heap.items[i].snapshot,
                                             cria_snapshot_chunk(snapshot, heap.items[i].chunk));
        heap.items[i].score *= out->confidence;
    }
    out->items = heap.items;
    out->count = kept;
    return true;
}
