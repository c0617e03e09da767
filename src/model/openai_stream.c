/*   bytes --sniff--> events --parse--> delta --+--> reasoning -------------------->
 * on_text(thinking)
 *              \---> whole JSON --parse--------+--> content --> phases below -----> on_text
 *                                              +--> tool_calls --> tool_calls.h
 * phases of the content:  START --> PLAIN <--> (held "</think>", "<tool_call>")
 *                           |  \--> THINK --> PLAIN
 *                           +-----> CALL (a call written as text: kept back until the end) */
#include "model/openai_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/utf8.h"

enum { SNIFF, EVENTS, WHOLE };
enum { START, PLAIN, THINK, CALL };
enum { EVENT_CAP = 8 << 20, EVENT_ARENA = 64 << 20, CALL_TEXT_MAX = 64 << 10 };

static void set_error(struct cria_openai_stream *stream, const char *text)
{
    if (stream->has_failed) return;
    stream->has_failed = true;
    snprintf(stream->error, sizeof(stream->error), "%s", text);
}

/* ---- content: tags and calls in the text */

static void emit(struct cria_openai_stream *stream, struct cria_str text, bool is_thinking)
{
    if (text.len == 0) return;
    if (is_thinking)
        stream->saw_thinking = true;
    else
        stream->saw_text = true;
    stream->on_text(stream->arg, text, is_thinking);
}

/* What a text may begin with, blanks left out. */
static const struct {
    const char *text;
    unsigned char phase;
    bool needs_tools;
} openings[] = {
    {"<think>", THINK, false},      {"<tool_call>", CALL, true}, {"[TOOL_CALLS]", CALL, true},
    {"<|python_tag|>", CALL, true}, {"{\"name\":", CALL, true},  {"```json{\"name\":", CALL, true},
    {"```{\"name\":", CALL, true},  {"</think>", PLAIN, false},
};

/* Compares ignoring blanks in `held`. @return 0 differs, 1 held is a start of it, 2 it is there;
 * *used: bytes of held it took. */
static int match_opening(struct cria_str held, const char *opening, size_t *used)
{
    size_t at = 0;
    for (; *opening; opening++, at++) {
        while (at < held.len && strchr(" \t\r\n", held.ptr[at]) && held.ptr[at]) at++;
        if (at == held.len) return 1;
        if (held.ptr[at] != *opening) return 0;
    }
    *used = at;
    return 2;
}

/* Where `tag`, or a start of it at the end of the text, begins; text.len when nowhere. */
static size_t find_tag(struct cria_str text, const char *tag, bool *is_whole)
{
    size_t len = strlen(tag);
    *is_whole = false;
    for (size_t at = 0; at < text.len; at++) {
        size_t there = text.len - at < len ? text.len - at : len;
        if (text.ptr[at] != tag[0] || memcmp(text.ptr + at, tag, there) != 0) continue;
        *is_whole = there == len;
        return at;
    }
    return text.len;
}

/* Each step looks at what is held, emits what is certain; false: needs more bytes. */
static bool step_start(struct cria_openai_stream *stream)
{
    bool may_grow = false;
    size_t blank = 0;
    while (blank < stream->held.len && strchr(" \t\r\n", stream->held.ptr[blank])) blank++;
    cria_buf_drop(&stream->held, blank);
    struct cria_str held = cria_buf_str(&stream->held);
    if (held.len == 0) return false;
    for (size_t i = 0; i < CRIA_COUNT(openings); i++) {
        size_t used = 0;
        if (openings[i].needs_tools && stream->tool_count == 0) continue;
        int found = match_opening(held, openings[i].text, &used);
        may_grow |= found == 1;
        if (found != 2) continue;
        stream->phase = openings[i].phase;
        if (stream->phase != CALL) cria_buf_drop(&stream->held, used);
        return true;
    }
    if (may_grow && held.len < 4096) return false;
    stream->phase = PLAIN;
    return true;
}

static bool step_plain(struct cria_openai_stream *stream)
{
    struct cria_str held = cria_buf_str(&stream->held);
    bool is_end, is_call = false;
    size_t end_at = find_tag(held, "</think>", &is_end), call_at = held.len;
    if (stream->tool_count) call_at = find_tag(held, "<tool_call>", &is_call);
    size_t at = end_at < call_at ? end_at : call_at;
    emit(stream, cria_str_sub(held, 0, at), false);
    cria_buf_drop(&stream->held, at);
    if (at == call_at && is_call) {
        stream->phase = CALL;
        return true;
    }
    if (at == end_at && is_end) { /* a stray one: its text was shown already */
        cria_buf_drop(&stream->held, strlen("</think>"));
        return true;
    }
    return false;
}

static bool step_think(struct cria_openai_stream *stream)
{
    struct cria_str held = cria_buf_str(&stream->held);
    bool is_whole;
    size_t at = find_tag(held, "</think>", &is_whole);
    emit(stream, cria_str_sub(held, 0, at), true);
    cria_buf_drop(&stream->held, at);
    if (!is_whole) return false;
    cria_buf_drop(&stream->held, strlen("</think>"));
    stream->phase = START; /* a call may follow the reasoning */
    return true;
}

static bool step_content(struct cria_openai_stream *stream)
{
    if (stream->held.len == 0) return false;
    switch (stream->phase) {
    case START: return step_start(stream);
    case PLAIN: return step_plain(stream);
    case THINK: return step_think(stream);
    case CALL:
        if (stream->held.len > CALL_TEXT_MAX) { /* too long for a call: it is text after all */
            emit(stream, cria_buf_str(&stream->held), false);
            cria_buf_clear(&stream->held);
        }
        return false;
    }
    return false;
}

static void add_content(struct cria_openai_stream *stream, struct cria_str text)
{
    if (text.len == 0) return;
    cria_buf_add(&stream->held, text);
    if (stream->held.failed) {
        set_error(stream, "The model's answer is too large");
        return;
    }
    while (step_content(stream)) {}
}

static bool is_offered(const struct cria_openai_stream *stream, struct cria_str name)
{
    for (size_t i = 0; i < stream->tool_count; i++)
        if (cria_str_equal(stream->tool_names[i], name)) return true;
    return false;
}

/* Reads calls out of held text: every object with an offered name and arguments. */
static bool salvage(struct cria_openai_stream *stream)
{
    struct cria_str rest = cria_buf_str(&stream->held);
    bool found = false;
    while (rest.len) {
        const char *brace = memchr(rest.ptr, '{', rest.len);
        if (!brace) break;
        rest = cria_str_sub(rest, (size_t)(brace - rest.ptr), SIZE_MAX);
        size_t len = cria_json_object_len(rest);
        const struct cria_json *call = NULL;
        const char *why;
        cria_arena_reset(&stream->arena);
        if (len == 0 || cria_json_parse(&stream->arena, cria_str_sub(rest, 0, len), &call, &why)) {
            rest = cria_str_sub(rest, 1, SIZE_MAX);
            continue;
        }
        rest = cria_str_sub(rest, len, SIZE_MAX);
        const struct cria_json *arguments = cria_json_get(call, "arguments");
        if (!arguments) arguments = cria_json_get(call, "parameters");
        struct cria_str name = cria_json_get_str(call, "name");
        if (!arguments || arguments->kind != CRIA_JSON_OBJECT || !is_offered(stream, name))
            continue;
        struct cria_buf text;
        cria_buf_init(&text, CALL_TEXT_MAX * 2);
        struct cria_json_out out = cria_json_out_to(&text);
        cria_out_object(&out);
        cria_out_member_str(&out, "name", name);
        cria_out_name(&out, "arguments");
        cria_out_json(&out, arguments);
        cria_out_end(&out);
        if (!text.failed && !cria_json_parse(&stream->arena, cria_buf_str(&text), &call, &why)) {
            cria_tool_calls_add(&stream->calls, call);
            found = true;
        }
        cria_buf_release(&text);
    }
    return found;
}

static void finish_content(struct cria_openai_stream *stream)
{
    if (stream->held.len == 0) return;
    if (stream->phase == CALL && salvage(stream)) {
        cria_buf_clear(&stream->held);
        return;
    }
    emit(stream, cria_buf_str(&stream->held), stream->phase == THINK);
    cria_buf_clear(&stream->held);
}

/* ---- one JSON object of the stream */

static struct cria_str error_message(const struct cria_json *value, int *code, int depth)
{
    static const char *const names[] = {"error", "message", "detail", "error_message", "msg"};
    if (!value || depth > 4) return (struct cria_str){0};
    if (value->kind == CRIA_JSON_STRING) return value->text;
    if (value->kind == CRIA_JSON_ARRAY)
        return value->count ? error_message(&value->items[0], code, depth + 1)
                            : (struct cria_str){0};
    if (value->kind != CRIA_JSON_OBJECT) return (struct cria_str){0};
    int64_t number = cria_json_get_int(value, "code", 0);
    if (number > 0 && number < 1000 && *code == 0) *code = (int)number;
    for (size_t i = 0; i < CRIA_COUNT(names); i++) {
        struct cria_str text = error_message(cria_json_get(value, names[i]), code, depth + 1);
        if (text.len) return text;
    }
    return (struct cria_str){0};
}

static void read_usage(struct cria_openai_stream *stream, const struct cria_json *root)
{
    const struct cria_json *usage = cria_json_get(root, "usage");
    int64_t in = cria_json_get_int(usage, "prompt_tokens", -1);
    int64_t out = cria_json_get_int(usage, "completion_tokens", -1);
    const int64_t most = 1000000000; /* beyond: rubbish, which is not passed on */
    if (in >= 0 && in <= most) stream->input_tokens = in;
    if (out >= 0 && out <= most) stream->output_tokens = out;
}

static void read_content(struct cria_openai_stream *stream, const struct cria_json *content)
{
    if (cria_json_is_null(content)) return;
    if (content->kind == CRIA_JSON_STRING) {
        add_content(stream, content->text);
    } else if (content->kind == CRIA_JSON_ARRAY) {
        for (size_t i = 0; i < content->count; i++)
            add_content(stream, cria_json_get_str(&content->items[i], "text"));
    }
}

static void read_choice(struct cria_openai_stream *stream, const struct cria_json *choice)
{
    const struct cria_json *delta = cria_json_get(choice, "delta");
    struct cria_str finish = cria_json_get_str(choice, "finish_reason");
    if (cria_json_get_int(choice, "index", 0) != 0) return;
    if (cria_json_is_null(delta) && !stream->saw_text && !stream->saw_thinking)
        delta = cria_json_get(choice, "message");
    struct cria_str thinking = cria_json_get_str(delta, "reasoning_content");
    if (thinking.len == 0) thinking = cria_json_get_str(delta, "reasoning");
    emit(stream, thinking, true);
    read_content(stream, cria_json_get(delta, "content"));
    struct cria_str refusal = cria_json_get_str(delta, "refusal");
    if (refusal.len && !stream->error[0])
        snprintf(stream->error, sizeof(stream->error), "The model refused: %.*s",
                 (int)cria_utf8_cut(refusal, 200).len, refusal.ptr);
    const struct cria_json *calls = cria_json_get(delta, "tool_calls");
    if (calls && calls->kind == CRIA_JSON_ARRAY)
        for (size_t i = 0; i < calls->count; i++)
            cria_tool_calls_add(&stream->calls, &calls->items[i]);
    if (finish.len) cria_str_copy_z(cria_str_sub(finish, 0, 31), stream->finish, 32);
}

/* @return whether the text was JSON. */
static bool read_object(struct cria_openai_stream *stream, struct cria_str text, bool is_error)
{
    const struct cria_json *root = NULL;
    const char *why;
    cria_arena_reset(&stream->arena);
    if (cria_json_parse(&stream->arena, text, &root, &why) != CRIA_OK) return false;
    const struct cria_json *error = cria_json_get(root, "error");
    bool is_list = root->kind == CRIA_JSON_ARRAY;
    const struct cria_json *choices = cria_json_get(root, "choices");
    is_error |= !cria_json_is_null(error) || is_list ||
                cria_str_is(cria_json_get_str(root, "object"), "error") ||
                cria_json_get_str(root, "error_message").len;
    if (!choices && !cria_json_get(root, "usage") && cria_json_get(root, "detail")) is_error = true;
    read_usage(stream, root);
    if (is_error && !stream->has_failed) {
        struct cria_str message = error_message(root, &stream->error_code, 0);
        set_error(stream, "");
        snprintf(stream->error, sizeof(stream->error), "The model reported an error: %.*s",
                 (int)cria_utf8_cut(message, 220).len, message.len ? message.ptr : "");
        return true;
    }
    if (choices && choices->kind == CRIA_JSON_ARRAY)
        for (size_t i = 0; i < choices->count; i++) read_choice(stream, &choices->items[i]);
    return true;
}

/* Second try on text that is not strict JSON: bad UTF-8 and NULs become U+FFFD. */
static bool read_repaired(struct cria_openai_stream *stream, struct cria_str text, bool is_error)
{
    struct cria_buf fixed;
    size_t at = 0;
    cria_buf_init(&fixed, EVENT_CAP * 3);
    while (at < text.len) {
        size_t from = at;
        if (text.ptr[at] == '\\') {
            if (cria_str_starts(cria_str_sub(text, at, 6), "\\u0000")) {
                cria_buf_add(&fixed, CRIA_STR("\\ufffd"));
                at += 6;
                continue;
            }
            at += text.len - at > 1 ? 2 : 1;
        } else if (text.ptr[at] == '\0' || cria_utf8_next(text, &at) == CRIA_UTF8_BAD) {
            at = from + 1;
            cria_buf_add(&fixed, CRIA_STR("\xEF\xBF\xBD"));
            continue;
        }
        cria_buf_add(&fixed, cria_str_sub(text, from, at - from));
    }
    bool good = !fixed.failed && read_object(stream, cria_buf_str(&fixed), is_error);
    cria_buf_release(&fixed);
    return good;
}

static void on_event(void *arg, const struct cria_sse_event *event)
{
    struct cria_openai_stream *stream = arg;
    struct cria_str data = cria_str_trim(event->data);
    bool is_error = cria_str_is(event->name, "error");
    if (stream->saw_done || stream->has_failed) return;
    if (cria_str_is(data, "[DONE]")) {
        stream->saw_done = true;
        return;
    }
    if (data.len == 0 || data.ptr[0] == ':') return; /* a comment sent as data */
    if (read_object(stream, data, is_error) || read_repaired(stream, data, is_error)) return;
    set_error(stream, is_error ? "The model reported an error"
                               : "The model's answer is not the JSON that it should be");
}

/* ---- bytes */

void cria_openai_stream_init(struct cria_openai_stream *stream, const struct cria_str *tool_names,
                             size_t tool_count,
                             void (*on_text)(void *arg, struct cria_str text, bool is_thinking),
                             void *arg)
{
    *stream = (struct cria_openai_stream){.on_text = on_text,
                                          .arg = arg,
                                          .tool_names = tool_names,
                                          .tool_count = tool_count,
                                          .input_tokens = -1,
                                          .output_tokens = -1};
    cria_sse_init(&stream->sse, EVENT_CAP, on_event, stream);
    cria_buf_init(&stream->body, EVENT_CAP);
    cria_buf_init(&stream->held, EVENT_CAP);
    cria_tool_calls_init(&stream->calls);
    cria_arena_init(&stream->arena, EVENT_ARENA);
}

void cria_openai_stream_release(struct cria_openai_stream *stream)
{
    cria_sse_release(&stream->sse);
    cria_buf_release(&stream->body);
    cria_buf_release(&stream->held);
    cria_tool_calls_release(&stream->calls);
    cria_arena_release(&stream->arena);
}

/* The first byte that is no blank tells what comes. */
static void sniff(struct cria_openai_stream *stream)
{
    struct cria_str seen = cria_str_trim(cria_buf_str(&stream->body));
    if (seen.len == 0) return;
    if (seen.ptr[0] == '{' || seen.ptr[0] == '[') {
        stream->source = WHOLE;
        return;
    }
    if (seen.ptr[0] == '<') {
        set_error(stream, "The model's address answers with a web page: is its base URL right?");
        return;
    }
    if (seen.ptr[0] == '\x1F') { /* gzip */
        set_error(stream, "The model's answer is compressed although that was not asked for");
        return;
    }
    stream->source = EVENTS;
    if (!cria_sse_feed(&stream->sse, cria_buf_str(&stream->body)))
        set_error(stream, "The model's answer is too large");
    cria_buf_clear(&stream->body);
}

bool cria_openai_stream_feed(struct cria_openai_stream *stream, struct cria_str bytes)
{
    if (stream->has_failed || stream->saw_done) return false;
    if (stream->source == EVENTS) {
        if (!cria_sse_feed(&stream->sse, bytes))
            set_error(stream, "The model's answer is too large");
    } else {
        cria_buf_add(&stream->body, bytes);
        if (stream->body.failed) set_error(stream, "The model's answer is too large");
        if (stream->source == SNIFF && !stream->has_failed) sniff(stream);
    }
    return !stream->has_failed && !stream->saw_done;
}

enum cria_openai_end cria_openai_stream_end(struct cria_openai_stream *stream, bool clean)
{
    if (stream->source == EVENTS && !stream->has_failed && !cria_sse_end(&stream->sse))
        set_error(stream, "The model's answer is too large");
    if (stream->source == WHOLE && clean && !stream->has_failed) {
        struct cria_str body = cria_buf_str(&stream->body);
        if (!read_object(stream, body, false) && !read_repaired(stream, body, false))
            set_error(stream, "The model's answer is not the JSON that it should be");
        stream->saw_done = true;
    }
    if (stream->has_failed) return CRIA_OPENAI_ERROR;
    bool is_whole = stream->saw_done || stream->finish[0];
    if (is_whole || stream->phase != CALL) finish_content(stream);
    if (stream->calls.count || stream->saw_text)
        return is_whole ? CRIA_OPENAI_COMPLETE : CRIA_OPENAI_TRUNCATED;
    if (stream->error[0]) return CRIA_OPENAI_REFUSED;
    if (cria_str_is(cria_str_from(stream->finish), "content_filter")) {
        snprintf(stream->error, sizeof(stream->error), "The model's content filter held it back");
        return CRIA_OPENAI_REFUSED;
    }
    return is_whole ? CRIA_OPENAI_EMPTY : CRIA_OPENAI_TRUNCATED;
}

void cria_openai_error_text(struct cria_str body, char *out, size_t size, int *code)
{
    struct cria_arena arena;
    const struct cria_json *root = NULL;
    const char *why;
    struct cria_str text = cria_str_trim(body);
    *code = 0;
    cria_arena_init(&arena, 16 << 20);
    if (cria_json_parse(&arena, body, &root, &why) == CRIA_OK)
        text = error_message(root, code, 0);
    else if (text.len && text.ptr[0] == '<')
        text = CRIA_STR("a web page");
    text = cria_str_sub(text, 0, cria_utf8_valid_len(text));
    text = cria_utf8_cut(text, size > 1 ? size - 1 : 0);
    snprintf(out, size, "%.*s", CRIA_STR_ARG(text));
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20) *c = ' ';
    cria_arena_release(&arena);
}
