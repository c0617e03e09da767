#include "model/openai_request.h"

#include "base/json_out.h"

static const char *role_name(enum cria_role role)
{
    switch (role) {
    case CRIA_ROLE_SYSTEM: return "system";
    case CRIA_ROLE_USER: return "user";
    case CRIA_ROLE_ASSISTANT: return "assistant";
    case CRIA_ROLE_TOOL: return "tool";
    }
    cria_unreachable();
}

static void write_message(struct cria_json_out *out, const struct cria_prompt_message *message)
{
    cria_out_object(out);
    cria_out_member_z(out, "role", role_name(message->role));
    if (message->role == CRIA_ROLE_TOOL) cria_out_member_str(out, "tool_call_id", message->call_id);
    cria_out_member_str(out, "content", message->text);
    if (message->call_count) {
        cria_out_name(out, "tool_calls");
        cria_out_array(out);
        for (size_t i = 0; i < message->call_count; i++) {
            const struct cria_prompt_call *call = &message->calls[i];
            cria_out_object(out);
            cria_out_member_str(out, "id", call->id);
            cria_out_member_z(out, "type", "function");
            cria_out_name(out, "function");
            cria_out_object(out);
            cria_out_member_str(out, "name", call->name);
            /* A string that holds JSON, not JSON. */
            cria_out_member_str(out, "arguments", call->arguments_json);
            cria_out_end(out);
            cria_out_end(out);
        }
        cria_out_end(out);
    }
    cria_out_end(out);
}

void cria_openai_request_write(struct cria_buf *buf, struct cria_str model,
                               const struct cria_prompt *prompt, bool with_usage)
{
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "model", model);
    cria_out_name(&out, "messages");
    cria_out_array(&out);
    for (size_t i = 0; i < prompt->message_count; i++) write_message(&out, &prompt->messages[i]);
    cria_out_end(&out);
    cria_out_member_bool(&out, "stream", true);
    if (with_usage)
        cria_out_member_raw(&out, "stream_options", CRIA_STR("{\"include_usage\":true}"));
    if (prompt->tool_count) {
        cria_out_name(&out, "tools");
        cria_out_array(&out);
        for (size_t i = 0; i < prompt->tool_count; i++) {
            cria_out_object(&out);
            cria_out_member_z(&out, "type", "function");
            cria_out_name(&out, "function");
            cria_out_object(&out);
            cria_out_member_str(&out, "name", prompt->tools[i].name);
            cria_out_member_str(&out, "description", prompt->tools[i].description);
            cria_out_member_raw(&out, "parameters", prompt->tools[i].parameters_json);
            cria_out_end(&out);
            cria_out_end(&out);
        }
        cria_out_end(&out);
    }
    cria_out_end(&out);
}

static bool has(struct cria_str text, const char *words)
{
    size_t len = strlen(words);
    for (size_t at = 0; at + len <= text.len; at++)
        if (cria_str_equal_nocase(cria_str_sub(text, at, len), cria_str_from(words))) return true;
    return false;
}

/* The smallest number that may be a window: 256 to 99,999,999. */
static int64_t smallest_number(struct cria_str text)
{
    int64_t best = 0, number = 0;
    for (size_t at = 0; at <= text.len; at++) {
        char c = at < text.len ? text.ptr[at] : '\0';
        if (c >= '0' && c <= '9') {
            if (number < 100000000) number = number * 10 + (c - '0');
            continue;
        }
        if (c == ',' && number > 0 && number < 1000) continue; /* "8,192" */
        if (number >= 256 && number < 100000000 && (best == 0 || number < best)) best = number;
        number = 0;
    }
    return best;
}

enum cria_openai_refusal cria_openai_refusal_kind(struct cria_str text, bool had_tools,
                                                  int64_t *window_tokens)
{
    *window_tokens = 0;
    bool is_context = has(text, "context") && (has(text, "length") || has(text, "size") ||
                                               has(text, "window") || has(text, "exceed"));
    if (is_context || has(text, "prompt is too long") || has(text, "too many tokens")) {
        *window_tokens = smallest_number(text);
        return CRIA_REFUSAL_TOO_LONG;
    }
    if (has(text, "stream_options") || has(text, "include_usage")) return CRIA_REFUSAL_USAGE;
    if (has(text, "tool_use_failed") || has(text, "failed to call a function") ||
        has(text, "tool call validation failed"))
        return CRIA_REFUSAL_PASSING;
    if (had_tools && (has(text, "tool") || has(text, "function call"))) return CRIA_REFUSAL_TOOLS;
    return CRIA_REFUSAL_OTHER;
}
