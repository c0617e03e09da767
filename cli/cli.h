/* cli.h - the commands that talk to a server: what their files share. They use libcria alone, so
 * they work against LlamaCloud too. */
#ifndef CRIA_CLI_CLI_H
#define CRIA_CLI_CLI_H

#include <cria/cria.h>
#include <stdio.h>

#include "cli/cli_hash.h"
#include "cli/cli_main.h"

enum { INDEXES_MAX = 10 };

/* sysexits.h, which not every system has. */
enum exit_code {
    EXIT_FINE = 0,
    EXIT_FAILED = 1, /* the command ran; what was asked for is not there */
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_NO_INPUT = 66,
    EXIT_UNAVAILABLE = 69,
    EXIT_SOFTWARE = 70,
    EXIT_TEMPORARY = 75,
    EXIT_NO_PERMISSION = 77
};

/** What the words after the command came to. */
struct cli {
    struct cria_client *client;
    const char *command;
    const char *words[64]; /* that are no options */
    size_t word_count;
    const char *index_names[INDEXES_MAX];
    size_t index_count;
    const char *base_url, *api_key, *project, *session, *context, *name, *organization;
    long limit; /* 0: not said */
    bool is_json, has_color, is_quiet, is_terminal;
};

/** One command. */
struct cli_command {
    const char *name, *words, *summary, *help;
    enum exit_code (*run)(struct cli *cli);
};

enum exit_code cli_add(struct cli *cli);
enum exit_code cli_ask(struct cli *cli);
enum exit_code cli_chat(struct cli *cli);
/** Asks over a folder without a server: one of its own runs meanwhile. */
enum exit_code cli_ask_folder(struct cli *cli, const char *folder, const char *question);
bool cli_is_folder(const char *path);
enum exit_code cli_search(struct cli *cli);
enum exit_code cli_find(struct cli *cli);
enum exit_code cli_grep(struct cli *cli);
enum exit_code cli_cat(struct cli *cli);
enum exit_code cli_backup(struct cli *cli);
enum exit_code cli_export(struct cli *cli);
enum exit_code cli_import(struct cli *cli);
enum exit_code cli_completion(struct cli *cli);
enum exit_code cli_doctor(struct cli *cli);
enum exit_code cli_man(struct cli *cli);
enum exit_code cli_indexes(struct cli *cli);
enum exit_code cli_files(struct cli *cli);
enum exit_code cli_sessions(struct cli *cli);

/** The n-th command; NULL behind the last. */
const struct cli_command *cli_command_at(size_t n);

/* ---- for the commands */

/** Tells the last error of libcria and gives the exit code for it. */
enum exit_code cli_fail(const struct cli *cli, const char *what);
enum exit_code cli_say(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Escape sequences, empty without colours. */
const char *cli_bold(const struct cli *cli);
const char *cli_dim(const struct cli *cli);
const char *cli_plain(const struct cli *cli);
/** Of the terminal behind a descriptor; 0: none, or so narrow that lines are better left alone. */
unsigned cli_columns(int fd);
/** Prints a handle as one line of JSON. */
void cli_print_json(const void *handle);
/** Text of a server that may hold control characters: those but the line end and tab go. */
void cli_print_safe(const char *text, FILE *out);

/** The indexes that --index names (by name or id), or the only one there is. ids[n] are to be
 * freed. Tells what is wrong itself. */
enum exit_code cli_indexes_of(struct cli *cli, char *ids[INDEXES_MAX], size_t *count);
void cli_ids_free(char *ids[INDEXES_MAX], size_t count);

#endif
