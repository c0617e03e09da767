/* indexes.c - searchable exports built from a source directory. */
#include "api/handlers.h"
#include "api/page.h"
#include "api/render.h"
#include "platform/clock.h"
#include "platform/crypto.h"

enum { MAX_PRODUCTS = 8 };

static struct cria_str other_id(struct cria_exchange *ex, const char *prefix, struct cria_str id)
{
    return cria_arena_printf(ex->call.arena, "%s%.*s", prefix,
                             CRIA_STR_ARG(cria_str_sub(id, 4, id.len)));
}

static void render(struct cria_exchange *ex, struct cria_json_out *out,
                   const struct cria_index *row, bool with_sync)
{
    cria_out_object(out);
    cria_out_member_str(out, "id", row->id);
    cria_out_member_str(out, "export_config_id", other_id(ex, "exp-", row->id));
    cria_out_member_str(out, "name", row->name);
    cria_out_member_str(out, "output_directory_id", row->output_directory_id);
    cria_out_member_str(out, "project_id", cria_project_of(ex));
    cria_out_member_str(out, "source_directory_id", row->source_directory_id);
    cria_out_member_str(out, "sync_config_id", other_id(ex, "syn-", row->id));
    cria_out_member_time(out, "created_at", row->created_at_us);
    cria_out_member_time(out, "updated_at", row->updated_at_us);
    cria_out_member_opt(out, "description", row->description);
    cria_out_member_time(out, "last_synced_at", row->last_synced_at_us);
    cria_out_member_time(out, "last_exported_at", row->last_exported_at_us);
    cria_out_name(out, "metadata");
    cria_out_object(out);
    cria_out_member_z(out, "status", cria_index_status_name(row->status));
    cria_out_member_opt(out, "error_message", row->error_message);
    cria_out_name(out, "file_counts");
    cria_out_object(out);
    cria_out_member_int(out, "total", row->files_total);
    cria_out_member_int(out, "succeeded", row->files_succeeded);
    cria_out_member_int(out, "failed", row->files_failed);
    cria_out_member_int(out, "pending", row->files_pending);
    cria_out_end(out);
    cria_out_member_raw(out, "failed_files",
                        row->failed_files_json.len ? row->failed_files_json : CRIA_STR("[]"));
    cria_out_end(out);
    cria_out_name(out, "sync_in_progress");
    if (with_sync)
        cria_out_bool(out, row->status != CRIA_INDEX_READY && row->status != CRIA_INDEX_FAILED);
    else
        cria_out_null(out);
    cria_out_end(out);
}

/* ---- creating
 * --------------------------------------------------------------------------------------------------
 */

struct creation {
    struct cria_exchange *ex;
    struct cria_index row;
    struct cria_str configuration; /* of the parse product, or {NULL,0} */
    char id[CRIA_ID_SIZE], output_id[CRIA_ID_SIZE];
};

static void render_created(struct cria_exchange *ex, void *arg)
{
    struct cria_json_out out = cria_json_out_to(&ex->body);
    render(ex, &out, &((const struct creation *)arg)->row, false);
}

static enum cria_status insert(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct creation *creation = arg;
    struct cria_exchange *ex = creation->ex;
    struct cria_str project = cria_project_of(ex);
    struct cria_index *row = &creation->row;
    struct cria_directory source;
    struct cria_configuration configuration;
    enum cria_status st =
        cria_tx_directory_get(tx, call, project, row->source_directory_id, &source);
    if (st != CRIA_OK) return cria_not_found(ex, st, "Source directory");
    if (cria_str_is(source.type, "index"))
        return cria_fail_final(call, CRIA_E_CONFLICT,
                               "The output directory of an index cannot be a source");
    if (creation->configuration.ptr) {
        st = cria_configuration_find(tx, call, project, creation->configuration, &configuration);
        if (st != CRIA_OK) return cria_not_found(ex, st, "Product configuration");
        row->parameters_json = configuration.parameters_json;
    }
    if (!row->name.ptr) row->name = source.name;
    const struct cria_directory output = {.id = row->output_directory_id,
                                          .name = row->name,
                                          .type = CRIA_STR("index"),
                                          .index_id = row->id,
                                          .created_at_us = row->created_at_us,
                                          .updated_at_us = row->created_at_us};
    st = cria_tx_directory_insert(tx, call, project, &output);
    return st == CRIA_OK ? cria_tx_index_insert(tx, call, project, row) : st;
}

static void check_products(struct cria_check *check, struct creation *creation)
{
    struct cria_place at_products = {&cria_in_body, "products", 0};
    const struct cria_json *products = cria_json_get(check->body, "products");
    bool seen = false;
    if (cria_json_is_null(products)) return;
    if (products->kind != CRIA_JSON_ARRAY) {
        cria_check_add(check, &at_products, "list_type",
                       cria_json_text(check->ex->call.arena, products), (struct cria_str){0},
                       "Input should be a valid list");
        return;
    }
    for (size_t i = 0; i < products->count; i++) {
        const struct cria_json *product = &products->items[i];
        struct cria_place at = {&at_products, NULL, i}, at_type = {&at, "product_type", 0};
        if (product->kind != CRIA_JSON_OBJECT) {
            cria_check_add(check, &at, "dict_type", cria_json_text(check->ex->call.arena, product),
                           (struct cria_str){0}, "Input should be a valid dictionary");
            continue;
        }
        struct cria_str type =
            cria_want_str(check, &at, product, "product_type", CRIA_WANT_REQUIRED, 0, 0);
        struct cria_str id =
            cria_want_str(check, &at, product, "product_config_id", CRIA_WANT_REQUIRED, 0, 0);
        if (type.ptr && (!cria_str_is(type, "parse") || seen))
            cria_check_add(
                check, &at_type, "value_error",
                cria_json_text(check->ex->call.arena, cria_json_get(product, "product_type")),
                (struct cria_str){0},
                seen ? "Value error, at most one entry per product type"
                     : "Value error, the only product of this server is 'parse'");
        if (cria_str_is(type, "parse")) {
            seen = true;
            creation->configuration = id;
        }
    }
    creation->row.products_json = cria_json_text(check->ex->call.arena, products);
}

static void check_kinds(struct cria_check *check, struct cria_index *row)
{
    struct cria_place list = {&cria_in_body, "store_attachments", 0};
    size_t count;
    bool found;
    const struct cria_str *kinds =
        cria_want_strings(check, &cria_in_body, check->body, "store_attachments",
                          CRIA_WANT_NULLABLE, 0, &count, &found);
    for (size_t i = 0; i < count; i++) {
        struct cria_place at = {&list, NULL, i};
        struct cria_json given = {.kind = CRIA_JSON_STRING, .text = kinds[i]};
        if (cria_str_is(kinds[i], "screenshots"))
            row->keep_screenshots = true;
        else if (cria_str_is(kinds[i], "items"))
            row->keep_items = true;
        else
            cria_check_add(check, &at, "enum", cria_json_text(check->ex->call.arena, &given),
                           CRIA_STR("{\"expected\":\"'screenshots' or 'items'\"}"),
                           "Input should be 'screenshots' or 'items'");
    }
}

static enum cria_status create(struct cria_exchange *ex, struct cria_check *check)
{
    static const char *const frequencies[] = {"manual", "daily", "on_source_change", NULL};
    static const char *const targets[] = {"DEFAULT", "DISABLED", NULL};
    struct creation creation = {.ex = ex};
    struct cria_index *row = &creation.row;
    bool replayed;
    enum cria_status st = cria_check_body(check, true);
    if (st != CRIA_OK) return st;
    const struct cria_json *body = check->body;
    row->source_directory_id =
        cria_want_str(check, &cria_in_body, body, "source_directory_id", CRIA_WANT_REQUIRED, 0, 0);
    row->name = cria_want_str(check, &cria_in_body, body, "name", CRIA_WANT_NULLABLE, 0, 0);
    row->description =
        cria_want_str(check, &cria_in_body, body, "description", CRIA_WANT_NULLABLE, 0, 0);
    check_products(check, &creation);
    check_kinds(check, row);
    row->sync_frequency = cria_want_enum(check, &cria_in_body, body, "sync_frequency",
                                         CRIA_WANT_OPTIONAL, frequencies);
    struct cria_str target =
        cria_want_enum(check, &cria_in_body, body, "vector_target", CRIA_WANT_OPTIONAL, targets);
    st = cria_api_enter(ex, check);
    if (st != CRIA_OK) return st;
    cria_id_new("idx-", creation.id);
    cria_id_new("dir-", creation.output_id);
    row->id = cria_str_from(creation.id);
    row->output_directory_id = cria_str_from(creation.output_id);
    if (!row->sync_frequency.ptr) row->sync_frequency = CRIA_STR("manual");
    if (row->name.len == 0) row->name = (struct cria_str){0};
    row->has_vectors = !cria_str_is(target, "DISABLED");
    row->status = CRIA_INDEX_PENDING;
    row->created_at_us = row->updated_at_us = cria_wall_us();
    st = cria_api_create(ex, insert, &creation, render_created, &replayed);
    if (st == CRIA_OK && !replayed)
        cria_ingest_queue(cria_app_of(ex)->ingest, cria_project_of(ex), row->id);
    return st;
}

/* ---- the rest
 * ------------------------------------------------------------------------------------------------
 */

static enum cria_status list(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_page page;
    struct cria_str token, source = cria_request_query(ex, "source_directory_id");
    struct cria_index_list rows;
    struct cria_tx *tx = NULL;
    cria_page_query(check, &page, &token);
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = cria_page_open(ex, check, &page, token);
    if (st == CRIA_OK) st = cria_read_begin(ex, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_index_list(tx, &ex->call, cria_project_of(ex), source, &page.window, &rows);
    cria_store_read_end(tx);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    struct cria_cursor last = {0};
    cria_out_object(&out);
    cria_out_name(&out, "items");
    cria_out_array(&out);
    for (size_t i = 0; i < rows.count; i++) {
        render(ex, &out, &rows.items[i], false);
        last = (struct cria_cursor){.at_us = rows.items[i].created_at_us, .id = rows.items[i].id};
    }
    cria_out_end(&out);
    cria_page_close(ex, &out, &page, rows.has_more, &last, true);
    cria_out_end(&out);
    return CRIA_OK;
}

static enum cria_status find(struct cria_exchange *ex, struct cria_index *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_read_begin(ex, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_index_get(tx, &ex->call, cria_project_of(ex), ex->request.path_values[0], out);
    cria_store_read_end(tx);
    return cria_not_found(ex, st, "Index");
}

static enum cria_status get(struct cria_exchange *ex, struct cria_check *check)
{
    static const char *const expansions[] = {"sync_in_progress", NULL};
    struct cria_index row;
    size_t count;
    const struct cria_str *expand = cria_query_all(check, "expand", &count);
    cria_check_choices(check, "expand", expand, count, expansions);
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = find(ex, &row);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    render(ex, &out, &row, count > 0);
    return CRIA_OK;
}

struct removal {
    struct cria_str project, id;
};

static enum cria_status remove_one(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct removal *removal = arg;
    return cria_tx_index_delete(tx, call, removal->project, removal->id);
}

static enum cria_status delete_one(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_index row;
    struct cria_app *app = cria_app_of(ex);
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = find(ex, &row);
    if (st != CRIA_OK) return st;
    struct removal removal = {cria_project_of(ex), row.id};
    cria_ingest_stop(app->ingest, removal.project, row.id);
    st = cria_not_found(ex, cria_store_write_freeing(app->store, &ex->call, remove_one, &removal),
                        "Index");
    if (st == CRIA_OK) cria_search_forget(app->search, removal.project, row.id);
    return st;
}

static enum cria_status sync(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_index row;
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = find(ex, &row);
    if (st == CRIA_OK)
        st = cria_ingest_sync(cria_app_of(ex)->ingest, &ex->call, cria_project_of(ex), row.id);
    if (st == CRIA_OK) cria_buf_add(&ex->body, CRIA_STR("{}"));
    return st;
}

static enum cria_status cancel(struct cria_exchange *ex, struct cria_check *check)
{
    struct cria_index row;
    enum cria_status st = cria_api_enter(ex, check);
    if (st == CRIA_OK) st = find(ex, &row);
    if (st == CRIA_OK)
        st = cria_ingest_cancel(cria_app_of(ex)->ingest, &ex->call, cria_project_of(ex), row.id);
    if (st == CRIA_OK) cria_buf_add(&ex->body, CRIA_STR("{}"));
    return st;
}

CRIA_API_HANDLER(cria_create_index, create)
CRIA_API_HANDLER(cria_list_indexes, list)
CRIA_API_HANDLER(cria_get_index, get)
CRIA_API_HANDLER(cria_delete_index, delete_one)
CRIA_API_HANDLER(cria_sync_index, sync)
CRIA_API_HANDLER(cria_cancel_index_sync, cancel)
