/* look.c - search, find, grep and cat over the parsed text of indexes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/markdown.h"

static long limit_of(const struct cli *cli, long otherwise)
{
    return cli->limit > 0 ? cli->limit : otherwise;
}

/* Name of a file by its id, in an index; to be freed; NULL when it is not found. */
static char *name_of(struct cli *cli, const char *index_id, const char *file_id)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    char *name = NULL;
    const struct cria_beta_retrieval_find_params params = {.index_id = index_id};
    if (!file_id || cria_beta_retrieval_find_all(cli->client, &params, &all) != CRIA_OK)
        return NULL;
    while (!name && cria_iterator_next(all, &item) == CRIA_OK && item)
        if (strcmp(cria_found_file_file_id(item), file_id) == 0)
            name = strdup(cria_found_file_file_name(item));
    cria_iterator_free(all);
    return name;
}

static void print_passage(struct cli *cli, const char *index_id,
                          const struct cria_retrieved_chunk *chunk)
{
    const struct cria_chunk_static_fields *fields = cria_retrieved_chunk_static_fields(chunk);
    char *name = name_of(cli, index_id, cria_chunk_static_fields_parsed_directory_file_id(fields));
    long long first = cria_chunk_static_fields_page_range_start(fields),
              last = cria_chunk_static_fields_page_range_end(fields);
    printf("%s", cli_bold(cli));
    cli_print_safe(name ? name : "?", stdout);
    if (first && first == last) printf(", page %lld", first);
    if (first && first != last) printf(", pages %lld-%lld", first, last);
    printf("%s  %.3f\n", cli_plain(cli), cria_retrieved_chunk_score(chunk));
    if (cli->has_color) {
        struct cli_markdown markdown;
        cli_markdown_init(&markdown, stdout, false, cli_columns(STDOUT_FILENO));
        cli_markdown_add(&markdown, cria_retrieved_chunk_content(chunk));
        cli_markdown_end(&markdown);
    } else {
        cli_print_safe(cria_retrieved_chunk_content(chunk), stdout);
    }
    puts("\n");
    free(name);
}

enum exit_code cli_search(struct cli *cli)
{
    char *ids[INDEXES_MAX];
    size_t count, found = 0;
    if (cli->word_count != 1) return cli_say(EXIT_USAGE, "one query is wanted");
    enum exit_code code = cli_indexes_of(cli, ids, &count);
    for (size_t i = 0; i < count && code == EXIT_FINE; i++) {
        struct cria_retrieved *result = NULL;
        const struct cria_beta_retrieval_get_params params = {
            .index_id = ids[i], .query = cli->words[0], .top_k = CRIA_INT(limit_of(cli, 5))};
        if (cria_beta_retrieval_get(cli->client, &params, &result) != CRIA_OK) {
            code = cli_fail(cli, "search");
            break;
        }
        for (size_t k = 0; k < cria_retrieved_results_count(result); k++, found++) {
            const struct cria_retrieved_chunk *chunk = cria_retrieved_results_at(result, k);
            if (cli->is_json)
                cli_print_json(chunk);
            else
                print_passage(cli, ids[i], chunk);
        }
        cria_free(result);
    }
    cli_ids_free(ids, count);
    return code == EXIT_FINE && !found ? EXIT_FAILED : code;
}

/* Calls see() for each file of the indexes whose name contains `part` (NULL: all). */
static enum exit_code each_file(struct cli *cli, const char *part,
                                enum exit_code (*see)(struct cli *cli, const char *index_id,
                                                      const struct cria_found_file *file,
                                                      void *arg),
                                void *arg)
{
    char *ids[INDEXES_MAX];
    size_t count;
    enum exit_code code = cli_indexes_of(cli, ids, &count);
    for (size_t i = 0; i < count && code == EXIT_FINE; i++) {
        struct cria_iterator *all = NULL;
        const void *item = NULL;
        const struct cria_beta_retrieval_find_params params = {.index_id = ids[i],
                                                               .file_name_contains = part};
        enum cria_code got = cria_beta_retrieval_find_all(cli->client, &params, &all);
        while (got == CRIA_OK && code == EXIT_FINE &&
               (got = cria_iterator_next(all, &item)) == CRIA_OK && item)
            code = see(cli, ids[i], item, arg);
        cria_iterator_free(all);
        if (got != CRIA_OK) code = cli_fail(cli, "files");
    }
    cli_ids_free(ids, count);
    return code;
}

static enum exit_code see_name(struct cli *cli, const char *index_id,
                               const struct cria_found_file *file, void *arg)
{
    (void)index_id;
    ++*(size_t *)arg;
    if (cli->is_json) {
        cli_print_json(file);
        return EXIT_FINE;
    }
    printf("%s  ", cria_found_file_file_id(file));
    cli_print_safe(cria_found_file_file_name(file), stdout);
    putchar('\n');
    return EXIT_FINE;
}

enum exit_code cli_find(struct cli *cli)
{
    size_t found = 0;
    if (cli->word_count > 1) return cli_say(EXIT_USAGE, "at most one part of a name is wanted");
    enum exit_code code = each_file(cli, cli->word_count ? cli->words[0] : NULL, see_name, &found);
    return code == EXIT_FINE && !found ? EXIT_FAILED : code;
}

struct grepping {
    size_t found;
};

static enum exit_code see_matches(struct cli *cli, const char *index_id,
                                  const struct cria_found_file *file, void *arg)
{
    struct grepping *grepping = arg;
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    struct cria_beta_retrieval_grep_params params = {
        .index_id = index_id, .file_id = cria_found_file_file_id(file), .pattern = cli->words[0]};
    params.context_chars = CRIA_INT(cli->context ? strtol(cli->context, NULL, 10) : 60);
    enum cria_code code = cria_beta_retrieval_grep_all(cli->client, &params, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        grepping->found++;
        if (cli->is_json) {
            cli_print_json(item);
            continue;
        }
        printf("%s", cli_bold(cli));
        cli_print_safe(cria_found_file_file_name(file), stdout);
        printf(":%lld%s ", (long long)cria_grep_match_start_char(item), cli_plain(cli));
        for (const char *c = cria_grep_match_content(item); c && *c; c++) {
            char one[2] = {*c == '\n' ? ' ' : *c, '\0'};
            if ((unsigned char)*c >= ' ' || *c == '\n') fputs(one, stdout);
        }
        putchar('\n');
    }
    cria_iterator_free(all);
    return code == CRIA_OK ? EXIT_FINE : cli_fail(cli, "grep");
}

enum exit_code cli_grep(struct cli *cli)
{
    struct grepping grepping = {0};
    enum exit_code code = EXIT_FINE;
    if (cli->word_count < 1) return cli_say(EXIT_USAGE, "a pattern is wanted");
    if (cli->word_count == 1) code = each_file(cli, NULL, see_matches, &grepping);
    for (size_t i = 1; i < cli->word_count && code == EXIT_FINE; i++)
        code = each_file(cli, cli->words[i], see_matches, &grepping);
    return code == EXIT_FINE && !grepping.found ? EXIT_FAILED : code;
}

static enum exit_code see_text(struct cli *cli, const char *index_id,
                               const struct cria_found_file *file, void *arg)
{
    size_t *found = arg;
    struct cria_file_text *text = NULL;
    const char *name = cria_found_file_file_name(file);
    if (!name || strcmp(name, cli->words[0]) != 0 || *found) return EXIT_FINE;
    const struct cria_beta_retrieval_read_params params = {
        .index_id = index_id, .file_id = cria_found_file_file_id(file)};
    if (cria_beta_retrieval_read(cli->client, &params, &text) != CRIA_OK)
        return cli_fail(cli, "cat");
    ++*found;
    if (cli->is_json)
        cli_print_json(text);
    else if (cli->is_terminal)
        cli_print_safe(cria_file_text_content(text), stdout);
    else
        fputs(cria_file_text_content(text), stdout);
    cria_free(text);
    return EXIT_FINE;
}

enum exit_code cli_cat(struct cli *cli)
{
    size_t found = 0;
    if (cli->word_count != 1) return cli_say(EXIT_USAGE, "one file's name is wanted");
    enum exit_code code = each_file(cli, cli->words[0], see_text, &found);
    if (code != EXIT_FINE || found) return code;
    return cli_say(EXIT_FAILED, "no file is called '%s'; `cria find` lists them", cli->words[0]);
}
