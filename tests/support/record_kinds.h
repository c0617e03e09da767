/* record_kinds.h - the kinds of rows of records.h, each with its functions behind one form, so that
 * one test can put the same questions to all. */
#ifndef CRIA_TESTS_SUPPORT_RECORD_KINDS_H
#define CRIA_TESTS_SUPPORT_RECORD_KINDS_H

#include "store/records.h"
#include "tests/support/test_store.h"

enum { ROWS = 23, SAME_TIME = 3 /* so many rows share a time */, MAX_PAGE = 64 };
#define HOME CRIA_STR("prj-home")
#define AWAY CRIA_STR("prj-away")

union row {
    struct cria_project project;
    struct cria_file file;
    struct cria_directory directory;
    struct cria_entry entry;
    struct cria_index index;
    struct cria_document document;
    struct cria_session session;
    struct cria_configuration configuration;
    struct cria_attachment attachment;
};

struct page {
    struct cria_str ids[MAX_PAGE];
    size_t count;
    bool has_more;
    struct cria_cursor next;
};

typedef enum cria_status tx_fn(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               union row *row);

/* NULL where records.h has no such function. */
struct kind {
    const char *name;
    /* The n-th row: ids and names rise with n, times rise with n / SAME_TIME. */
    void (*make)(struct cria_arena *arena, unsigned n, union row *out);
    struct cria_str (*id)(const union row *row);
    bool (*same)(const union row *a, const union row *b);
    tx_fn *insert, *get, *update, *remove;
    void (*change)(union row *row); /* what update may change */
    enum cria_status (*list)(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                             const struct cria_window *window, struct page *out);
    bool is_descending, is_root;
};

static int64_t time_of(unsigned n)
{
    return 1764000000000000 + n / SAME_TIME;
}

static struct cria_str text(struct cria_arena *arena, const char *prefix, unsigned n)
{
    struct cria_str out = cria_arena_printf(arena, "%s-%04u", prefix, n);
    assert_non_null(out.ptr);
    return out;
}

#define STR(field) cria_str_equal(a->field, b->field) && !a->field.ptr == !b->field.ptr
#define NUM(field) a->field == b->field
/* The functions that only unwrap the union. */
#define KIND_ID(kind, member)                            \
    static struct cria_str kind##_id(const union row *r) \
    {                                                    \
        return r->kind.member;                           \
    }
#define KIND_SAME(kind, ...)                                        \
    static bool kind##_same(const union row *x, const union row *y) \
    {                                                               \
        const struct cria_##kind *a = &x->kind, *b = &y->kind;      \
        return __VA_ARGS__;                                         \
    }
#define KIND_TX(kind, verb, ...)                                                      \
    static enum cria_status kind##_##verb(struct cria_tx *tx, struct cria_call *call, \
                                          struct cria_str project, union row *r)      \
    {                                                                                 \
        return __VA_ARGS__;                                                           \
    }
/* One page: the ids, and the cursor behind the last row. */
#define KIND_LIST(kind, by_time, by_name, by_id, ...)                                              \
    static enum cria_status kind##_list(struct cria_tx *tx, struct cria_call *call,                \
                                        struct cria_str project, const struct cria_window *window, \
                                        struct page *out)                                          \
    {                                                                                              \
        struct cria_##kind##_list list = {0};                                                      \
        enum cria_status st = __VA_ARGS__;                                                         \
        assert_in_range(list.count, 0, MAX_PAGE);                                                  \
        for (size_t i = 0; i < list.count && st == CRIA_OK; i++) {                                 \
            const union row r = {.kind = list.items[i]};                                           \
            out->ids[i] = kind##_id(&r);                                                           \
            out->next = (struct cria_cursor){true, r.kind.by_time, r.kind.by_name, r.kind.by_id};  \
        }                                                                                          \
        out->count = list.count;                                                                   \
        out->has_more = list.has_more;                                                             \
        return st;                                                                                 \
    }

/* ---- projects: in an organization as other rows are in a project */

static void project_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->project = (struct cria_project){.id = text(arena, "prj", n),
                                         .name = text(arena, "Näme", n),
                                         .is_default = n == 0,
                                         .created_at_us = time_of(n),
                                         .updated_at_us = time_of(n) + 1};
}

static enum cria_status project_insert(struct cria_tx *tx, struct cria_call *call,
                                       struct cria_str organization, union row *r)
{
    r->project.organization_id = organization;
    return cria_tx_project_insert(tx, call, &r->project);
}
KIND_ID(project, id)
KIND_SAME(project, STR(id) && STR(organization_id) && STR(name) && NUM(is_default) &&
                       NUM(created_at_us) && NUM(updated_at_us))
KIND_TX(project, get, ((void)project, cria_tx_project_get(tx, call, r->project.id, &r->project)))
KIND_LIST(project, created_at_us, name, id,
          cria_tx_project_list(tx, call, project, (struct cria_str){0}, window, &list))

/* ---- files */

static void file_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->file = (struct cria_file){.id = text(arena, "fil", n),
                                   .name = text(arena, "Bericht 日本", n),
                                   .file_type = CRIA_STR("pdf"),
                                   .media_type = CRIA_STR("application/pdf"),
                                   .purpose = CRIA_STR("user_data"),
                                   .sha256 = text(arena, "sha", n),
                                   .size_bytes = ((uint64_t)1 << 40) + n,
                                   .created_at_us = time_of(n),
                                   .last_modified_at_us = time_of(n) + 7,
                                   .expires_at_us = n % 2 ? time_of(n) + 9 : 0};
    if (n % 2) out->file.external_file_id = text(arena, "ext", n);
}
KIND_ID(file, id)
KIND_SAME(file, STR(id) && STR(name) && STR(file_type) && STR(media_type) && STR(purpose) &&
                    STR(external_file_id) && STR(sha256) && NUM(size_bytes) && NUM(created_at_us) &&
                    NUM(last_modified_at_us) && NUM(expires_at_us))
KIND_TX(file, insert, cria_tx_file_insert(tx, call, project, &r->file))
KIND_TX(file, get, cria_tx_file_get(tx, call, project, r->file.id, &r->file))
KIND_TX(file, remove,
        cria_tx_file_delete(tx, call, project, r->file.id, time_of(99), &r->file.sha256))
static const struct cria_file_query newest_first = {
    .order = {{CRIA_FILE_BY_CREATED, true}, {CRIA_FILE_BY_NAME, true}}, .order_count = 2};
KIND_LIST(file, created_at_us, name, id,
          cria_tx_file_list(tx, call, project, &newest_first, window, &list))

/* ---- directories and entries */

static void directory_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->directory = (struct cria_directory){.id = text(arena, "dir", n),
                                             .name = text(arena, "Ordner", n),
                                             .type = CRIA_STR("user"),
                                             .created_at_us = time_of(n),
                                             .updated_at_us = time_of(n)};
    if (n % 2) out->directory.description = CRIA_STR("");
    if (n % 3 == 0) out->directory.system_metadata_json = CRIA_STR("{\"a\":[1]}");
    if (n % 3 == 1) out->directory.index_id = text(arena, "idx", n);
}

static void directory_change(union row *row)
{
    row->directory.name = CRIA_STR("umbenannt");
    row->directory.description = CRIA_STR("now with a description");
    row->directory.updated_at_us += 1000;
}
KIND_ID(directory, id)
KIND_SAME(directory, STR(id) && STR(name) && STR(description) && STR(type) &&
                         STR(system_metadata_json) && STR(index_id) && NUM(created_at_us) &&
                         NUM(updated_at_us) && NUM(deleted_at_us) && NUM(expires_at_us))
KIND_TX(directory, insert, cria_tx_directory_insert(tx, call, project, &r->directory))
KIND_TX(directory, get, cria_tx_directory_get(tx, call, project, r->directory.id, &r->directory))
KIND_TX(directory, update, cria_tx_directory_update(tx, call, project, &r->directory))
KIND_TX(directory, remove,
        cria_tx_directory_delete(tx, call, project, r->directory.id, time_of(99)))
static const struct cria_directory_query any_directory = {0};
KIND_LIST(directory, created_at_us, name, id,
          cria_tx_directory_list(tx, call, project, &any_directory, window, &list))

static void entry_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->entry = (struct cria_entry){.id = text(arena, "dfl", n),
                                     .directory_id = CRIA_STR("dir-1"),
                                     .display_name = text(arena, "Anhang", n),
                                     .unique_id = text(arena, "unique", n),
                                     .file_id = text(arena, "fil", n),
                                     .metadata_json = CRIA_STR("{\"ä\":true}"),
                                     .created_at_us = time_of(n),
                                     .updated_at_us = time_of(n)};
    if (n % 2) out->entry.source_entry_id = text(arena, "src", n);
}

static void entry_change(union row *row)
{
    row->entry.display_name = CRIA_STR("anders");
    row->entry.unique_id = CRIA_STR("another");
    row->entry.metadata_json = CRIA_STR("{}");
    row->entry.directory_id = CRIA_STR("dir-2");
    row->entry.file_id = CRIA_STR("fil-other");
    row->entry.updated_at_us += 1000;
}
KIND_ID(entry, id)
KIND_SAME(entry, STR(id) && STR(directory_id) && STR(display_name) && STR(unique_id) &&
                     STR(file_id) && STR(metadata_json) && STR(source_entry_id) &&
                     NUM(created_at_us) && NUM(updated_at_us) && NUM(deleted_at_us))
KIND_TX(entry, insert, cria_tx_entry_insert(tx, call, project, &r->entry))
KIND_TX(entry, get,
        cria_tx_entry_get(tx, call, project, (struct cria_str){0}, r->entry.id, &r->entry))
KIND_TX(entry, update, cria_tx_entry_update(tx, call, project, &r->entry))
KIND_TX(entry, remove,
        cria_tx_entry_delete(tx, call, project, r->entry.directory_id, r->entry.id, time_of(99)))
static const struct cria_entry_query in_directory = {.directory_id = CRIA_STR_INIT("dir-1")};
KIND_LIST(entry, created_at_us, display_name, id,
          cria_tx_entry_list(tx, call, project, &in_directory, window, &list))

/* ---- indexes and documents */

static void index_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->index = (struct cria_index){.id = text(arena, "idx", n),
                                     .name = text(arena, "Index", n),
                                     .source_directory_id = text(arena, "dir", n % 4),
                                     .output_directory_id = text(arena, "out", n),
                                     .parameters_json = CRIA_STR("{\"tier\":\"fast\"}"),
                                     .keep_screenshots = n % 2,
                                     .keep_items = n % 3 == 0,
                                     .sync_frequency = CRIA_STR("manual"),
                                     .has_vectors = n % 2 == 0,
                                     .status = (enum cria_index_status)(n % 5),
                                     .failed_files_json = CRIA_STR("[]"),
                                     .generation = n,
                                     .created_at_us = time_of(n),
                                     .updated_at_us = time_of(n)};
    if (n % 2) out->index.products_json = CRIA_STR("[\"parse\"]");
    if (n % 3) out->index.embedder = CRIA_STR("model@2");
}

static void index_change(union row *row)
{
    struct cria_index *index = &row->index;
    index->status = CRIA_INDEX_FAILED;
    index->error_message = CRIA_STR("no parser for it");
    index->files_total = 4;
    index->files_succeeded = 1;
    index->files_failed = 2;
    index->files_pending = 1;
    index->failed_files_json = CRIA_STR("[{\"directory_file_id\":\"x\",\"error\":\"y\"}]");
    index->generation++;
    index->updated_at_us = index->last_synced_at_us = index->last_exported_at_us = time_of(50);
    index->embedder = CRIA_STR("model@384");
}
KIND_ID(index, id)
KIND_SAME(index, STR(id) && STR(name) && STR(description) && STR(source_directory_id) &&
                     STR(output_directory_id) && STR(products_json) && STR(parameters_json) &&
                     NUM(keep_screenshots) && NUM(keep_items) && STR(sync_frequency) &&
                     NUM(has_vectors) && NUM(status) && STR(error_message) && NUM(files_total) &&
                     NUM(files_succeeded) && NUM(files_failed) && NUM(files_pending) &&
                     STR(failed_files_json) && NUM(generation) && NUM(created_at_us) &&
                     NUM(updated_at_us) && NUM(last_synced_at_us) && NUM(last_exported_at_us) &&
                     STR(embedder))
KIND_TX(index, insert, cria_tx_index_insert(tx, call, project, &r->index))
KIND_TX(index, get, cria_tx_index_get(tx, call, project, r->index.id, &r->index))
KIND_TX(index, update, cria_tx_index_update_state(tx, call, project, &r->index))
KIND_TX(index, remove, cria_tx_index_delete(tx, call, project, r->index.id))
KIND_LIST(index, created_at_us, name, id,
          cria_tx_index_list(tx, call, project, (struct cria_str){0}, window, &list))

static const struct cria_chunk two_chunks[] = {
    {0, 0, 5, 0, 6, 1, 1, 2, CRIA_STR_INIT("Part > Chapter")}, {1, 5, 9, 6, 10, 1, 2, 3, {0}}};

static void document_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->document = (struct cria_document){.id = text(arena, "doc", n),
                                           .index_id = CRIA_STR("idx-1"),
                                           .entry_id = text(arena, "dfl", n),
                                           .source_entry_id = text(arena, "src", n),
                                           .content_key = text(arena, "key", n),
                                           .display_name = text(arena, "Name", n / SAME_TIME),
                                           .metadata_json = CRIA_STR("{\"n\":1}"),
                                           .format = CRIA_STR("pdf"),
                                           .file_id = text(arena, "fil", n),
                                           .sha256 = text(arena, "sha", n),
                                           .char_count = 9,
                                           .byte_count = 10,
                                           .page_count = 2,
                                           .chunk_count = CRIA_COUNT(two_chunks),
                                           .pages_json = CRIA_STR("[[1,0,0]]"),
                                           .headings_json = CRIA_STR("[]"),
                                           .is_live = true,
                                           .created_at_us = time_of(n)};
    if (n % 2) out->document.title = CRIA_STR("Ein Titel");
}

static enum cria_status document_insert(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, union row *r)
{
    enum cria_status st = cria_tx_document_insert(tx, call, project, &r->document,
                                                  CRIA_STR("Gr\xC3\xB6\xC3\x9F"
                                                           "e 10"),
                                                  two_chunks, CRIA_COUNT(two_chunks));
    return st == CRIA_OK
               ? cria_tx_documents_publish(tx, call, project, r->document.index_id, NULL, 0)
               : st;
}

static enum cria_status document_remove(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, union row *r)
{
    struct cria_document found;
    enum cria_status st = cria_tx_document_get(tx, call, project, r->document.index_id,
                                               r->document.entry_id, false, &found);
    return st == CRIA_OK ? cria_tx_documents_publish(tx, call, project, r->document.index_id,
                                                     &r->document.entry_id, 1)
                         : st;
}

static void document_change(union row *row)
{
    row->document.display_name = CRIA_STR("Name-neu");
    row->document.metadata_json = CRIA_STR("{\"n\":2}");
}
KIND_ID(document, entry_id)
KIND_SAME(document, STR(id) && STR(index_id) && STR(entry_id) && STR(source_entry_id) &&
                        STR(content_key) && STR(display_name) && STR(metadata_json) && STR(title) &&
                        STR(format) && STR(file_id) && STR(sha256) && NUM(char_count) &&
                        NUM(byte_count) && NUM(page_count) && NUM(chunk_count) && STR(pages_json) &&
                        STR(headings_json) && NUM(is_live) && NUM(created_at_us))
KIND_TX(document, get,
        cria_tx_document_get(tx, call, project, r->document.index_id, r->document.entry_id, false,
                             &r->document))
KIND_TX(document, update,
        cria_tx_document_relabel(tx, call, project, r->document.index_id, r->document.entry_id,
                                 r->document.display_name, r->document.metadata_json))
KIND_LIST(document, created_at_us, display_name, entry_id,
          cria_tx_document_list(tx, call, project, CRIA_STR("idx-1"), (struct cria_str){0},
                                (struct cria_str){0}, window, &list))

/* ---- sessions, configurations, attachments */

static void session_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->session = (struct cria_session){.id = text(arena, "ses", n),
                                         .shared_access = CRIA_STR("private"),
                                         .is_locked = n % 2,
                                         .created_at_us = time_of(99) - n,
                                         .last_updated_at_us = time_of(n)};
    if (n % 2) out->session.index_ids_json = CRIA_STR("[\"idx-1\"]");
    if (n % 3) out->session.title = text(arena, "Frage", n);
}

static void session_change(union row *row)
{
    row->session.index_ids_json = CRIA_STR("[]");
    row->session.title = CRIA_STR("Titel");
    row->session.job_metadata_json = CRIA_STR("{\"x\":1}");
    row->session.is_locked = !row->session.is_locked;
    row->session.last_updated_at_us += 1000;
}
KIND_ID(session, id)
KIND_SAME(session, STR(id) && STR(index_ids_json) && STR(title) && STR(shared_access) &&
                       STR(job_metadata_json) && NUM(is_locked) && NUM(event_count) &&
                       NUM(created_at_us) && NUM(last_updated_at_us))
KIND_TX(session, insert, cria_tx_session_insert(tx, call, project, &r->session))
KIND_TX(session, get, cria_tx_session_get(tx, call, project, r->session.id, &r->session))
KIND_TX(session, update, cria_tx_session_update(tx, call, project, &r->session))
KIND_TX(session, remove, cria_tx_session_delete(tx, call, project, r->session.id))
KIND_LIST(session, last_updated_at_us, id, id,
          cria_tx_session_list(tx, call, project, window, &list))

static void configuration_make(struct cria_arena *arena, unsigned n, union row *out)
{
    out->configuration = (struct cria_configuration){.id = text(arena, "cfg", n),
                                                     .name = text(arena, "Konfig", n),
                                                     .product_type = CRIA_STR("parse_v2"),
                                                     .parameters_json = CRIA_STR("{\"a\":null}"),
                                                     .created_at_us = time_of(99) - n,
                                                     .updated_at_us = time_of(n)};
}

static void configuration_change(union row *row)
{
    row->configuration.name = CRIA_STR("anders");
    row->configuration.product_type = CRIA_STR("extract_v2");
    row->configuration.parameters_json = CRIA_STR("{}");
    row->configuration.updated_at_us += 1000;
}
KIND_ID(configuration, id)
KIND_SAME(configuration, STR(id) && STR(name) && STR(product_type) && STR(parameters_json) &&
                             NUM(created_at_us) && NUM(updated_at_us))
KIND_TX(configuration, insert,
        cria_tx_configuration_upsert(tx, call, project, &r->configuration, &r->configuration))
KIND_TX(configuration, get,
        cria_tx_configuration_get(tx, call, project, r->configuration.id, &r->configuration))
KIND_TX(configuration, update, cria_tx_configuration_update(tx, call, project, &r->configuration))
KIND_TX(configuration, remove, cria_tx_configuration_delete(tx, call, project, r->configuration.id))
KIND_LIST(configuration, updated_at_us, name, id,
          cria_tx_configuration_list(tx, call, project, (struct cria_str){0}, NULL, 0, window,
                                     &list))

static void attachment_make(struct cria_arena *arena, unsigned n, union row *out)
{
    const char *kind = n < 12 ? "items" : "screenshots";
    unsigned page = n < 12 ? n + 1 : n - 11; /* page_10 comes after page_9 */
    out->attachment =
        (struct cria_attachment){.entry_id = CRIA_STR("ent-1"),
                                 .name = cria_arena_printf(arena, "%s/page_%u.json", kind, page),
                                 .media_type = CRIA_STR("application/json"),
                                 .sha256 = text(arena, "sha", n),
                                 .size_bytes = n,
                                 .sort_key = page,
                                 .last_modified_us = time_of(n)};
}

/* Its entry is what gives it a project. */
static enum cria_status attachment_insert(struct cria_tx *tx, struct cria_call *call,
                                          struct cria_str project, union row *r)
{
    struct cria_entry entry = {.id = r->attachment.entry_id,
                               .directory_id = CRIA_STR("out-1"),
                               .display_name = CRIA_STR("a"),
                               .unique_id = CRIA_STR("u"),
                               .metadata_json = CRIA_STR("{}")};
    struct cria_entry found;
    enum cria_status st =
        cria_tx_entry_get(tx, call, project, (struct cria_str){0}, entry.id, &found);
    if (st == CRIA_E_NOT_FOUND) st = cria_tx_entry_insert(tx, call, project, &entry);
    return st == CRIA_OK ? cria_tx_attachment_put(tx, call, project, &r->attachment) : st;
}
KIND_ID(attachment, name)
KIND_SAME(attachment, STR(entry_id) && STR(name) && STR(media_type) && STR(sha256) &&
                          NUM(size_bytes) && NUM(sort_key) && NUM(last_modified_us))
KIND_TX(attachment, get,
        cria_tx_attachment_get(tx, call, project, r->attachment.entry_id, r->attachment.name,
                               &r->attachment))
KIND_LIST(attachment, last_modified_us, name, entry_id,
          cria_tx_attachment_list(tx, call, project, CRIA_STR("ent-1"), window, &list))

#define COMMON(kind)                                                          \
    .name = #kind, .make = kind##_make, .id = kind##_id, .same = kind##_same, \
    .insert = kind##_insert, .get = kind##_get, .list = kind##_list
#define CHANGED(kind) .change = kind##_change, .update = kind##_update, .remove = kind##_remove
static const struct kind kinds[] = {
    {COMMON(project), .is_root = true},
    {COMMON(file), .remove = file_remove, .is_descending = true},
    {COMMON(directory), CHANGED(directory), .is_descending = true},
    {COMMON(entry), CHANGED(entry)},
    {COMMON(index), CHANGED(index), .is_descending = true},
    {COMMON(document), CHANGED(document)},
    {COMMON(session), CHANGED(session), .is_descending = true},
    {COMMON(configuration), CHANGED(configuration), .is_descending = true},
    {COMMON(attachment)},
};

#endif
