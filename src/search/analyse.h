/* analyse.h - text to terms: words, stems, character pairs where there are no blanks, folded bytes
 * for 4-grams. Room: search; ICU and libstemmer live here. Pure but for the analyser's own buffers:
 * one thread at a time. */
#ifndef CRIA_SEARCH_ANALYSE_H
#define CRIA_SEARCH_ANALYSE_H

#include "base/arena.h"
#include "base/buf.h"

struct cria_analyser;

enum cria_language {
    CRIA_LANG_ENGLISH,
    CRIA_LANG_GERMAN,
    CRIA_LANG_SPANISH,
    CRIA_LANG_FRENCH,
    CRIA_LANG_ITALIAN,
    CRIA_LANG_PORTUGUESE,
    CRIA_LANG_DUTCH,
    CRIA_LANG_RUSSIAN,
    CRIA_LANG_ARABIC,
    CRIA_LANG_OTHER, /* no stemmer */
    CRIA_LANG_COUNT
};

/** NULL when memory is short. */
struct cria_analyser *cria_analyser_new(void);
void cria_analyser_free(struct cria_analyser *analyser);

/** By script, then by the commonest little words; English when nothing speaks against it. */
enum cria_language cria_language_guess(struct cria_str text);

/** Called for each term in text order; position counts words. is_word is false for character pairs.
 * term is valid during the call. False ends the walk. */
typedef bool cria_term_fn(void *arg, struct cria_str term, uint32_t position, bool is_word);
/** Walks over the terms: NFKC, lower case, stemmed. plain: without stemming (for similar words). */
void cria_analyse(struct cria_analyser *analyser, struct cria_str text, enum cria_language language,
                  bool plain, cria_term_fn *fn, void *arg);
/** Whether the unstemmed lower-case word is one of a question's own words, left out of queries. */
bool cria_is_query_word(struct cria_str word, enum cria_language language);

/** Whether a character is of a script that writes without blanks between words: Han, kana, hangul,
 * Thai, Lao, Khmer, Myanmar. */
bool cria_has_no_blanks(uint32_t c);

/** A byte a character: letters and digits in lower case (ASCII as is, else 128 | code point & 127),
 * everything else one blank, a blank at both ends. */
void cria_fold_bytes(struct cria_buf *out, struct cria_str text);
/** The different 4-grams of a folded text in ascending order; out has room for folded.len - 3. */
size_t cria_distinct_grams(struct cria_str folded, uint32_t *out);

/** Sentences, list items and table rows with their byte offsets in `text`, trimmed. */
struct cria_span {
    size_t start, end;
};
CRIA_MUST_CHECK bool cria_sentence_spans(struct cria_arena *arena, struct cria_str text,
                                         struct cria_span **out, size_t *count);

#endif
