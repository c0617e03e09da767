/* prompt.h - what a model is sent: rules, earlier turns, the question, what its tools found.
 * Room: chat. Pure. Yours to change is the wording; put each rule next to what it governs. */
#ifndef CRIA_CHAT_PROMPT_H
#define CRIA_CHAT_PROMPT_H

#include "chat/history.h"
#include "model/provider.h"

enum { CRIA_WINDOW_TOKENS = 8192, CRIA_ANSWER_TOKENS = 2048 };

/** One model call of this turn that asked for tools, and what came back. */
struct cria_step {
    struct cria_str text;                 /* said before the calls */
    const struct cria_prompt_call *calls; /* none: a search that was done before the first call */
    const struct cria_str *results;       /* text for the model, one per call */
    size_t call_count;
    struct cria_step *next;
};

struct cria_prompt_source {
    struct cria_str question;
    const struct cria_history *history;
    const struct cria_step *steps;
    const struct cria_prompt_tool *tools; /* none: passages and question in one plain message */
    size_t tool_count;
    bool is_last_round;    /* tools may be there, but now it has to answer */
    struct cria_str tag;   /* random, of this turn */
    struct cria_str today; /* "2026-11-22" */
    int64_t window_tokens;
};

/** Builds; drops the oldest history first, then the oldest results, to fit the window. In the
 * arena. @return CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_prompt_build(struct cria_arena *arena,
                                                   const struct cria_prompt_source *source,
                                                   struct cria_prompt *out);
/** Tokens as most models count them, guessed. */
int64_t cria_prompt_tokens(struct cria_str text);

#endif
