/* The rules, in the order they are tried:
 *   which slot   known id -> its slot; new id -> the slot of its index if that has no id yet, else
 * a new one; no id, known index -> the last slot of that index; no id, new index -> a new one;
 * neither -> the open (last) slot, or a new one when a name comes and the open slot is complete.
 *   name         set once, never appended.
 *   arguments    a string is appended, an object replaces.
 *   at the end   the same object twice counts once; several objects are several calls. */
#include "model/tool_calls.h"

#include "base/json_out.h"

void cria_tool_calls_init(struct cria_tool_calls *calls)
{
    *calls = (struct cria_tool_calls){0};
}

void cria_tool_calls_release(struct cria_tool_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++) cria_buf_release(&calls->slots[i].arguments);
    calls->count = 0;
}

size_t cria_json_object_len(struct cria_str text)
{
    size_t at = 0, depth = 0;
    bool in_string = false;
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]) && text.ptr[at]) at++;
    if (at == text.len || text.ptr[at] != '{') return 0;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (in_string) {
            if (c == '\\')
                at++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return 0;
}

static bool is_complete(const struct cria_tool_slot *slot)
{
    struct cria_str text = cria_str_trim(cria_buf_str(&slot->arguments));
    return slot->name[0] && (slot->is_object || cria_json_object_len(text) == text.len);
}

static struct cria_tool_slot *slot_new(struct cria_tool_calls *calls, int64_t index)
{
    if (calls->count == CRIA_TOOL_SLOTS) {
        calls->overflowed = true;
        return NULL;
    }
    struct cria_tool_slot *slot = &calls->slots[calls->count++];
    *slot = (struct cria_tool_slot){.index = index};
    cria_buf_init(&slot->arguments, CRIA_TOOL_ARGUMENTS_MAX);
    return slot;
}

static struct cria_tool_slot *slot_find(struct cria_tool_calls *calls, struct cria_str id,
                                        int64_t index, bool has_name)
{
    struct cria_tool_slot *by_index = NULL;
    for (size_t i = 0; i < calls->count; i++) {
        struct cria_tool_slot *slot = &calls->slots[i];
        if (id.len && cria_str_is(id, slot->id)) return slot;
        if (index >= 0 && slot->index == index) by_index = slot;
    }
    if (id.len) return by_index && !by_index->id[0] ? by_index : slot_new(calls, index);
    if (index >= 0) return by_index ? by_index : slot_new(calls, index);
    struct cria_tool_slot *open = calls->count ? &calls->slots[calls->count - 1] : NULL;
    if (!open || (has_name && is_complete(open))) return slot_new(calls, index);
    return open;
}

void cria_tool_calls_add(struct cria_tool_calls *calls, const struct cria_json *piece)
{
    if (!piece || piece->kind != CRIA_JSON_OBJECT) return;
    const struct cria_json *function = cria_json_get(piece, "function");
    if (cria_json_is_null(function)) function = piece; /* some send the members flat */
    struct cria_str id = cria_str_sub(cria_json_get_str(piece, "id"), 0, 79);
    struct cria_str name = cria_str_sub(cria_json_get_str(function, "name"), 0, 79);
    int64_t index = cria_json_get_int(piece, "index", -1);
    const struct cria_json *arguments = cria_json_get(function, "arguments");
    struct cria_tool_slot *slot = slot_find(calls, id, index, name.len > 0);
    if (!slot) return;

    if (id.len && !slot->id[0]) cria_str_copy_z(id, slot->id, sizeof(slot->id));
    if (name.len && !slot->name[0]) cria_str_copy_z(name, slot->name, sizeof(slot->name));
    if (cria_json_is_null(arguments)) return;
    if (arguments->kind == CRIA_JSON_STRING) {
        if (!slot->is_object) cria_buf_add(&slot->arguments, arguments->text);
    } else if (arguments->kind == CRIA_JSON_OBJECT) {
        struct cria_json_out out = cria_json_out_to(&slot->arguments);
        cria_buf_clear(&slot->arguments);
        cria_out_json(&out, arguments);
        slot->is_object = true;
    }
    if (slot->arguments.failed) calls->overflowed = true;
}

static bool is_object(struct cria_str text)
{
    struct cria_arena arena;
    const struct cria_json *value = NULL;
    const char *why;
    cria_arena_init(&arena, 4 << 20);
    bool good =
        cria_json_parse(&arena, text, &value, &why) == CRIA_OK && value->kind == CRIA_JSON_OBJECT;
    cria_arena_release(&arena);
    return good;
}

/* Cuts the next whole object off the text. */
static bool cut_object(struct cria_str *rest, struct cria_str *object)
{
    size_t len = cria_json_object_len(*rest);
    if (len == 0) return false;
    *object = cria_str_trim(cria_str_sub(*rest, 0, len));
    *rest = cria_str_trim(cria_str_sub(*rest, len, SIZE_MAX));
    return is_object(*object);
}

static size_t split(struct cria_str text, struct cria_str out[CRIA_TOOL_SLOTS])
{
    size_t count = 0;
    while (text.len && count < CRIA_TOOL_SLOTS) {
        struct cria_str object;
        bool is_known = false;
        if (!cut_object(&text, &object)) return 0;
        for (size_t i = 0; i < count; i++) is_known |= cria_str_equal(out[i], object);
        if (!is_known) out[count++] = object;
    }
    return count;
}

enum cria_status cria_tool_calls_finish(const struct cria_tool_calls *calls,
                                        struct cria_arena *arena, const struct cria_tool_call **out,
                                        size_t *count)
{
    struct cria_tool_call *list = CRIA_NEW_ARRAY(arena, CRIA_TOOL_SLOTS, struct cria_tool_call);
    struct cria_str objects[CRIA_TOOL_SLOTS];
    size_t n = 0;
    if (!list) return CRIA_E_NO_MEMORY;
    for (size_t i = 0; i < calls->count; i++) {
        const struct cria_tool_slot *slot = &calls->slots[i];
        if (!slot->name[0]) continue;
        struct cria_str text = cria_str_trim(cria_buf_str(&slot->arguments));
        bool is_empty = text.len == 0 || cria_str_is(text, "null");
        size_t found = is_empty || slot->arguments.failed ? 0 : split(text, objects);
        if (found == 0) {
            objects[0] = CRIA_STR("{}");
            found = 1;
            if (!is_empty && n < CRIA_TOOL_SLOTS) list[n].is_broken = true;
        }
        for (size_t k = 0; k < found && n < CRIA_TOOL_SLOTS; k++, n++) {
            list[n].name = cria_arena_copy(arena, cria_str_from(slot->name));
            list[n].arguments_json = cria_arena_copy(arena, objects[k]);
            if (arena->failed) return CRIA_E_NO_MEMORY;
        }
    }
    *out = list;
    *count = n;
    return CRIA_OK;
}
