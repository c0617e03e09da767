/* readers.c - the readers of validate.h: what each type takes, in pydantic's words. */
#include <math.h>

#include "api/validate.h"
#include "base/json_out.h"
#include "base/time.h"
#include "base/utf8.h"
#include "platform/crypto.h"

enum { WORDS_BYTES = 2048 };

static const struct cria_str no_ctx = {0};

static struct cria_arena *arena_of(const struct cria_value *value)
{
    return value->check->ex->call.arena;
}

/* Always false, so that a reader can end with it. */
static bool problem(const struct cria_value *at, const char *type, const char *msg)
{
    cria_check_problem(at->check, at, type, cria_str_from(msg), no_ctx);
    return false;
}

static bool limit_problem(const struct cria_value *at, const char *type, struct cria_str msg,
                          const char *name, double limit)
{
    struct cria_str ctx = limit == floor(limit)
                              ? cria_arena_printf(arena_of(at), "{\"%s\":%.0f}", name, limit)
                              : cria_arena_printf(arena_of(at), "{\"%s\":%g}", name, limit);
    cria_check_problem(at->check, at, type, msg, ctx);
    return false;
}

/* ---- values */

bool cria_value_str(const struct cria_value *value, size_t min_chars, size_t max_chars,
                    struct cria_str *out)
{
    if (value->json->kind != CRIA_JSON_STRING)
        return problem(value, "string_type", "Input should be a valid string");
    struct cria_str text = value->json->text;
    size_t chars = min_chars || max_chars != SIZE_MAX ? cria_utf8_count(text) : 0;
    if (chars < min_chars)
        return limit_problem(value, "string_too_short",
                             cria_arena_printf(arena_of(value),
                                               "String should have at least %zu character%s",
                                               min_chars, min_chars == 1 ? "" : "s"),
                             "min_length", (double)min_chars);
    if (chars > max_chars)
        return limit_problem(value, "string_too_long",
                             cria_arena_printf(arena_of(value),
                                               "String should have at most %zu character%s",
                                               max_chars, max_chars == 1 ? "" : "s"),
                             "max_length", (double)max_chars);
    *out = text;
    return true;
}

/* "'a', 'b' or 'c'" */
static struct cria_str list_words(struct cria_arena *arena, const char *const *words, size_t count)
{
    struct cria_buf buf;
    cria_buf_init(&buf, WORDS_BYTES);
    for (size_t i = 0; i < count; i++)
        cria_buf_printf(&buf, "%s'%s'", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
    struct cria_str text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

bool cria_value_word(const struct cria_value *value, const char *const *words, size_t count,
                     size_t *out)
{
    if (value->json->kind == CRIA_JSON_STRING)
        for (size_t i = 0; i < count; i++)
            if (cria_str_is(value->json->text, words[i])) {
                *out = i;
                return true;
            }
    struct cria_str expected = list_words(arena_of(value), words, count);
    cria_check_problem(
        value->check, value, "enum",
        cria_arena_printf(arena_of(value), "Input should be %.*s", CRIA_STR_ARG(expected)),
        cria_arena_printf(arena_of(value), "{\"expected\":\"%.*s\"}", CRIA_STR_ARG(expected)));
    return false;
}

bool cria_value_uuid(const struct cria_value *value, struct cria_str *out)
{
    struct cria_str text;
    if (!cria_value_str(value, 0, SIZE_MAX, &text)) return false;
    if (!cria_is_uuid(text)) return problem(value, "uuid_parsing", "Input should be a valid UUID");
    *out = text;
    return true;
}

bool cria_value_real(const struct cria_value *value, double min, double max, double *out)
{
    if (value->json->kind != CRIA_JSON_INT && value->json->kind != CRIA_JSON_REAL)
        return problem(value, "float_type", "Input should be a valid number");
    double number = value->json->real;
    if (number < min)
        return limit_problem(
            value, "greater_than_equal",
            cria_arena_printf(arena_of(value), "Input should be greater than or equal to %g", min),
            "ge", min);
    if (number > max)
        return limit_problem(
            value, "less_than_equal",
            cria_arena_printf(arena_of(value), "Input should be less than or equal to %g", max),
            "le", max);
    *out = number;
    return true;
}

static bool check_int(const struct cria_value *value, int64_t number, int64_t min, int64_t max,
                      int64_t *out)
{
    if (number < min)
        return limit_problem(value, "greater_than_equal",
                             cria_arena_printf(arena_of(value),
                                               "Input should be greater than or equal to %lld",
                                               (long long)min),
                             "ge", (double)min);
    if (number > max)
        return limit_problem(value, "less_than_equal",
                             cria_arena_printf(arena_of(value),
                                               "Input should be less than or equal to %lld",
                                               (long long)max),
                             "le", (double)max);
    *out = number;
    return true;
}

bool cria_value_list(const struct cria_value *value, size_t max_items)
{
    if (value->json->kind != CRIA_JSON_ARRAY)
        return problem(value, "list_type", "Input should be a valid list");
    if (value->json->count <= max_items) return true;
    cria_check_problem(
        value->check, value, "too_long",
        cria_arena_printf(arena_of(value),
                          "List should have at most %zu items after validation, not %zu", max_items,
                          value->json->count),
        cria_arena_printf(arena_of(value),
                          "{\"field_type\":\"List\",\"max_length\":%zu,\"actual_length\":%zu}",
                          max_items, value->json->count));
    return false;
}

bool cria_value_object(const struct cria_value *value)
{
    if (!value->json || value->json->kind == CRIA_JSON_OBJECT) return true;
    return problem(value, "dict_type", "Input should be a valid dictionary");
}

/* ---- members */

bool cria_member_any(const struct cria_value *object, const char *name, unsigned flags,
                     struct cria_value *out)
{
    struct cria_value value = cria_value_member(object, name);
    if (!object->json) return false;
    if (!value.json) {
        if (flags & CRIA_REQUIRED) problem(&value, "missing", "Field required");
        return false;
    }
    if (value.json->kind == CRIA_JSON_NULL && (flags & CRIA_NULLABLE)) return false;
    *out = value;
    return true;
}

bool cria_member_str(const struct cria_value *object, const char *name, unsigned flags,
                     size_t min_chars, size_t max_chars, struct cria_str *out)
{
    struct cria_value value;
    return cria_member_any(object, name, flags, &value) &&
           cria_value_str(&value, min_chars, max_chars, out);
}

bool cria_member_int(const struct cria_value *object, const char *name, unsigned flags, int64_t min,
                     int64_t max, int64_t *out)
{
    struct cria_value value;
    int64_t number;
    if (!cria_member_any(object, name, flags, &value)) return false;
    if (!cria_json_as_int(value.json, &number))
        return problem(&value, "int_type", "Input should be a valid integer");
    return check_int(&value, number, min, max, out);
}

bool cria_member_real(const struct cria_value *object, const char *name, unsigned flags, double min,
                      double max, double *out)
{
    struct cria_value value;
    return cria_member_any(object, name, flags, &value) && cria_value_real(&value, min, max, out);
}

bool cria_member_bool(const struct cria_value *object, const char *name, unsigned flags, bool *out)
{
    struct cria_value value;
    if (!cria_member_any(object, name, flags, &value)) return false;
    if (value.json->kind != CRIA_JSON_BOOL)
        return problem(&value, "bool_type", "Input should be a valid boolean");
    *out = value.json->truth;
    return true;
}

bool cria_member_word(const struct cria_value *object, const char *name, unsigned flags,
                      const char *const *words, size_t count, size_t *out)
{
    struct cria_value value;
    return cria_member_any(object, name, flags, &value) &&
           cria_value_word(&value, words, count, out);
}

bool cria_member_uuid(const struct cria_value *object, const char *name, unsigned flags,
                      struct cria_str *out)
{
    struct cria_value value;
    return cria_member_any(object, name, flags, &value) && cria_value_uuid(&value, out);
}

bool cria_member_list(const struct cria_value *object, const char *name, unsigned flags,
                      size_t max_items, struct cria_value *out)
{
    struct cria_value value;
    if (!cria_member_any(object, name, flags, &value) || !cria_value_list(&value, max_items))
        return false;
    *out = value;
    return true;
}

bool cria_member_object(const struct cria_value *object, const char *name, unsigned flags,
                        struct cria_value *out)
{
    struct cria_value value;
    if (!cria_member_any(object, name, flags, &value) || !cria_value_object(&value)) return false;
    *out = value;
    return true;
}

bool cria_member_strs(const struct cria_value *object, const char *name, unsigned flags,
                      size_t max_items, bool is_uuid, const struct cria_str **out, size_t *count)
{
    struct cria_value list;
    bool good = true;
    if (!cria_member_list(object, name, flags, max_items, &list)) return false;
    struct cria_str *texts = CRIA_NEW_ARRAY(arena_of(&list), list.json->count + 1, struct cria_str);
    if (!texts) {
        list.check->status = CRIA_E_NO_MEMORY;
        return false;
    }
    for (size_t i = 0; i < list.json->count; i++) {
        struct cria_value item = cria_value_nth(&list, i);
        bool one = is_uuid ? cria_value_uuid(&item, &texts[i])
                           : cria_value_str(&item, 0, SIZE_MAX, &texts[i]);
        good = good && one;
    }
    if (!good) return false;
    *out = texts;
    *count = list.json->count;
    return true;
}

/* ---- query parameters */

/* The n-th non-empty value of a parameter; json is NULL when there is none. */
static struct cria_value nth_param(struct cria_check *check, const char *name, size_t n)
{
    const struct cria_request *request = &check->ex->request;
    struct cria_value value = {
        .check = check, .parent = &check->query, .name = cria_str_from(name), .position = SIZE_MAX};
    for (size_t i = 0; i < request->query_count; i++) {
        if (request->query[i].value.len == 0 || !cria_str_is(request->query[i].name, name))
            continue;
        if (n--) continue;
        struct cria_json *json = CRIA_NEW(check->ex->call.arena, struct cria_json);
        if (!json) {
            check->status = CRIA_E_NO_MEMORY;
            break;
        }
        *json = (struct cria_json){.kind = CRIA_JSON_STRING, .text = request->query[i].value};
        value.position = i;
        value.json = json;
        break;
    }
    return value;
}

bool cria_param_str(struct cria_check *check, const char *name, unsigned flags,
                    struct cria_str *out)
{
    struct cria_value value = nth_param(check, name, 0);
    if (!value.json) {
        if (flags & CRIA_REQUIRED) problem(&value, "missing", "Field required");
        return false;
    }
    *out = value.json->text;
    return true;
}

bool cria_param_int(struct cria_check *check, const char *name, unsigned flags, int64_t min,
                    int64_t max, int64_t *out)
{
    struct cria_value value = nth_param(check, name, 0);
    int64_t number;
    if (!value.json) {
        if (flags & CRIA_REQUIRED) problem(&value, "missing", "Field required");
        return false;
    }
    if (!cria_str_to_int64(value.json->text, &number))
        return problem(&value, "int_type", "Input should be a valid integer");
    return check_int(&value, number, min, max, out);
}

bool cria_param_bool(struct cria_check *check, const char *name, bool *out)
{
    static const char *const words[] = {"true",  "1", "yes", "on",  "t", "y",
                                        "false", "0", "no",  "off", "f", "n"};
    struct cria_value value = nth_param(check, name, 0);
    if (!value.json) return false;
    for (size_t i = 0; i < CRIA_COUNT(words); i++)
        if (cria_str_equal_nocase(value.json->text, cria_str_from(words[i]))) {
            *out = i < CRIA_COUNT(words) / 2;
            return true;
        }
    return problem(&value, "bool_type", "Input should be a valid boolean");
}

bool cria_param_word(struct cria_check *check, const char *name, const char *const *words,
                     size_t count, size_t *out)
{
    struct cria_value value = nth_param(check, name, 0);
    return value.json && cria_value_word(&value, words, count, out);
}

bool cria_param_uuid(struct cria_check *check, const char *name, struct cria_str *out)
{
    struct cria_value value = nth_param(check, name, 0);
    return value.json && cria_value_uuid(&value, out);
}

bool cria_param_time(struct cria_check *check, const char *name, int64_t *out_us)
{
    struct cria_value value = nth_param(check, name, 0);
    if (!value.json) return false;
    if (cria_time_parse(value.json->text, out_us)) return true;
    cria_check_problem(check, &value, "datetime_parsing",
                       CRIA_STR("Input should be a valid datetime"),
                       CRIA_STR("{\"error\":\"it is no RFC 3339 date and time\"}"));
    return false;
}

bool cria_param_list(struct cria_check *check, const char *name, bool is_uuid,
                     const char *const *words, size_t word_count, const struct cria_str **out,
                     size_t *count)
{
    const struct cria_request *request = &check->ex->request;
    size_t n = 0, word;
    bool good = true;
    for (size_t i = 0; i < request->query_count; i++)
        n += request->query[i].value.len && cria_str_is(request->query[i].name, name);
    if (n == 0) return false;
    struct cria_str *texts = CRIA_NEW_ARRAY(check->ex->call.arena, n, struct cria_str);
    if (!texts) {
        check->status = CRIA_E_NO_MEMORY;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct cria_value one = nth_param(check, name, i), list = one;
        /* Of several values the bad one is told by its position. */
        struct cria_value item = {
            .check = check, .parent = &list, .position = i, .is_item = true, .json = one.json};
        const struct cria_value *at = n == 1 ? &one : &item;
        if (!one.json) return false;
        texts[i] = one.json->text;
        if (is_uuid && !cria_value_uuid(at, &texts[i])) good = false;
        if (words && !cria_value_word(at, words, word_count, &word)) good = false;
    }
    if (!good) return false;
    *out = texts;
    *count = n;
    return true;
}
