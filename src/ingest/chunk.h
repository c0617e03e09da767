/* chunk.h - cuts a parsed text into chunks that are searched, cited and read.
 * Room: ingest. Pure: yours to change are the sizes and where cuts may fall; offsets must stay
 * exact. */
#ifndef CRIA_INGEST_CHUNK_H
#define CRIA_INGEST_CHUNK_H

#include "ingest/parser_host.h"
#include "store/records.h"

struct cria_chunk_options {
    uint32_t target_chars; /* a chunk ends at the first block border behind this many code points */
    uint32_t max_chars;    /* and never has more */
};
#define CRIA_CHUNK_DEFAULTS                     \
    {                                           \
        .target_chars = 1400, .max_chars = 2000 \
    }

/**
 * Cuts at headings and blank lines, else at line ends, sentence ends, blanks, in this order. Chunks
 * follow each other in text order, do not overlap, begin and end with a character that is no white
 * space; a text of white space alone has none. Offsets are into parsed->text: bytes and code
 * points.
 * @param[out] out  in the arena. @return CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_chunk_text(struct cria_arena *arena,
                                                 const struct cria_parsed *parsed,
                                                 const struct cria_chunk_options *options,
                                                 struct cria_chunk_list *out);

/** Tokens as most models count them, guessed: 3.6 ASCII bytes, one CJK or Thai letter, or two
 * others are one. */
uint32_t cria_token_estimate(struct cria_str text);

#endif
