/* page.h - opaque page tokens: where a listing goes on, bound by a message code to route, project
 * and filters, so that a token of another listing, or an edited one, is refused.
 * Room: api. */
#ifndef CRIA_API_PAGE_H
#define CRIA_API_PAGE_H

#include "api/handler.h"
#include "platform/crypto.h"
#include "store/records.h"

struct cria_page {
    struct cria_exchange *ex;
    struct cria_window window; /* ready after cria_page_open */
    struct cria_str token;     /* as sent; {NULL,0}: the first page */
    struct cria_sha256 filters;
    char bound[CRIA_SHA256_HEX];
};

/** Reads page_size and page_token of the query. */
void cria_page_init(struct cria_page *page, struct cria_check *check);
/** The same of the body; a token in the query wins. Without `with_query` only the body's counts. */
void cria_page_init_body(struct cria_page *page, struct cria_check *check, bool with_query);
/** What else the listing depends on; in the same order each time. {NULL,0} differs from "". */
void cria_page_bind(struct cria_page *page, struct cria_str filter);
void cria_page_bind_all(struct cria_page *page, const struct cria_str *filters, size_t count);
void cria_page_bind_int(struct cria_page *page, int64_t filter);
/** Opens the token, after cria_check_end and all binds. CRIA_E_BAD_REQUEST "Invalid page token". */
CRIA_MUST_CHECK enum cria_status cria_page_open(struct cria_page *page);
/** Writes next_page_token for the row behind which the next page begins; NULL: the last page. */
void cria_page_write(struct cria_page *page, struct cria_json_out *out,
                     const struct cria_cursor *last);
/** next_page_token and total_size, and ends the object. */
void cria_page_end(struct cria_page *page, struct cria_json_out *out,
                   const struct cria_cursor *last);

/** The token's text for a cursor; {NULL,0} when memory is short. Pure, for tests. */
struct cria_str cria_page_seal(struct cria_arena *arena,
                               const unsigned char secret[CRIA_SECRET_BYTES], struct cria_str bound,
                               const struct cria_cursor *cursor);
/** The way back; false when it is forged, foreign or broken. */
bool cria_page_unseal(struct cria_arena *arena, const unsigned char secret[CRIA_SECRET_BYTES],
                      struct cria_str bound, struct cria_str token, struct cria_cursor *out);

#endif
