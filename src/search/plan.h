/* plan.h - a query as it is asked of one collection: its terms with the weights they have there,
 * its 4-grams. Room: search. A collection is what a call ranks over: the segments of all its
 * indexes, whose document frequencies are summed. Pure. */
#ifndef CRIA_SEARCH_PLAN_H
#define CRIA_SEARCH_PLAN_H

#include "search/segment.h"

enum { CRIA_MAX_QUERY_TERMS = 128, CRIA_MAX_QUERY_GRAMS = 1024 };

struct cria_vector_index;

/** One segment of the collection. */
struct cria_rank_source {
    const struct cria_segment *segment;
    const struct cria_vector_index *vectors; /* NULL: none */
    const uint64_t *allowed;                 /* bitmap of the chunks that may appear; NULL: all */
    size_t index_n;                          /* of the request's indexes */
};

struct cria_query_term {
    struct cria_str text; /* stem; arena */
    double idf, title_idf;
    double weight; /* 1, or less for a word that stands in for an unknown one */
    uint16_t mark;
    uint32_t position;
    size_t stands_for;                  /* the term of the query it counts for */
    uint32_t *ordinals;                 /* by source; UINT32_MAX: not there */
    struct cria_segment_term *postings; /* by source, where it is there */
};

struct cria_query_plan {
    const struct cria_rank_source *sources;
    size_t source_count;
    double chunk_count, average_length, average_title, average_folded;
    struct cria_query_term terms[CRIA_MAX_QUERY_TERMS];
    size_t term_count;
    size_t asked;                                  /* terms of the query itself, unknown ones too */
    struct cria_str unknown[CRIA_MAX_QUERY_TERMS]; /* as written */
    size_t unknown_count;
    double idf_mass; /* of the query's own terms, unknown ones at the highest idf */
    uint32_t grams[CRIA_MAX_QUERY_GRAMS];
    double gram_idf[CRIA_MAX_QUERY_GRAMS];
    size_t gram_count;
    double ideal_words,
        ideal_grams;   /* scores of a chunk of average length that holds everything once */
    double word_share; /* of the words leg in the mixture */
    enum cria_language language; /* of most of the collection */
    bool is_pairs;               /* the query is written without blanks between words */
    bool is_damaged;             /* a source has rotten bytes */
};

/** Analyses the query against the collection. The sources are borrowed as long as the plan lives.
 * False when memory is short. */
bool cria_query_plan_make(struct cria_query_plan *plan, struct cria_arena *arena,
                          struct cria_analyser *analyser, const struct cria_rank_source *sources,
                          size_t count, struct cria_str query);

/** How much a word weighs that df of count chunks hold. */
double cria_idf(double count, double df);

/** The query's 4-grams in a table for texts; made once for many texts. */
struct cria_gram_table {
    const struct cria_query_plan *plan;
    uint16_t slots[4096]; /* number of the gram + 1 */
};
void cria_gram_table_init(struct cria_gram_table *table, const struct cria_query_plan *plan);
/** BM25 of a folded text by the query's 4-grams. average: length of texts in bytes. */
double cria_gram_score(const struct cria_gram_table *table, struct cria_str folded, double average);

#endif
