/* Any bytes as the body of a form: the same parts in every chunking. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "http/multipart.h"

static size_t read_form(struct cria_arena *arena, struct cria_str body, size_t step,
                        enum cria_status *st)
{
    struct cria_call call;
    struct cria_part *parts;
    size_t count = 0;
    cria_call_init(&call, arena);
    struct cria_multipart *form = cria_multipart_new(arena, CRIA_STR("b"), "/nowhere");
    assert(form);
    *st = CRIA_OK;
    for (size_t at = 0; at < body.len && *st == CRIA_OK; at += step)
        *st = cria_multipart_add(form, &call, cria_str_sub(body, at, step));
    if (*st == CRIA_OK && body.len < CRIA_PART_MEMORY)
        *st = cria_multipart_finish(form, &call, &parts, &count);
    for (size_t i = 0; i < count; i++) assert(parts[i].size_bytes == parts[i].value.len);
    cria_multipart_free(form);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_str body = cria_str_make((const char *)data, size);
    struct cria_arena arena;
    enum cria_status whole, parted;
    if (size > 1 << 16) return 0;
    cria_arena_init(&arena, 256 << 20);
    size_t count = read_form(&arena, body, body.len + 1, &whole);
    assert(read_form(&arena, body, 1, &parted) == count && parted == whole);
    assert(read_form(&arena, body, 7, &parted) == count && parted == whole);
    cria_arena_release(&arena);
    return 0;
}
