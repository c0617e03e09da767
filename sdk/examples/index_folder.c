/* index_folder.c FOLDER - uploads the files of a folder, builds an index over them, prints its id.
 */
#include <cria/cria.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, cria_last_error()->detail);
    return 1;
}

static int upload_all(struct cria_client *client, const char *directory_id, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[4096];
    struct stat info;
    int failed = 0;
    while (dir && (entry = readdir(dir)) != NULL) {
        struct cria_directory_file *file = NULL;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) continue;
        const struct cria_beta_directories_files_upload_params params = {
            .upload_file = {.path = path}};
        if (cria_beta_directories_files_upload(client, directory_id, &params, &file) != CRIA_OK)
            failed |= fail(path);
        else
            printf("%s %s\n", cria_directory_file_id(file), cria_directory_file_display_name(file));
        cria_free(file);
    }
    if (dir) closedir(dir);
    return failed;
}

/* Waits until the first build has ended. */
static int wait_ready(struct cria_client *client, const char *index_id)
{
    for (int i = 0; i < 1200; i++, usleep(100000)) {
        struct cria_index *index = NULL;
        if (cria_beta_indexes_get(client, index_id, NULL, &index) != CRIA_OK) return fail("index");
        const struct cria_index_metadata *metadata = cria_index_metadata(index);
        const char *status = cria_index_metadata_status(metadata);
        int verdict = strcmp(status, "ready") == 0 ? 0 : strcmp(status, "failed") == 0 ? 1 : -1;
        if (verdict == 1) fprintf(stderr, "%s\n", cria_index_metadata_error_message(metadata));
        cria_free(index);
        if (verdict >= 0) return verdict;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct cria_client *client = NULL;
    struct cria_directory *directory = NULL;
    struct cria_index *index = NULL;
    if (argc != 2) return 64;
    if (cria_client_new(NULL, &client) != CRIA_OK) return fail("client");
    int code = 1;
    if (cria_beta_directories_new(client,
                                  &(struct cria_beta_directories_new_params){.name = argv[1]},
                                  &directory) != CRIA_OK)
        code = fail("directory");
    else if (upload_all(client, cria_directory_id(directory), argv[1]) == 0 &&
             cria_beta_indexes_new(client,
                                   &(struct cria_beta_indexes_new_params){
                                       .source_directory_id = cria_directory_id(directory)},
                                   &index) == CRIA_OK)
        code = wait_ready(client, cria_index_id(index));
    if (index) printf("%s\n", cria_index_id(index));
    cria_free(index);
    cria_free(directory);
    cria_client_free(client);
    return code;
}
