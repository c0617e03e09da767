#include "api/once.h"

#include <stdio.h>

#include "platform/clock.h"
#include "platform/crypto.h"

enum { KEY_BYTES = 255 };
static const int64_t day_us = INT64_C(86400000000);

static void add(struct cria_sha256 *hash, struct cria_str text)
{
    char length[24];
    int n = snprintf(length, sizeof(length), "%zu:", text.len);
    cria_sha256_add(hash, cria_str_make(length, (size_t)n));
    cria_sha256_add(hash, text);
}

/* Of all that decides the effect; not of boundaries and other headers, which a repeat may change.
 */
static struct cria_str fingerprint_of(struct cria_exchange *ex)
{
    const struct cria_request *request = &ex->request;
    struct cria_sha256 hash;
    char hex[CRIA_SHA256_HEX];
    cria_sha256_init(&hash);
    add(&hash, cria_str_from(ex->route->name));
    for (size_t i = 0; i < request->path_count; i++) add(&hash, request->path_values[i]);
    for (size_t i = 0; i < request->query_count; i++) {
        add(&hash, request->query[i].name);
        add(&hash, request->query[i].value);
    }
    add(&hash, request->body);
    for (size_t i = 0; i < request->part_count; i++) {
        add(&hash, request->parts[i].name);
        add(&hash, request->parts[i].file_name);
        add(&hash, cria_str_from(request->parts[i].sha256));
    }
    cria_sha256_finish_hex(&hash, hex);
    return cria_arena_copy(ex->call.arena, cria_str_from(hex));
}

enum cria_status cria_once_init(struct cria_once *once, struct cria_exchange *ex, cria_write_fn *fn,
                                void *arg,
                                void (*render)(struct cria_exchange *ex, const void *arg))
{
    struct cria_str key = cria_request_header(ex, "idempotency-key");
    *once = (struct cria_once){.ex = ex, .fn = fn, .arg = arg, .render = render};
    if (key.len == 0) return CRIA_OK;
    if (key.len > KEY_BYTES)
        return cria_fail(&ex->call, CRIA_E_BAD_REQUEST, "An Idempotency-Key has at most %d bytes",
                         (int)KEY_BYTES);
    once->key = key;
    once->fingerprint = fingerprint_of(ex);
    return once->fingerprint.ptr ? CRIA_OK : cria_fail_memory(&ex->call);
}

static enum cria_status other_request(struct cria_exchange *ex)
{
    struct cria_check check;
    cria_check_init(&check, ex);
    struct cria_value header = cria_value_header(&check, "Idempotency-Key");
    cria_check_error(&check, &header, "this key was used for another request");
    return cria_check_problems(&check);
}

/* CRIA_E_NOT_FOUND: the key is new. */
static enum cria_status replay(struct cria_tx *tx, struct cria_call *call, struct cria_once *once)
{
    struct cria_idempotency kept;
    int64_t yesterday = cria_wall_us() - day_us;
    enum cria_status st =
        cria_tx_idempotency_get(tx, call, cria_project_of(once->ex), once->key, &kept);
    if (st != CRIA_OK) return st;
    if (kept.created_at_us < yesterday) {
        st = cria_tx_idempotency_expire(tx, call, yesterday);
        return st == CRIA_OK ? CRIA_E_NOT_FOUND : st;
    }
    if (!cria_str_equal(kept.fingerprint, once->fingerprint)) return other_request(once->ex);
    cria_buf_clear(&once->ex->body);
    cria_buf_add(&once->ex->body, kept.body);
    once->is_replay = true;
    return CRIA_OK;
}

enum cria_status cria_once_fn(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    struct cria_once *once = arg;
    struct cria_buf *body = &once->ex->body;
    enum cria_status st;
    if (once->key.ptr) {
        st = replay(tx, call, once);
        if (st != CRIA_E_NOT_FOUND) return st;
    }
    st = once->fn(tx, call, once->arg);
    if (st != CRIA_OK) return st;
    cria_buf_clear(body);
    once->render(once->ex, once->arg);
    if (body->failed) return cria_fail_memory(call);
    if (!once->key.ptr) return CRIA_OK;
    struct cria_idempotency row = {.key = once->key,
                                   .fingerprint = once->fingerprint,
                                   .status = 200,
                                   .body = cria_buf_str(body),
                                   .created_at_us = cria_wall_us()};
    return cria_tx_idempotency_insert(tx, call, cria_project_of(once->ex), &row);
}

enum cria_status cria_once_run(struct cria_once *once)
{
    return cria_store_write(cria_app_of(once->ex)->store, &once->ex->call, cria_once_fn, once);
}
