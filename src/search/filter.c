#include "search/filter.h"

static bool is_number(const struct cria_json *value)
{
    return value->kind == CRIA_JSON_INT || value->kind == CRIA_JSON_REAL;
}

static bool equals(const struct cria_json *a, const struct cria_json *b)
{
    if (is_number(a) && is_number(b)) return a->real == b->real;
    if (a->kind != b->kind) return false;
    if (a->kind == CRIA_JSON_STRING) return cria_str_equal(a->text, b->text);
    if (a->kind == CRIA_JSON_BOOL) return a->truth == b->truth;
    return a->kind == CRIA_JSON_NULL;
}

/* -1, 0, 1; 2 when the two have no order between them. */
static int order(const struct cria_json *a, const struct cria_json *b)
{
    if (is_number(a) && is_number(b)) return (a->real > b->real) - (a->real < b->real);
    if (a->kind != CRIA_JSON_STRING || b->kind != CRIA_JSON_STRING) return 2;
    int n = cria_str_compare(a->text, b->text);
    return (n > 0) - (n < 0);
}

static bool is_in(const struct cria_json *value, const struct cria_json *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (equals(value, &list->items[i])) return true;
    return false;
}

/* One element against one condition whose operator is no negation. */
static bool holds_for(struct cria_str operator, const struct cria_json * value,
                      const struct cria_json *wanted)
{
    if (cria_str_is(operator, "eq")) return equals(value, wanted);
    if (cria_str_is(operator, "in")) return wanted->kind == CRIA_JSON_ARRAY && is_in(value, wanted);
    int n = order(value, wanted);
    if (n == 2) return false;
    if (cria_str_is(operator, "gt")) return n > 0;
    if (cria_str_is(operator, "gte")) return n >= 0;
    if (cria_str_is(operator, "lt")) return n < 0;
    return n <= 0;
}

static bool condition_holds(const struct cria_json *value, const struct cria_json *condition)
{
    struct cria_str operator= cria_json_get_str(condition, "operator");
    const struct cria_json *wanted = cria_json_get(condition, "value");
    bool negates = cria_str_is(operator, "ne") || cria_str_is(operator, "nin"), any = false;
    if (!wanted) return false;
    if (negates) operator= cria_str_is(operator, "ne") ? CRIA_STR("eq") : CRIA_STR("in");
    if (cria_json_is_null(value)) return negates;
    if (value->kind == CRIA_JSON_ARRAY)
        for (size_t i = 0; i < value->count; i++)
            any = any || holds_for(operator, & value->items[i], wanted);
    else
        any = holds_for(operator, value, wanted);
    return any != negates;
}

/* A condition, or a list of ranges that must all hold. */
static bool member_holds(const struct cria_json *value, const struct cria_json *conditions)
{
    if (conditions->kind != CRIA_JSON_ARRAY) return condition_holds(value, conditions);
    for (size_t i = 0; i < conditions->count; i++)
        if (!condition_holds(value, &conditions->items[i])) return false;
    return true;
}

bool cria_name_contains(struct cria_str text, struct cria_str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (cria_str_equal_nocase(cria_str_sub(text, i, part.len), part)) return true;
    return false;
}

bool cria_filter_allows(struct cria_arena *arena, struct cria_str entry_id,
                        struct cria_str display_name, struct cria_str metadata_json,
                        const struct cria_json *static_filters,
                        const struct cria_json *custom_filters, struct cria_str file_name_contains)
{
    const struct cria_json *file = cria_json_get(static_filters, "parsed_directory_file_id"),
                           *metadata = NULL;
    const char *why;
    if (file_name_contains.len && !cria_name_contains(display_name, file_name_contains))
        return false;
    if (!cria_json_is_null(file)) {
        struct cria_json id = {.kind = CRIA_JSON_STRING, .text = entry_id};
        if (!condition_holds(&id, file)) return false;
    }
    if (cria_json_is_null(custom_filters) || custom_filters->count == 0) return true;
    if (cria_json_parse(arena, metadata_json, &metadata, &why) != CRIA_OK) return false;
    for (size_t i = 0; i < custom_filters->count; i++) {
        const struct cria_json *conditions = &custom_filters->items[i], *value = NULL;
        if (conditions->kind == CRIA_JSON_NULL) continue;
        for (size_t k = 0; k < metadata->count; k++)
            if (cria_str_equal(metadata->items[k].name, conditions->name))
                value = &metadata->items[k];
        if (!member_holds(value, conditions)) return false;
    }
    return true;
}
