/* values.c - results as handles, errors of the thread, growing text. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

const char cria_null_text[] = "";

const char *cria_version(void)
{
    return CRIA_SDK_VERSION;
}

/* ---- errors */

static _Thread_local struct cria_error last_error = {.retry_after_ms = -1};
static pthread_key_t error_key;
static pthread_once_t error_once = PTHREAD_ONCE_INIT;

static void drop_body(void *body)
{
    free(body);
}

static void make_key(void)
{
    pthread_key_create(&error_key, drop_body);
}

/* The body is freed with its thread; thread-local structs have no destructor in C. */
static void set_body(char *body)
{
    pthread_once(&error_once, make_key);
    free(last_error.body);
    last_error.body = body;
    pthread_setspecific(error_key, body);
}

const struct cria_error *cria_last_error(void)
{
    return &last_error;
}

static void begin_error(enum cria_code code)
{
    set_body(NULL);
    last_error.code = code;
    last_error.status = 0;
    last_error.detail[0] = last_error.request_id[0] = '\0';
    last_error.retry_after_ms = -1;
}

enum cria_code sdk_fail(enum cria_code code, const char *format, ...)
{
    va_list args;
    begin_error(code);
    va_start(args, format);
    vsnprintf(last_error.detail, sizeof(last_error.detail), format, args);
    va_end(args);
    return code;
}

enum cria_code sdk_fail_memory(void)
{
    return sdk_fail(CRIA_MEMORY, "out of memory");
}

enum cria_code sdk_fail_curl(CURLcode curl_code, const char *why)
{
    enum cria_code code = curl_code == CURLE_OPERATION_TIMEDOUT    ? CRIA_TIMEOUT
                          : curl_code == CURLE_ABORTED_BY_CALLBACK ? CRIA_CANCELLED
                          : curl_code == CURLE_OUT_OF_MEMORY       ? CRIA_MEMORY
                          : curl_code == CURLE_READ_ERROR          ? CRIA_USAGE
                                                                   : CRIA_CONNECTION;
    return sdk_fail(code, "%s", why && why[0] ? why : curl_easy_strerror(curl_code));
}

/* "body.name: Field required" */
static void describe_problem(const json_t *problem, char *out, size_t size)
{
    size_t n = 0, i;
    json_t *step;
    json_array_foreach (json_object_get(problem, "loc"), i, step) {
        int wrote =
            json_is_string(step)
                ? snprintf(out + n, size - n, "%s%s", n ? "." : "", json_string_value(step))
                : snprintf(out + n, size - n, "[%lld]", (long long)json_integer_value(step));
        if (wrote < 0 || (size_t)wrote >= size - n) return;
        n += (size_t)wrote;
    }
    const char *message = json_string_value(json_object_get(problem, "msg"));
    snprintf(out + n, size - n, "%s%s", n ? ": " : "", message ? message : "not valid");
}

enum cria_code sdk_fail_status(struct sdk_reply *reply)
{
    begin_error(CRIA_STATUS);
    last_error.status = reply->status;
    last_error.retry_after_ms = reply->retry_after_ms;
    snprintf(last_error.request_id, sizeof(last_error.request_id), "%s", reply->request_id);
    json_t *root =
        json_loadb(reply->body.ptr ? reply->body.ptr : "", reply->body.len, JSON_ALLOW_NUL, NULL);
    const json_t *detail = json_object_get(root, "detail");
    if (json_is_string(detail))
        snprintf(last_error.detail, sizeof(last_error.detail), "%s", json_string_value(detail));
    else if (json_array_size(detail))
        describe_problem(json_array_get(detail, 0), last_error.detail, sizeof(last_error.detail));
    else
        snprintf(last_error.detail, sizeof(last_error.detail), "the server answered with HTTP %d",
                 reply->status);
    json_decref(root);
    set_body(reply->body.ptr);
    reply->body = (struct sdk_text){0};
    return CRIA_STATUS;
}

/* ---- handles */

static const json_t *member(const void *of, const char *name)
{
    return json_object_get((const json_t *)of, name);
}

const char *sdk_text(const void *of, const char *name)
{
    return json_string_value(member(of, name));
}

int64_t sdk_int(const void *of, const char *name)
{
    const json_t *value = member(of, name);
    return json_is_real(value) ? (int64_t)json_real_value(value) : json_integer_value(value);
}

double sdk_real(const void *of, const char *name)
{
    return json_number_value(member(of, name));
}

bool sdk_bool(const void *of, const char *name)
{
    return json_is_true(member(of, name));
}

const void *sdk_object(const void *of, const char *name)
{
    const json_t *value = member(of, name);
    return json_is_object(value) ? value : NULL;
}

size_t sdk_count(const void *of, const char *name)
{
    return json_array_size(member(of, name));
}

const char *sdk_text_at(const void *of, const char *name, size_t n)
{
    return json_string_value(json_array_get(member(of, name), n));
}

const void *sdk_object_at(const void *of, const char *name, size_t n)
{
    return json_array_get(member(of, name), n);
}

size_t sdk_list_count(const void *of)
{
    return json_array_size((const json_t *)of);
}

const void *sdk_list_at(const void *of, size_t n)
{
    return json_array_get((const json_t *)of, n);
}

void cria_free(void *result)
{
    json_decref(result);
}

char *cria_to_json(const void *handle)
{
    return handle ? json_dumps(handle, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

const char *cria_get_text(const void *handle, const char *name)
{
    return sdk_text(handle, name);
}

int64_t cria_get_int(const void *handle, const char *name)
{
    return sdk_int(handle, name);
}

const void *cria_get_object(const void *handle, const char *name)
{
    return sdk_object(handle, name);
}

char *cria_member_json(const void *handle, const char *name)
{
    return cria_to_json(member(handle, name));
}

enum cria_presence cria_member_presence(const void *handle, const char *name)
{
    const json_t *value = member(handle, name);
    return !value ? CRIA_ABSENT : json_is_null(value) ? CRIA_IS_NULL : CRIA_PRESENT;
}

void cria_text_free(char *text)
{
    free(text);
}

const char *cria_event_type(const struct cria_event *event)
{
    const char *type = sdk_text(event, "type");
    return type ? type : "";
}

const char *cria_event_content(const struct cria_event *event)
{
    return sdk_text(event, "content");
}

bool cria_event_is_error(const struct cria_event *event)
{
    return sdk_bool(event, "is_error");
}

const char *cria_event_error(const struct cria_event *event)
{
    return sdk_text(event, "error");
}

/* ---- text */

void sdk_text_add(struct sdk_text *text, const char *bytes, size_t len)
{
    if (text->failed) return;
    if (text->len + len + 1 > text->capacity) {
        size_t capacity = text->capacity ? text->capacity : 256;
        while (capacity < text->len + len + 1) capacity *= 2;
        char *grown = realloc(text->ptr, capacity);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->ptr = grown;
        text->capacity = capacity;
    }
    if (len) memcpy(text->ptr + text->len, bytes, len);
    text->len += len;
    text->ptr[text->len] = '\0';
}

void sdk_text_add_z(struct sdk_text *text, const char *bytes)
{
    sdk_text_add(text, bytes, strlen(bytes));
}

void sdk_text_add_escaped(struct sdk_text *text, const char *value)
{
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        char escaped[4];
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || strchr("-._~", *c);
        if (plain) {
            sdk_text_add(text, (const char *)c, 1);
        } else {
            snprintf(escaped, sizeof(escaped), "%%%02X", *c);
            sdk_text_add(text, escaped, 3);
        }
    }
}

void sdk_text_clear(struct sdk_text *text)
{
    text->len = 0;
    if (text->ptr) text->ptr[0] = '\0';
}

void sdk_text_release(struct sdk_text *text)
{
    free(text->ptr);
    *text = (struct sdk_text){0};
}
