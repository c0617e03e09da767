#include "api/links.h"

#include "base/time.h"
#include "platform/clock.h"

enum { URL_BYTES = 16384 };

/* ---- ids and signatures */

/* 'f' project NUL file, or 'a' project NUL entry NUL name. */
struct cria_str cria_link_id(struct cria_arena *arena, const struct cria_link_target *target)
{
    struct cria_buf buf;
    cria_buf_init(&buf, URL_BYTES);
    cria_buf_add_char(&buf, target->file_id.ptr ? 'f' : 'a');
    cria_buf_add(&buf, target->project);
    cria_buf_add_char(&buf, '\0');
    if (target->file_id.ptr) {
        cria_buf_add(&buf, target->file_id);
    } else {
        cria_buf_add(&buf, target->entry_id);
        cria_buf_add_char(&buf, '\0');
        cria_buf_add(&buf, target->name);
    }
    struct cria_str text =
        buf.failed ? (struct cria_str){0} : cria_base64url(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

struct cria_str cria_link_sign(struct cria_arena *arena,
                               const unsigned char secret[CRIA_SECRET_BYTES],
                               struct cria_str blob_id, int64_t expires_s)
{
    unsigned char code[CRIA_MAC_BYTES];
    struct cria_str text =
        cria_arena_printf(arena, "%.*s.%lld", CRIA_STR_ARG(blob_id), (long long)expires_s);
    if (!text.ptr) return text;
    cria_mac(secret, text, code);
    return cria_base64url(arena, cria_str_make((const char *)code, sizeof(code)));
}

bool cria_link_open(struct cria_arena *arena, const unsigned char secret[CRIA_SECRET_BYTES],
                    struct cria_str blob_id, int64_t expires_s, struct cria_str signature,
                    struct cria_link_target *out)
{
    struct cria_str bytes, kind, rest;
    struct cria_link_target target = {0};
    if (blob_id.len > URL_BYTES) return false;
    struct cria_str right = cria_link_sign(arena, secret, blob_id, expires_s);
    if (!right.ptr || signature.len != right.len ||
        !cria_secret_equal(signature.ptr, right.ptr, right.len))
        return false;
    if (!cria_base64url_decode(arena, blob_id, &bytes) || bytes.len == 0) return false;
    kind = cria_str_sub(bytes, 0, 1);
    rest = cria_str_sub(bytes, 1, bytes.len);
    if (!cria_str_cut(&rest, '\0', &target.project)) return false;
    if (cria_str_is(kind, "f")) {
        target.file_id = rest;
    } else {
        if (!cria_str_cut(&rest, '\0', &target.entry_id)) return false;
        target.name = rest;
    }
    *out = target;
    return true;
}

/* ---- absolute links */

static bool is_host(struct cria_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
        if (!good) return false;
    }
    return host.len > 0 && host.len <= 255;
}

struct cria_str cria_link_base(struct cria_exchange *ex)
{
    struct cria_str base = cria_app_of(ex)->public_url, host = cria_request_header(ex, "host");
    if (base.len) {
        while (base.len && base.ptr[base.len - 1] == '/') base.len--;
        return base;
    }
    if (!is_host(host)) host = CRIA_STR("localhost");
    return cria_arena_printf(ex->call.arena, "http://%.*s", CRIA_STR_ARG(host));
}

void cria_links_init(struct cria_links *links, struct cria_exchange *ex, int64_t seconds)
{
    *links = (struct cria_links){.ex = ex};
    links->expires_s = cria_wall_us() / 1000000 + seconds;
}

static void write_link(const struct cria_links *links, struct cria_json_out *out,
                       const struct cria_link_target *target)
{
    struct cria_arena *arena = links->ex->call.arena;
    struct cria_str id = cria_link_id(arena, target);
    struct cria_str signature =
        cria_link_sign(arena, cria_app_of(links->ex)->blob_secret, id, links->expires_s);
    struct cria_str base = cria_link_base(links->ex);
    struct cria_str url = cria_arena_printf(
        arena, "%.*s/api/v1/blobs/%.*s?expires=%lld&signature=%.*s", CRIA_STR_ARG(base),
        CRIA_STR_ARG(id), (long long)links->expires_s, CRIA_STR_ARG(signature));
    if (!id.ptr || !signature.ptr || !base.ptr || !url.ptr) out->buf->failed = true;
    cria_out_object(out);
    cria_out_member_str(out, "url", url);
    cria_out_member_time(out, "expires_at", links->expires_s * 1000000);
    cria_out_member_null(out, "form_fields");
    cria_out_end(out);
}

void cria_link_write_file(const struct cria_links *links, struct cria_json_out *out,
                          struct cria_str file_id)
{
    struct cria_link_target target = {.project = cria_project_of(links->ex), .file_id = file_id};
    write_link(links, out, &target);
}

void cria_link_write_attachment(const struct cria_links *links, struct cria_json_out *out,
                                struct cria_str entry_id, struct cria_str name)
{
    struct cria_link_target target = {
        .project = cria_project_of(links->ex), .entry_id = entry_id, .name = name};
    write_link(links, out, &target);
}
