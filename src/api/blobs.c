/* blobs.c - the other end of presigned links: bytes by signature, with ranges. */
#include <unistd.h>

#include "api/handlers.h"
#include "api/links.h"
#include "api/names.h"
#include "http/range.h"
#include "platform/clock.h"
#include "store/blobs.h"

/* The bytes behind a link, and how they are told. */
struct blob {
    struct cria_str sha256, media_type, name;
};

static enum cria_status find(struct cria_exchange *ex, const struct cria_link_target *target,
                             struct blob *out)
{
    struct cria_tx *tx = NULL;
    struct cria_file file;
    struct cria_attachment attachment;
    enum cria_status st = cria_store_read_begin(cria_app_of(ex)->store, &ex->call, &tx);
    if (st == CRIA_OK && target->file_id.ptr) {
        st = cria_tx_file_get(tx, &ex->call, target->project, target->file_id, &file);
        if (st == CRIA_OK) *out = (struct blob){file.sha256, file.media_type, file.name};
    } else if (st == CRIA_OK) {
        st = cria_tx_attachment_get(tx, &ex->call, target->project, target->entry_id, target->name,
                                    &attachment);
        if (st == CRIA_OK)
            *out = (struct blob){attachment.sha256, attachment.media_type, attachment.name};
    }
    cria_store_read_end(tx);
    return cria_named(&ex->call, st, "File not found");
}

static enum cria_status send_blob(struct cria_exchange *ex, struct cria_str project,
                                  const struct blob *blob)
{
    struct cria_arena *arena = ex->call.arena;
    char sha256[CRIA_SHA256_HEX];
    uint64_t size = 0, offset = 0, count = 0;
    int fd = -1;
    if (!cria_str_copy_z(blob->sha256, sha256, sizeof(sha256)))
        return cria_fail(&ex->call, CRIA_E_CORRUPT, "a digest is too long");
    enum cria_status st =
        cria_blob_open(cria_app_of(ex)->store, &ex->call, project, sha256, &fd, &size);
    if (st != CRIA_OK) return st;
    enum cria_range range =
        cria_range_parse(cria_request_header(ex, "range"), size, &offset, &count);
    if (range == CRIA_RANGE_BEYOND) {
        close(fd);
        cria_exchange_header(ex, "Content-Range",
                             cria_arena_printf(arena, "bytes */%llu", (unsigned long long)size));
        cria_exchange_error(ex, 416, "The range lies outside the bytes", false);
        return CRIA_OK;
    }
    if (range == CRIA_RANGE_PART)
        cria_exchange_header(
            ex, "Content-Range",
            cria_arena_printf(arena, "bytes %llu-%llu/%llu", (unsigned long long)offset,
                              (unsigned long long)(offset + count - 1), (unsigned long long)size));
    const char *type =
        cria_media_is_sane(blob->media_type) ? cria_arena_z(arena, blob->media_type) : NULL;
    cria_exchange_header(ex, "Accept-Ranges", CRIA_STR("bytes"));
    cria_exchange_header(ex, "Content-Disposition", cria_name_disposition(arena, blob->name));
    cria_exchange_file(ex, range == CRIA_RANGE_PART ? 206 : 200,
                       type ? type : "application/octet-stream", fd, offset, count);
    return CRIA_OK;
}

static enum cria_status download(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_link_target target;
    struct cria_str blob_id = ex->request.path_values[0], signature = {0};
    int64_t expires = 0;
    struct blob blob;
    cria_check_init(&check, ex);
    cria_param_int(&check, "expires", CRIA_REQUIRED, INT64_MIN, INT64_MAX, &expires);
    cria_param_str(&check, "signature", CRIA_REQUIRED, &signature);
    enum cria_status st = cria_check_problems(&check); /* the link is the credential: no scope */
    if (st != CRIA_OK) return st;
    if (!cria_link_open(ex->call.arena, cria_app_of(ex)->blob_secret, blob_id, expires, signature,
                        &target))
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "This link is not valid");
    if (expires <= cria_wall_us() / 1000000)
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "This link has expired");
    st = find(ex, &target, &blob);
    return st == CRIA_OK ? send_blob(ex, target.project, &blob) : st;
}

void cria_api_download_blob(struct cria_exchange *ex)
{
    enum cria_status st = download(ex);
    if (st != CRIA_OK) cria_reply(ex, st); /* else the bytes are on their way */
}
