/* oneshot.c - `cria ask FOLDER QUESTION`: a private server over a folder of data in the user's
 * cache, for as long as the question takes. The next question about the folder finds its index
 * built. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

enum { PATH_BYTES = 4096 };

/* Makes a path and all above it; false when it cannot be. */
static bool make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c != '/') continue;
        *c = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
        *c = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* A name for the folder's data: its path, folded to letters. FNV-1a is enough: nobody attacks here.
 */
static bool cache_of(const char *folder, char out[PATH_BYTES])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    uint64_t hash = 14695981039346656037u;
    for (const char *c = folder; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    int n = cache && cache[0]
                ? snprintf(out, PATH_BYTES, "%s/cria/%016llx", cache, (unsigned long long)hash)
                : snprintf(out, PATH_BYTES, "%s/.cache/cria/%016llx", home ? home : "/tmp",
                           (unsigned long long)hash);
    return n > 0 && n < PATH_BYTES && make_folders(out);
}

/* Starts `cria serve` and reads its address off its first line. */
static pid_t start_server(const char *program, const char *data, char url[200])
{
    int pipes[2];
    char line[300] = "";
    size_t n = 0;
    if (pipe(pipes) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl(program, "cria", "serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level",
              "error", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    while (pid > 0 && n + 1 < sizeof(line) && read(pipes[0], line + n, 1) == 1 && line[n] != '\n')
        n++;
    close(pipes[0]);
    line[n] = '\0';
    const char *address = strstr(line, "http://");
    if (pid > 0 && address) {
        snprintf(url, 200, "%s", address);
        return pid;
    }
    if (pid > 0) {
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
    }
    return -1;
}

bool cli_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum exit_code cli_ask_folder(struct cli *cli, const char *folder, const char *question)
{
    char real[PATH_BYTES], data[PATH_BYTES], program[PATH_BYTES], url[200];
    struct cria_client *before = cli->client;
    if (!realpath(folder, real) || !cache_of(real, data))
        return cli_say(EXIT_NO_INPUT, "%s: %s", folder, strerror(errno));
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (n <= 0) return cli_say(EXIT_SOFTWARE, "this program's own file is not known here");
    program[n] = '\0';
    pid_t pid = start_server(program, data, url);
    if (pid < 0)
        return cli_say(EXIT_UNAVAILABLE,
                       "the server did not start: is another question about %s running?", real);
    enum exit_code code = EXIT_SOFTWARE;
    cli->client = NULL;
    if (cria_client_new(&(struct cria_client_options){.base_url = url}, &cli->client) == CRIA_OK) {
        bool was_quiet = cli->is_quiet, was_json = cli->is_json;
        cli->index_count = 0;
        cli->word_count = 1;
        cli->words[0] = real;
        cli->is_quiet = true;
        cli->is_json = false;
        code = cli_add(cli);
        cli->is_quiet = was_quiet;
        cli->is_json = was_json;
        cli->words[0] = question;
        /* Some files may not be readable; the question is asked over the others. */
        if (code == EXIT_FINE || code == EXIT_FAILED) code = cli_ask(cli);
        cria_client_free(cli->client);
    }
    cli->client = before;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return code;
}
