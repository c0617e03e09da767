/* tool_calls.h - puts together the tool calls that a model streams in pieces.
 * Room: model. Pure; one thread at a time. Providers disagree about ids, indexes and repeated
 * members; the rules that make sense of all of them are in tool_calls.c alone. */
#ifndef CRIA_MODEL_TOOL_CALLS_H
#define CRIA_MODEL_TOOL_CALLS_H

#include "base/buf.h"
#include "base/json.h"

enum { CRIA_TOOL_SLOTS = 32, CRIA_TOOL_ARGUMENTS_MAX = 16 * 1024 };

struct cria_tool_slot {
    char id[80];   /* the provider's, "" when it sent none */
    int64_t index; /* -1: none was sent */
    char name[80];
    struct cria_buf arguments; /* JSON text as it came */
    bool is_object;            /* arguments came as an object: later ones replace */
};

struct cria_tool_calls {
    struct cria_tool_slot slots[CRIA_TOOL_SLOTS];
    size_t count;
    bool overflowed; /* more calls or longer arguments than allowed: the rest was dropped */
};

/** One finished call. */
struct cria_tool_call {
    struct cria_str name;
    struct cria_str arguments_json; /* an object; "{}" when there were none */
    bool is_broken; /* the arguments were cut or no object: arguments_json is "{}" */
};

void cria_tool_calls_init(struct cria_tool_calls *calls);
void cria_tool_calls_release(struct cria_tool_calls *calls);
/** Takes one element of `delta.tool_calls` or `message.tool_calls`. */
void cria_tool_calls_add(struct cria_tool_calls *calls, const struct cria_json *piece);
/**
 * The finished calls in order of first appearance; slots without a name are left out; several
 * objects in one slot are several calls.
 * @param[out] out  in the arena. @return CRIA_E_NO_MEMORY.
 */
CRIA_MUST_CHECK enum cria_status cria_tool_calls_finish(const struct cria_tool_calls *calls,
                                                        struct cria_arena *arena,
                                                        const struct cria_tool_call **out,
                                                        size_t *count);
/** Bytes of the first complete JSON object at the start of text (after white space); 0: none. */
size_t cria_json_object_len(struct cria_str text);

#endif
