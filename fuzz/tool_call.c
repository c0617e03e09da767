/* Any JSON as pieces of tool calls (one a line): whatever comes, finished calls have arguments that
 * are an object. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "model/tool_calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_str rest = cria_str_make((const char *)data, size), line;
    struct cria_tool_calls *calls = calloc(1, sizeof(*calls));
    const struct cria_tool_call *list;
    struct cria_arena arena;
    const char *why;
    size_t count = 0;
    if (!calls) return 0;
    cria_arena_init(&arena, 64 << 20);
    cria_tool_calls_init(calls);
    while (rest.len) {
        const struct cria_json *piece;
        cria_str_cut(&rest, '\n', &line);
        assert(cria_json_object_len(line) <= line.len);
        if (cria_json_parse(&arena, line, &piece, &why) == CRIA_OK)
            cria_tool_calls_add(calls, piece);
    }
    if (cria_tool_calls_finish(calls, &arena, &list, &count) != CRIA_OK) count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cria_json *arguments;
        assert(list[i].name.len > 0);
        assert(cria_json_parse(&arena, list[i].arguments_json, &arguments, &why) == CRIA_OK);
        assert(arguments->kind == CRIA_JSON_OBJECT);
    }
    cria_tool_calls_release(calls);
    cria_arena_release(&arena);
    free(calls);
    return 0;
}
