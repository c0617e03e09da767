#include "cli/cli_hash.h"

#include <stdio.h>

#include "platform/crypto.h"

bool cli_hash_file(const char *path, char out[65])
{
    char bytes[65536];
    struct cria_sha256 hash;
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    cria_sha256_init(&hash);
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        cria_sha256_add(&hash, cria_str_make(bytes, n));
    bool good = !ferror(file);
    fclose(file);
    cria_sha256_finish_hex(&hash, out);
    return good;
}
