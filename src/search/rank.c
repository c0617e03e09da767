#include "search/rank.h"

#include <math.h>
#include <stdlib.h>

#include "search/bitmap.h"
#include "search/vector/vector.h"

static const double PAIR_SHARE = 0.2, TITLE_SHARE = 0.2;
/* Of the vectors in the mixture, by how much of the query the words cover: SEARCH measured. */
static const double VECTOR_MOST = 0.8, VECTOR_LESS = 0.6;
enum { EXHAUSTIVE_BELOW = 20, EXHAUSTIVE_CHUNKS = 20000, FETCH_BYTES = 2048 };
/* Of the candidates by vectors one in so many is asked for surely: as many as are returned. Where
 * words find candidates, too, so much of the lists is enough: nineteen of the twenty nearest are
 * there, at a third of the time that is spent on the last one. */
enum { SURE_SHARE = 10 };
static const double PROBED_SHARE = 0.3;

struct ranker {
    const struct cria_query_plan *plan;
    struct cria_call *call;
    struct cria_arena *arena;
    const struct cria_rank_options *options;
    struct cria_words_source *words;
    size_t **list_terms; /* by source: which term of the plan each list is */
    struct cria_gram_table *grams;
    struct cria_scored *items;
    size_t count, capacity;
    double least_cosine, best_cosine; /* over the collection */
    size_t damaged;
};

/* ---- the words leg */

static enum cria_status open_words(struct ranker *r)
{
    const struct cria_query_plan *plan = r->plan;
    r->words = CRIA_NEW_ARRAY(r->arena, plan->source_count, struct cria_words_source);
    r->list_terms = CRIA_NEW_ARRAY(r->arena, plan->source_count, size_t *);
    if (!r->words || !r->list_terms) return CRIA_E_NO_MEMORY;
    for (size_t s = 0; s < plan->source_count; s++) {
        const struct cria_segment *segment = plan->sources[s].segment;
        struct cria_words_list *lists =
            CRIA_NEW_ARRAY(r->arena, plan->term_count, struct cria_words_list);
        r->list_terms[s] = CRIA_NEW_ARRAY(r->arena, plan->term_count, size_t);
        if (!lists || !r->list_terms[s]) return CRIA_E_NO_MEMORY;
        struct cria_words_source *source = &r->words[s];
        *source = (struct cria_words_source){
            .lists = lists,
            .norms = segment->norms.ptr,
            .chunk_count = segment->meta.chunk_count,
            .average_length = segment->meta.chunk_count
                                  ? (double)segment->meta.total_length / segment->meta.chunk_count
                                  : 0,
            .allowed = plan->sources[s].allowed};
        for (size_t i = 0; i < plan->term_count; i++) {
            const struct cria_query_term *term = &plan->terms[i];
            if (term->ordinals[s] == UINT32_MAX || term->postings[s].df == 0) continue;
            r->list_terms[s][source->list_count] = i;
            lists[source->list_count++] =
                (struct cria_words_list){.bytes = segment->postings,
                                         .offset = (size_t)term->postings[s].offset,
                                         .length = term->postings[s].length,
                                         .df = term->postings[s].df,
                                         .weight = term->idf * term->weight};
        }
    }
    return CRIA_OK;
}

static enum cria_status words_status(struct ranker *r, enum cria_words_result result, size_t source)
{
    if (result == CRIA_WORDS_DAMAGED) r->damaged = source;
    return result == CRIA_WORDS_OK        ? CRIA_OK
           : result == CRIA_WORDS_DAMAGED ? CRIA_E_CORRUPT
                                          : CRIA_E_NO_MEMORY;
}

static bool make_room(struct ranker *r, size_t more)
{
    if (r->count + more <= r->capacity) return true;
    size_t capacity = r->count + more + r->capacity / 2;
    struct cria_scored *grown = CRIA_NEW_ARRAY(r->arena, capacity, struct cria_scored);
    if (!grown) return false;
    if (r->count) memcpy(grown, r->items, r->count * sizeof(*grown));
    r->items = grown;
    r->capacity = capacity;
    return true;
}

static void add(struct ranker *r, size_t source, uint32_t chunk)
{
    r->items[r->count++] =
        (struct cria_scored){.source = (uint32_t)source, .chunk = chunk, .cosine = NAN};
}

static enum cria_status find_by_words(struct ranker *r)
{
    size_t limit = r->options->candidates, count = 0, damaged = 0;
    struct cria_words_hit *hits = CRIA_NEW_ARRAY(r->arena, limit, struct cria_words_hit);
    if (!hits || !make_room(r, limit)) return CRIA_E_NO_MEMORY;
    enum cria_status st =
        words_status(r,
                     cria_words_top(r->words, r->plan->source_count, r->plan->average_length, limit,
                                    r->arena, hits, &count, &damaged),
                     damaged);
    for (size_t i = 0; st == CRIA_OK && i < count; i++) add(r, hits[i].source, hits[i].chunk);
    return st;
}

/* Few chunks share a word with the query: the 4-grams look at all of them. */
static enum cria_status find_all(struct ranker *r)
{
    if (!make_room(r, (size_t)r->plan->chunk_count)) return CRIA_E_NO_MEMORY;
    r->count = 0;
    for (size_t s = 0; s < r->plan->source_count; s++) {
        const struct cria_rank_source *source = &r->plan->sources[s];
        for (uint32_t n = 0; n < source->segment->meta.chunk_count; n++)
            if (!source->allowed || cria_bit(source->allowed, n)) add(r, s, n);
    }
    return CRIA_OK;
}

/* ---- the vectors */

static bool has_vectors(const struct ranker *r, size_t s)
{
    const struct cria_rank_source *source = &r->plan->sources[s];
    return r->options->query && source->vectors &&
           cria_vector_dims(source->vectors) == r->options->dims &&
           cria_vector_count(source->vectors) == source->segment->meta.chunk_count;
}

static int nearest_first(const void *a, const void *b)
{
    const struct cria_scored *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine < y->cosine ? 1 : -1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static enum cria_status vector_status(struct ranker *r, enum cria_status st, size_t source)
{
    if (st == CRIA_E_CORRUPT) r->damaged = source;
    return st;
}

static struct cria_vector_options effort(const struct ranker *r,
                                         const struct cria_vector_index *vectors)
{
    bool fuses = r->options->full_text_weight > 0;
    return (struct cria_vector_options){
        .sure = (uint32_t)(r->options->candidates / SURE_SHARE) + 1,
        .max_probes = fuses ? (uint32_t)(PROBED_SHARE * cria_vector_lists(vectors)) : 0};
}

/* The nearest chunks of every source join the candidates; how the cosines of the whole collection
 * lie is learned on the way. */
static enum cria_status find_by_vectors(struct ranker *r)
{
    size_t limit = r->options->candidates, begin = r->count;
    bool any = false;
    for (size_t s = 0; s < r->plan->source_count; s++) {
        const struct cria_rank_source *source = &r->plan->sources[s];
        struct cria_vector_spread spread;
        uint32_t found = 0;
        if (!has_vectors(r, s)) continue;
        struct cria_vector_hit *hits = CRIA_NEW_ARRAY(r->arena, limit, struct cria_vector_hit);
        if (!hits || !make_room(r, limit)) return CRIA_E_NO_MEMORY;
        const struct cria_vector_options options = effort(r, source->vectors);
        enum cria_status st =
            cria_vector_search(source->vectors, r->call, r->options->query, (uint32_t)limit,
                               source->allowed, &options, hits, &found);
        if (st == CRIA_OK)
            st = cria_vector_spread(source->vectors, r->call, r->options->query, &spread);
        if (st != CRIA_OK) return vector_status(r, st, s);
        for (uint32_t i = 0; i < found; i++) {
            add(r, s, hits[i].row);
            r->items[r->count - 1].cosine = hits[i].score;
        }
        if (spread.rows && (!any || spread.least < r->least_cosine)) r->least_cosine = spread.least;
        any = any || spread.rows;
    }
    size_t count = r->count - begin;
    if (count) qsort(r->items + begin, count, sizeof(*r->items), nearest_first);
    if (count) r->best_cosine = r->items[begin].cosine;
    if (count > limit) r->count = begin + limit;
    return CRIA_OK;
}

/* ---- what the candidates are worth */

static int by_place(const void *a, const void *b)
{
    const struct cria_scored *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->chunk != y->chunk) return x->chunk < y->chunk ? -1 : 1;
    return isnan(x->cosine) - isnan(y->cosine);
}

static void drop_repeats(struct ranker *r)
{
    size_t kept = 0;
    if (r->count) qsort(r->items, r->count, sizeof(*r->items), by_place);
    for (size_t i = 0; i < r->count; i++)
        if (!kept || r->items[kept - 1].source != r->items[i].source ||
            r->items[kept - 1].chunk != r->items[i].chunk)
            r->items[kept++] = r->items[i];
    r->count = kept;
}

typedef uint16_t marks __attribute__((vector_size(16)));

/* How often b follows a in the sequence. */
static uint32_t count_pairs(const struct cria_segment_chunk *chunk, uint16_t a, uint16_t b)
{
    const uint8_t *at = chunk->sequence;
    uint32_t places = chunk->sequence_length ? chunk->sequence_length - 1 : 0, k = 0, count = 0;
    marks found = {0}, first, second;
    for (; k + 8 <= places; k += 8) { /* so many below 2^16 in a lane */
        memcpy(&first, at + 2 * (size_t)k, sizeof(first));
        memcpy(&second, at + 2 * (size_t)k + 2, sizeof(second));
        found -= (marks)((first == a) & (second == b)); /* true is -1 */
    }
    for (int i = 0; i < 8; i++) count += found[i];
    for (; k < places; k++)
        count += cria_load16(at + 2 * (size_t)k) == a && cria_load16(at + 2 * (size_t)k + 2) == b;
    return count;
}

/* Adjacent stems of the query that are adjacent in the chunk, which holds both of them by its tfs;
 * a pair's idf is guessed from its rarer half. */
static double pair_score(const struct ranker *r, size_t s, const struct cria_segment_chunk *chunk,
                         const uint32_t *tfs)
{
    const struct cria_query_plan *plan = r->plan;
    double score = 0;
    for (size_t i = 0; i + 1 < r->words[s].list_count; i++) {
        const struct cria_query_term *a = &plan->terms[r->list_terms[s][i]],
                                     *b = &plan->terms[r->list_terms[s][i + 1]];
        if (!tfs[i] || !tfs[i + 1] || b != a + 1) continue;
        if (a->weight != 1 || b->weight != 1 || b->position != a->position + 1) continue;
        uint32_t tf = count_pairs(chunk, a->mark, b->mark);
        if (tf)
            score += ((a->idf > b->idf ? a->idf : b->idf) + 1) *
                     cria_bm25(tf, chunk->sequence_length, plan->average_length);
    }
    return score;
}

static double title_score(const struct ranker *r, size_t s,
                          const struct cria_segment_document *document)
{
    const struct cria_query_plan *plan = r->plan;
    double score = 0;
    for (size_t i = 0; i < plan->term_count; i++) {
        const struct cria_query_term *term = &plan->terms[i];
        uint32_t tf = 0;
        if (term->ordinals[s] == UINT32_MAX || term->postings[s].title_df == 0) continue;
        for (uint32_t k = 0; k < document->title_count; k++)
            tf += cria_load32(document->title + 4 * (size_t)k) == term->ordinals[s];
        if (tf)
            score += term->weight * term->title_idf *
                     cria_bm25(tf, document->title_count, plan->average_title);
    }
    return score;
}

/* Share of the query's idf mass that a chunk holds. */
static double coverage_of(const struct ranker *r, size_t s, const uint32_t *tfs)
{
    const struct cria_query_plan *plan = r->plan;
    double held[CRIA_MAX_QUERY_TERMS], sum = 0;
    if (plan->idf_mass <= 0) return 0;
    memset(held, 0, plan->asked * sizeof(held[0]));
    for (size_t i = 0; i < r->words[s].list_count; i++) {
        const struct cria_query_term *term = &plan->terms[r->list_terms[s][i]];
        double mass = tfs[i] ? term->idf * term->weight : 0;
        if (mass > held[term->stands_for]) held[term->stands_for] = mass;
    }
    for (size_t i = 0; i < plan->asked; i++) sum += held[i];
    return sum / plan->idf_mass > 1 ? 1 : sum / plan->idf_mass;
}

/* Candidates lie far from each other: the next one's bytes come while one is looked at. */
static void fetch(const struct cria_segment_chunk *chunk)
{
    size_t folded = chunk->folded.len < FETCH_BYTES ? chunk->folded.len : FETCH_BYTES;
    size_t sequence = 2 * (size_t)chunk->sequence_length;
    if (sequence > FETCH_BYTES) sequence = FETCH_BYTES;
    for (size_t i = 0; i < folded; i += 64) __builtin_prefetch(chunk->folded.ptr + i);
    for (size_t i = 0; i < sequence; i += 64) __builtin_prefetch(chunk->sequence + i);
}

static bool score_one(const struct ranker *r, struct cria_scored *item, const uint32_t *tfs,
                      const struct cria_segment_chunk *chunk)
{
    const struct cria_segment *segment = r->plan->sources[item->source].segment;
    struct cria_segment_document document;
    if (!cria_segment_document(segment, chunk->document, &document)) return false;
    /* Pairs of pairs of characters would only count the same again. */
    if (!r->plan->is_pairs) item->words += PAIR_SHARE * pair_score(r, item->source, chunk, tfs);
    item->words += TITLE_SHARE * title_score(r, item->source, &document);
    item->grams = cria_gram_score(r->grams, chunk->folded, r->plan->average_folded);
    return true;
}

/* Pairs, titles and 4-grams, of candidates of one source whose words are scored. */
static bool look_at(const struct ranker *r, size_t s, struct cria_scored *items, size_t count,
                    const uint32_t *tfs)
{
    const struct cria_segment *segment = r->plan->sources[s].segment;
    struct cria_segment_chunk chunk, next;
    if (!cria_segment_chunk(segment, items[0].chunk, &next)) return false;
    for (size_t i = 0; i < count; i++) {
        chunk = next;
        if (i + 1 < count) {
            if (!cria_segment_chunk(segment, items[i + 1].chunk, &next)) return false;
            fetch(&next);
        }
        if (!score_one(r, &items[i], tfs + i * r->words[s].list_count, &chunk)) return false;
    }
    return true;
}

/* The candidates of one source, which lie side by side in order of their chunks. */
static enum cria_status score_source(struct ranker *r, size_t s, struct cria_scored *items,
                                     size_t count)
{
    size_t lists = r->words[s].list_count;
    uint32_t *chunks = CRIA_NEW_ARRAY(r->arena, count, uint32_t);
    uint32_t *tfs = CRIA_NEW_ARRAY(r->arena, count * lists, uint32_t);
    float *scores = CRIA_NEW_ARRAY(r->arena, count, float);
    if (!chunks || !scores || !tfs) return CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) chunks[i] = items[i].chunk;
    enum cria_status st =
        words_status(r,
                     cria_words_scores(r->words, r->plan->source_count, r->plan->average_length, s,
                                       chunks, count, r->arena, scores, tfs),
                     s);
    for (size_t i = 0; i < count && st == CRIA_OK; i++) {
        items[i].words = scores[i];
        items[i].coverage = coverage_of(r, s, tfs + i * lists);
    }
    if (st == CRIA_OK && !look_at(r, s, items, count, tfs)) {
        r->damaged = s;
        st = CRIA_E_CORRUPT;
    }
    if (st != CRIA_OK || !has_vectors(r, s)) return st;
    st = vector_status(r,
                       cria_vector_scores(r->plan->sources[s].vectors, r->call, r->options->query,
                                          chunks, count, scores),
                       s);
    for (size_t i = 0; i < count && st == CRIA_OK; i++) items[i].cosine = scores[i];
    return st;
}

static enum cria_status score_all(struct ranker *r)
{
    enum cria_status st = CRIA_OK;
    for (size_t i = 0, n; i < r->count && st == CRIA_OK; i += n) {
        for (n = 1; i + n < r->count && r->items[i + n].source == r->items[i].source;) n++;
        st = score_source(r, r->items[i].source, r->items + i, n);
    }
    return st;
}

/* ---- one score */

static double share(double score, double ideal)
{
    return ideal <= 0 ? 0 : score >= ideal ? 1 : score / ideal;
}

static int best_first(const void *a, const void *b)
{
    const struct cria_scored *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

/* Of the vectors: less where the words cover the query. The contract's two weights scale it. */
static double vector_share(const struct ranker *r, double coverage)
{
    const struct cria_rank_options *o = r->options;
    double w = VECTOR_MOST - VECTOR_LESS * coverage;
    double vectors = w * o->vector_weight, words = (1 - w) * o->full_text_weight;
    return vectors + words > 0 ? vectors / (vectors + words) : 0;
}

static void mix(struct ranker *r, struct cria_ranking *out)
{
    const struct cria_query_plan *plan = r->plan;
    double best_words = 0, best_grams = 0, best_coverage = 0, best_lexical = 0, vectors = 0;
    bool fuses = false;
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct cria_scored *item = &r->items[i];
        if (item->words > best_words) best_words = item->words;
        if (item->grams > best_grams) best_grams = item->grams;
        if (item->coverage > best_coverage) best_coverage = item->coverage;
        fuses = fuses || !isnan(item->cosine);
    }
    if (fuses) vectors = vector_share(r, best_coverage);
    double width = r->best_cosine - r->least_cosine;
    for (size_t i = 0; i < r->count; i++) {
        struct cria_scored item = r->items[i];
        double lexical = plan->word_share * (best_words > 0 ? item.words / best_words : 0) +
                         (1 - plan->word_share) * (best_grams > 0 ? item.grams / best_grams : 0);
        double near =
            isnan(item.cosine) || width <= 0 ? 0 : (item.cosine - r->least_cosine) / width;
        near = near < 0 ? 0 : near > 1 ? 1 : near;
        item.score = (1 - vectors) * lexical + vectors * near;
        if (item.score <= 0) continue;
        double confidence = plan->word_share * share(item.words, plan->ideal_words) +
                            (1 - plan->word_share) * share(item.grams, plan->ideal_grams);
        if (lexical > best_lexical) {
            best_lexical = lexical;
            out->confidence = confidence;
        }
        r->items[kept++] = item;
    }
    if (kept) qsort(r->items, kept, sizeof(*r->items), best_first);
    /* The same factor for all: the order stays, and a score tells how good the match is at all. */
    double near = r->best_cosine < 0 ? 0 : r->best_cosine > 1 ? 1 : r->best_cosine;
    double factor = (1 - vectors) * out->confidence + vectors * near;
    for (size_t i = 0; i < kept; i++) r->items[i].score *= factor;
    out->items = r->items;
    out->count = kept;
}

static enum cria_status rank(struct ranker *r)
{
    const struct cria_rank_options *options = r->options;
    bool wants_words = !options->query || options->full_text_weight > 0;
    enum cria_status st = open_words(r);
    if (st == CRIA_OK && wants_words) st = find_by_words(r);
    if (st == CRIA_OK && wants_words && r->count < EXHAUSTIVE_BELOW &&
        r->plan->chunk_count <= EXHAUSTIVE_CHUNKS)
        st = find_all(r);
    if (st == CRIA_OK && options->query && options->vector_weight > 0) st = find_by_vectors(r);
    if (st != CRIA_OK) return st;
    drop_repeats(r);
    return score_all(r);
}

enum cria_status cria_rank(const struct cria_query_plan *plan, struct cria_call *call,
                           const struct cria_rank_options *options, struct cria_ranking *out)
{
    struct ranker r = {.plan = plan, .call = call, .arena = call->arena, .options = options};
    *out = (struct cria_ranking){0};
    if (plan->chunk_count == 0) return CRIA_OK;
    r.grams = CRIA_NEW(r.arena, struct cria_gram_table);
    if (!r.grams) return cria_fail_memory(call);
    cria_gram_table_init(r.grams, plan);
    enum cria_status st = rank(&r);
    out->damaged = r.damaged;
    if (st == CRIA_E_NO_MEMORY) return cria_fail_memory(call);
    if (st == CRIA_OK) mix(&r, out);
    return st;
}
