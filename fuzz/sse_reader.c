/* Any bytes as a model's answer: no crash, and the same text and calls in every chunking. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "model/openai_stream.h"

static void on_text(void *arg, struct cria_str text, bool is_thinking)
{
    struct cria_buf *said = arg;
    assert(text.len > 0);
    cria_buf_add(&said[is_thinking], text);
}

static const struct cria_str names[] = {CRIA_STR_INIT("retrieve"), CRIA_STR_INIT("find_files")};

struct outcome {
    struct cria_buf said[2];
    enum cria_openai_end end;
    size_t calls;
};

static void play(struct cria_str bytes, size_t step, struct outcome *out)
{
    struct cria_openai_stream stream;
    struct cria_arena arena;
    const struct cria_tool_call *calls;
    for (size_t i = 0; i < 2; i++) cria_buf_init(&out->said[i], 64 << 20);
    cria_openai_stream_init(&stream, names, CRIA_COUNT(names), on_text, out->said);
    for (size_t at = 0; at < bytes.len; at += step)
        if (!cria_openai_stream_feed(&stream, cria_str_sub(bytes, at, step))) break;
    out->end = cria_openai_stream_end(&stream, true);
    cria_arena_init(&arena, 16 << 20);
    if (cria_tool_calls_finish(&stream.calls, &arena, &calls, &out->calls) != CRIA_OK)
        out->calls = SIZE_MAX;
    cria_arena_release(&arena);
    cria_openai_stream_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_str bytes = cria_str_make((const char *)data, size);
    struct outcome whole, cut;
    play(bytes, size ? size : 1, &whole);
    play(bytes, 1 + size % 7, &cut);
    assert(whole.end == cut.end && whole.calls == cut.calls);
    for (size_t i = 0; i < 2; i++) {
        assert(cria_str_equal(cria_buf_str(&whole.said[i]), cria_buf_str(&cut.said[i])));
        cria_buf_release(&whole.said[i]);
        cria_buf_release(&cut.said[i]);
    }
    return 0;
}
