#include "api/metadata.h"

#include "base/json_out.h"

enum { METADATA_BYTES = 2 << 20 };

static void check_item(const struct cria_value *item)
{
    struct cria_str text;
    switch (item->json->kind) {
    case CRIA_JSON_ARRAY:
        for (size_t i = 0; i < item->json->count; i++) {
            struct cria_value one = cria_value_nth(item, i);
            cria_value_str(&one, 0, SIZE_MAX, &text);
        }
        return;
    case CRIA_JSON_OBJECT:
        cria_check_problem(
            item->check, item, "value_error",
            CRIA_STR("Value error, a text, a number, a boolean, null or a list of texts is wanted"),
            (struct cria_str){0});
        return;
    case CRIA_JSON_NULL:
    case CRIA_JSON_BOOL:
    case CRIA_JSON_INT:
    case CRIA_JSON_REAL:
    case CRIA_JSON_STRING: return;
    }
}

void cria_metadata_read(const struct cria_value *object, struct cria_str *json)
{
    struct cria_check *check = object->check;
    struct cria_buf buf;
    for (size_t i = 0; i < object->json->count; i++) {
        struct cria_value item = cria_value_nth(object, i);
        check_item(&item);
    }
    cria_buf_init(&buf, METADATA_BYTES);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_json(&out, object->json);
    *json = buf.failed ? (struct cria_str){0}
                       : cria_arena_copy(check->ex->call.arena, cria_buf_str(&buf));
    if (!json->ptr) check->status = CRIA_E_NO_MEMORY;
    cria_buf_release(&buf);
}

bool cria_metadata_member(struct cria_check *check, struct cria_str *json)
{
    struct cria_value object;
    if (!cria_json_get(check->body.json, "metadata")) return false;
    *json = CRIA_STR("{}");
    if (cria_member_object(&check->body, "metadata", CRIA_NULLABLE, &object))
        cria_metadata_read(&object, json);
    return true;
}

void cria_metadata_form(struct cria_check *check, struct cria_str *json)
{
    const struct cria_json *tree = NULL;
    const char *why = NULL;
    struct cria_value field;
    struct cria_str text;
    *json = CRIA_STR("{}");
    if (!cria_member_any(&check->body, "metadata", CRIA_OPTIONAL, &field) ||
        !cria_value_str(&field, 0, SIZE_MAX, &text))
        return;
    enum cria_status st = cria_json_parse(check->ex->call.arena, text, &tree, &why);
    if (st == CRIA_E_NO_MEMORY) {
        check->status = st;
    } else if (st != CRIA_OK) {
        cria_check_problem(check, &field, "json_invalid", CRIA_STR("Invalid JSON"),
                           (struct cria_str){0});
    } else if (!cria_json_is_null(tree)) {
        struct cria_value object = field;
        object.json = tree;
        if (cria_value_object(&object)) cria_metadata_read(&object, json);
    }
}
