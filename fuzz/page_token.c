/* Any bytes as a page token: none but our own is taken, and ours come back as they went. */
#include <assert.h>

#include "api/page.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char secret[CRIA_SECRET_BYTES] = {1, 2, 3};
    struct cria_str bytes = cria_str_make((const char *)data, size);
    struct cria_cursor cursor = {.is_set = true, .at_us = (int64_t)size, .id = bytes}, out;
    struct cria_arena arena;
    cria_arena_init(&arena, 16 << 20);
    assert(!cria_page_unseal(&arena, secret, CRIA_STR("list"), bytes, &out));
    if (size < 4000) {
        struct cria_str token = cria_page_seal(&arena, secret, CRIA_STR("list"), &cursor);
        assert(cria_page_unseal(&arena, secret, CRIA_STR("list"), token, &out));
        assert(out.at_us == cursor.at_us && cria_str_equal(out.id, bytes) && !out.name.ptr);
        assert(!cria_page_unseal(&arena, secret, CRIA_STR("other"), token, &out));
    }
    cria_arena_release(&arena);
    return 0;
}
