/* line.h - lines that are typed, with editing and history where there are a terminal and libedit.
 * One thread. */
#ifndef CRIA_CLI_LINE_H
#define CRIA_CLI_LINE_H

#include <stdbool.h>

struct cli_line;

enum cli_line_kind {
    CLI_LINE_TYPED,
    CLI_LINE_END,        /* of the input */
    CLI_LINE_INTERRUPTED /* Ctrl-C: what was typed so far is dropped */
};

/** prompts: standard input and output are a terminal. NULL: out of memory. */
struct cli_line *cli_line_new(bool prompts, const char *prompt);
/** Keeps the history. NULL is fine. */
void cli_line_free(struct cli_line *line);
/** Waits for a line; *text is valid until the next call, without its end and blanks before that.
 * was_interrupted: set by a handler of SIGINT, which must not restart system calls. */
enum cli_line_kind cli_line_read(struct cli_line *line, const volatile int *was_interrupted,
                                 const char **text);

#endif
