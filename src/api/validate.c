/* validate.c - places, problems, and the list of them as an answer. The readers are in readers.c.
 */
#include "api/validate.h"

#include "api/api.h"
#include "base/json_out.h"
#include "base/utf8.h"

enum { PROBLEM_BYTES = 65536, INPUT_BYTES = 4096, INPUT_CHARS = 300, INPUT_ITEMS = 50 };

/* ---- places */

static struct cria_value root(struct cria_check *check, const char *name, size_t position)
{
    return (struct cria_value){
        .check = check, .name = cria_str_from(name), .position = position, .json = NULL};
}

struct cria_value cria_value_member(const struct cria_value *object, const char *name)
{
    struct cria_value value = {.check = object->check,
                               .parent = object,
                               .name = cria_str_from(name),
                               .position = SIZE_MAX};
    const struct cria_json *json = object->json;
    if (!json || json->kind != CRIA_JSON_OBJECT) return value;
    for (size_t i = 0; i < json->count; i++) {
        if (!cria_str_is(json->items[i].name, name)) continue;
        value.position = i;
        value.json = &json->items[i];
        break;
    }
    return value;
}

struct cria_value cria_value_nth(const struct cria_value *container, size_t n)
{
    const struct cria_json *json = &container->json->items[n];
    return (struct cria_value){.check = container->check,
                               .parent = container,
                               .name = json->name,
                               .position = n,
                               .is_item = container->json->kind == CRIA_JSON_ARRAY,
                               .json = json};
}

static struct cria_json *text_json(struct cria_check *check, struct cria_str text)
{
    struct cria_json *json = CRIA_NEW(check->ex->call.arena, struct cria_json);
    if (json) *json = (struct cria_json){.kind = CRIA_JSON_STRING, .text = text};
    if (!json) check->status = CRIA_E_NO_MEMORY;
    return json;
}

struct cria_value cria_value_header(struct cria_check *check, const char *name)
{
    struct cria_value value = {.check = check,
                               .parent = &check->header,
                               .name = cria_str_from(name),
                               .position = SIZE_MAX};
    for (size_t i = 0; i < check->ex->request.header_count; i++) {
        const struct cria_param *header = &check->ex->request.headers[i];
        if (!cria_str_equal_nocase(header->name, value.name)) continue;
        if (header->value.len == 0) continue;
        value.position = i;
        value.json = text_json(check, header->value);
        break;
    }
    return value;
}

/* ---- problems */

/* Writes what was sent, cut where it is long: an answer must not repeat a megabyte. */
static void write_input(struct cria_json_out *out, const struct cria_json *json, size_t end)
{
    if (!json || out->buf->len >= end) {
        cria_out_null(out);
        return;
    }
    switch (json->kind) {
    case CRIA_JSON_STRING: {
        struct cria_str cut = cria_str_sub(json->text, 0, INPUT_CHARS);
        cria_out_str(out, cut.len == json->text.len ? cut : cria_utf8_cut(json->text, INPUT_CHARS));
        return;
    }
    case CRIA_JSON_ARRAY:
        cria_out_array(out);
        for (size_t i = 0; i < json->count && i < INPUT_ITEMS && out->buf->len < end; i++)
            write_input(out, &json->items[i], end);
        cria_out_end(out);
        return;
    case CRIA_JSON_OBJECT:
        cria_out_object(out);
        for (size_t i = 0; i < json->count && i < INPUT_ITEMS && out->buf->len < end; i++) {
            cria_out_name_str(out, cria_utf8_cut(json->items[i].name, INPUT_CHARS));
            write_input(out, &json->items[i], end);
        }
        cria_out_end(out);
        return;
    case CRIA_JSON_NULL:
    case CRIA_JSON_BOOL:
    case CRIA_JSON_INT:
    case CRIA_JSON_REAL: cria_out_json(out, json); return;
    }
}

static void write_loc(struct cria_json_out *out, const struct cria_value *at)
{
    if (at->parent) write_loc(out, at->parent);
    if (at->is_item)
        cria_out_int(out, (int64_t)at->position);
    else
        cria_out_str(out, cria_utf8_cut(at->name, INPUT_CHARS));
}

static size_t order_of(const struct cria_value *at, size_t order[CRIA_VALUE_DEPTH])
{
    size_t depth = at->parent ? order_of(at->parent, order) : 0;
    if (depth < CRIA_VALUE_DEPTH) order[depth++] = at->position;
    return depth;
}

void cria_check_problem(struct cria_check *check, const struct cria_value *at, const char *type,
                        struct cria_str msg, struct cria_str ctx_json)
{
    struct cria_arena *arena = check->ex->call.arena;
    struct cria_buf buf;
    if (check->count == CRIA_PROBLEMS_MAX) return;
    if (!check->problems)
        check->problems = CRIA_NEW_ARRAY(arena, CRIA_PROBLEMS_MAX, struct cria_problem);
    if (!check->problems) {
        check->status = CRIA_E_NO_MEMORY;
        return;
    }
    struct cria_problem *problem = &check->problems[check->count++];
    problem->depth = order_of(at, problem->order);
    cria_buf_init(&buf, PROBLEM_BYTES);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "type", type);
    cria_out_name(&out, "loc");
    cria_out_array(&out);
    write_loc(&out, at);
    cria_out_end(&out);
    cria_out_member_str(&out, "msg", msg);
    cria_out_name(&out, "input");
    const struct cria_json *input = at->json ? at->json : at->parent ? at->parent->json : NULL;
    write_input(&out, input, buf.len + INPUT_BYTES);
    if (ctx_json.ptr) cria_out_member_raw(&out, "ctx", ctx_json);
    cria_out_end(&out);
    problem->json = cria_arena_copy(arena, cria_buf_str(&buf));
    if (buf.failed || !problem->json.ptr) check->status = CRIA_E_NO_MEMORY;
    cria_buf_release(&buf);
}

void cria_check_error(struct cria_check *check, const struct cria_value *at, const char *sentence)
{
    struct cria_buf ctx;
    struct cria_str msg = cria_arena_printf(check->ex->call.arena, "Value error, %s", sentence);
    cria_buf_init(&ctx, PROBLEM_BYTES);
    struct cria_json_out out = cria_json_out_to(&ctx);
    cria_out_object(&out);
    cria_out_member_z(&out, "error", sentence);
    cria_out_end(&out);
    cria_check_problem(check, at, "value_error", msg, cria_buf_str(&ctx));
    cria_buf_release(&ctx);
}

/* Document order: by position from the root down; what is missing comes after its siblings. */
static bool comes_before(const struct cria_problem *a, const struct cria_problem *b)
{
    size_t depth = a->depth < b->depth ? a->depth : b->depth;
    for (size_t i = 0; i < depth; i++)
        if (a->order[i] != b->order[i]) return a->order[i] < b->order[i];
    return a->depth < b->depth;
}

enum cria_status cria_check_problems(struct cria_check *check)
{
    struct cria_call *call = &check->ex->call;
    struct cria_buf *body = &check->ex->body;
    if (check->status == CRIA_E_NO_MEMORY) return cria_fail_memory(call);
    if (check->status != CRIA_OK) return check->status;
    if (check->count == 0) return CRIA_OK;
    for (size_t i = 1; i < check->count; i++) { /* stable, and there are few */
        struct cria_problem moved = check->problems[i];
        size_t at = i;
        for (; at > 0 && comes_before(&moved, &check->problems[at - 1]); at--)
            check->problems[at] = check->problems[at - 1];
        check->problems[at] = moved;
    }
    cria_buf_clear(body);
    struct cria_json_out out = cria_json_out_to(body);
    cria_out_object(&out);
    cria_out_name(&out, "detail");
    cria_out_array(&out);
    for (size_t i = 0; i < check->count; i++) cria_out_raw(&out, check->problems[i].json);
    cria_out_end(&out);
    cria_out_end(&out);
    return cria_fail(call, CRIA_E_INVALID, "The request is not as the contract has it");
}

/* ---- begin and end */

void cria_check_init(struct cria_check *check, struct cria_exchange *ex)
{
    *check = (struct cria_check){.ex = ex, .status = CRIA_OK};
    check->query = root(check, "query", 1);
    check->header = root(check, "header", 2);
    check->body = root(check, "body", 3);
    cria_param_uuid(check, "organization_id", &check->organization_id);
    cria_param_uuid(check, "project_id", &check->project_id);
}

void cria_check_tree(struct cria_check *check, const struct cria_json *json)
{
    check->body.json = json;
}

void cria_check_body(struct cria_check *check, bool is_required)
{
    static const struct cria_json nothing = {.kind = CRIA_JSON_OBJECT};
    struct cria_call *call = &check->ex->call;
    struct cria_str text = check->ex->request.body;
    const struct cria_json *json = NULL;
    const char *why = NULL;
    if (cria_str_trim(text).len) {
        enum cria_status st = cria_json_parse(call->arena, text, &json, &why);
        if (st != CRIA_OK) {
            check->status = st;
            cria_fail(call, st, "The body is not JSON: %s", why ? why : "it cannot be read");
            return;
        }
    } else if (is_required) {
        cria_check_problem(check, &check->body, "missing", CRIA_STR("Field required"),
                           (struct cria_str){0});
        return;
    }
    check->body.json = cria_json_is_null(json) && !is_required ? &nothing : json;
    /* Members of what is no object are no problems of their own. */
    if (!cria_value_object(&check->body)) check->body.json = NULL;
}

enum cria_status cria_check_end(struct cria_check *check)
{
    const struct cria_app *app = check->ex->app;
    enum cria_status st = cria_check_problems(check);
    if (st != CRIA_OK) return st;
    return cria_account_scope(app->account, &check->ex->call, check->project_id,
                              check->organization_id);
}
