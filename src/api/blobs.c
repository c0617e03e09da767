/* blobs.c - the other end of presigned links: bytes by signature, with ranges.
 * A blob id is base64url of "<project>\nfile\n<file id>" or "<project>\nattachment\n<entry
 * id>\n<name>". */
#include <unistd.h>

#include "api/handlers.h"
#include "api/presign.h"
#include "base/utf8.h"
#include "http/range.h"
#include "platform/clock.h"
#include "platform/crypto.h"
#include "store/blobs.h"

static struct cria_str signature(struct cria_exchange *ex, struct cria_str blob_id, int64_t expires)
{
    unsigned char mac[CRIA_MAC_BYTES];
    struct cria_str text =
        cria_arena_printf(ex->call.arena, "%.*s\n%lld", CRIA_STR_ARG(blob_id), (long long)expires);
    cria_mac(cria_app_of(ex)->blob_secret, text, mac);
    return cria_base64url(ex->call.arena, cria_str_make((const char *)mac, sizeof(mac)));
}

/* Host is the client's word: only characters of a host and port are taken into a link. */
static struct cria_str base_url(struct cria_exchange *ex)
{
    struct cria_str host = cria_request_header(ex, "host");
    if (cria_app_of(ex)->public_url.ptr) return cria_app_of(ex)->public_url;
    bool good = host.len > 0 && host.len < 256;
    for (size_t i = 0; i < host.len && good; i++) {
        char c = host.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               strchr(".-:[]_", c);
    }
    return cria_arena_printf(ex->call.arena, "http://%.*s",
                             CRIA_STR_ARG(good ? host : CRIA_STR("localhost")));
}

static void write_link(struct cria_exchange *ex, struct cria_json_out *out, struct cria_str what,
                       int64_t seconds)
{
    int64_t expires = cria_wall_us() / 1000000 + seconds;
    struct cria_str blob_id = cria_base64url(ex->call.arena, what), base = base_url(ex);
    struct cria_str sign = signature(ex, blob_id, expires);
    struct cria_str url = cria_arena_printf(
        ex->call.arena, "%.*s/api/v1/blobs/%.*s?expires=%lld&signature=%.*s", CRIA_STR_ARG(base),
        CRIA_STR_ARG(blob_id), (long long)expires, CRIA_STR_ARG(sign));
    cria_out_object(out);
    cria_out_member_str(out, "url", url);
    cria_out_member_time(out, "expires_at", expires * 1000000);
    cria_out_member_null(out, "form_fields");
    cria_out_end(out);
}

void cria_presign_file(struct cria_exchange *ex, struct cria_json_out *out, struct cria_str file_id,
                       int64_t seconds)
{
    struct cria_str what = cria_arena_printf(ex->call.arena, "%s\nfile\n%.*s",
                                             ex->call.principal.project_id, CRIA_STR_ARG(file_id));
    write_link(ex, out, what, seconds);
}

void cria_presign_attachment(struct cria_exchange *ex, struct cria_json_out *out,
                             struct cria_str entry_id, struct cria_str name, int64_t seconds)
{
    struct cria_str what = cria_arena_printf(ex->call.arena, "%s\nattachment\n%.*s\n%.*s",
                                             ex->call.principal.project_id, CRIA_STR_ARG(entry_id),
                                             CRIA_STR_ARG(name));
    write_link(ex, out, what, seconds);
}

bool cria_wants_link(struct cria_check *check)
{
    size_t count;
    const struct cria_str *values = cria_query_all(check, "expand", &count);
    for (size_t i = 0; i < count; i++)
        if (cria_str_is(values[i], "download_url")) return true;
    return false;
}

/* What a link leads to. */
struct target {
    struct cria_str project, sha256, media_type, name;
};

static enum cria_status find_target(struct cria_exchange *ex, struct cria_str what,
                                    struct target *out)
{
    struct cria_str kind, id;
    struct cria_tx *tx = NULL;
    cria_str_cut(&what, '\n', &out->project);
    cria_str_cut(&what, '\n', &kind);
    cria_str_cut(&what, '\n', &id);
    enum cria_status st = cria_read_begin(ex, &tx);
    if (st != CRIA_OK) return st;
    if (cria_str_is(kind, "file")) {
        struct cria_file file;
        st = cria_tx_file_get(tx, &ex->call, out->project, id, &file);
        if (st == CRIA_OK) {
            out->sha256 = file.sha256;
            out->media_type = file.media_type;
            out->name = file.name;
        }
    } else {
        struct cria_attachment attachment;
        st = cria_tx_attachment_get(tx, &ex->call, out->project, id, what, &attachment);
        if (st == CRIA_OK) {
            out->sha256 = attachment.sha256;
            out->media_type = attachment.media_type;
            out->name = attachment.name;
        }
    }
    cria_store_read_end(tx);
    return cria_not_found(ex, st, "File");
}

/* A label in a header: RFC 6266 with the extended form of RFC 8187, so that no byte of a name can
 * split it. */
static void name_download(struct cria_exchange *ex, struct cria_str name)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 4096);
    cria_buf_add_z(&buf, "attachment; filename*=UTF-8''");
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr(".-_~", c));
        if (plain)
            cria_buf_add_char(&buf, (char)c);
        else
            cria_buf_printf(&buf, "%%%02X", c);
    }
    cria_exchange_header(ex, "Content-Disposition", cria_buf_str(&buf));
    cria_buf_release(&buf);
}

static bool is_media_type(struct cria_str s)
{
    if (s.len == 0 || s.len > 90 || !memchr(s.ptr, '/', s.len)) return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= 0x20 || (unsigned char)s.ptr[i] >= 0x7F) return false;
    return true;
}

static enum cria_status send(struct cria_exchange *ex, struct cria_check *check,
                             const struct target *target)
{
    char sha[CRIA_SHA256_HEX];
    int fd = -1;
    uint64_t size, offset, count;
    if (!cria_str_copy_z(target->sha256, sha, sizeof(sha)))
        return cria_fail(&ex->call, CRIA_E_CORRUPT, "digest");
    enum cria_status st =
        cria_blob_open(cria_app_of(ex)->store, &ex->call, target->project, sha, &fd, &size);
    if (st != CRIA_OK) return st;
    enum cria_range range =
        cria_range_parse(cria_request_header(ex, "range"), size, &offset, &count);
    struct cria_str type = is_media_type(target->media_type) ? target->media_type
                                                             : CRIA_STR("application/octet-stream");
    char *type_z = cria_arena_z(ex->call.arena, type);
    struct cria_str content_range =
        range == CRIA_RANGE_BEYOND
            ? cria_arena_printf(ex->call.arena, "bytes */%llu", (unsigned long long)size)
            : cria_arena_printf(ex->call.arena, "bytes %llu-%llu/%llu", (unsigned long long)offset,
                                (unsigned long long)(offset + count - 1), (unsigned long long)size);
    if (range != CRIA_RANGE_WHOLE) cria_exchange_header(ex, "Content-Range", content_range);
    cria_exchange_header(ex, "Accept-Ranges", CRIA_STR("bytes"));
    check->is_replied = true;
    if (range == CRIA_RANGE_BEYOND) {
        close(fd);
        cria_exchange_error(ex, 416, "The range lies outside the bytes", false);
        return CRIA_OK;
    }
    name_download(ex, target->name);
    cria_exchange_file(ex, range == CRIA_RANGE_PART ? 206 : 200, type_z, fd, offset, count);
    return CRIA_OK;
}

static enum cria_status download(struct cria_exchange *ex, struct cria_check *check)
{
    static const struct cria_str none = {0};
    struct cria_str blob_id = ex->request.path_values[0], what,
                    given = cria_request_query(ex, "signature");
    struct cria_place place = {&cria_in_query, "signature", 0},
                      place2 = {&cria_in_query, "expires", 0};
    struct target target;
    int64_t expires = cria_query_int_of(check, "expires", 0, INT64_MIN, INT64_MAX);
    if (!cria_request_query(ex, "expires").ptr)
        cria_check_add(check, &place2, "missing", none, none, "Field required");
    if (!given.ptr) cria_check_add(check, &place, "missing", none, none, "Field required");
    enum cria_status st = cria_check_done(check);
    if (st != CRIA_OK) return st;
    struct cria_str right = signature(ex, blob_id, expires);
    if (right.len != given.len || !cria_secret_equal(right.ptr, given.ptr, right.len) ||
        !cria_base64url_decode(ex->call.arena, blob_id, &what))
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "This link is not valid");
    if (expires <= cria_wall_us() / 1000000)
        return cria_fail(&ex->call, CRIA_E_FORBIDDEN, "This link has expired");
    st = find_target(ex, what, &target);
    return st == CRIA_OK ? send(ex, check, &target) : st;
}

CRIA_API_HANDLER(cria_download_blob, download)
