/* child.h - the life of a parser program: lock down, then answer requests from standard input on
 * standard output until it ends; or, for people, `--text FILE`. Room: parser. */
#ifndef CRIA_PARSER_CHILD_H
#define CRIA_PARSER_CHILD_H

#include "parser/doc.h"

struct cria_child {
    const char *name;        /* of the program */
    const char *read_folder; /* see cria_sandbox_options; NULL none */
    unsigned max_documents;  /* it ends after so many; 0: no limit */
    void (*prepare)(void);   /* loads what libraries load late; before the sandbox */
    void (*read)(const struct cria_source *source, struct cria_doc *doc);
};

/** main() of such a program; returns its exit code. */
int cria_child_main(int argc, char **argv, const struct cria_child *child);

#endif
