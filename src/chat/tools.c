#include "chat/tools.h"

#include "base/json_out.h"
#include "base/utf8.h"
#include "chat/events.h"
#include "chat/session.h"
#include "chat/tool_table.h"

/* ---- the table */

const struct cria_tool cria_tools[] = {
    {CRIA_STR_INIT("retrieve"),
     CRIA_STR_INIT("Searches the user's documents by meaning and words. Write a stand-alone query. "
                   "To compare things, search once for each. If the results do not answer, search "
                   "again with other words; do not repeat a query."),
     CRIA_STR_INIT("{\"type\":\"object\",\"required\":[\"query\"],\"properties\":{\"query\":{"
                   "\"type\":\"string\"},\"top_k\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":"
                   "20},\"file_name_contains\":{\"type\":\"string\"}}}"),
     cria_tool_retrieve_run, cria_tool_retrieve_tell},
    {CRIA_STR_INIT("find_files"),
     CRIA_STR_INIT("Lists the user's files, or those whose name contains a text."),
     CRIA_STR_INIT("{\"type\":\"object\",\"properties\":{\"name_contains\":{\"type\":\"string\"},"
                   "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":50}}}"),
     cria_tool_find_run, cria_tool_find_tell},
    {CRIA_STR_INIT("grep_file"),
     CRIA_STR_INIT("Finds an exact text (a number, name or identifier) in one file. file is a "
                   "handle such as f1, a file id or a file name."),
     CRIA_STR_INIT("{\"type\":\"object\",\"required\":[\"file\",\"pattern\"],\"properties\":{"
                   "\"file\":{\"type\":\"string\"},\"pattern\":{\"type\":\"string\"},\"regex\":{"
                   "\"type\":\"boolean\"},\"context_chars\":{\"type\":\"integer\",\"maximum\":600},"
                   "\"limit\":{\"type\":\"integer\",\"maximum\":50}}}"),
     cria_tool_grep_run, cria_tool_grep_tell},
    {CRIA_STR_INIT("read_file"),
     CRIA_STR_INIT("Reads a part of one file: from a page or a character offset on. Use it for the "
                   "surroundings of a passage."),
     CRIA_STR_INIT(
         "{\"type\":\"object\",\"required\":[\"file\"],\"properties\":{\"file\":{\"type\":"
         "\"string\"},\"page\":{\"type\":\"integer\"},\"offset\":{\"type\":\"integer\"},"
         "\"length\":{\"type\":\"integer\",\"maximum\":12000}}}"),
     cria_tool_read_run, cria_tool_read_tell},
};
const size_t cria_tool_count = CRIA_COUNT(cria_tools);

const struct cria_prompt_tool *cria_tools_prompt(struct cria_arena *arena)
{
    struct cria_prompt_tool *list =
        CRIA_NEW_ARRAY(arena, CRIA_COUNT(cria_tools), struct cria_prompt_tool);
    for (size_t i = 0; list && i < CRIA_COUNT(cria_tools); i++)
        list[i] = (struct cria_prompt_tool){cria_tools[i].name, cria_tools[i].description,
                                            cria_tools[i].parameters_json};
    return list;
}

/* Edit distance of short names; 9 when one is too long to matter. */
static unsigned distance(struct cria_str a, struct cria_str b)
{
    unsigned row[33];
    if (a.len > 32 || b.len > 32) return 9;
    for (unsigned j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        unsigned corner = row[0]++;
        for (size_t j = 0; j < b.len; j++) {
            unsigned best = corner + (a.ptr[i] != b.ptr[j]);
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j + 1] + 1 < best) best = row[j + 1] + 1;
            corner = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[b.len];
}

const struct cria_tool *cria_tool_find(struct cria_str name)
{
    static const struct {
        const char *other;
        size_t n;
    } synonyms[] = {{"search", 0}, {"find", 1},        {"list_files", 1},
                    {"grep", 2},   {"search_file", 2}, {"read", 3}};
    const struct cria_tool *best = NULL;
    unsigned least = 3;
    for (size_t i = 0; i < CRIA_COUNT(cria_tools); i++) {
        unsigned d = distance(cria_tools[i].name, name);
        if (d < least) least = d, best = &cria_tools[i];
    }
    for (size_t i = 0; i < CRIA_COUNT(synonyms) && !best; i++)
        if (cria_str_is(name, synonyms[i].other)) best = &cria_tools[synonyms[i].n];
    return best;
}

void cria_tool_tell_error(const struct cria_tool *tool, struct cria_str sentence,
                          struct cria_buf *json, struct cria_buf *text)
{
    cria_tool_error_write(json, sentence);
    cria_buf_add(text, CRIA_STR("Error: "));
    cria_buf_add(text, sentence);
    cria_buf_add(text, CRIA_STR(". "));
    if (tool) {
        cria_buf_add(text, CRIA_STR("The right form of the arguments: "));
        cria_buf_add(text, tool->parameters_json);
        return;
    }
    cria_buf_add(text, CRIA_STR("There are these tools:"));
    for (size_t i = 0; i < CRIA_COUNT(cria_tools); i++) {
        cria_buf_add_char(text, ' ');
        cria_buf_add(text, cria_tools[i].name);
    }
}

/* ---- arguments */

const char *const cria_tool_file_names[] = {"file", "file_id", "file_name", "filename",
                                            "name", "path",    "document",  NULL};

static const struct cria_json *arg(const struct cria_json *arguments, const char *const *names)
{
    for (; *names; names++) {
        const struct cria_json *value = cria_json_get(arguments, *names);
        if (value && value->kind == CRIA_JSON_ARRAY && value->count) value = &value->items[0];
        if (!cria_json_is_null(value)) return value;
    }
    return NULL;
}

struct cria_str cria_tool_arg_str(const struct cria_json *arguments, const char *const *names)
{
    const struct cria_json *value = arg(arguments, names);
    return value && value->kind == CRIA_JSON_STRING ? cria_str_trim(value->text)
                                                    : (struct cria_str){0};
}

int64_t cria_tool_arg_int(const struct cria_json *arguments, const char *const *names,
                          int64_t otherwise, int64_t least, int64_t most)
{
    const struct cria_json *value = arg(arguments, names);
    int64_t number = otherwise;
    if (value && value->kind == CRIA_JSON_STRING) {
        if (!cria_str_to_int64(cria_str_trim(value->text), &number)) number = otherwise;
    } else if (!cria_json_as_int(value, &number)) {
        number = otherwise;
    }
    return number < least ? least : number > most ? most : number;
}

bool cria_tool_arg_bool(const struct cria_json *arguments, const char *name, bool otherwise)
{
    const struct cria_json *value = cria_json_get(arguments, name);
    if (value && value->kind == CRIA_JSON_STRING)
        return cria_str_equal_nocase(value->text, CRIA_STR("true"));
    return value && value->kind == CRIA_JSON_BOOL ? value->truth : otherwise;
}

const struct cria_search_index *cria_tool_indexes(struct cria_tool_run *run, size_t *count)
{
    static const char *const names[] = {"index_ids", "index_id", "indexes", NULL};
    const struct cria_tool_scope *scope = run->scope;
    struct cria_search_index *list =
        CRIA_NEW_ARRAY(run->call.arena, scope->index_count, struct cria_search_index);
    const struct cria_json *wanted = NULL;
    if (!list) return NULL;
    *count = 0;
    for (size_t i = 0; names[i] && !wanted; i++) wanted = cria_json_get(run->arguments, names[i]);
    for (size_t i = 0; wanted && i < scope->index_count; i++) {
        bool found = wanted->kind == CRIA_JSON_STRING &&
                     cria_index_id_equal(wanted->text, scope->indexes[i].id);
        for (size_t k = 0; wanted->kind == CRIA_JSON_ARRAY && k < wanted->count && !found; k++)
            found = cria_index_id_equal(wanted->items[k].text, scope->indexes[i].id);
        if (found) list[(*count)++] = scope->indexes[i];
    }
    for (size_t i = 0; *count == 0 && i < scope->index_count; i++) list[i] = scope->indexes[i];
    if (*count == 0) *count = scope->index_count;
    return list;
}

/* ---- files */

static enum cria_status by_name(struct cria_tool_run *run, struct cria_tx *tx,
                                struct cria_str index_id, struct cria_document *out)
{
    struct cria_document_list list;
    const struct cria_window window = {.limit = 2};
    const struct cria_str none = {0};
    struct cria_str name = run->file.text;
    enum cria_status st = cria_tx_document_list(tx, &run->call, run->scope->project, index_id, name,
                                                none, &window, &list);
    if (st == CRIA_OK && list.count == 0)
        st = cria_tx_document_list(tx, &run->call, run->scope->project, index_id, none, name,
                                   &window, &list);
    if (st != CRIA_OK) return st;
    if (list.count == 0) return CRIA_E_NOT_FOUND;
    *out = list.items[0];
    return CRIA_OK;
}

enum cria_status cria_tool_document(struct cria_tool_run *run, struct cria_document *out)
{
    const struct cria_tool_scope *scope = run->scope;
    struct cria_call *call = &run->call;
    struct cria_str id = run->file.file_id.len ? run->file.file_id : run->file.text;
    enum cria_status st = CRIA_E_NOT_FOUND;
    struct cria_tx *tx = NULL;
    if (id.len == 0) return cria_fail(call, CRIA_E_INVALID, "the argument file is missing");
    for (size_t i = 0; i < scope->index_count && st == CRIA_E_NOT_FOUND; i++) {
        struct cria_str index_id = scope->indexes[i].id;
        if (run->file.index_id.len && !cria_str_equal(run->file.index_id, index_id)) continue;
        st = cria_file_resolve(scope->store, call, scope->project, index_id, id, out);
    }
    if (st != CRIA_E_NOT_FOUND) return st;
    st = cria_store_read_begin(scope->store, call, &tx);
    if (st != CRIA_OK) return st;
    st = CRIA_E_NOT_FOUND;
    for (size_t i = 0; i < scope->index_count && st == CRIA_E_NOT_FOUND; i++)
        st = by_name(run, tx, scope->indexes[i].id, out);
    cria_store_read_end(tx);
    if (st != CRIA_E_NOT_FOUND) return st;
    return cria_fail(call, st, "no file is called \"%.*s\": find_files lists them",
                     (int)cria_utf8_cut(id, 100).len, id.ptr);
}

static const struct cria_json *pages_of(struct cria_arena *arena,
                                        const struct cria_document *document)
{
    const struct cria_json *pages = NULL;
    const char *why;
    if (document->page_count == 0 || document->pages_json.len == 0) return NULL;
    if (cria_json_parse(arena, document->pages_json, &pages, &why) != CRIA_OK) return NULL;
    return pages->kind == CRIA_JSON_ARRAY ? pages : NULL;
}

uint32_t cria_document_page_at(struct cria_arena *arena, const struct cria_document *document,
                               uint64_t at_char)
{
    const struct cria_json *pages = pages_of(arena, document);
    uint32_t page = 0;
    for (size_t i = 0; pages && i < pages->count; i++) {
        const struct cria_json *row = &pages->items[i]; /* [number, byte_start, char_start] */
        if (row->count < 3 || row->items[2].integer < 0) continue;
        if ((uint64_t)row->items[2].integer > at_char) break;
        page = (uint32_t)row->items[0].integer;
    }
    return page;
}

bool cria_document_page_start(struct cria_arena *arena, const struct cria_document *document,
                              int64_t page, uint64_t *at_char)
{
    const struct cria_json *pages = pages_of(arena, document);
    for (size_t i = 0; pages && i < pages->count; i++) {
        const struct cria_json *row = &pages->items[i];
        if (row->count < 3 || row->items[0].integer != page || row->items[2].integer < 0) continue;
        *at_char = (uint64_t)row->items[2].integer;
        return true;
    }
    return false;
}

void cria_pages_write(struct cria_buf *out, uint32_t page_start, uint32_t page_end)
{
    if (page_start == 0) return;
    cria_buf_printf(out, " p. %u", page_start);
    if (page_end > page_start) cria_buf_printf(out, "-%u", page_end);
}
