/* rank.h - scores the chunks of snapshots against a query. Room: search. Pure: no store, no locks
 * but the vocabularies'. What is computed: docs/search.md. */
#ifndef CRIA_SEARCH_RANK_H
#define CRIA_SEARCH_RANK_H

#include "search/collection.h"

enum { CRIA_MAX_SNAPSHOTS = 10, CRIA_MAX_QUERY_TERMS = 128, CRIA_MAX_QUERY_GRAMS = 1024 };

/** A query against one collection made of several snapshots: terms with the weights they have
 * there. */
struct cria_query_term {
    struct cria_str text; /* stem; arena */
    double idf, weight;   /* weight 1, or less for a word that stands in for an unknown one */
    uint32_t ids[CRIA_MAX_SNAPSHOTS]; /* per snapshot; UINT32_MAX: not there */
    uint32_t position;
    size_t stands_for; /* the term of the query it counts for */
};

struct cria_query_plan {
    struct cria_snapshot **snapshots;
    size_t snapshot_count;
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
};

/** Analyses the query against the collection. False when memory is short. */
bool cria_query_plan_make(struct cria_query_plan *plan, struct cria_arena *arena,
                          struct cria_analyser *analyser, struct cria_snapshot **snapshots,
                          size_t count, struct cria_str query);

struct cria_scored {
    uint32_t snapshot, chunk;
    double words, grams; /* legs */
    double score;        /* 0..1 */
    double coverage;     /* 0..1 */
};
struct cria_ranking {
    struct cria_scored *items; /* best first */
    size_t count;
    double confidence; /* of the best */
};
/** allowed[s][d]: whether document d of snapshot s may appear; NULL: all. False when memory is
 * short. */
bool cria_rank(const struct cria_query_plan *plan, struct cria_arena *arena, bool *const *allowed,
               size_t candidates, struct cria_ranking *out);

/** Score of any folded text by the plan's 4-grams, and of any terms by its words (sentences). */
double cria_gram_score(const struct cria_query_plan *plan, const char *folded, size_t len,
                       double average);

#endif
