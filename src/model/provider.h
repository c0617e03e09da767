/* provider.h - a language model behind an OpenAI-compatible address: one streamed completion.
 * Room: model. A model may be used from every loop; a completion belongs to the loop it was started
 * on. What the provider cannot do is learned from its refusals and remembered in the model. */
#ifndef CRIA_MODEL_PROVIDER_H
#define CRIA_MODEL_PROVIDER_H

#include "base/arena.h"
#include "model/tool_calls.h"
#include "platform/loop.h"

struct cria_model;
struct cria_completion;

struct cria_model_options {
    const char *url;                             /* base URL, ".../v1" */
    const char *name;                            /* of the model */
    const char *key;                             /* NULL or "": none is sent */
    uint32_t connect_ms, first_byte_ms, idle_ms; /* 0: 10,000, 120,000, 60,000 */
    uint32_t retry_ms; /* first wait before a second try, doubled each time; 0: 250 */
};

CRIA_MUST_CHECK enum cria_status cria_model_new(const struct cria_model_options *options,
                                                struct cria_model **out);
/** Closes the connections on all loops, which must still run; no completion may be left. Blocks at
 * most wait_ms; not on a loop. */
void cria_model_close(struct cria_model *model, uint32_t wait_ms);
/** After cria_model_close. NULL is fine. */
void cria_model_free(struct cria_model *model);
/** Whether tools were refused by an earlier completion. Any thread. */
bool cria_model_lacks_tools(const struct cria_model *model);

enum cria_role { CRIA_ROLE_SYSTEM, CRIA_ROLE_USER, CRIA_ROLE_ASSISTANT, CRIA_ROLE_TOOL };
struct cria_prompt_call {
    struct cria_str id, name, arguments_json;
};
struct cria_prompt_message {
    enum cria_role role;
    struct cria_str text;
    const struct cria_prompt_call *calls; /* of the assistant */
    size_t call_count;
    struct cria_str call_id; /* of a tool's answer */
};
struct cria_prompt_tool {
    struct cria_str name, description, parameters_json;
};
struct cria_prompt {
    const struct cria_prompt_message *messages;
    size_t message_count;
    const struct cria_prompt_tool *tools;
    size_t tool_count;
};

/**
 * Starts. On the loop.
 * @param prompt  borrowed until the completion is freed.
 * @param wake    called on the loop, never from within start or poll, when polling is worth it; may
 *                free the completion.
 */
CRIA_MUST_CHECK enum cria_status cria_completion_start(struct cria_model *model,
                                                       struct cria_loop *loop,
                                                       const struct cria_prompt *prompt,
                                                       void (*wake)(void *arg), void *arg,
                                                       struct cria_completion **out);
/** Aborts when it still runs. On its loop. NULL is fine. */
void cria_completion_free(struct cria_completion *completion);

enum cria_model_poll {
    CRIA_MODEL_WAIT,
    CRIA_MODEL_TEXT,     /* *text: next piece of the answer, until the next poll */
    CRIA_MODEL_THINKING, /* *text: next piece of reasoning */
    CRIA_MODEL_END,
    CRIA_MODEL_ERROR
};
enum cria_model_poll cria_completion_poll(struct cria_completion *completion,
                                          struct cria_str *text);

enum cria_model_problem {
    CRIA_MODEL_FAILED,       /* away, broken off, or refused for good */
    CRIA_MODEL_NO_TOOLS,     /* it takes no tools: ask without */
    CRIA_MODEL_PROMPT_LONG,  /* the prompt exceeds its window: window_tokens if it said so */
    CRIA_MODEL_EMPTY_ANSWER, /* it ended in order and said nothing */
};
/** Lives as long as the completion. */
struct cria_model_answer {
    const struct cria_tool_call *calls;
    size_t call_count;
    struct cria_str finish_reason;       /* "" when none was sent */
    int64_t input_tokens, output_tokens; /* -1: not reported */
    /* After CRIA_MODEL_ERROR: */
    enum cria_model_problem problem;
    const char *error;     /* a sentence for the client */
    int64_t window_tokens; /* 0: not said */
};
/** After END or ERROR. */
const struct cria_model_answer *cria_completion_answer(const struct cria_completion *completion);

#endif
