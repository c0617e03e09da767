#include "http/cors.h"

enum { MAX_AGE_S = 600, LIST_BYTES = 4096 };

bool cria_cors_lists(struct cria_str origins, struct cria_str origin)
{
    struct cria_str one;
    if (origin.len == 0) return false;
    while (origins.len) {
        cria_str_cut(&origins, ',', &one);
        if (cria_str_equal(cria_str_trim(one), origin)) return true;
    }
    return false;
}

void cria_cors_write(const struct cria_exchange *ex, struct cria_str origins, struct cria_buf *head)
{
    struct cria_str origin = cria_request_header(ex, "origin");
    if (origins.len == 0) return;
    cria_buf_add(head, CRIA_STR("Vary: Origin\r\n"));
    if (!cria_cors_lists(origins, origin)) return;
    cria_buf_add(head, CRIA_STR("Access-Control-Allow-Origin: "));
    cria_buf_add(head, origin);
    cria_buf_add(head, CRIA_STR("\r\nAccess-Control-Expose-Headers: X-Request-Id, X-Should-Retry, "
                                "Retry-After, Retry-After-Ms, Content-Disposition, "
                                "Content-Range\r\n"));
}

void cria_methods_write(unsigned methods, struct cria_buf *out)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    const char *separator = "";
    for (size_t i = 0; i < CRIA_COUNT(names); i++) {
        if (!(methods >> i & 1)) continue;
        cria_buf_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

static bool is_stainless(struct cria_str name)
{
    static const struct cria_str prefix = CRIA_STR_INIT("x-stainless-");
    if (!cria_str_equal_nocase(cria_str_sub(name, 0, prefix.len), prefix)) return false;
    for (size_t i = prefix.len; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
        if (!is_good) return false;
    }
    return name.len > prefix.len;
}

bool cria_cors_preflight(struct cria_exchange *ex, struct cria_str origins, unsigned allow)
{
    struct cria_str wanted = cria_request_header(ex, "access-control-request-headers"), one;
    struct cria_buf list;
    if (!cria_request_header(ex, "access-control-request-method").len ||
        !cria_cors_lists(origins, cria_request_header(ex, "origin")))
        return false;
    cria_buf_init(&list, LIST_BYTES);
    cria_methods_write(allow, &list);
    cria_exchange_header(ex, "Access-Control-Allow-Methods", cria_buf_str(&list));
    cria_buf_clear(&list);
    cria_buf_add_z(&list,
                   "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id");
    /* The SDKs' own, whose names grow with their versions. */
    while (wanted.len) {
        cria_str_cut(&wanted, ',', &one);
        one = cria_str_trim(one);
        if (is_stainless(one)) cria_buf_printf(&list, ", %.*s", CRIA_STR_ARG(one));
    }
    if (!list.failed) cria_exchange_header(ex, "Access-Control-Allow-Headers", cria_buf_str(&list));
    cria_buf_clear(&list);
    cria_buf_add_int(&list, MAX_AGE_S);
    cria_exchange_header(ex, "Access-Control-Max-Age", cria_buf_str(&list));
    cria_buf_release(&list);
    return true;
}
