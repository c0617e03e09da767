/* openai_stream.h - the answer of a chat completion, bytes in, text, reasoning and tool calls out.
 * Room: model. Pure, hostile bytes welcome; one thread at a time. Takes a stream of events, or the
 * whole answer as one JSON text although a stream was asked for; the same bytes give the same
 * pieces in any chunking. */
#ifndef CRIA_MODEL_OPENAI_STREAM_H
#define CRIA_MODEL_OPENAI_STREAM_H

#include "model/sse_reader.h"
#include "model/tool_calls.h"

enum cria_openai_end {
    CRIA_OPENAI_COMPLETE,  /* ended in order: text, calls or both */
    CRIA_OPENAI_TRUNCATED, /* bytes stopped without finish_reason and [DONE] */
    CRIA_OPENAI_EMPTY,     /* ended in order, with nothing in it */
    CRIA_OPENAI_REFUSED,   /* nothing but a refusal or a filter's verdict: error says which */
    CRIA_OPENAI_ERROR      /* the provider reported an error, or the bytes make no sense */
};

struct cria_openai_stream {
    /** Gets text as it comes: of the answer, or of the reasoning. */
    void (*on_text)(void *arg, struct cria_str text, bool is_thinking);
    void *arg;
    const struct cria_str *tool_names; /* offered ones: others are no salvaged call */
    size_t tool_count;

    struct cria_sse_reader sse;
    struct cria_buf body; /* the whole, when it is no event stream */
    struct cria_buf held; /* text that may turn out to be a tag or a call */
    struct cria_tool_calls calls;
    struct cria_arena arena;             /* of one event */
    int64_t input_tokens, output_tokens; /* -1: not reported */
    int error_code;                      /* from inside an error object; 0: none */
    char error[300];
    char finish[32]; /* finish_reason, "" when none came */
    unsigned char source, phase;
    bool saw_done, saw_text, saw_thinking, has_failed;
};

void cria_openai_stream_init(struct cria_openai_stream *stream, const struct cria_str *tool_names,
                             size_t tool_count,
                             void (*on_text)(void *arg, struct cria_str text, bool is_thinking),
                             void *arg);
void cria_openai_stream_release(struct cria_openai_stream *stream);
/** false: enough was read (an error or the end was seen), the rest need not be fetched. */
bool cria_openai_stream_feed(struct cria_openai_stream *stream, struct cria_str bytes);
/** The bytes ended. clean: not by a broken connection. */
enum cria_openai_end cria_openai_stream_end(struct cria_openai_stream *stream, bool clean);

/** The sentence in an error body of whatever form (object, string, array, detail, HTML), cut to
 * what fits. *code gets its number when there is one. */
void cria_openai_error_text(struct cria_str body, char *out, size_t size, int *code);

#endif
