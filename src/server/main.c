/* main.c - the program's verbs and exit codes (sysexits.h).
 * Room: server. */
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"
#include "cli/cli_main.h"
#include "platform/crypto.h"
#include "server/admin.h"
#include "server/app.h"
#include "store/backup.h"

enum { ERRORS_BYTES = 65536, ARENA_BYTES = 16 << 20 };

static const char usage[] =
    "cria - a chat over your own documents, wire-compatible with the LlamaCloud Index and Chat "
    "API\n"
    "\n"
    "usage: cria serve [--data DIR] [--listen ADDRESS:PORT] [options]\n"
    "       cria keys create|list|revoke …       API keys of a data folder\n"
    "       cria projects create|list …          its projects\n"
    "       cria restore FILE DIR [--verify]     a data folder of a backup; each file is checked\n"
    "       cria config check [options]          tells every mistake in options, environment and "
    "file\n"
    "       cria config --markdown               the options as a table\n"
    "       cria --version\n"
    "\n"
    "`cria serve --help` lists the options. Without a key only this machine is served.\n"
    "\n"
    "With a server running, here or elsewhere (`cria COMMAND --help` tells more):\n";

static void print_usage(FILE *out)
{
    fputs(usage, out);
    cli_print_commands(out);
}

static enum cria_log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < CRIA_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return (enum cria_log_level)i;
    return CRIA_LOG_OFF;
}

/* Reads the configuration or says everything that is wrong with it. */
static bool configure(struct cria_config *config, int argc, char **argv)
{
    struct cria_buf errors;
    cria_buf_init(&errors, ERRORS_BYTES);
    bool good = cria_config_read(config, argc, argv, &errors);
    if (!good) fprintf(stderr, "%.*s", CRIA_STR_ARG(cria_buf_str(&errors)));
    cria_buf_release(&errors);
    return good;
}

static int serve_exit_code(enum cria_status st)
{
    return st == CRIA_OK                                                      ? EX_OK
           : st == CRIA_E_CONFLICT                                            ? EX_CANTCREAT
           : st == CRIA_E_FORBIDDEN                                           ? EX_CONFIG
           : st == CRIA_E_IO || st == CRIA_E_CORRUPT || st == CRIA_E_NO_SPACE ? EX_IOERR
           : st == CRIA_E_UNAVAILABLE                                         ? EX_CONFIG
                                                                              : EX_SOFTWARE;
}

static int serve(int argc, char **argv)
{
    struct cria_config config;
    struct cria_arena arena;
    struct cria_call call;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        printf("usage: cria serve [options]\n\n");
        cria_config_help(stdout);
        return EX_OK;
    }
    if (!configure(&config, argc, argv)) {
        cria_config_release(&config);
        return EX_USAGE;
    }
    cria_log_set_level(level_of(config.log_level));
    cria_arena_init(&arena, ARENA_BYTES);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_app_serve(&config, &call);
    if (st != CRIA_OK)
        fprintf(stderr, "cria: %s\n", call.error[0] ? call.error : cria_status_name(st));
    cria_arena_release(&arena);
    cria_config_release(&config);
    return serve_exit_code(st);
}

static int config_main(int argc, char **argv)
{
    struct cria_config config;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        puts("usage: cria config check [options of serve]\n       cria config --markdown\n\n"
             "check tells every mistake in options, environment and file at once, and starts "
             "nothing:\n0 all is well, 78 something is wrong. `cria serve --help` lists the "
             "options.");
        return EX_OK;
    }
    if (argc == 1 && strcmp(argv[0], "--markdown") == 0) {
        cria_config_markdown(stdout);
        return EX_OK;
    }
    if (argc < 1 || strcmp(argv[0], "check") != 0) {
        print_usage(stderr);
        return EX_USAGE;
    }
    bool good = configure(&config, argc - 1, argv + 1);
    cria_config_release(&config);
    if (good) puts("the configuration is good");
    return good ? EX_OK : EX_CONFIG;
}

static const char restore_usage[] =
    "usage: cria restore FILE DIR [--verify] [--json]\n"
    "\n"
    "Makes a data folder, which must be empty or not there, of a file that `cria backup` wrote.\n"
    "Every file is compared with its digest. --verify then reads what the database says and looks\n"
    "for each stored file. Start a server on it with `cria serve --data DIR`.\n";

static int restore_exit_code(enum cria_status st)
{
    return st == CRIA_OK            ? EX_OK
           : st == CRIA_E_CORRUPT   ? EX_DATAERR
           : st == CRIA_E_CONFLICT  ? EX_CANTCREAT
           : st == CRIA_E_NO_MEMORY ? EX_OSERR
                                    : EX_IOERR;
}

static void tell_restored(const char *folder, const struct cria_restored *restored, bool is_json,
                          bool verifies)
{
    if (is_json)
        printf("{\"files\":%llu,\"bytes\":%llu,\"verified\":%s}\n",
               (unsigned long long)restored->blobs, (unsigned long long)restored->bytes,
               verifies ? "true" : "false");
    else
        printf("%s: %llu files, %.1f MB, all as their digests say%s\n", folder,
               (unsigned long long)restored->blobs, (double)restored->bytes / 1e6,
               verifies ? "; the database misses none" : "");
}

static int restore(int argc, char **argv)
{
    struct cria_arena arena;
    struct cria_call call;
    struct cria_restored restored;
    struct cria_store *store = NULL;
    const char *words[2];
    int count = 0;
    bool verifies = false, is_json = false, is_wrong = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(restore_usage, stdout);
            return EX_OK;
        }
        if (strcmp(argv[i], "--verify") == 0)
            verifies = true;
        else if (strcmp(argv[i], "--json") == 0)
            is_json = true;
        else if (argv[i][0] != '-' && count < 2)
            words[count++] = argv[i];
        else
            is_wrong = true;
    }
    if (is_wrong || count != 2) {
        fputs(restore_usage, stderr);
        return EX_USAGE;
    }
    cria_arena_init(&arena, ARENA_BYTES);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_backup_restore(&call, words[0], words[1], &restored);
    /* Opening it is a check too: the schema is ours, the database whole. */
    if (st == CRIA_OK)
        st = cria_store_open(&(struct cria_store_options){.folder = words[1]}, &call, &store);
    if (st == CRIA_OK && verifies) st = cria_backup_verify(store, &call);
    cria_store_close(store);
    if (st == CRIA_OK)
        tell_restored(words[1], &restored, is_json, verifies);
    else
        fprintf(stderr, "cria: %s\n", call.error[0] ? call.error : cria_status_name(st));
    cria_arena_release(&arena);
    return restore_exit_code(st);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (cria_crypto_init() != CRIA_OK) {
        fputs("cria: the system has no random numbers\n", stderr);
        return EX_OSERR;
    }
    if (strcmp(verb, "serve") == 0) return serve(argc - 2, argv + 2);
    if (strcmp(verb, "keys") == 0 || strcmp(verb, "projects") == 0)
        return cria_admin_main(argc - 1, argv + 1);
    if (strcmp(verb, "restore") == 0) return restore(argc - 2, argv + 2);
    if (cli_knows(verb)) return cli_main(argc, argv);
    if (strcmp(verb, "config") == 0) return config_main(argc - 2, argv + 2);
    if (strcmp(verb, "--version") == 0 || strcmp(verb, "version") == 0) {
        puts("cria " CRIA_VERSION);
        return EX_OK;
    }
    bool asked = strcmp(verb, "--help") == 0 || strcmp(verb, "help") == 0;
    print_usage(asked ? stdout : stderr);
    return asked ? EX_OK : EX_USAGE;
}
