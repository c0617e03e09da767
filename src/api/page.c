/* page.c - a token is base64url of: message code (16 bytes), time (8, big end first), length of the
 * name (4), name, id. The code covers the rest and what the token is bound to. */
#include "api/page.h"

#include <stdio.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000, CODE_BYTES = 16, HEAD_BYTES = CODE_BYTES + 12 };
enum { TOKEN_MAX = 16384 };
#define NULL_NAME UINT32_MAX

/* ---- sealing */

static void put(unsigned char *out, uint64_t value, size_t count)
{
    for (size_t i = count; i-- > 0; value >>= 8) out[i] = (unsigned char)(value & 0xFF);
}

static uint64_t take(const unsigned char *in, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value = value << 8 | in[i];
    return value;
}

static bool code_of(struct cria_arena *arena, const unsigned char secret[CRIA_SECRET_BYTES],
                    struct cria_str bound, struct cria_str body, unsigned char out[CRIA_MAC_BYTES])
{
    struct cria_str both = cria_arena_printf(arena, "%.*s|", CRIA_STR_ARG(bound));
    char *bytes = both.ptr ? cria_arena_alloc(arena, both.len + body.len) : NULL;
    if (!bytes) return false;
    memcpy(bytes, both.ptr, both.len);
    memcpy(bytes + both.len, body.ptr, body.len);
    cria_mac(secret, cria_str_make(bytes, both.len + body.len), out);
    return true;
}

struct cria_str cria_page_seal(struct cria_arena *arena,
                               const unsigned char secret[CRIA_SECRET_BYTES], struct cria_str bound,
                               const struct cria_cursor *cursor)
{
    unsigned char code[CRIA_MAC_BYTES];
    size_t len = HEAD_BYTES + cursor->name.len + cursor->id.len;
    unsigned char *bytes = cria_arena_alloc(arena, len);
    if (!bytes || cursor->name.len >= NULL_NAME) return (struct cria_str){0};
    put(bytes + CODE_BYTES, (uint64_t)cursor->at_us, 8);
    put(bytes + CODE_BYTES + 8, cursor->name.ptr ? cursor->name.len : NULL_NAME, 4);
    if (cursor->name.len) memcpy(bytes + HEAD_BYTES, cursor->name.ptr, cursor->name.len);
    if (cursor->id.len)
        memcpy(bytes + HEAD_BYTES + cursor->name.len, cursor->id.ptr, cursor->id.len);
    struct cria_str body = cria_str_make((char *)bytes + CODE_BYTES, len - CODE_BYTES);
    if (!code_of(arena, secret, bound, body, code)) return (struct cria_str){0};
    memcpy(bytes, code, CODE_BYTES);
    return cria_base64url(arena, cria_str_make((char *)bytes, len));
}

bool cria_page_unseal(struct cria_arena *arena, const unsigned char secret[CRIA_SECRET_BYTES],
                      struct cria_str bound, struct cria_str token, struct cria_cursor *out)
{
    unsigned char code[CRIA_MAC_BYTES];
    struct cria_str bytes;
    if (token.len > TOKEN_MAX || !cria_base64url_decode(arena, token, &bytes)) return false;
    if (bytes.len < HEAD_BYTES) return false;
    struct cria_str body = cria_str_sub(bytes, CODE_BYTES, bytes.len);
    if (!code_of(arena, secret, bound, body, code)) return false;
    if (!cria_secret_equal(bytes.ptr, code, CODE_BYTES)) return false;
    /* One text per token: trailing bits that decoding drops must not make a second one. */
    if (!cria_str_equal(cria_base64url(arena, bytes), token)) return false;
    const unsigned char *head = (const unsigned char *)body.ptr;
    uint64_t name_len = take(head + 8, 4);
    struct cria_str rest = cria_str_sub(body, HEAD_BYTES - CODE_BYTES, body.len);
    struct cria_cursor cursor = {.is_set = true, .at_us = (int64_t)take(head, 8)};
    if (name_len != NULL_NAME) {
        if (name_len > rest.len) return false;
        cursor.name = cria_str_sub(rest, 0, (size_t)name_len);
        rest = cria_str_sub(rest, (size_t)name_len, rest.len);
    }
    cursor.id = rest;
    *out = cursor;
    return true;
}

/* ---- a listing's page */

static void begin(struct cria_page *page, struct cria_exchange *ex)
{
    *page = (struct cria_page){.ex = ex, .window = {.limit = PAGE_DEFAULT}};
    cria_sha256_init(&page->filters);
    cria_sha256_add(&page->filters, cria_str_from(ex->route->name));
}

void cria_page_init(struct cria_page *page, struct cria_check *check)
{
    int64_t size = PAGE_DEFAULT;
    begin(page, check->ex);
    cria_param_int(check, "page_size", CRIA_OPTIONAL, 1, INT64_MAX, &size);
    cria_param_str(check, "page_token", CRIA_OPTIONAL, &page->token);
    page->window.limit = (uint32_t)(size > PAGE_MAX ? PAGE_MAX : size);
}

void cria_page_init_body(struct cria_page *page, struct cria_check *check, bool with_query)
{
    int64_t size = PAGE_DEFAULT;
    struct cria_str token;
    begin(page, check->ex);
    cria_member_int(&check->body, "page_size", CRIA_NULLABLE, 1, INT64_MAX, &size);
    if (cria_member_str(&check->body, "page_token", CRIA_NULLABLE, 0, SIZE_MAX, &token) &&
        token.len)
        page->token = token;
    if (with_query) cria_param_str(check, "page_token", CRIA_OPTIONAL, &page->token);
    page->window.limit = (uint32_t)(size > PAGE_MAX ? PAGE_MAX : size);
}

void cria_page_bind(struct cria_page *page, struct cria_str filter)
{
    char length[32];
    int n = snprintf(length, sizeof(length), "|%lld:", filter.ptr ? (long long)filter.len : -1LL);
    cria_sha256_add(&page->filters, cria_str_make(length, (size_t)n));
    cria_sha256_add(&page->filters, filter);
}

void cria_page_bind_all(struct cria_page *page, const struct cria_str *filters, size_t count)
{
    cria_page_bind_int(page, (int64_t)count);
    for (size_t i = 0; i < count; i++) cria_page_bind(page, filters[i]);
}

void cria_page_bind_int(struct cria_page *page, int64_t filter)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%lld", (long long)filter);
    cria_page_bind(page, cria_str_make(text, (size_t)n));
}

static struct cria_str bound_of(const struct cria_page *page)
{
    return cria_str_from(page->bound);
}

enum cria_status cria_page_open(struct cria_page *page)
{
    struct cria_call *call = &page->ex->call;
    cria_page_bind(page, cria_str_from(call->principal.organization_id));
    cria_page_bind(page, cria_project_of(page->ex));
    cria_sha256_finish_hex(&page->filters, page->bound);
    if (!page->token.ptr) return CRIA_OK;
    if (!cria_page_unseal(call->arena, cria_app_of(page->ex)->page_secret, bound_of(page),
                          page->token, &page->window.after))
        return cria_fail(call, CRIA_E_BAD_REQUEST, "Invalid page token");
    return CRIA_OK;
}

void cria_page_write(struct cria_page *page, struct cria_json_out *out,
                     const struct cria_cursor *last)
{
    struct cria_str token = {0};
    if (last) {
        token = cria_page_seal(page->ex->call.arena, cria_app_of(page->ex)->page_secret,
                               bound_of(page), last);
        if (!token.ptr) out->buf->failed = true;
    }
    cria_out_member_opt(out, "next_page_token", token);
}

void cria_page_end(struct cria_page *page, struct cria_json_out *out,
                   const struct cria_cursor *last)
{
    cria_out_end(out);
    cria_page_write(page, out, last);
    cria_out_member_null(out, "total_size");
    cria_out_end(out);
}
