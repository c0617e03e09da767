/* replay.c - gives each file of a folder to a fuzz target, as a plain test: no libFuzzer, so that
 * the seeds run under every compiler and sanitizer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { MAX_SEED_BYTES = 16 << 20, MAX_PATH_BYTES = 4096 };

static int replay(const char *path)
{
    int status = -1;
    FILE *file = fopen(path, "rb");
    uint8_t *big = malloc(MAX_SEED_BYTES), *exact = NULL;
    if (!file || !big) goto out;
    size_t size = fread(big, 1, MAX_SEED_BYTES, file);
    /* A block of just the right size lets the sanitizer see a read past the end. */
    exact = malloc(size ? size : 1);
    if (!exact || ferror(file)) goto out;
    memcpy(exact, big, size);
    LLVMFuzzerTestOneInput(exact, size);
    status = 0;
out:
    if (status != 0) fprintf(stderr, "%s cannot be read\n", path);
    free(exact);
    free(big);
    if (file) fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    char path[MAX_PATH_BYTES];
    unsigned count = 0;
    int status = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", argc ? argv[0] : "replay");
        return 64;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (replay(path) != 0) status = 1;
        count++;
    }
    closedir(folder);
    if (count == 0) {
        fprintf(stderr, "%s holds no seeds\n", argv[1]);
        return 1;
    }
    printf("%u seeds replayed\n", count);
    return status;
}
