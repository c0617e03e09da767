/* ask.c - questions: once, or in a conversation. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef CRIA_HAVE_EDIT
#include <editline/readline.h>
#endif

#include "cli/cli.h"

enum { AROUND_CHARS = 400 };

/* Ctrl-C stops the answer that runs; a handler may only write to what is atomic. */
static struct cria_stream *volatile running;

static void on_interrupt(int number)
{
    (void)number;
    if (running) cria_stream_cancel(running);
}

static void print_citations(const struct cli *cli, const struct cria_text_event *text)
{
    size_t count = cria_text_event_citations_count(text);
    for (size_t i = 0; i < count; i++) {
        const struct cria_citation *one = cria_text_event_citations_at(text, i);
        printf("%s[%lld] ", cli_dim(cli), (long long)cria_citation_n(one));
        cli_print_safe(cria_citation_file_name(one), stdout);
        if (cria_citation_page_start(one))
            printf(", page %lld", (long long)cria_citation_page_start(one));
        printf("%s\n", cli_plain(cli));
    }
}

static void print_quotes(const struct cli *cli, const struct cria_event *event)
{
    const struct cria_text_event *text = (const void *)event;
    size_t count = event ? cria_text_event_citations_count(text) : 0;
    if (count == 0) puts("The last answer names no sources.");
    for (size_t i = 0; i < count; i++) {
        const struct cria_citation *one = cria_text_event_citations_at(text, i);
        printf("%s[%lld] ", cli_bold(cli), (long long)cria_citation_n(one));
        cli_print_safe(cria_citation_file_name(one), stdout);
        if (cria_citation_page_start(one))
            printf(", page %lld", (long long)cria_citation_page_start(one));
        printf("%s\n    \"", cli_plain(cli));
        cli_print_safe(cria_citation_quote(one), stdout);
        puts("\"");
    }
}

static enum exit_code show_event(const struct cli *cli, const struct cria_event *event,
                                 char **sources)
{
    const char *type = cria_event_type(event);
    if (cli->is_json) {
        cli_print_json(event);
    } else if (strcmp(type, "text_delta") == 0) {
        cli_print_safe(cria_event_content(event), stdout);
    } else if (strcmp(type, "tool_call") == 0 && cli->is_terminal && !cli->is_quiet) {
        char *arguments = cria_member_json(event, "arguments"),
             *name = cria_member_json(event, "name");
        fprintf(stderr, "%s%s %s%s\n", cli_dim(cli), name ? name : "", arguments ? arguments : "",
                cli_plain(cli));
        cria_text_free(arguments);
        cria_text_free(name);
    } else if (strcmp(type, "text") == 0) {
        puts("\n");
        if (!strstr(cria_event_content(event) ? cria_event_content(event) : "",
                    "No language model"))
            print_citations(cli, (const void *)event);
        cria_text_free(*sources);
        *sources = cria_to_json(event);
    }
    fflush(stdout);
    if (strcmp(type, "stop") != 0 || !cria_event_is_error(event)) return EXIT_FINE;
    return cli_say(EXIT_SOFTWARE, "the answer broke off: %s",
                   cria_event_error(event) ? cria_event_error(event) : "no reason was told");
}

/* One turn; its events on the screen, the last text event's JSON in *sources. */
static enum exit_code one_turn(struct cli *cli, const char *session, char *const *ids, size_t count,
                               const char *question, char **sources)
{
    struct cria_stream *stream = NULL;
    const struct cria_event *event = NULL;
    const char *items[INDEXES_MAX];
    struct sigaction action = {.sa_handler = on_interrupt}, before;
    enum exit_code result = EXIT_FINE;
    for (size_t i = 0; i < count; i++) items[i] = ids[i];
    const struct cria_beta_chat_stream_params params = {
        .index_ids = {.items = items, .count = count}, .prompt = question};
    enum cria_code code = cria_beta_chat_stream(cli->client, session, &params, &stream);
    if (code != CRIA_OK) return cli_fail(cli, "ask");
    running = stream;
    sigaction(SIGINT, &action, &before);
    while ((code = cria_stream_next(stream, &event)) == CRIA_OK && event) {
        enum exit_code shown = show_event(cli, event, sources);
        if (shown != EXIT_FINE) result = shown;
    }
    sigaction(SIGINT, &before, NULL);
    running = NULL;
    if (code == CRIA_CANCELLED) {
        puts("\n(stopped)");
        cria_beta_chat_cancel(cli->client, session, NULL, NULL);
        result = EXIT_FAILED;
    } else if (code != CRIA_OK) {
        result = cli_fail(cli, "ask");
    }
    cria_stream_free(stream);
    return result;
}

static enum exit_code new_session(struct cli *cli, char *const *ids, size_t count, char **out)
{
    struct cria_chat_summary *chat = NULL;
    const char *items[INDEXES_MAX];
    for (size_t i = 0; i < count; i++) items[i] = ids[i];
    const struct cria_beta_chat_new_params params = {.index_ids = {.items = items, .count = count}};
    if (cria_beta_chat_new(cli->client, &params, &chat) != CRIA_OK) return cli_fail(cli, "session");
    *out = strdup(cria_chat_summary_session_id(chat));
    cria_free(chat);
    return *out ? EXIT_FINE : EXIT_SOFTWARE;
}

enum exit_code cli_ask(struct cli *cli)
{
    char *ids[INDEXES_MAX], *session = NULL, *sources = NULL;
    size_t count;
    if (cli->word_count == 2 && cli_is_folder(cli->words[0]))
        return cli_ask_folder(cli, cli->words[0], cli->words[1]);
    if (cli->word_count != 1)
        return cli_say(EXIT_USAGE, "one question is wanted: cria ask \"How long …?\"");
    enum exit_code code = cli_indexes_of(cli, ids, &count);
    if (code != EXIT_FINE) return code;
    if (cli->session)
        session = strdup(cli->session);
    else
        code = new_session(cli, ids, count, &session);
    if (code == EXIT_FINE && session)
        code = one_turn(cli, session, ids, cli->session ? 0 : count, cli->words[0], &sources);
    free(session);
    cria_text_free(sources);
    cli_ids_free(ids, count);
    return code;
}

/* Kept as JSON, so that it outlives its stream; told from the text alone. */
static void tell_sources(const struct cli *cli, const char *session)
{
    struct cria_chat *chat = NULL;
    const struct cria_event *last = NULL;
    if (cria_beta_chat_get(cli->client, session, NULL, &chat) != CRIA_OK) {
        cli_fail(cli, "sources");
        return;
    }
    for (size_t i = 0; i < cria_chat_events_count(chat); i++) {
        const struct cria_event *event = cria_chat_events_at(chat, i);
        if (strcmp(cria_event_type(event), "text") == 0) last = event;
    }
    print_quotes(cli, last);
    cria_free(chat);
}

/* The N-th source of the last answer with the text around it. */
static void open_source(struct cli *cli, const char *session, long n)
{
    struct cria_chat *chat = NULL;
    const struct cria_text_event *last = NULL;
    if (cria_beta_chat_get(cli->client, session, NULL, &chat) != CRIA_OK) {
        cli_fail(cli, "open");
        return;
    }
    for (size_t i = 0; i < cria_chat_events_count(chat); i++)
        if (strcmp(cria_event_type(cria_chat_events_at(chat, i)), "text") == 0)
            last = (const void *)cria_chat_events_at(chat, i);
    const struct cria_citation *one =
        last && n > 0 ? cria_text_event_citations_at(last, (size_t)n - 1) : NULL;
    struct cria_file_text *text = NULL;
    if (!one) {
        puts("There is no such source; /sources lists them.");
    } else {
        int64_t start = cria_citation_char_start(one);
        const struct cria_beta_retrieval_read_params params = {
            .index_id = cria_citation_index_id(one),
            .file_id = cria_citation_file_id(one),
            .offset = CRIA_INT(start > AROUND_CHARS ? start - AROUND_CHARS : 0),
            .max_length = CRIA_INT(cria_citation_char_end(one) - start + 2 * AROUND_CHARS)};
        if (cria_beta_retrieval_read(cli->client, &params, &text) == CRIA_OK) {
            cli_print_safe(cria_file_text_content(text), stdout);
            putchar('\n');
        } else {
            cli_fail(cli, "open");
        }
    }
    cria_free(text);
    cria_free(chat);
}

/* A line that was typed, to be freed; NULL at the end. On a terminal with editing and history. */
static char *read_line(const struct cli *cli, bool prompts)
{
    char *line = NULL;
    size_t size = 0;
#ifdef CRIA_HAVE_EDIT
    if (prompts) {
        line = readline("> ");
        if (line && line[0]) add_history(line);
        return line;
    }
#endif
    if (prompts) printf("%s> %s", cli_bold(cli), cli_plain(cli));
    fflush(stdout);
    if (getline(&line, &size, stdin) >= 0) return line;
    free(line);
    return NULL;
}

enum exit_code cli_chat(struct cli *cli)
{
    char *ids[INDEXES_MAX], *session = NULL, *sources = NULL, *line = NULL;
    size_t count;
    enum exit_code code = cli_indexes_of(cli, ids, &count);
    if (code != EXIT_FINE) return code;
    bool prompts = isatty(STDIN_FILENO) && cli->is_terminal;
    code = cli->session ? EXIT_FINE : new_session(cli, ids, count, &session);
    if (cli->session) session = strdup(cli->session);
    if (prompts && code == EXIT_FINE)
        puts("Ask away. /sources shows what the last answer rests on, /new begins afresh, /quit "
             "leaves.");
    while (code == EXIT_FINE || code == EXIT_FAILED) {
        free(line);
        line = read_line(cli, prompts);
        if (!line) break;
        size_t len = strlen(line);
        while (len && (line[len - 1] == '\n' || line[len - 1] == ' ')) line[--len] = '\0';
        if (len == 0) continue;
        if (strcmp(line, "/quit") == 0) break;
        if (strcmp(line, "/sources") == 0) {
            tell_sources(cli, session);
        } else if (strncmp(line, "/open ", 6) == 0) {
            open_source(cli, session, strtol(line + 6, NULL, 10));
        } else if (strcmp(line, "/new") == 0) {
            free(session);
            session = NULL;
            code = new_session(cli, ids, count, &session);
        } else if (line[0] == '/') {
            puts("There are /sources, /open N, /new and /quit.");
        } else {
            one_turn(cli, session, ids, 0, line, &sources);
        }
    }
    if (prompts) putchar('\n');
    free(line);
    free(session);
    cria_text_free(sources);
    cli_ids_free(ids, count);
    return code;
}
