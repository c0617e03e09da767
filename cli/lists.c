/* lists.c - indexes, files and sessions: listed, shown, deleted. */
#include <string.h>

#include "cli/cli.h"

static void print_two(const struct cli *cli, const char *id, const char *name, const char *more)
{
    printf("%s  %s", id ? id : "", cli_bold(cli));
    cli_print_safe(name ? name : "(no name)", stdout);
    printf("%s%s%s\n", cli_plain(cli), more[0] ? "  " : "", more);
}

static void print_index(const struct cli *cli, const void *item)
{
    const struct cria_index_metadata *metadata = cria_index_metadata(item);
    char more[400];
    const char *error = cria_index_metadata_error_message(metadata);
    snprintf(more, sizeof(more), "%s%s%s", cria_index_metadata_status(metadata), error ? ": " : "",
             error ? error : "");
    print_two(cli, cria_index_id(item), cria_index_name(item), more);
}

static void print_file(const struct cli *cli, const void *item)
{
    print_two(cli, cria_file_id(item), cria_file_name(item), "");
}

static void print_session(const struct cli *cli, const void *item)
{
    const char *when = cria_chat_summary_last_updated_at(item);
    print_two(cli, cria_chat_summary_session_id(item), cria_chat_summary_generated_title(item),
              when ? when : "");
}

static enum exit_code print_all(struct cli *cli, enum cria_code code, struct cria_iterator *all,
                                void (*print)(const struct cli *cli, const void *item))
{
    const void *item = NULL;
    long n = 0;
    while (code == CRIA_OK && (cli->limit <= 0 || n < cli->limit) &&
           (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        n++;
        if (cli->is_json)
            cli_print_json(item);
        else
            print(cli, item);
    }
    cria_iterator_free(all);
    return code == CRIA_OK ? EXIT_FINE : cli_fail(cli, cli->command);
}

/* The first word is what to do; the others are ids. */
static bool wants(const struct cli *cli, const char *verb)
{
    return strcmp(cli->word_count ? cli->words[0] : "list", verb) == 0;
}

static enum exit_code each_id(struct cli *cli,
                              enum cria_code (*act)(struct cli *cli, const char *id))
{
    if (cli->word_count < 2) return cli_say(EXIT_USAGE, "%s wants an id", cli->words[0]);
    for (size_t i = 1; i < cli->word_count; i++)
        if (act(cli, cli->words[i]) != CRIA_OK) return cli_fail(cli, cli->words[i]);
    return EXIT_FINE;
}

static enum exit_code no_verb(const struct cli *cli)
{
    return cli_say(EXIT_USAGE, "%s cannot %s; cria %s --help", cli->command, cli->words[0],
                   cli->command);
}

/* ---- indexes */

static enum cria_code show_index(struct cli *cli, const char *id)
{
    struct cria_index *index = NULL;
    enum cria_code code = cria_beta_indexes_get(cli->client, id, NULL, &index);
    if (code == CRIA_OK) cli_print_json(index);
    cria_free(index);
    return code;
}

static enum cria_code sync_index(struct cli *cli, const char *id)
{
    struct cria_empty *empty = NULL;
    enum cria_code code = cria_beta_indexes_sync(cli->client, id, NULL, &empty);
    cria_free(empty);
    return code;
}

static enum cria_code delete_index(struct cli *cli, const char *id)
{
    return cria_beta_indexes_delete(cli->client, id, NULL);
}

enum exit_code cli_indexes(struct cli *cli)
{
    struct cria_iterator *all = NULL;
    if (wants(cli, "list")) {
        enum cria_code code = cria_beta_indexes_list_all(cli->client, NULL, &all);
        return print_all(cli, code, all, print_index);
    }
    if (wants(cli, "show")) return each_id(cli, show_index);
    if (wants(cli, "sync")) return each_id(cli, sync_index);
    if (wants(cli, "delete")) return each_id(cli, delete_index);
    return no_verb(cli);
}

/* ---- files */

static enum cria_code delete_file(struct cli *cli, const char *id)
{
    return cria_files_delete(cli->client, id, NULL);
}

enum exit_code cli_files(struct cli *cli)
{
    struct cria_iterator *all = NULL;
    if (wants(cli, "list")) {
        enum cria_code code = cria_files_list_all(cli->client, NULL, &all);
        return print_all(cli, code, all, print_file);
    }
    if (wants(cli, "delete")) return each_id(cli, delete_file);
    return no_verb(cli);
}

/* ---- sessions */

static enum cria_code show_session(struct cli *cli, const char *id)
{
    struct cria_chat *chat = NULL;
    enum cria_code code = cria_beta_chat_get(cli->client, id, NULL, &chat);
    for (size_t i = 0; code == CRIA_OK && i < cria_chat_events_count(chat); i++) {
        const struct cria_event *event = cria_chat_events_at(chat, i);
        const char *type = cria_event_type(event);
        if (cli->is_json) {
            cli_print_json(event);
        } else if (strcmp(type, "user_input") == 0 || strcmp(type, "text") == 0) {
            printf("%s", type[0] == 'u' ? cli_bold(cli) : "");
            cli_print_safe(cria_event_content(event), stdout);
            printf("%s\n\n", cli_plain(cli));
        }
    }
    cria_free(chat);
    return code;
}

static enum cria_code delete_session(struct cli *cli, const char *id)
{
    return cria_beta_chat_delete(cli->client, id, NULL);
}

enum exit_code cli_sessions(struct cli *cli)
{
    struct cria_iterator *all = NULL;
    if (wants(cli, "list")) {
        enum cria_code code = cria_beta_chat_list_all(cli->client, NULL, &all);
        return print_all(cli, code, all, print_session);
    }
    if (wants(cli, "show")) return each_id(cli, show_session);
    if (wants(cli, "delete")) return each_id(cli, delete_session);
    return no_verb(cli);
}
