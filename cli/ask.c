/* ask.c - questions: once, or in a conversation. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/line.h"
#include "cli/markdown.h"

enum { AROUND_CHARS = 400 };

/* Ctrl-C stops the answer that runs; a handler may only write to what is atomic. */
static struct cria_stream *volatile running;
static volatile int interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
    if (running) cria_stream_cancel(running);
}

static void print_place(const struct cria_citation *one)
{
    cli_print_safe(cria_citation_file_name(one), stdout);
    if (cria_citation_page_start(one))
        printf(", page %lld", (long long)cria_citation_page_start(one));
}

/* Footnotes, unless the answer names its sources itself. */
static void print_citations(const struct cli *cli, const struct cria_event *event)
{
    const struct cria_text_event *text = (const void *)event;
    const char *content = cria_event_content(event);
    size_t count = cria_text_event_citations_count(text);
    for (size_t i = 0; i < count; i++) {
        char named[512];
        const struct cria_citation *one = cria_text_event_citations_at(text, i);
        const char *file = cria_citation_file_name(one);
        snprintf(named, sizeof(named), "[%lld] %s", (long long)cria_citation_n(one),
                 file ? file : "");
        if (content && strstr(content, named)) continue;
        printf("%s[%lld] ", cli_dim(cli), (long long)cria_citation_n(one));
        print_place(one);
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
        print_place(one);
        printf("%s\n    \"", cli_plain(cli));
        cli_print_safe(cria_citation_quote(one), stdout);
        puts("\"");
    }
}

static enum exit_code show_event(const struct cli *cli, const struct cria_event *event,
                                 struct cli_markdown *markdown)
{
    const char *type = cria_event_type(event);
    if (cli->is_json) {
        cli_print_json(event);
    } else if (strcmp(type, "text_delta") == 0) {
        cli_markdown_add(markdown, cria_event_content(event));
    } else if (strcmp(type, "tool_call") == 0 && cli->is_terminal && !cli->is_quiet) {
        char *arguments = cria_member_json(event, "arguments"),
             *name = cria_member_json(event, "name");
        fputs(cli_dim(cli), stderr);
        cli_print_safe(name, stderr);
        fputc(' ', stderr);
        cli_print_safe(arguments, stderr);
        fprintf(stderr, "%s\n", cli_plain(cli));
        cria_text_free(arguments);
        cria_text_free(name);
    } else if (strcmp(type, "text") == 0) {
        cli_markdown_end(markdown);
        puts("\n");
        print_citations(cli, event);
    }
    fflush(stdout);
    if (strcmp(type, "stop") != 0 || !cria_event_is_error(event)) return EXIT_FINE;
    return cli_say(EXIT_SOFTWARE, "the answer broke off: %s",
                   cria_event_error(event) ? cria_event_error(event) : "no reason was told");
}

/* One turn; its events on the screen. */
static enum exit_code one_turn(struct cli *cli, const char *session, char *const *ids, size_t count,
                               const char *question)
{
    struct cli_markdown markdown;
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
    if (interrupted) cria_stream_cancel(stream); /* while it was being opened */
    cli_markdown_init(&markdown, stdout, !cli->has_color, cli_columns(STDOUT_FILENO));
    sigaction(SIGINT, &action, &before);
    while ((code = cria_stream_next(stream, &event)) == CRIA_OK && event) {
        enum exit_code shown = show_event(cli, event, &markdown);
        if (shown != EXIT_FINE) result = shown;
    }
    sigaction(SIGINT, &before, NULL);
    running = NULL;
    cli_markdown_end(&markdown);
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
    char *ids[INDEXES_MAX], *session = NULL;
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
        code = one_turn(cli, session, ids, cli->session ? 0 : count, cli->words[0]);
    free(session);
    cli_ids_free(ids, count);
    return code;
}

/* The session's last answer, in *chat, which is to be freed. NULL: none, or what failed was told.
 */
static const struct cria_event *last_answer(const struct cli *cli, const char *session,
                                            struct cria_chat **chat)
{
    const struct cria_event *last = NULL;
    if (cria_beta_chat_get(cli->client, session, NULL, chat) != CRIA_OK) {
        cli_fail(cli, "session");
        return NULL;
    }
    for (size_t i = 0; i < cria_chat_events_count(*chat); i++) {
        const struct cria_event *event = cria_chat_events_at(*chat, i);
        if (strcmp(cria_event_type(event), "text") == 0) last = event;
    }
    return last;
}

static void tell_sources(const struct cli *cli, const char *session)
{
    struct cria_chat *chat = NULL;
    const struct cria_event *last = last_answer(cli, session, &chat);
    if (chat) print_quotes(cli, last);
    cria_free(chat);
}

static const struct cria_citation *citation_of(const struct cria_event *event, long n)
{
    const struct cria_text_event *text = (const void *)event;
    for (size_t i = 0; event && i < cria_text_event_citations_count(text); i++)
        if (cria_citation_n(cria_text_event_citations_at(text, i)) == n)
            return cria_text_event_citations_at(text, i);
    return NULL;
}

/* The source [n] of the last answer: the text around it, itself in bold. */
static void open_source(struct cli *cli, const char *session, long n)
{
    struct cria_chat *chat = NULL;
    struct cria_file_text *before = NULL, *own = NULL, *after = NULL;
    const struct cria_citation *one = citation_of(last_answer(cli, session, &chat), n);
    if (chat && !one) puts("There is no such source; /sources lists them.");
    if (one) {
        int64_t start = cria_citation_char_start(one), end = cria_citation_char_end(one);
        struct cria_beta_retrieval_read_params params = {.index_id = cria_citation_index_id(one),
                                                         .file_id = cria_citation_file_id(one)};
        params.offset = CRIA_INT(start > AROUND_CHARS ? start - AROUND_CHARS : 0);
        params.max_length = CRIA_INT(start - params.offset.value);
        enum cria_code code =
            start ? cria_beta_retrieval_read(cli->client, &params, &before) : CRIA_OK;
        params.offset = CRIA_INT(start);
        params.max_length = CRIA_INT(end - start);
        if (code == CRIA_OK) code = cria_beta_retrieval_read(cli->client, &params, &own);
        params.offset = CRIA_INT(end);
        params.max_length = CRIA_INT(AROUND_CHARS);
        if (code == CRIA_OK) code = cria_beta_retrieval_read(cli->client, &params, &after);
        if (code == CRIA_OK) {
            print_place(one);
            puts("\n");
            cli_print_safe(before ? cria_file_text_content(before) : NULL, stdout);
            fputs(cli_bold(cli), stdout);
            cli_print_safe(cria_file_text_content(own), stdout);
            fputs(cli_plain(cli), stdout);
            cli_print_safe(cria_file_text_content(after), stdout);
            putchar('\n');
        } else {
            cli_fail(cli, "open");
        }
    }
    cria_free(before);
    cria_free(own);
    cria_free(after);
    cria_free(chat);
}

/* ---- a conversation */

/* What begins with a slash. */
static enum exit_code run_command(struct cli *cli, const char *line, char **session,
                                  char *const *ids, size_t count)
{
    if (strcmp(line, "/sources") == 0) {
        tell_sources(cli, *session);
    } else if (strncmp(line, "/open ", 6) == 0) {
        open_source(cli, *session, strtol(line + 6, NULL, 10));
    } else if (strcmp(line, "/new") == 0) {
        free(*session);
        *session = NULL;
        return new_session(cli, ids, count, session);
    } else {
        puts("There are /sources, /open N, /new and /quit.");
    }
    return EXIT_FINE;
}

static enum exit_code converse(struct cli *cli, struct cli_line *lines, char **session,
                               char *const *ids, size_t count, bool prompts)
{
    enum exit_code code = EXIT_FINE;
    const char *line = NULL;
    while (code == EXIT_FINE) {
        interrupted = 0;
        enum cli_line_kind kind = cli_line_read(lines, &interrupted, &line);
        if (kind == CLI_LINE_INTERRUPTED) puts("^C");
        if (kind == CLI_LINE_INTERRUPTED) continue;
        if (kind == CLI_LINE_END) {
            if (prompts) putchar('\n');
            break;
        }
        if (line[0] == '\0') continue;
        if (strcmp(line, "/quit") == 0 || strcmp(line, "/exit") == 0) break;
        if (line[0] == '/')
            code = run_command(cli, line, session, ids, count);
        else
            one_turn(cli, *session, ids, 0, line);
    }
    return code;
}

enum exit_code cli_chat(struct cli *cli)
{
    char *ids[INDEXES_MAX], *session = NULL;
    size_t count;
    struct sigaction before, action = {.sa_handler = on_interrupt};
    if (cli->word_count) return cli_say(EXIT_USAGE, "chat takes no words; questions are typed");
    enum exit_code code = cli_indexes_of(cli, ids, &count);
    if (code != EXIT_FINE) return code;
    bool prompts = isatty(STDIN_FILENO) && cli->is_terminal;
    code = cli->session ? EXIT_FINE : new_session(cli, ids, count, &session);
    if (cli->session) session = strdup(cli->session);
    struct cli_line *lines = cli_line_new(prompts, "> ");
    if (prompts && code == EXIT_FINE)
        puts("Ask away. /sources shows what the last answer rests on, /open N the text around a\n"
             "source, /new begins afresh, /quit leaves.");
    if (prompts) sigaction(SIGINT, &action, &before);
    if (code == EXIT_FINE)
        code = lines ? converse(cli, lines, &session, ids, count, prompts) : EXIT_SOFTWARE;
    if (prompts) sigaction(SIGINT, &before, NULL);
    cli_line_free(lines);
    free(session);
    cli_ids_free(ids, count);
    return code;
}
