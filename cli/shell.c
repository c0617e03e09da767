/* shell.c - completions for shells, the manual page, and a look at whether all is well: made from
 * the same table as the help. */
#include <string.h>

#include "cli/cli.h"

static const char *const options[] = {"--index",   "--json",  "--base-url",     "--api-key",
                                      "--project", "--limit", "--session",      "--context",
                                      "--name",    "--quiet", "--organization", "--help"};
static const char *const others[] = {"serve", "keys", "projects", "config", "restore"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void print_names(const char *between)
{
    const struct cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("%s%s", i ? between : "", command->name);
    for (size_t i = 0; i < COUNT(others); i++) printf("%s%s", between, others[i]);
}

static void print_options(const char *between)
{
    for (size_t i = 0; i < COUNT(options); i++) printf("%s%s", i ? between : "", options[i]);
}

static void bash(void)
{
    printf("_cria() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '");
    print_names(" ");
    printf("' -- \"$word\"))\n    elif [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W '");
    print_options(" ");
    printf("' -- \"$word\"))\n    elif [ \"${COMP_WORDS[COMP_CWORD-1]}\" = --index ]; then\n"
           "        COMPREPLY=($(compgen -W \"$(cria indexes --quiet 2>/dev/null | awk '{print "
           "$2}')\" "
           "-- \"$word\"))\n"
           "    else\n        COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\n"
           "complete -o filenames -F _cria cria\n");
}

static void zsh(void)
{
    const struct cli_command *command;
    printf("#compdef cria\n_cria() {\n    local -a commands=(\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("        '%s:%s'\n", command->name, command->summary);
    for (size_t i = 0; i < COUNT(others); i++) printf("        '%s'\n", others[i]);
    printf("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
           "    else\n        _arguments '*:file:_files' ");
    for (size_t i = 0; i < COUNT(options); i++) printf("'%s' ", options[i]);
    printf("\n    fi\n}\n_cria \"$@\"\n");
}

static void fish(void)
{
    const struct cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("complete -c cria -n __fish_use_subcommand -a %s -d '%s'\n", command->name,
               command->summary);
    for (size_t i = 0; i < COUNT(others); i++)
        printf("complete -c cria -n __fish_use_subcommand -a %s\n", others[i]);
    for (size_t i = 0; i < COUNT(options); i++) printf("complete -c cria -l %s\n", options[i] + 2);
}

enum exit_code cli_completion(struct cli *cli)
{
    const char *shell = cli->word_count == 1 ? cli->words[0] : "";
    if (strcmp(shell, "bash") == 0)
        bash();
    else if (strcmp(shell, "zsh") == 0)
        zsh();
    else if (strcmp(shell, "fish") == 0)
        fish();
    else
        return cli_say(EXIT_USAGE, "bash, zsh or fish: e.g. cria completion bash > "
                                   "/etc/bash_completion.d/cria");
    return EXIT_FINE;
}

/* A line of text in a manual page: a dot or quote at its start is no macro. */
static void print_roff(const char *text)
{
    bool at_start = true;
    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        if (*text == '\\' || *text == '-') putchar('\\');
        putchar(*text);
        at_start = *text == '\n';
    }
    putchar('\n');
}

enum exit_code cli_man(struct cli *cli)
{
    const struct cli_command *command;
    (void)cli;
    printf(".TH CRIA 1 \"\" \"cria %s\"\n.SH NAME\ncria \\- a chat over your own documents\n"
           ".SH SYNOPSIS\n.B cria\n.I command\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n"
           "One server over one folder of data, and commands that talk to it. "
           "\\fBcria serve \\-\\-help\\fR lists the options of the server.\n.SH COMMANDS\n",
           cria_version());
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf(".TP\n.B %s\n", command->name);
        if (command->words[0]) {
            fputs(".I ", stdout);
            print_roff(command->words);
            puts(".br");
        }
        print_roff(command->summary);
        if (command->help[0]) {
            puts(".br");
            print_roff(command->help);
        }
    }
    puts(".TP\n.B serve\nThe server; \\fBcria serve \\-\\-help\\fR lists its options.\n"
         ".TP\n.B keys\n.I create | list | revoke\n.br\nAPI keys of a data folder.\n"
         ".TP\n.B projects\n.I create | list\n.br\nIts projects.\n"
         ".TP\n.B config check\nTells every mistake in options, environment and file.\n"
         ".TP\n.B restore\n.I FILE DIR [\\-\\-verify]\n.br\nMakes a data folder of a backup.");
    puts(".SH OPTIONS\n.TP\n.BI \\-\\-index \" name\"\nWhich index, by name or id; may be "
         "repeated.\n"
         ".TP\n.B \\-\\-json\nOne JSON object a line.\n"
         ".TP\n.BI \\-\\-base\\-url \" url\"\nThe server.\n"
         ".TP\n.BI \\-\\-project \" id\"\nThe project, where it is not the default one.\n"
         ".TP\n.BI \\-\\-limit \" n\"\nHow many, where there is a list.\n"
         ".SH ENVIRONMENT\n.TP\n.B LLAMA_CLOUD_BASE_URL\nThe server.\n"
         ".TP\n.B LLAMA_CLOUD_API_KEY\nThe key.\n.TP\n.B NO_COLOR\nNo colours.\n"
         ".SH EXIT STATUS\n0, 1 when what was asked for is not there, else as in sysexits.h: 64 "
         "usage, "
         "65 data, 66 no input, 69 no server, 75 too late, try again, 77 not allowed.\n"
         ".SH FILES\n.TP\n.I ~/.local/state/cria/history\nWhat was typed in chat.\n"
         ".TP\n.I ~/.cache/cria/\nIndexes of folders that were asked about.\n"
         ".SH EXAMPLES\n.nf\ncria serve &\ncria add docs/ \\-\\-index manuals\n"
         "cria ask \"How is it switched on?\" \\-\\-index manuals\n"
         "cria ask docs/ \"How is it switched on?\"\n"
         "cria backup all.tar && cria restore all.tar data2 \\-\\-verify\n.fi");
    return EXIT_FINE;
}

/* ---- doctor */

static bool drop(void *arg, const void *bytes, size_t size)
{
    (void)arg, (void)bytes, (void)size;
    return true;
}

/* Control characters, quotes and backslashes do not come through. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\') putchar(*text);
    putchar('"');
}

static bool tell(const struct cli *cli, bool is_good, const char *what, const char *why)
{
    if (!why) why = "";
    if (cli->is_json) {
        printf("{\"check\":");
        print_quoted(what);
        printf(",\"is_good\":%s,\"detail\":", is_good ? "true" : "false");
        print_quoted(why);
        puts("}");
        return is_good;
    }
    printf("%s%s%s  %s%s", cli_bold(cli), is_good ? "fine " : "wrong", cli_plain(cli), what,
           why[0] ? ": " : "");
    cli_print_safe(why, stdout);
    putchar('\n');
    return is_good;
}

enum exit_code cli_doctor(struct cli *cli)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    size_t ready = 0, failed = 0, other = 0;
    bool good = true;
    enum cria_code code = cria_fetch(cli->client, "/health", drop, NULL);
    bool is_other = code == CRIA_STATUS; /* it answers; LlamaCloud has no such path */
    if (!tell(cli, code == CRIA_OK || is_other, "the server answers",
              is_other ? "it is no Cria, or an old one"
              : code   ? cria_last_error()->detail
                       : ""))
        return EXIT_UNAVAILABLE;
    if (!is_other) {
        code = cria_fetch(cli->client, "/ready", drop, NULL);
        good &= tell(cli, code == CRIA_OK, "it can read and write",
                     code ? cria_last_error()->detail : "");
    }
    code = cria_beta_indexes_list_all(cli->client, NULL, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        const char *status = cria_index_metadata_status(cria_index_metadata(item));
        if (strcmp(status, "ready") == 0)
            ready++;
        else if (strcmp(status, "failed") == 0)
            failed++;
        else
            other++;
    }
    cria_iterator_free(all);
    good &= tell(cli, code == CRIA_OK, "the key is good", code ? cria_last_error()->detail : "");
    if (code == CRIA_OK) {
        char text[120];
        snprintf(text, sizeof(text), "%zu ready, %zu being built, %zu failed", ready, other,
                 failed);
        good &= tell(cli, failed == 0, "indexes", text);
    }
    return good ? EXIT_FINE : EXIT_FAILED;
}
