/* search.h - ranked retrieval over the live chunks of indexes, and the best sentences in them.
 * Room: search; may use store, model, platform, base. What is ranked and how: docs/search.md. Any
 * worker thread; blocks (reads the store, computes). Text is truth and lies in the store: the
 * engine's files are derived, mapped at an index's first use, brought up to date by generation, and
 * made again where they are missing or damaged. */
#ifndef CRIA_SEARCH_SEARCH_H
#define CRIA_SEARCH_SEARCH_H

#include "base/json.h"
#include "platform/pool.h"
#include "store/records.h"

struct cria_embedder;
struct cria_reranker;
struct cria_search;

struct cria_search_options {
    struct cria_store *store;
    struct cria_embedder *embedder; /* of queries; NULL: words alone */
    struct cria_reranker *reranker; /* NULL: the order of the scores stays */
    struct cria_pool *pool;         /* for merging segments; NULL: whoever refreshes does it */
    size_t memory_bytes;            /* least recently used indexes are dropped above it; 0: 1 GiB */
};

CRIA_MUST_CHECK enum cria_status cria_search_new(const struct cria_search_options *options,
                                                 struct cria_call *call, struct cria_search **out);
/** Ends maintenance that runs on the pool, soon; before the pool is freed. NULL is fine. */
void cria_search_stop(struct cria_search *search);
/** After the pool was freed. NULL is fine. */
void cria_search_free(struct cria_search *search);

/** One index of a call: its canonical id (idx-…) and generation as its row says now. */
struct cria_search_index {
    struct cria_str id;
    int64_t generation;
    bool has_vectors;
};

struct cria_search_request {
    struct cria_str project;
    const struct cria_search_index
        *indexes; /* together one collection: document frequencies are summed */
    size_t index_count;
    struct cria_str query;
    uint32_t top_k;                         /* 1 to 500 */
    uint32_t num_candidates;                /* 0: max(100, 10 x top_k) */
    double vector_weight, full_text_weight; /* 0..1, not both 0 */
    bool has_threshold;
    double score_threshold; /* on score, before re-ranking */
    /* As the contract's static_filters and custom_filters, already checked by the api (NULL: none).
     */
    const struct cria_json *static_filters, *custom_filters;
    /* Further limit, for the agent's tools: display name contains (case folded); null none. */
    struct cria_str file_name_contains;
    bool rerank;
    uint32_t rerank_top_n; /* 0: top_k */
    /* For the agent: what says the same as a better hit is left out (4-grams, Jaccard), neighbours
     * in a document become one hit, and a document has at most max_per_document hits (0: any)
     * while others are left. */
    bool drops_repeats, joins_neighbours;
    uint32_t max_per_document;
};
#define CRIA_SEARCH_REQUEST_DEFAULTS                                               \
    {                                                                              \
        .top_k = 10, .vector_weight = 0.5, .full_text_weight = 0.5, .rerank = true \
    }

struct cria_search_hit {
    size_t index_n; /* which of the request's indexes */
    struct cria_str entry_id, document_id, display_name, metadata_json;
    struct cria_chunk chunk; /* offsets, pages, heading */
    struct cria_str content; /* the chunk's text */
    double score;            /* 0..1 */
    bool has_rerank_score;
    double rerank_score;
    double coverage; /* 0..1: share of the query's idf mass that this chunk holds */
    int language;    /* of the document, as it was guessed: the engine's own number */
};

struct cria_search_result {
    const struct cria_search_hit *hits; /* best first; arena */
    size_t count;
    const struct cria_str *unknown_words; /* words of the query found nowhere in the collection */
    size_t unknown_count;
    double confidence; /* best lexical score / ideal score of the query, 0..1: the sufficiency
                          signal */
};

/** Ranks. CRIA_OK with no hits when nothing matches. */
CRIA_MUST_CHECK enum cria_status cria_search_retrieve(struct cria_search *search,
                                                      struct cria_call *call,
                                                      const struct cria_search_request *request,
                                                      struct cria_search_result *out);

/** A sentence (or list item, or table row with its header) of a hit, ranked against the query. */
struct cria_sentence {
    size_t hit_n;                  /* which hit of the result */
    uint64_t char_start, char_end; /* in the parsed text, code points */
    uint32_t page_start, page_end; /* 0: none */
    struct cria_str text;          /* byte-equal to the parsed text at these offsets */
    double score;                  /* comparable within the answer */
};
enum cria_grade { CRIA_GRADE_NONE, CRIA_GRADE_WEAK, CRIA_GRADE_STRONG };
struct cria_sentences {
    const struct cria_sentence *items; /* best first, diverse (MMR); at most `limit` */
    size_t count;
    enum cria_grade grade; /* NONE: the documents do not hold the answer; WEAK: closest passages */
};
/** Picks the sentences that answer the query best out of a result, and grades whether they answer
 * it at all. */
CRIA_MUST_CHECK enum cria_status cria_search_sentences(struct cria_search *search,
                                                       struct cria_call *call,
                                                       const struct cria_search_request *request,
                                                       const struct cria_search_result *result,
                                                       size_t limit, struct cria_sentences *out);

/** Loads or updates an index now (after an export), so that the next query need not. Failure is not
 * fatal. */
CRIA_MUST_CHECK enum cria_status cria_search_refresh(struct cria_search *search,
                                                     struct cria_call *call,
                                                     struct cria_str project,
                                                     struct cria_str index_id, int64_t generation);
/**
 * Around an export and its refresh: questions are answered by what was there before, where there is
 * something, instead of waiting until what is exported can be searched. An export is called ready
 * after the end.
 * @return for cria_search_export_end(); NULL when memory is short: questions wait then.
 */
struct cria_collection *cria_search_export_begin(struct cria_search *search,
                                                 struct cria_str project, struct cria_str index_id);
/** NULL is fine. */
void cria_search_export_end(struct cria_search *search, struct cria_collection *collection);
/** Encodes the vectors that the store has for an index's live documents, so that the next
 * generation finds them done: before an export says ready. */
CRIA_MUST_CHECK enum cria_status cria_search_add_vectors(struct cria_search *search,
                                                         struct cria_call *call,
                                                         struct cria_str project,
                                                         struct cria_str index_id);
/** Drops what is kept of an index (it was deleted), its files too. */
void cria_search_forget(struct cria_search *search, struct cria_str project,
                        struct cria_str index_id);

/** Removes files of indexes that are no more; on a worker, at start and now and then. */
void cria_search_sweep(struct cria_search *search, struct cria_call *call);

struct cria_search_figures {
    uint64_t indexes, segments, chunks; /* loaded now */
    uint64_t bytes;                     /* of memory */
    uint64_t mapped_bytes;              /* of files, of which the system keeps what is used */
};
struct cria_search_figures cria_search_figures(struct cria_search *search);

#endif
