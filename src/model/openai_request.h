/* openai_request.h - a prompt as the JSON of POST /chat/completions. Room: model. Pure. */
#ifndef CRIA_MODEL_OPENAI_REQUEST_H
#define CRIA_MODEL_OPENAI_REQUEST_H

#include "model/provider.h"

/** Appends the plainest request that streams; with_usage adds stream_options. */
void cria_openai_request_write(struct cria_buf *out, struct cria_str model,
                               const struct cria_prompt *prompt, bool with_usage);

/** What a refusal (HTTP 4xx or an error object) is about, by its words. */
enum cria_openai_refusal {
    CRIA_REFUSAL_OTHER,
    CRIA_REFUSAL_TOOLS,
    CRIA_REFUSAL_USAGE,   /* stream_options */
    CRIA_REFUSAL_PASSING, /* the model wrote a call that the server could not read: ask again */
    CRIA_REFUSAL_TOO_LONG /* *window_tokens: the smaller of two numbers in it, 0 when none */
};
enum cria_openai_refusal cria_openai_refusal_kind(struct cria_str text, bool had_tools,
                                                  int64_t *window_tokens);

#endif
