#include "api/uploads.h"

#include "api/names.h"
#include "base/utf8.h"
#include "platform/clock.h"
#include "store/blobs.h"

enum { SHORT_ID = 8 };

void cria_upload_form(struct cria_check *check)
{
    struct cria_exchange *ex = check->ex;
    struct cria_json *tree = CRIA_NEW(ex->call.arena, struct cria_json);
    struct cria_json *items =
        CRIA_NEW_ARRAY(ex->call.arena, ex->request.part_count + 1, struct cria_json);
    if (!tree || !items) {
        check->status = CRIA_E_NO_MEMORY;
        return;
    }
    *tree = (struct cria_json){.kind = CRIA_JSON_OBJECT, .items = items};
    cria_check_tree(check, tree);
    for (size_t i = 0; i < ex->request.part_count; i++) {
        const struct cria_part *part = &ex->request.parts[i];
        bool is_text = part->spool_fd < 0 && !part->file_name.ptr && cria_utf8_valid(part->value) &&
                       !(part->value.len && memchr(part->value.ptr, '\0', part->value.len));
        bool is_known = false;
        for (size_t k = 0; k < tree->count; k++)
            is_known = is_known || cria_str_equal(items[k].name, part->name);
        if (part->size_bytes == 0 || is_known) continue; /* of repeated fields the first counts */
        /* What is no text is told so when it is read as text. */
        items[tree->count++] =
            (struct cria_json){.kind = is_text ? CRIA_JSON_STRING : CRIA_JSON_NULL,
                               .text = is_text ? part->value : (struct cria_str){0},
                               .name = part->name};
    }
}

static struct cria_str type_of(struct cria_upload *upload, struct cria_str content_type)
{
    struct cria_str extension = cria_name_extension(upload->ex->call.arena, upload->row.name);
    if (extension.ptr) return extension;
    const char *usual = content_type.ptr ? cria_media_extension(content_type) : NULL;
    return usual ? cria_str_from(usual) : (struct cria_str){0};
}

static struct cria_str media_of(const struct cria_upload *upload, struct cria_str content_type)
{
    const char *known = upload->row.file_type.ptr ? cria_media_of(upload->row.file_type) : NULL;
    if (known) return cria_str_from(known);
    return cria_media_is_sane(content_type) ? content_type : CRIA_STR("application/octet-stream");
}

void cria_upload_read(struct cria_upload *upload, struct cria_check *check, const char *field)
{
    struct cria_exchange *ex = check->ex;
    struct cria_arena *arena = ex->call.arena;
    struct cria_value at = cria_value_member(&check->body, field);
    *upload = (struct cria_upload){.ex = ex};
    for (size_t i = 0; i < ex->request.part_count && !upload->part; i++)
        if (cria_str_is(ex->request.parts[i].name, field)) upload->part = &ex->request.parts[i];
    const struct cria_part *part = upload->part;
    if (!part) {
        at.json = NULL;
        cria_check_problem(check, &at, "missing", CRIA_STR("Field required"), (struct cria_str){0});
        return;
    }
    struct cria_file *row = &upload->row;
    row->id = cria_fresh_id(&ex->call, "");
    row->name =
        part->file_name.ptr ? cria_name_label(arena, part->file_name) : (struct cria_str){0};
    if (!row->name.ptr)
        row->name =
            cria_arena_printf(arena, "upload-%.*s", SHORT_ID, row->id.ptr ? row->id.ptr : "");
    if (cria_utf8_count(row->name) > CRIA_NAME_CHARS)
        cria_check_error(check, &at, "a file name has at most 255 characters");
    row->file_type = type_of(upload, part->content_type);
    row->media_type = media_of(upload, part->content_type);
    row->sha256 = cria_str_from(part->sha256);
    row->size_bytes = part->size_bytes;
    if (arena->failed) check->status = CRIA_E_NO_MEMORY;
}

void cria_upload_external_id(struct cria_upload *upload, struct cria_check *check)
{
    struct cria_str id;
    if (cria_member_str(&check->body, "external_file_id", CRIA_OPTIONAL, 0, SIZE_MAX, &id) &&
        !cria_str_is(id, "null"))
        upload->row.external_file_id = id;
}

enum cria_status cria_upload_keep(struct cria_upload *upload)
{
    struct cria_exchange *ex = upload->ex;
    struct cria_part *part = upload->part;
    bool is_spooled = part->spool_fd >= 0, moved = false;
    struct cria_blob_source source = {.bytes = part->value,
                                      .spool_path = is_spooled ? part->spool_path : NULL,
                                      .spool_fd = part->spool_fd,
                                      .size_bytes = part->size_bytes,
                                      .sha256 = part->sha256};
    enum cria_status st =
        cria_blob_put(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), &source, &moved);
    if (moved) part->spool_taken = true;
    upload->row.created_at_us = upload->row.last_modified_at_us = cria_wall_us();
    return st;
}

void cria_upload_end(struct cria_upload *upload, bool is_named)
{
    struct cria_exchange *ex = upload->ex;
    struct cria_store *store = cria_app_of(ex)->store;
    cria_blob_unpin(store, &ex->call, cria_project_of(ex), upload->part->sha256);
    if (!is_named) cria_blob_release(store, &ex->call, cria_project_of(ex), upload->part->sha256);
}
