#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WORDS_COLUMNS = 38, NAMED_MAX = 20 };

static const struct cli_command commands[] = {
    {"add", "PATH…", "put files or folders into an index",
     "Uploads what is new or changed, builds the index, and waits until it can be asked.\n"
     "Folders are walked; a file is known by its path. The index is made when there is none.",
     cli_add},
    {"ask", "[FOLDER] QUESTION", "ask once",
     "Streams the answer with its sources as footnotes. --session ID goes on in a session.\n"
     "With a FOLDER no server is needed: its files are indexed into your cache folder, and the\n"
     "next question about it starts from there.",
     cli_ask},
    {"chat", "", "ask on and on",
     "A conversation: /sources shows what the last answer is made of, /open N the text around\n"
     "a source, /new begins afresh, /quit or Ctrl-D leaves. Ctrl-C stops the answer, not the\n"
     "program. What was typed is kept in ~/.local/state/cria/history.",
     cli_chat},
    {"search", "QUERY", "show the best passages", "Passages with their file and page, best first.",
     cli_search},
    {"find", "[NAME]", "list files of an index by part of their name", "", cli_find},
    {"grep", "PATTERN [NAME…]", "search the text of files with a regular expression",
     "Looks into all files of the index, or those whose names contain NAME. --context N adds\n"
     "characters around each match.",
     cli_grep},
    {"cat", "NAME", "print the text of a file", "", cli_cat},
    {"indexes", "[list | show ID | sync ID | delete ID]", "look after indexes", "", cli_indexes},
    {"files", "[list | delete ID]", "look after stored files", "", cli_files},
    {"backup", "FILE", "save everything of a running server in one file",
     "Consistent, while the server goes on. `cria restore FILE DIR` makes a data folder of it.",
     cli_backup},
    {"export", "PROJECT FILE", "save one project of a running server in one file",
     "PROJECT is an id or a name. Its files, indexes and sessions keep their ids.", cli_export},
    {"import", "FILE", "bring a project into a running server",
     "It appears when all of it is there. --name NAME makes a copy under another name.",
     cli_import},
    {"sessions", "[list | show ID | delete ID]", "look after chat sessions", "", cli_sessions},
    {"doctor", "", "say whether all is well",
     "Whether the server answers, can write, takes the key.", cli_doctor},
    {"completion", "bash|zsh|fish", "print completions for a shell", "", cli_completion},
    {"man", "", "print the manual page", "cria man | man -l -", cli_man},
};

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

const struct cli_command *cli_command_at(size_t n)
{
    return n < sizeof(commands) / sizeof(commands[0]) ? &commands[n] : NULL;
}

bool cli_knows(const char *command)
{
    return find_command(command) != NULL;
}

void cli_print_commands(FILE *out)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        int more = 0; /* bytes that take no column */
        for (const char *c = commands[i].words; *c; c++) more += ((unsigned char)*c & 0xC0) == 0x80;
        fprintf(out, "  cria %-10s %-*s %s\n", commands[i].name, WORDS_COLUMNS + more,
                commands[i].words, commands[i].summary);
    }
}

/* ---- telling */

enum exit_code cli_say(enum exit_code code, const char *format, ...)
{
    va_list args;
    fputs("cria: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

enum exit_code cli_fail(const struct cli *cli, const char *what)
{
    const struct cria_error *error = cria_last_error();
    (void)cli;
    switch (error->code) {
    case CRIA_OK: return EXIT_FINE;
    case CRIA_USAGE: return cli_say(EXIT_USAGE, "%s: %s", what, error->detail);
    case CRIA_CONNECTION:
        return cli_say(
            EXIT_UNAVAILABLE,
            "%s: %s\nIs a server running? `cria serve` starts one; --base-url names another.", what,
            error->detail);
    case CRIA_TIMEOUT: return cli_say(EXIT_TEMPORARY, "%s: %s", what, error->detail);
    case CRIA_STATUS:
        if (error->status == 401 || error->status == 403)
            return cli_say(EXIT_NO_PERMISSION, "%s: %s (LLAMA_CLOUD_API_KEY holds the key)", what,
                           error->detail);
        return cli_say(error->status == 404 ? EXIT_FAILED : EXIT_DATA, "%s: %s (HTTP %d)", what,
                       error->detail, error->status);
    case CRIA_CANCELLED: return EXIT_FAILED;
    case CRIA_MEMORY:
    case CRIA_RESPONSE: return cli_say(EXIT_SOFTWARE, "%s: %s", what, error->detail);
    }
    return EXIT_SOFTWARE;
}

const char *cli_bold(const struct cli *cli)
{
    return cli->has_color ? "\033[1m" : "";
}

const char *cli_dim(const struct cli *cli)
{
    return cli->has_color ? "\033[2m" : "";
}

const char *cli_plain(const struct cli *cli)
{
    return cli->has_color ? "\033[0m" : "";
}

void cli_print_json(const void *handle)
{
    char *text = cria_to_json(handle);
    if (text) puts(text);
    cria_text_free(text);
}

void cli_print_safe(const char *text, FILE *out)
{
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_c1 = c == 0xC2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xA0;
        if (is_c1) {
            text++; /* escape sequences of eight bits */
            continue;
        }
        if (c >= ' ' || c == '\n' || c == '\t') {
            if (c != 0x7F) fputc(c, out);
        }
    }
}

unsigned cli_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 0;
}

/* ---- which index */

static bool names_index(const struct cria_index *index, const char *wanted)
{
    const char *name = cria_index_name(index), *id = cria_index_id(index),
               *export_id = cria_index_export_config_id(index);
    return (name && strcmp(name, wanted) == 0) || (id && strcmp(id, wanted) == 0) ||
           (export_id && strcmp(export_id, wanted) == 0);
}

void cli_ids_free(char *ids[INDEXES_MAX], size_t count)
{
    for (size_t i = 0; i < count; i++) free(ids[i]);
}

/* What there is to choose from, on stderr. */
static void name_choices(struct cli *cli, const char *wanted)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    size_t n = 0;
    enum cria_code code = cria_beta_indexes_list_all(cli->client, NULL, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        if (wanted && !names_index(item, wanted)) continue;
        if (n++ == NAMED_MAX) {
            fputs("  … `cria indexes` lists all\n", stderr);
            break;
        }
        fprintf(stderr, "  %s  ", cria_index_id(item));
        cli_print_safe(cria_index_name(item), stderr);
        fputc('\n', stderr);
    }
    cria_iterator_free(all);
}

static enum exit_code choose(struct cli *cli, const char *wanted, char **out)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    size_t count = 0, matches = 0;
    enum cria_code code = cria_beta_indexes_list_all(cli->client, NULL, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        count++;
        if (wanted && !names_index(item, wanted)) continue;
        matches++;
        if (!*out) *out = strdup(cria_index_id(item));
    }
    enum exit_code result = EXIT_FINE;
    if (code != CRIA_OK) {
        result = cli_fail(cli, "indexes");
    } else if (count == 0) {
        result = cli_say(EXIT_FAILED, "there is no index yet; make one with `cria add PATH`");
    } else if (wanted && matches == 0) {
        result = cli_say(EXIT_FAILED, "there is no index '%s'; there are:", wanted);
        name_choices(cli, NULL);
    } else if (matches > 1) {
        result = cli_say(EXIT_USAGE,
                         wanted ? "%zu indexes are called so: name one by its id:"
                                : "there are %zu indexes: choose with --index NAME (or its id):",
                         matches);
        name_choices(cli, wanted);
    }
    cria_iterator_free(all);
    if (result != EXIT_FINE) {
        free(*out);
        *out = NULL;
    }
    return result;
}

enum exit_code cli_indexes_of(struct cli *cli, char *ids[INDEXES_MAX], size_t *count)
{
    size_t wanted = cli->index_count ? cli->index_count : 1;
    *count = 0;
    for (size_t i = 0; i < wanted; i++) {
        ids[i] = NULL;
        enum exit_code code = choose(cli, cli->index_count ? cli->index_names[i] : NULL, &ids[i]);
        if (code != EXIT_FINE) {
            cli_ids_free(ids, *count);
            *count = 0;
            return code;
        }
        ++*count;
    }
    return EXIT_FINE;
}

/* ---- options */

static void print_help(const struct cli_command *command)
{
    printf("cria %s %s [OPTIONS]\n%s%s%s\n\n"
           "  --index NAME     which index, by name or id; may be repeated\n"
           "  --json           one JSON object a line instead of text\n"
           "  --base-url URL   the server (LLAMA_CLOUD_BASE_URL, else http://127.0.0.1:8484)\n"
           "  --api-key KEY    better in the environment: LLAMA_CLOUD_API_KEY\n"
           "  --project ID     the project, where it is not the default one\n"
           "  --organization ID  the same for the organization\n"
           "  --limit N        how many, where there is a list\n"
           "  --quiet          no progress\n",
           command->name, command->words, command->summary, command->help[0] ? "\n\n" : "",
           command->help);
}

static enum exit_code read_option(struct cli *cli, const char *name, const char *value, bool *took)
{
    static const char *const known[] = {"index", "base-url", "api-key", "project",     "session",
                                        "limit", "context",  "name",    "organization"};
    *took = true;
    if (strcmp(name, "json") == 0 || strcmp(name, "quiet") == 0 || strcmp(name, "no-color") == 0) {
        *took = false;
        if (name[0] == 'j') cli->is_json = true;
        if (name[0] == 'q') cli->is_quiet = true;
        if (name[0] == 'n') cli->has_color = false;
        return EXIT_FINE;
    }
    size_t at = 0;
    while (at < sizeof(known) / sizeof(known[0]) && strcmp(known[at], name) != 0) at++;
    if (at == sizeof(known) / sizeof(known[0]))
        return cli_say(EXIT_USAGE, "no option --%s; cria %s --help lists them", name, cli->command);
    if (!value) return cli_say(EXIT_USAGE, "--%s wants a value", name);
    switch (at) {
    case 0:
        if (cli->index_count == INDEXES_MAX)
            return cli_say(EXIT_USAGE, "at most %d indexes", INDEXES_MAX);
        cli->index_names[cli->index_count++] = value;
        break;
    case 1: cli->base_url = value; break;
    case 2: cli->api_key = value; break;
    case 3: cli->project = value; break;
    case 4: cli->session = value; break;
    case 5: {
        char *end;
        cli->limit = strtol(value, &end, 10);
        if (*end || cli->limit < 1) return cli_say(EXIT_USAGE, "--limit wants a number, 1 or more");
        break;
    }
    case 6: cli->context = value; break;
    case 7: cli->name = value; break;
    default: cli->organization = value; break;
    }
    return EXIT_FINE;
}

static enum exit_code read_words(struct cli *cli, int argc, char **argv)
{
    bool only_words = false;
    for (int i = 2; i < argc; i++) {
        char name[40];
        const char *equals = strchr(argv[i], '=');
        bool took;
        if (!only_words && argv[i][0] == '-' && argv[i][1] && argv[i][1] != '-')
            return cli_say(EXIT_USAGE, "no option %s; behind -- a word may begin with a dash",
                           argv[i]);
        if (only_words || strncmp(argv[i], "--", 2) != 0) {
            if (cli->word_count == sizeof(cli->words) / sizeof(cli->words[0]))
                return cli_say(EXIT_USAGE, "too many words");
            cli->words[cli->word_count++] = argv[i];
            continue;
        }
        if (argv[i][2] == '\0') {
            only_words = true;
            continue;
        }
        size_t len = equals ? (size_t)(equals - argv[i]) - 2 : strlen(argv[i]) - 2;
        snprintf(name, sizeof(name), "%.*s", (int)(len < 39 ? len : 39), argv[i] + 2);
        enum exit_code code = read_option(cli, name,
                                          equals         ? equals + 1
                                          : i + 1 < argc ? argv[i + 1]
                                                         : NULL,
                                          &took);
        if (code != EXIT_FINE) return code;
        if (took && !equals) i++;
    }
    return EXIT_FINE;
}

int cli_main(int argc, char **argv)
{
    const struct cli_command *command = find_command(argv[1]);
    const char *no_color = getenv("NO_COLOR");
    struct cli cli = {.command = argv[1]};
    cli.is_terminal = isatty(STDOUT_FILENO);
    cli.has_color = cli.is_terminal && !(no_color && no_color[0]);
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            break;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return EXIT_FINE;
        }
    enum exit_code code = read_words(&cli, argc, argv);
    if (code != EXIT_FINE) return (int)code;
    const struct cria_client_options options = {.base_url = cli.base_url,
                                                .api_key = cli.api_key,
                                                .project_id = cli.project,
                                                .organization_id = cli.organization,
                                                .max_retries = 1};
    if (cria_client_new(&options, &cli.client) != CRIA_OK) return (int)cli_fail(&cli, cli.command);
    code = command->run(&cli);
    cria_client_free(cli.client);
    if (fflush(stdout) != 0) return EXIT_SOFTWARE;
    return (int)code;
}
