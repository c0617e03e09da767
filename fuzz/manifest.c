/* Any bytes as a manifest, as they are and with their checksum made right: names are plain, bitmaps
 * as long as they should be, and the reader comes to an end. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "search/bitmap.h"
#include "search/manifest.h"

static void read_all(struct cria_str body, struct cria_str scope)
{
    struct cria_manifest_reader reader;
    struct cria_manifest_part part;
    volatile unsigned sum = 0;
    if (!cria_manifest_open(body, scope, &reader)) return;
    while (cria_manifest_next(&reader, &part)) {
        assert(strlen(part.name) > 0 && strlen(part.name) < CRIA_ID_SIZE);
        assert(!strpbrk(part.name, "/.") && !strpbrk(part.vectors_name, "/."));
        assert(part.dead_count <= part.document_count);
        assert(part.dead.len ==
               (part.dead_count ? cria_bitmap_words(part.document_count) * sizeof(uint64_t) : 0));
        for (size_t i = 0; i < part.dead.len; i++) sum += (unsigned char)part.dead.ptr[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cria_str scope = CRIA_STR("prj-a/idx-b");
    uint64_t checksum;
    char *body = malloc(size + sizeof(checksum));
    assert(body);
    if (size) memcpy(body, data, size);
    read_all(cria_str_make(body, size), scope);
    checksum = cria_checksum(body, size, cria_checksum(scope.ptr, scope.len, 0));
    memcpy(body + size, &checksum, sizeof(checksum));
    read_all(cria_str_make(body, size + sizeof(checksum)), scope);
    free(body);
    return 0;
}
