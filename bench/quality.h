/* quality.h - parts of the quality bench: collections as indexes, questions asked of them, tables.
 * Whatever fails ends the program with a message. */
#ifndef CRIA_BENCH_QUALITY_H
#define CRIA_BENCH_QUALITY_H

#include "base/buf.h"
#include "base/json.h"
#include "ingest/chunk.h"
#include "search/search.h"

enum { QUALITY_MAX_INDEXES = 10, QUALITY_TOP = 100 };

struct quality_bench {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_call *call; /* its arena is emptied between documents and between questions */
};

/** Documents in one index or more, which are asked together. */
struct quality_corpus {
    struct quality_bench *bench;
    char index_ids[QUALITY_MAX_INDEXES][64];
    size_t index_count, documents, chunks;
};

/** A whole file of a set, NUL behind it, to be freed; NULL when there is none. */
char *quality_slurp(const char *folder, const char *set, const char *name, size_t *len);
/** {"title": …} */
struct cria_str quality_title_json(struct cria_arena *arena, struct cria_str title);

/** Makes index_count empty indexes. */
void quality_corpus_begin(struct quality_corpus *c, struct quality_bench *bench,
                          size_t index_count);
/** Which lines of docs.jsonl are taken: those whose number n % of is in [from, to). */
struct quality_part {
    size_t from, to, of;
};
#define QUALITY_ALL ((struct quality_part){0, 1, 1})
/** Adds documents of docs.jsonl as the server stores a file, one index after the other in turn. */
void quality_corpus_add(struct quality_corpus *c, struct cria_str docs, bool titles_first,
                        struct quality_part part);
/** One document of plain text. */
void quality_corpus_add_text(struct quality_corpus *c, struct cria_str name, struct cria_str text);
void quality_corpus_end(struct quality_corpus *c);

/** Searches; the request stays for cria_search_sentences. */
void quality_find(const struct quality_corpus *c, struct cria_str query, uint32_t top_k,
                  const struct cria_json *filters, struct cria_search_request *request,
                  struct cria_search_result *out);

/* ---- measures, averaged over questions */

struct quality_ranking {
    size_t queries;
    double ndcg, recall, mrr, first, typo_ndcg; /* first: share with a right one at rank 1 */
    size_t typo_queries;
    double ms;
};
/** Ranks documents by their best chunk. Queries of which qrels know no relevant document are left
 * out. typos: each is also asked with one slip. */
struct quality_ranking quality_rank(const struct quality_corpus *c, struct cria_str queries,
                                    struct cria_str qrels, bool typos);

struct quality_passages {
    size_t asked;
    double hit1, hit5, hit10, recall5, recall10; /* of passages; of characters of the answers */
};
/** texts: docs.jsonl, or NULL when every question names its spans. */
struct quality_passages quality_find_passages(const struct quality_corpus *c, struct cria_str qa,
                                              const struct cria_str *texts);

struct quality_answers {
    size_t asked;
    double first, three, strong, weak;
};
/** Best sentences; withheld: with the document of the answer filtered away by its title. */
struct quality_answers quality_answer(const struct quality_corpus *c, struct cria_str qa,
                                      struct cria_str docs, bool withheld);

/** The query with one slip in one word that is not a question's own: letters swapped, dropped,
 * doubled or replaced, the same each time. false: no word is long enough. */
bool quality_typo(struct cria_arena *arena, struct cria_str query, struct cria_str *out);

#endif
