/* similar.h - a dictionary's terms most similar to a word that it lacks. Room: search. Pure.
 * Similarity is Dice of 3-grams of bytes, with two blanks before and two behind, each counted as
 * often as it occurs. Terms that are no words are never found: those of scripts without blanks
 * (character pairs), all digits, under 3 or over 60 bytes. Safe on any bytes. */
#ifndef CRIA_SEARCH_SIMILAR_H
#define CRIA_SEARCH_SIMILAR_H

#include "search/dictionary.h"

/**
 * Writes the index of a dictionary's terms. Memory: the index's own size and 50 bytes a gram.
 * @return CRIA_OK; CRIA_E_NO_MEMORY; CRIA_E_IO the sink gave up; CRIA_E_CORRUPT the dictionary;
 *         CRIA_E_TOO_LARGE more than 4 GiB of postings.
 */
CRIA_MUST_CHECK enum cria_status cria_similar_write(const struct cria_dictionary *dictionary,
                                                    const struct cria_sink *sink);

/** Reads; holds nothing but the bytes, which must outlive it. Any thread. */
struct cria_similar {
    struct cria_bytes bytes;
    uint32_t term_count, gram_count;
    size_t grams_at, starts_at, postings_at, postings_len; /* bytes */
};

/** CRIA_OK; CRIA_E_CORRUPT these bytes are no such index. Looks at the last 64 bytes only. */
CRIA_MUST_CHECK enum cria_status cria_similar_open(struct cria_bytes bytes,
                                                   struct cria_similar *out);

struct cria_similar_term {
    uint32_t ordinal;
    double similarity; /* 0..1 */
};
/**
 * The terms with a similarity of at least `least` (over 0), the best first, equal ones in term
 * order. The word itself, when the dictionary has it, is among them with 1. Allocates nothing; 100
 * KB of stack.
 * @param dictionary  the one the index was written from.
 * @param most        how many out has room for.
 * @return how many were written to out; 0 for words over 92 bytes.
 */
size_t cria_similar_find(const struct cria_similar *similar,
                         const struct cria_dictionary *dictionary, struct cria_str word,
                         double least, size_t most, struct cria_similar_term *out);

#endif
