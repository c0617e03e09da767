#include "base/json.h"

#include <jansson.h>
#include <math.h>

enum { MAX_DEPTH = 64 };

static bool convert(struct cria_arena *arena, const json_t *from, struct cria_json *to, int depth,
                    const char **why)
{
    if (depth > MAX_DEPTH) {
        *why = "nested too deeply";
        return false;
    }
    switch (json_typeof(from)) {
    case JSON_NULL: to->kind = CRIA_JSON_NULL; return true;
    case JSON_TRUE:
    case JSON_FALSE:
        to->kind = CRIA_JSON_BOOL;
        to->truth = json_is_true(from);
        return true;
    case JSON_INTEGER:
        to->kind = CRIA_JSON_INT;
        to->integer = json_integer_value(from);
        to->real = (double)to->integer;
        return true;
    case JSON_REAL:
        to->kind = CRIA_JSON_REAL;
        to->real = json_real_value(from);
        return true;
    case JSON_STRING:
        to->kind = CRIA_JSON_STRING;
        to->text = cria_arena_copy(
            arena, cria_str_make(json_string_value(from), json_string_length(from)));
        return to->text.ptr != NULL;
    case JSON_ARRAY: {
        size_t count = json_array_size(from);
        struct cria_json *items = CRIA_NEW_ARRAY(arena, count, struct cria_json);
        if (!items) return false;
        for (size_t i = 0; i < count; i++)
            if (!convert(arena, json_array_get(from, i), &items[i], depth + 1, why)) return false;
        to->kind = CRIA_JSON_ARRAY;
        to->count = count;
        to->items = items;
        return true;
    }
    case JSON_OBJECT: {
        size_t count = json_object_size(from), i = 0;
        struct cria_json *items = CRIA_NEW_ARRAY(arena, count, struct cria_json);
        const char *name;
        json_t *value;
        if (!items) return false;
        json_object_foreach ((json_t *)(uintptr_t)from, name, value) {
            items[i].name = cria_arena_copy(arena, cria_str_from(name));
            if (!items[i].name.ptr || !convert(arena, value, &items[i], depth + 1, why))
                return false;
            i++;
        }
        to->kind = CRIA_JSON_OBJECT;
        to->count = count;
        to->items = items;
        return true;
    }
    }
    return false;
}

enum cria_status cria_json_parse(struct cria_arena *arena, struct cria_str text,
                                 const struct cria_json **out, const char **why)
{
    json_error_t error;
    *why = NULL;
    json_t *tree = json_loadb(text.ptr ? text.ptr : "", text.len,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!tree) {
        struct cria_str message = cria_arena_printf(arena, "%s at line %d column %d", error.text,
                                                    error.line, error.column);
        *why = message.ptr ? message.ptr : "not JSON";
        return json_error_code(&error) == json_error_out_of_memory ? CRIA_E_NO_MEMORY
                                                                   : CRIA_E_BAD_REQUEST;
    }
    struct cria_json *root = CRIA_NEW(arena, struct cria_json);
    bool done = root && convert(arena, tree, root, 0, why);
    json_decref(tree);
    if (done) {
        *out = root;
        return CRIA_OK;
    }
    if (*why) return CRIA_E_BAD_REQUEST;
    *why = "too large";
    return CRIA_E_NO_MEMORY;
}

const struct cria_json *cria_json_get(const struct cria_json *value, const char *name)
{
    if (!value || value->kind != CRIA_JSON_OBJECT) return NULL;
    for (size_t i = 0; i < value->count; i++)
        if (cria_str_is(value->items[i].name, name)) return &value->items[i];
    return NULL;
}

struct cria_str cria_json_get_str(const struct cria_json *value, const char *name)
{
    const struct cria_json *member = cria_json_get(value, name);
    return member && member->kind == CRIA_JSON_STRING ? member->text : (struct cria_str){0};
}

bool cria_json_as_int(const struct cria_json *value, int64_t *out)
{
    if (!value) return false;
    if (value->kind == CRIA_JSON_INT) {
        *out = value->integer;
        return true;
    }
    if (value->kind != CRIA_JSON_REAL || value->real != floor(value->real) ||
        fabs(value->real) > 9007199254740992.0)
        return false;
    *out = (int64_t)value->real;
    return true;
}

int64_t cria_json_get_int(const struct cria_json *value, const char *name, int64_t otherwise)
{
    int64_t number;
    return cria_json_as_int(cria_json_get(value, name), &number) ? number : otherwise;
}

bool cria_json_get_bool(const struct cria_json *value, const char *name, bool otherwise)
{
    const struct cria_json *member = cria_json_get(value, name);
    return member && member->kind == CRIA_JSON_BOOL ? member->truth : otherwise;
}
