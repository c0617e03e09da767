/* fold.h - text made comparable, and cut into words and sentences: enough to hold an answer against
 * its passages. Room: chat. Pure. Not for ranking: that is search's. */
#ifndef CRIA_CHAT_FOLD_H
#define CRIA_CHAT_FOLD_H

#include "base/arena.h"

/** Lower case for Latin, Greek and Cyrillic letters; typographic quotes and dashes become plain. */
uint32_t cria_fold_char(uint32_t c);
/** Letters, digits and marks: what words are made of. */
bool cria_is_word_char(uint32_t c);
/** Scripts written without blanks between words. */
bool cria_is_unspaced(uint32_t c);

/** A text folded: white space runs are one blank, a hyphen at a line end is gone, ligatures are
 * spelt out; with the way back to bytes. */
struct cria_folded {
    uint32_t *chars;
    size_t *from; /* byte offset of each char in the text; from[count] is the text's length */
    size_t count;
};
/** false when memory is short. */
CRIA_MUST_CHECK bool cria_fold(struct cria_arena *arena, struct cria_str text,
                               struct cria_folded *out);
/** Where needle begins in hay at or behind `start`; SIZE_MAX when nowhere. */
size_t cria_folded_find(const struct cria_folded *hay, const struct cria_folded *needle,
                        size_t start);

struct cria_word {
    uint64_t hash;           /* of the folded word, or of a pair of letters of an unspaced script */
    uint64_t first4, first5; /* of its first letters, to know it inflected; 0: it is shorter */
    double weight;
    uint8_t length;
    bool has_digit;
};
struct cria_words {
    struct cria_word *items;
    size_t count;
};
CRIA_MUST_CHECK bool cria_words_of(struct cria_arena *arena, struct cria_str text,
                                   struct cria_words *out);
/** Share of the weight of `of` that `in` holds too, 0..1; 0 when `of` is empty. */
double cria_words_coverage(const struct cria_words *of, const struct cria_words *in);
/** Whether every word of `of` that has a digit is in `in`. */
bool cria_words_numbers_in(const struct cria_words *of, const struct cria_words *in);

/** The next sentence, list item or table row at or behind *at, without white space around it; moves
 * *at behind it; false at the end. */
bool cria_sentence_next(struct cria_str text, size_t *at, struct cria_str *sentence);

#endif
