/* Any bytes as JSON: what is read can be written, and what is written reads back the same. */
#include <assert.h>

#include "base/json.h"
#include "base/json_out.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_arena arena;
    const struct cria_json *value, *again;
    const char *why;
    struct cria_buf first, second;
    cria_arena_init(&arena, 64 << 20);
    cria_buf_init(&first, 64 << 20);
    cria_buf_init(&second, 64 << 20);
    if (cria_json_parse(&arena, cria_str_make((const char *)data, size), &value, &why) == CRIA_OK) {
        struct cria_json_out out = cria_json_out_to(&first);
        cria_out_json(&out, value);
        assert(!first.failed);
        assert(cria_json_parse(&arena, cria_buf_str(&first), &again, &why) == CRIA_OK);
        out = cria_json_out_to(&second);
        cria_out_json(&out, again);
        assert(cria_str_equal(cria_buf_str(&first), cria_buf_str(&second)));
    }
    cria_buf_release(&first);
    cria_buf_release(&second);
    cria_arena_release(&arena);
    return 0;
}
