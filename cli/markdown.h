/* markdown.h - Markdown that comes in pieces, shown on a terminal as it comes: headings and strong
 * words bold, quotes behind a bar, points of lists, code in its colour. Control characters that
 * could steer the terminal are left out. What is no mark stays as it was written. */
#ifndef CRIA_CLI_MARKDOWN_H
#define CRIA_CLI_MARKDOWN_H

#include <stdbool.h>
#include <stdio.h>

struct cli_markdown {
    FILE *out;
    bool is_plain; /* only control characters are left out */
    bool is_head;  /* at the beginning of a line, its mark not known yet */
    char head[16];
    size_t head_len;
    unsigned stars; /* seen, and not yet known what for */
    char before;    /* the last byte shown */
    bool is_c2;     /* the last byte may begin a control character */
    /* Words are kept whole where the terminal is wide enough. */
    char word[256]; /* not shown yet, with its escape sequences */
    size_t word_len;
    unsigned word_columns, column, blanks, width; /* width 0: lines are left as they are */
    unsigned indent;                              /* of what goes on in the next line */
    bool is_quote;
    bool is_bold, is_italic, is_code, is_heading, is_fenced, is_dim;
};

/** width: columns of the terminal; 0: long lines are not broken. */
void cli_markdown_init(struct cli_markdown *md, FILE *out, bool is_plain, unsigned width);
/** Shows what can be shown; the rest waits for what follows. */
void cli_markdown_add(struct cli_markdown *md, const char *bytes);
/** Shows the rest and sets the terminal back; ready for a next text. */
void cli_markdown_end(struct cli_markdown *md);

#endif
