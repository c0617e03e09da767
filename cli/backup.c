/* backup.c - a running server's data in one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

enum exit_code cli_backup(struct cli *cli)
{
    char part[4096];
    struct saving saving = {0};
    if (cli->word_count != 1) return cli_say(EXIT_USAGE, "one file's name is wanted");
    int n = snprintf(part, sizeof(part), "%s.part", cli->words[0]);
    if (n <= 0 || (size_t)n >= sizeof(part)) return cli_say(EXIT_USAGE, "the name is too long");
    /* Not there until it is whole. */
    saving.file = fopen(part, "wbx");
    if (!saving.file) return cli_say(EXIT_NO_INPUT, "%s: %s", part, strerror(errno));
    enum cria_code code = cria_fetch(cli->client, "/backup", save, &saving);
    int error = code == CRIA_CANCELLED ? errno : 0;
    bool good = fflush(saving.file) == 0 && fsync(fileno(saving.file)) == 0;
    if (fclose(saving.file) != 0) good = false;
    if (code == CRIA_OK && good && rename(part, cli->words[0]) == 0) {
        if (!cli->is_quiet) printf("%s: %.1f MB\n", cli->words[0], (double)saving.bytes / 1e6);
        return EXIT_FINE;
    }
    unlink(part);
    if (code != CRIA_OK && !error) return cli_fail(cli, "backup");
    return cli_say(EXIT_SOFTWARE, "%s cannot be written: %s", cli->words[0],
                   strerror(error ? error : errno));
}
