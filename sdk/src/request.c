/* request.c - from params to a request: path, query, JSON or form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/random.h>
#endif

#include "runtime.h"

/* A key that makes a repeated POST harmless: 128 random bits. */
static void make_key(char out[40])
{
    unsigned char bytes[16] = {0};
#ifdef __linux__
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        out[0] = '\0';
        return;
    }
#else
    arc4random_buf(bytes, sizeof(bytes));
#endif
    for (size_t i = 0; i < sizeof(bytes); i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void add_query(struct sdk_text *url, const char *name, const char *value)
{
    sdk_text_add(url, strchr(url->ptr, '?') ? "&" : "?", 1);
    sdk_text_add_z(url, name);
    sdk_text_add(url, "=", 1);
    sdk_text_add_escaped(url, value);
}

/* A field as JSON; NULL: absent. *bad: the caller's JSON is none. */
static json_t *field_json(const struct sdk_field *field, const void *params, bool *bad)
{
    const char *at = (const char *)params + field->offset;
    switch (field->kind) {
    case SDK_TEXT: {
        const char *text = *(const char *const *)at;
        if (!text) return NULL;
        json_t *value = text == cria_null_text ? json_null() : json_string(text);
        if (!value) *bad = true; /* not UTF-8 */
        return value;
    }
    case SDK_INT: {
        const struct cria_int *number = (const void *)at;
        if (number->presence == CRIA_ABSENT) return NULL;
        return number->presence == CRIA_IS_NULL ? json_null() : json_integer(number->value);
    }
    case SDK_REAL: {
        const struct cria_real *number = (const void *)at;
        if (number->presence == CRIA_ABSENT) return NULL;
        return number->presence == CRIA_IS_NULL ? json_null() : json_real(number->value);
    }
    case SDK_BOOL: {
        const struct cria_bool *truth = (const void *)at;
        if (truth->presence == CRIA_ABSENT) return NULL;
        return truth->presence == CRIA_IS_NULL ? json_null() : json_boolean(truth->value);
    }
    case SDK_TEXTS: {
        const struct cria_strings *list = (const void *)at;
        if (list->is_null) return json_null();
        if (!list->items) return NULL;
        json_t *array = json_array();
        for (size_t i = 0; i < list->count; i++)
            if (json_array_append_new(array, json_string(list->items[i])) != 0) *bad = true;
        return array;
    }
    case SDK_JSON: {
        const char *text = *(const char *const *)at;
        if (!text) return NULL;
        json_t *value =
            text == cria_null_text ? json_null() : json_loads(text, JSON_DECODE_ANY, NULL);
        if (!value) *bad = true;
        return value;
    }
    case SDK_UPLOAD: return NULL;
    }
    return NULL;
}

static void query_value(struct sdk_text *url, const char *name, const json_t *value)
{
    char number[40];
    size_t i;
    const json_t *item;
    switch (json_typeof(value)) {
    case JSON_STRING: add_query(url, name, json_string_value(value)); return;
    case JSON_TRUE: add_query(url, name, "true"); return;
    case JSON_FALSE: add_query(url, name, "false"); return;
    case JSON_INTEGER:
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        add_query(url, name, number);
        return;
    case JSON_REAL:
        snprintf(number, sizeof(number), "%.17g", json_real_value(value));
        add_query(url, name, number);
        return;
    case JSON_ARRAY:
        for (i = 0; i < json_array_size(value); i++) {
            item = json_array_get(value, i);
            query_value(url, name, item);
        }
        return;
    case JSON_OBJECT:
    case JSON_NULL: return;
    }
}

static bool has_query(const struct sdk_text *url, const char *name)
{
    char wanted[60];
    snprintf(wanted, sizeof(wanted), "?%s=", name);
    if (strstr(url->ptr, wanted)) return true;
    wanted[0] = '&';
    return strstr(url->ptr, wanted) != NULL;
}

static enum cria_code add_path(struct sdk_request *request, const struct sdk_operation *operation,
                               const char *const *ids)
{
    int n = 0;
    for (const char *c = operation->path; *c; c++) {
        if (*c != '{') {
            sdk_text_add(&request->url, c, 1);
            continue;
        }
        while (*c != '}') c++;
        if (!ids[n] || !ids[n][0])
            return sdk_fail(CRIA_USAGE, "cria_%s: an id is missing", operation->name);
        sdk_text_add_escaped(&request->url, ids[n++]);
    }
    return CRIA_OK;
}

static enum cria_code add_upload(struct sdk_request *request, const struct sdk_field *field,
                                 const void *params, const char *name)
{
    const struct cria_upload *upload = (const void *)((const char *)params + field->offset);
    int sources = (upload->path != NULL) + (upload->bytes != NULL) + (upload->read != NULL);
    if (sources != 1)
        return sdk_fail(CRIA_USAGE, "cria_%s: %s wants one of path, bytes and read", name,
                        field->name);
    request->upload = upload;
    request->upload_name = field->name;
    return CRIA_OK;
}

static enum cria_code add_fields(struct sdk_request *request, const struct sdk_operation *operation,
                                 const void *params, json_t *body)
{
    for (size_t i = 0; i < operation->field_count; i++) {
        const struct sdk_field *field = &operation->fields[i];
        bool bad = false;
        if (field->kind == SDK_UPLOAD) {
            enum cria_code code = add_upload(request, field, params, operation->name);
            if (code != CRIA_OK) return code;
            continue;
        }
        json_t *value = field_json(field, params, &bad);
        if (bad) {
            json_decref(value);
            return sdk_fail(CRIA_USAGE, "cria_%s: %s is no valid %s", operation->name, field->name,
                            field->kind == SDK_JSON ? "JSON" : "UTF-8");
        }
        if (!value) continue;
        switch (field->place) {
        case SDK_IN_QUERY: query_value(&request->url, field->name, value); break;
        case SDK_IN_BODY: json_object_set(body, field->name, value); break;
        case SDK_IN_FORM: json_object_set(request->form, field->name, value); break;
        }
        json_decref(value);
    }
    return CRIA_OK;
}

enum cria_code sdk_request_build(struct sdk_request *request, struct cria_client *client,
                                 const struct sdk_operation *operation, const char *const *ids,
                                 const void *params, const struct cria_call_options *options,
                                 const char *page_token)
{
    enum cria_code code;
    json_t *body = json_object();
    *request = (struct sdk_request){.method = operation->method, .options = options};
    request->form = json_object();
    sdk_text_add_z(&request->url, client->base_url);
    code = add_path(request, operation, ids);
    if (code == CRIA_OK && params) code = add_fields(request, operation, params, body);
    if (code == CRIA_OK && !params && operation->body == SDK_FORM)
        code = sdk_fail(CRIA_USAGE, "cria_%s: params are missing", operation->name);
    if (code == CRIA_OK && client->project_id && !has_query(&request->url, "project_id"))
        add_query(&request->url, "project_id", client->project_id);
    if (code == CRIA_OK && client->organization_id && !has_query(&request->url, "organization_id"))
        add_query(&request->url, "organization_id", client->organization_id);
    if (code == CRIA_OK && page_token) add_query(&request->url, "page_token", page_token);
    if (code == CRIA_OK && operation->body == SDK_JSON_BODY) {
        char *text = json_dumps(body, JSON_COMPACT);
        request->has_body = true;
        if (text) sdk_text_add_z(&request->body, text);
        if (!text) request->body.failed = true;
        free(text);
    }
    if (strcmp(operation->method, "POST") == 0) make_key(request->idempotency_key);
    json_decref(body);
    if (code == CRIA_OK && (request->url.failed || request->body.failed)) code = sdk_fail_memory();
    if (code != CRIA_OK) sdk_request_release(request);
    return code;
}

void sdk_request_release(struct sdk_request *request)
{
    sdk_text_release(&request->url);
    sdk_text_release(&request->body);
    json_decref(request->form);
    request->form = NULL;
}
