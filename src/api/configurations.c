/* configurations.c - saved settings of products: those of parsing are checked and used, those of
 * other products are kept and given back as they came. */
#include "api/configurations.h"

#include "api/handlers.h"
#include "api/once.h"
#include "api/page.h"
#include "base/time.h"
#include "platform/clock.h"

static const char *const product_types[] = {"classify_v2", "extract_v2",     "parse_v2",
                                            "split_v1",    "spreadsheet_v1", "unknown"};
enum { PARSE_V2 = 2 };
static const char *const tiers[] = {"fast", "cost_effective", "agentic", "agentic_plus"};

/* What every project has; their times are those of nothing. */
#define BUILT_IN(tier) \
    "{\"product_type\":\"parse_v2\",\"tier\":\"" tier "\",\"version\":\"latest\"}"
static const struct {
    const char *id, *name;
    const char *parameters_json;
} built_ins[] = {
    {"cfg-PARSE_FAST", "Parse: fast", BUILT_IN("fast")},
    {"cfg-PARSE_COST_EFFECTIVE", "Parse: cost effective", BUILT_IN("cost_effective")},
    {"cfg-PARSE_AGENTIC", "Parse: agentic", BUILT_IN("agentic")},
    {"cfg-PARSE_AGENTIC_PLUS", "Parse: agentic plus", BUILT_IN("agentic_plus")},
};

/* ---- rendering and look-up */

static void write_configuration(struct cria_json_out *out, const struct cria_configuration *row)
{
    char version[CRIA_TIME_SIZE];
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "name", row->name);
    cria_out_member_raw(out, "parameters", row->parameters_json);
    cria_out_member_str(out, "product_type", row->product_type);
    cria_out_member_str(out, "version",
                        row->updated_at_us ? cria_time_format(row->updated_at_us, version)
                                           : CRIA_STR("latest"));
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_end(out);
}

static bool find_built_in(struct cria_str id, struct cria_configuration *out)
{
    for (size_t i = 0; i < CRIA_COUNT(built_ins); i++)
        if (cria_str_is(id, built_ins[i].id)) {
            *out = (struct cria_configuration){.id = cria_str_from(built_ins[i].id),
                                               .name = cria_str_from(built_ins[i].name),
                                               .product_type = CRIA_STR("parse_v2"),
                                               .parameters_json =
                                                   cria_str_from(built_ins[i].parameters_json)};
            return true;
        }
    return false;
}

enum cria_status cria_configuration_find(struct cria_tx *tx, struct cria_call *call,
                                         struct cria_str project, struct cria_str id,
                                         struct cria_configuration *out)
{
    if (find_built_in(id, out)) return CRIA_OK;
    enum cria_status st = cria_tx_configuration_get(tx, call, project, id, out);
    return cria_named(call, st, "Configuration not found");
}

static enum cria_status check_own(struct cria_call *call, struct cria_str id)
{
    struct cria_configuration row;
    if (!find_built_in(id, &row)) return CRIA_OK;
    return cria_fail_final(call, CRIA_E_CONFLICT, "A built-in configuration cannot be changed");
}

/* ---- reading parameters */

static void check_ratios(const struct cria_value *parameters)
{
    static const char *const sides[] = {"top", "right", "bottom", "left"};
    struct cria_value box;
    double ratio;
    if (!cria_member_object(parameters, "crop_box", CRIA_NULLABLE, &box)) return;
    for (size_t i = 0; i < CRIA_COUNT(sides); i++)
        cria_member_real(&box, sides[i], CRIA_NULLABLE, 0, 1, &ratio);
}

/* "1,3,5-8" */
static bool is_page_list(struct cria_str text)
{
    struct cria_str part, first;
    int64_t from, to;
    if (cria_str_trim(text).len == 0) return false;
    while (text.len) {
        cria_str_cut(&text, ',', &part);
        part = cria_str_trim(part);
        bool is_range = cria_str_cut(&part, '-', &first);
        if (!cria_str_to_int64(cria_str_trim(first), &from) || from < 1) return false;
        if (is_range && (!cria_str_to_int64(cria_str_trim(part), &to) || to < from)) return false;
    }
    return true;
}

static void check_ranges(const struct cria_value *parameters)
{
    struct cria_value ranges, at;
    struct cria_str pages;
    int64_t count;
    if (!cria_member_object(parameters, "page_ranges", CRIA_NULLABLE, &ranges)) return;
    cria_member_int(&ranges, "max_pages", CRIA_NULLABLE, 1, INT64_MAX, &count);
    if (cria_member_any(&ranges, "target_pages", CRIA_NULLABLE, &at) &&
        cria_value_str(&at, 0, SIZE_MAX, &pages) && !is_page_list(pages))
        cria_check_error(at.check, &at, "pages and ranges from 1, like 1,3,5-8");
}

static void check_ignores(const struct cria_value *parameters)
{
    static const char *const names[] = {"ignore_diagonal_text", "ignore_hidden_text",
                                        "ignore_text_in_image"};
    struct cria_value processing, ignore;
    bool truth;
    if (!cria_member_object(parameters, "processing_options", CRIA_NULLABLE, &processing) ||
        !cria_member_object(&processing, "ignore", CRIA_NULLABLE, &ignore))
        return;
    for (size_t i = 0; i < CRIA_COUNT(names); i++)
        cria_member_bool(&ignore, names[i], CRIA_NULLABLE, &truth);
}

static void check_parse(const struct cria_value *parameters)
{
    struct cria_str text;
    struct cria_value object;
    size_t tier;
    bool truth;
    cria_member_word(parameters, "tier", CRIA_REQUIRED, tiers, CRIA_COUNT(tiers), &tier);
    cria_member_str(parameters, "version", CRIA_REQUIRED, 0, SIZE_MAX, &text);
    cria_member_bool(parameters, "disable_cache", CRIA_NULLABLE, &truth);
    cria_member_object(parameters, "agentic_options", CRIA_NULLABLE, &object);
    check_ratios(parameters);
    check_ranges(parameters);
    check_ignores(parameters);
}

/* Reads `parameters` of the body into row; its text is what was sent, compact. */
static bool read_parameters(struct cria_check *check, unsigned flags,
                            struct cria_configuration *row)
{
    struct cria_value parameters;
    size_t type;
    if (!cria_member_object(&check->body, "parameters", flags, &parameters)) return false;
    if (!cria_member_word(&parameters, "product_type", CRIA_REQUIRED, product_types,
                          CRIA_COUNT(product_types), &type))
        return false;
    if (type == PARSE_V2) check_parse(&parameters);
    row->product_type = cria_str_from(product_types[type]);
    struct cria_buf *buf = &check->ex->body;
    struct cria_json_out out = cria_json_out_to(buf);
    cria_out_json(&out, parameters.json);
    row->parameters_json = cria_arena_copy(check->ex->call.arena, cria_buf_str(buf));
    if (buf->failed || !row->parameters_json.ptr) check->status = CRIA_E_NO_MEMORY;
    cria_buf_clear(buf);
    return true;
}

/* ---- create and update */

struct change {
    struct cria_exchange *ex;
    bool has_parameters;
    struct cria_configuration row; /* as sent; then as stored */
};

static enum cria_status upsert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct change *change = arg;
    struct cria_configuration row = change->row;
    row.created_at_us = row.updated_at_us = cria_wall_us();
    return cria_tx_configuration_upsert(tx, call, cria_project_of(change->ex), &row, &change->row);
}

static void render(struct cria_exchange *ex, const void *arg)
{
    const struct change *change = arg;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_configuration(&out, &change->row);
}

static enum cria_status create_configuration(struct cria_exchange *ex)
{
    struct cria_check check;
    struct change change = {.ex = ex};
    struct cria_once once;
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "name", CRIA_REQUIRED, 1, SIZE_MAX, &change.row.name);
    read_parameters(&check, CRIA_REQUIRED, &change.row);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    change.row.id = cria_fresh_id(&ex->call, "cfg-");
    if (!change.row.id.ptr) return cria_fail_memory(&ex->call);
    st = cria_once_init(&once, ex, upsert, &change, render);
    return st == CRIA_OK ? cria_once_run(&once) : st;
}
CRIA_HANDLER(create_configuration)

static enum cria_status update_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct change *change = arg;
    struct cria_configuration row;
    struct cria_str project = cria_project_of(change->ex);
    enum cria_status st =
        cria_configuration_find(tx, call, project, change->ex->request.path_values[0], &row);
    if (st != CRIA_OK) return st;
    if (change->row.name.ptr) row.name = change->row.name;
    if (change->has_parameters) {
        row.product_type = change->row.product_type;
        row.parameters_json = change->row.parameters_json;
    }
    row.updated_at_us = cria_time_after(cria_wall_us(), row.updated_at_us);
    st = cria_tx_configuration_update(tx, call, project, &row);
    change->row = row;
    if (st == CRIA_E_CONFLICT)
        return cria_fail_final(call, st, "Another configuration of this type has the name");
    return st;
}

static enum cria_status update_configuration(struct cria_exchange *ex)
{
    struct cria_check check;
    struct change change = {.ex = ex};
    cria_check_init(&check, ex);
    cria_check_body(&check, true);
    cria_member_str(&check.body, "name", CRIA_NULLABLE, 1, SIZE_MAX, &change.row.name);
    change.has_parameters = read_parameters(&check, CRIA_NULLABLE, &change.row);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = check_own(&ex->call, ex->request.path_values[0]);
    if (st == CRIA_OK)
        st = cria_store_write(cria_app_of(ex)->store, &ex->call, update_row, &change);
    if (st == CRIA_OK) render(ex, &change);
    return st;
}
CRIA_HANDLER(update_configuration)

/* ---- list, get, delete */

static enum cria_status list_configurations(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_page page;
    struct cria_configuration_list rows;
    struct cria_str name = {0};
    const struct cria_str *types = NULL;
    size_t type_count = 0;
    struct cria_tx *tx = NULL;
    bool ignored;
    cria_check_init(&check, ex);
    cria_page_init(&page, &check);
    cria_param_str(&check, "name", CRIA_OPTIONAL, &name);
    cria_param_list(&check, "product_type", false, product_types, CRIA_COUNT(product_types), &types,
                    &type_count);
    cria_param_bool(&check, "latest_only", &ignored);
    enum cria_status st = cria_check_end(&check);
    if (st != CRIA_OK) return st;
    cria_page_bind(&page, name);
    cria_page_bind_all(&page, types, type_count);
    st = cria_page_open(&page);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_tx_configuration_list(tx, &ex->call, cria_project_of(ex), name, types, type_count,
                                        &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {.is_set = true};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        write_configuration(&out, &rows.items[i]);
        last.at_us = rows.items[i].updated_at_us;
        last.id = rows.items[i].id;
    }
    cria_page_end(&page, &out, rows.has_more ? &last : NULL);
    return CRIA_OK;
}
CRIA_HANDLER(list_configurations)

static enum cria_status get_configuration(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_configuration row;
    struct cria_tx *tx = NULL;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK)
        st = cria_configuration_find(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0],
                                     &row);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    write_configuration(&out, &row);
    return CRIA_OK;
}
CRIA_HANDLER(get_configuration)

static enum cria_status delete_row(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_exchange *ex = arg;
    return cria_tx_configuration_delete(tx, call, cria_project_of(ex), ex->request.path_values[0]);
}

static enum cria_status delete_configuration(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK) st = check_own(&ex->call, ex->request.path_values[0]);
    if (st == CRIA_OK)
        st = cria_store_write_freeing(cria_app_of(ex)->store, &ex->call, delete_row, ex);
    if (st == CRIA_OK) ex->status = 204;
    return cria_named(&ex->call, st, "Configuration not found");
}
CRIA_HANDLER(delete_configuration)
