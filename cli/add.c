/* add.c - files and folders into an index: what is new or changed is uploaded, then the index is
 * built and waited for. A file is known by its path (unique_id) and its SHA-256 (metadata). */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { DEPTH_MAX = 32, PATH_BYTES = 4096, POLL_US = 100000 };
static const double SHOW_S = 0.1; /* between two looks of the progress line */

struct found {
    char *path;
    uint64_t size;
};

struct adding {
    struct cli *cli;
    struct found *found; /* what is to be looked at, in order */
    size_t found_count, found_capacity;
    uint64_t total_bytes, seen_bytes;
    char *index_id, *directory_id;
    size_t uploaded, unchanged, failed;
    uint64_t bytes;
    size_t at;           /* the one that is being looked at */
    uint64_t sent_bytes; /* of it */
    double begun, shown;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the index: by name, else made with a directory of the same name */

static enum exit_code find_index(struct adding *adding, const char *name)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    enum cria_code code = cria_beta_indexes_list_all(adding->cli->client, NULL, &all);
    while (code == CRIA_OK && !adding->index_id &&
           (code = cria_iterator_next(all, &item)) == CRIA_OK && item) {
        if (strcmp(cria_index_name(item), name) != 0 && strcmp(cria_index_id(item), name) != 0)
            continue;
        adding->index_id = strdup(cria_index_id(item));
        adding->directory_id = strdup(cria_index_source_directory_id(item));
    }
    cria_iterator_free(all);
    return code == CRIA_OK ? EXIT_FINE : cli_fail(adding->cli, "indexes");
}

static enum exit_code make_directory(struct adding *adding, const char *name)
{
    struct cria_directory *directory = NULL;
    const struct cria_beta_directories_new_params params = {.name = name};
    if (adding->directory_id) return EXIT_FINE;
    if (cria_beta_directories_new(adding->cli->client, &params, &directory) != CRIA_OK)
        return cli_fail(adding->cli, name);
    adding->directory_id = strdup(cria_directory_id(directory));
    cria_free(directory);
    return EXIT_FINE;
}

/* ---- one file */

static bool shows_progress(const struct adding *adding)
{
    return !adding->cli->is_quiet && !adding->cli->is_json && isatty(STDERR_FILENO);
}

/* One line that is written over: how far, how fast, how long still. */
static void show_progress(const struct adding *adding)
{
    enum { BAR = 20 };
    char bar[BAR * 3 + 1] = "" /* a mark takes three bytes */, line[400];
    uint64_t sent = adding->seen_bytes + adding->sent_bytes;
    double seconds = now_s() - adding->begun, total = (double)adding->total_bytes;
    double share = total > 0 ? (double)sent / total : 0;
    double rate = seconds > 0 ? (double)sent / seconds : 0;
    double left = rate > 0 && sent < adding->total_bytes ? (total - (double)sent) / rate : 0;
    if (!shows_progress(adding)) return;
    if (share > 1) share = 1; /* a form is a little longer than its file */
    for (int i = 0; i < BAR; i++) memcpy(bar + (size_t)i * 3, i < share * BAR ? "█" : "░", 4);
    int figures =
        snprintf(line, sizeof(line), " %3.0f%%  %zu/%zu  %.1f of %.1f MB  %.1f MB/s  %.0f s left  ",
                 share * 100, adding->at + 1, adding->found_count, (double)sent / 1e6, total / 1e6,
                 rate / 1e6, left);
    /* A line that does not fit could not be written over. */
    int width = (int)cli_columns(STDERR_FILENO), room = width ? width - 1 - BAR - figures : 0;
    if (width && room < 0) bar[0] = '\0';
    const char *path = adding->found[adding->at].path, *name = path ? strrchr(path, '/') : NULL;
    name = name ? name + 1 : path ? path : "";
    int len = (int)strlen(name);
    if (len > room) len = room > 0 ? room : 0;
    while (len && ((unsigned char)name[len] & 0xC0) == 0x80) len--;
    snprintf(line + figures, sizeof(line) - (size_t)figures, "%.*s", len, name);
    fprintf(stderr, "\r\033[K%s", bar);
    cli_print_safe(line, stderr);
    fflush(stderr);
}

static bool on_sent(void *arg, uint64_t sent, uint64_t total)
{
    struct adding *adding = arg;
    double now = now_s();
    (void)total;
    if (now - adding->shown < SHOW_S) return true;
    adding->shown = now;
    adding->sent_bytes = sent;
    show_progress(adding);
    return true;
}

static void tell(const struct adding *adding, const char *verdict, const char *path)
{
    if (adding->cli->is_quiet || adding->cli->is_json) return;
    if (shows_progress(adding)) fputs("\r\033[K", stderr);
    printf("%-9s ", verdict);
    cli_print_safe(path, stdout);
    putchar('\n');
    fflush(stdout);
}

/* What the directory holds under this path: 1 the same bytes, 0 nothing, -1 others, which are
 * removed. */
static int look(struct adding *adding, const char *path, const char *hash)
{
    struct cria_directory_file_page *page = NULL;
    int verdict = 0;
    const struct cria_beta_directories_files_list_params params = {.unique_id = path};
    if (cria_beta_directories_files_list(adding->cli->client, adding->directory_id, &params,
                                         &page) != CRIA_OK)
        return 0;
    if (cria_directory_file_page_items_count(page)) {
        const struct cria_directory_file *file = cria_directory_file_page_items_at(page, 0);
        char *metadata = cria_member_json(file, "metadata");
        verdict = metadata && strstr(metadata, hash) ? 1 : -1;
        cria_text_free(metadata);
        if (verdict < 0)
            cria_beta_directories_files_delete(adding->cli->client, adding->directory_id,
                                               cria_directory_file_id(file), NULL);
    }
    cria_free(page);
    return verdict;
}

static void add_file(struct adding *adding, const char *path, uint64_t size)
{
    char hash[65], metadata[100];
    struct cria_directory_file *file = NULL;
    if (!cli_hash_file(path, hash)) {
        adding->failed++;
        cli_say(EXIT_NO_INPUT, "%s cannot be read", path);
        return;
    }
    int known = look(adding, path, hash);
    if (known == 1) {
        adding->unchanged++;
        tell(adding, "unchanged", path);
        return;
    }
    snprintf(metadata, sizeof(metadata), "{\"sha256\":\"%s\"}", hash);
    const struct cria_beta_directories_files_upload_params params = {
        .upload_file = {.path = path, .progress = on_sent, .progress_arg = adding},
        .unique_id = path,
        .metadata = metadata};
    if (cria_beta_directories_files_upload(adding->cli->client, adding->directory_id, &params,
                                           &file) != CRIA_OK) {
        adding->failed++;
        cli_fail(adding->cli, path);
        return;
    }
    adding->uploaded++;
    adding->bytes += size;
    tell(adding, known < 0 ? "replaced" : "uploaded", path);
    cria_free(file);
}

static bool note(struct adding *adding, const char *path, uint64_t size)
{
    if (adding->found_count == adding->found_capacity) {
        size_t capacity = adding->found_capacity ? adding->found_capacity * 2 : 64;
        struct found *grown = realloc(adding->found, capacity * sizeof(*grown));
        if (!grown) return false;
        adding->found = grown;
        adding->found_capacity = capacity;
    }
    adding->found[adding->found_count].path = strdup(path);
    adding->found[adding->found_count++].size = size;
    adding->total_bytes += size;
    return true;
}

static void find_path(struct adding *adding, const char *path, unsigned depth)
{
    struct stat info;
    struct dirent *entry;
    char below[PATH_BYTES];
    if (stat(path, &info) != 0) {
        adding->failed++;
        cli_say(EXIT_NO_INPUT, "%s: there is no such file", path);
        return;
    }
    if (S_ISREG(info.st_mode) && !note(adding, path, (uint64_t)info.st_size)) adding->failed++;
    DIR *dir = S_ISDIR(info.st_mode) && depth < DEPTH_MAX ? opendir(path) : NULL;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') continue; /* hidden ones, and the folder itself */
        int n = snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        if (n > 0 && (size_t)n < sizeof(below)) find_path(adding, below, depth + 1);
    }
    if (dir) closedir(dir);
}

/* "./docs/" and "docs" are the same: a file is known by its path. */
static void find_root(struct adding *adding, const char *word)
{
    char path[PATH_BYTES];
    while (word[0] == '.' && word[1] == '/' && word[2]) {
        word += 2;
        while (word[0] == '/' && word[1]) word++;
    }
    int n = snprintf(path, sizeof(path), "%s", word);
    if (n < 0 || (size_t)n >= sizeof(path)) n = (int)sizeof(path) - 1;
    while (n > 1 && path[n - 1] == '/') path[--n] = '\0';
    find_path(adding, path, 0);
}

static int by_path(const void *a, const void *b)
{
    const char *one = ((const struct found *)a)->path, *other = ((const struct found *)b)->path;
    return strcmp(one ? one : "", other ? other : "");
}

static void add_found(struct adding *adding)
{
    if (adding->found_count) /* folders give their files in any order */
        qsort(adding->found, adding->found_count, sizeof(*adding->found), by_path);
    for (size_t i = 0; i < adding->found_count; i++) {
        const struct found *one = &adding->found[i];
        if (!one->path) continue;
        adding->at = i;
        adding->sent_bytes = 0;
        show_progress(adding);
        add_file(adding, one->path, one->size);
        adding->sent_bytes = 0;
        adding->seen_bytes += one->size;
    }
    if (shows_progress(adding)) fputs("\r\033[K", stderr);
    for (size_t i = 0; i < adding->found_count; i++) free(adding->found[i].path);
    free(adding->found);
}

/* ---- building */

static enum exit_code begin_build(struct adding *adding, const char *name)
{
    struct cria_client *client = adding->cli->client;
    if (adding->index_id) {
        struct cria_empty *empty = NULL;
        enum cria_code code = cria_beta_indexes_sync(client, adding->index_id, NULL, &empty);
        cria_free(empty);
        /* One that runs already may have missed what came late: it is waited for all the same. */
        return code == CRIA_OK || cria_last_error()->status == 409 ? EXIT_FINE
                                                                   : cli_fail(adding->cli, "sync");
    }
    struct cria_index *index = NULL;
    const struct cria_beta_indexes_new_params params = {.source_directory_id = adding->directory_id,
                                                        .name = name};
    if (cria_beta_indexes_new(client, &params, &index) != CRIA_OK)
        return cli_fail(adding->cli, "index");
    adding->index_id = strdup(cria_index_id(index));
    cria_free(index);
    return EXIT_FINE;
}

/* A file by its name; the server tells ids. */
static void tell_failure(const struct adding *adding, const void *failed)
{
    struct cria_directory_file *file = NULL;
    const char *id = cria_get_text(failed, "directory_file_id"),
               *why = cria_get_text(failed, "error");
    if (id && cria_beta_directories_files_get(adding->cli->client, adding->directory_id, id, NULL,
                                              &file) != CRIA_OK)
        file = NULL;
    const char *path = file ? cria_directory_file_unique_id(file) : NULL;
    fputs("cria: not indexed: ", stderr);
    cli_print_safe(path ? path : id ? id : "?", stderr);
    fputs(": ", stderr);
    cli_print_safe(why ? why : "no reason was told", stderr);
    fputc('\n', stderr);
    cria_free(file);
}

/* What was sent but could not be read is not there to be found: it has failed as well. */
static void tell_failures(struct adding *adding, const struct cria_index_metadata *metadata)
{
    size_t count = cria_index_metadata_failed_files_count(metadata);
    for (size_t i = 0; i < count; i++)
        tell_failure(adding, cria_index_metadata_failed_files_at(metadata, i));
    adding->failed += count;
}

/* How many files are read already, where the server counts them. */
static void show_building(const struct adding *adding, const struct cria_index_metadata *metadata,
                          const char *status)
{
    if (!shows_progress(adding)) return;
    const void *counts = cria_get_object(metadata, "file_counts");
    long long total = cria_get_int(counts, "total"),
              done = cria_get_int(counts, "succeeded") + cria_get_int(counts, "failed");
    fprintf(stderr, "\r\033[Kbuilding the index: %s", status);
    if (total) fprintf(stderr, ", %lld of %lld files read", done, total);
    fflush(stderr);
}

static enum exit_code wait_ready(struct adding *adding)
{
    for (;; usleep(POLL_US)) {
        struct cria_index *index = NULL;
        if (cria_beta_indexes_get(adding->cli->client, adding->index_id, NULL, &index) != CRIA_OK)
            return cli_fail(adding->cli, "index");
        const struct cria_index_metadata *metadata = cria_index_metadata(index);
        const char *status = cria_index_metadata_status(metadata);
        bool is_ready = strcmp(status, "ready") == 0, has_failed = strcmp(status, "failed") == 0;
        if (!is_ready && !has_failed)
            show_building(adding, metadata, status);
        else if (shows_progress(adding))
            fputs("\r\033[K", stderr);
        const char *error = cria_index_metadata_error_message(metadata);
        if (has_failed) cli_say(EXIT_DATA, "%s", error ? error : "the index could not be built");
        if (is_ready || has_failed) tell_failures(adding, metadata);
        if (is_ready && adding->cli->is_json) cli_print_json(index);
        cria_free(index);
        if (is_ready) return adding->failed ? EXIT_FAILED : EXIT_FINE;
        if (has_failed) return EXIT_DATA;
    }
}

enum exit_code cli_add(struct cli *cli)
{
    struct adding adding = {.cli = cli, .begun = now_s()};
    const char *name = cli->index_count ? cli->index_names[0] : "documents";
    if (!cli->word_count) return cli_say(EXIT_USAGE, "files or folders are wanted");
    enum exit_code code = find_index(&adding, name);
    if (code == EXIT_FINE) code = make_directory(&adding, name);
    for (size_t i = 0; i < cli->word_count && code == EXIT_FINE; i++)
        find_root(&adding, cli->words[i]);
    if (code == EXIT_FINE) add_found(&adding);
    if (code == EXIT_FINE) code = begin_build(&adding, name);
    if (code == EXIT_FINE) code = wait_ready(&adding);
    if (!cli->is_json && !cli->is_quiet && (code == EXIT_FINE || code == EXIT_FAILED)) {
        double seconds = now_s() - adding.begun;
        printf(
            "%zu uploaded (%.1f MB, %.1f s), %zu unchanged, %zu failed; index %s \"%s\" is ready\n",
            adding.uploaded, (double)adding.bytes / 1e6, seconds, adding.unchanged, adding.failed,
            adding.index_id, name);
    }
    free(adding.index_id);
    free(adding.directory_id);
    return code;
}
