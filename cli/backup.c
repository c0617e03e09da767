/* backup.c - a running server's data, or one project, in one file; a project back in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"

struct saving {
    FILE *file;
    uint64_t bytes;
};

static bool save(void *arg, const void *bytes, size_t size)
{
    struct saving *saving = arg;
    saving->bytes += size;
    return fwrite(bytes, 1, size, saving->file) == size;
}

/* Fetches a path into a file, which is not there until it is whole. */
static enum exit_code save_as(struct cli *cli, const char *path, const char *name)
{
    char part[4096];
    struct saving saving = {0};
    int n = snprintf(part, sizeof(part), "%s.part", name);
    if (n <= 0 || (size_t)n >= sizeof(part)) return cli_say(EXIT_USAGE, "the name is too long");
    saving.file = fopen(part, "wbx");
    if (!saving.file) return cli_say(EXIT_NO_INPUT, "%s: %s", part, strerror(errno));
    enum cria_code code = cria_fetch(cli->client, path, save, &saving);
    int error = code == CRIA_CANCELLED ? errno : 0;
    bool good = fflush(saving.file) == 0 && fsync(fileno(saving.file)) == 0;
    if (fclose(saving.file) != 0) good = false;
    if (code == CRIA_OK && good && rename(part, name) == 0) {
        if (cli->is_json)
            printf("{\"bytes\":%llu}\n", (unsigned long long)saving.bytes);
        else if (!cli->is_quiet)
            printf("%s: %.1f MB\n", name, (double)saving.bytes / 1e6);
        return EXIT_FINE;
    }
    unlink(part);
    if (code == CRIA_CONNECTION && saving.bytes)
        return cli_say(EXIT_TEMPORARY,
                       "%s: the connection ended before all of it had come (%s); nothing was kept",
                       cli->command, cria_last_error()->detail);
    if (code != CRIA_OK && !error) return cli_fail(cli, cli->command);
    return cli_say(EXIT_SOFTWARE, "%s cannot be written: %s", name,
                   strerror(error ? error : errno));
}

enum exit_code cli_backup(struct cli *cli)
{
    enum { NICEST = 19 };
    if (cli->word_count != 1) return cli_say(EXIT_USAGE, "one file's name is wanted");
    /* It may run beside the server, which has better things to do. */
    (void)!setpriority(PRIO_PROCESS, 0, NICEST);
    return save_as(cli, "/backup", cli->words[0]);
}

/* The id of the project that is called so, or has this id; to be freed. */
static enum exit_code find_project(struct cli *cli, const char *wanted, char **out)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    size_t matches = 0;
    enum cria_code code = cria_v2_projects_list_all(cli->client, NULL, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        const char *id = cria_project_id(item), *name = cria_project_name(item);
        if (!id || (strcmp(id, wanted) != 0 && (!name || strcmp(name, wanted) != 0))) continue;
        matches++;
        free(*out);
        *out = strdup(id);
    }
    cria_iterator_free(all);
    if (code != CRIA_OK) return cli_fail(cli, cli->command);
    if (matches == 0) return cli_say(EXIT_FAILED, "there is no project '%s'", wanted);
    if (matches > 1)
        return cli_say(EXIT_USAGE, "%zu projects are called so: name one by its id", matches);
    return *out ? EXIT_FINE : EXIT_SOFTWARE;
}

enum exit_code cli_export(struct cli *cli)
{
    char *id = NULL, path[256];
    if (cli->word_count != 2) return cli_say(EXIT_USAGE, "a project and a file's name are wanted");
    enum exit_code code = find_project(cli, cli->words[0], &id);
    if (code == EXIT_FINE) {
        snprintf(path, sizeof(path), "/export?project_id=%.200s", id);
        code = save_as(cli, path, cli->words[1]);
    }
    free(id);
    return code;
}

enum exit_code cli_import(struct cli *cli)
{
    const char *const fields[] = {"name", cli->name, NULL};
    struct cria_project *project = NULL;
    if (cli->word_count != 1) return cli_say(EXIT_USAGE, "one file's name is wanted");
    if (access(cli->words[0], R_OK) != 0)
        return cli_say(EXIT_NO_INPUT, "%s: %s", cli->words[0], strerror(errno));
    const struct cria_upload file = {.path = cli->words[0]};
    if (cria_send_form(cli->client, "/import", cli->name ? fields : NULL, "upload_file", &file,
                       (void **)&project) != CRIA_OK)
        return cli_fail(cli, cli->command);
    if (cli->is_json) {
        cli_print_json(project);
    } else if (!cli->is_quiet) {
        printf("project %s \"", cria_project_id(project));
        cli_print_safe(cria_project_name(project), stdout);
        puts("\" is here");
    }
    cria_free(project);
    return EXIT_FINE;
}
