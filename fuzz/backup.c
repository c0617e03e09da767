/* Any bytes as a backup to be restored: it is refused, or there is a database in the folder. */
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "platform/crypto.h"
#include "store/backup.h"

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[64], file[80], restored[80], database[96];
    struct cria_restored out;
    struct cria_arena arena;
    struct cria_call call;
    struct stat info;
    snprintf(folder, sizeof(folder), "%s/cria-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (cria_crypto_init() != CRIA_OK || !mkdtemp(folder)) abort();
    snprintf(file, sizeof(file), "%s/file", folder);
    snprintf(restored, sizeof(restored), "%s/restored", folder);
    snprintf(database, sizeof(database), "%s/cria.db", restored);
    FILE *to = fopen(file, "wb");
    assert(to && fwrite(data, 1, size, to) == size && fclose(to) == 0);
    cria_arena_init(&arena, 1 << 20);
    cria_call_init(&call, &arena);
    enum cria_status st = cria_backup_restore(&call, file, restored, &out);
    assert(st != CRIA_OK || stat(database, &info) == 0);
    assert(st == CRIA_OK || call.error[0]);
    /* Beside the two there is nothing: no path led out of the folder. */
    assert(stat(folder, &info) == 0 && info.st_nlink <= 3);
    cria_arena_release(&arena);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
