/* markdown.h - writes Markdown from a stream of inline text and block borders: paragraphs,
 * headings, lists, code. Room: parser; used by formats that have such structure. White space is
 * folded as it comes; words are kept as they are, without escapes and emphasis, so that a phrase of
 * the document is found as it was written. */
#ifndef CRIA_PARSER_MARKDOWN_H
#define CRIA_PARSER_MARKDOWN_H

#include "parser/doc.h"

enum { CRIA_MD_MARKER_BYTES = 48, CRIA_MD_MAX_DEPTH = 12 };

struct cria_md {
    struct cria_doc *doc;
    struct cria_buf line; /* inline text of the block that is open */
    bool gap;             /* white space stands before what comes next */
    bool is_pre;          /* keep white space */
    /* The item that the next block belongs to. */
    char marker[CRIA_MD_MARKER_BYTES]; /* "- ", "3. "; empty: not a list */
    unsigned depth;                    /* of the list, from 0 */
    bool is_tight;                     /* the block before was a list item */
};

void cria_md_init(struct cria_md *md, struct cria_doc *doc);
void cria_md_release(struct cria_md *md);

/** Inline text; NBSP is a blank, soft hyphens and zero-width spaces go. */
void cria_md_text(struct cria_md *md, struct cria_str text);
/** A line break inside a block. */
void cria_md_break(struct cria_md *md);
/** White space that may stand at a border of words. */
void cria_md_space(struct cria_md *md);
/** Ends the block: a paragraph, or an item when a marker is set (and used up by it). */
void cria_md_flush(struct cria_md *md);
/** Ends the block as a heading. */
void cria_md_flush_heading(struct cria_md *md, unsigned level);
/** The next block is an item of a list. */
void cria_md_item(struct cria_md *md, const char *marker, unsigned depth);
/** A block of text as it is, between fences. */
void cria_md_code(struct cria_md *md, struct cria_str text);

#endif
