/* call.h - what travels along with one piece of work: its memory, deadline, principal and error.
 * Room: base. One thread at a time, but any thread may ask to stop it. */
#ifndef CRIA_BASE_CALL_H
#define CRIA_BASE_CALL_H

#include <stdarg.h>
#include <stdatomic.h>

#include "base/arena.h"

enum { CRIA_ID_SIZE = 48, CRIA_ERROR_SIZE = 400 };

/** Whose request it is: set by account/, read by everybody. Ids are NUL-terminated. */
struct cria_principal {
    char key_id[CRIA_ID_SIZE];          /* empty: no key is needed here (loopback without keys) */
    char organization_id[CRIA_ID_SIZE]; /* organization of the key */
    char project_id[CRIA_ID_SIZE];      /* the project this call works in, after
                                           project_id/organization_id */
    bool may_write;
    bool is_admin; /* the control socket of the data folder */
};

/** What a refusal says about trying again (header x-should-retry). */
enum cria_retry { CRIA_RETRY_UNSAID, CRIA_RETRY_NEVER };

struct cria_call {
    struct cria_arena *arena;     /* dies with the request */
    uint64_t deadline_ns;         /* on the clock of cria_now_ns(); 0 none */
    const atomic_bool *cancelled; /* NULL or set by another thread to stop the work */
    struct cria_principal principal;
    char request_id[CRIA_ID_SIZE];

    enum cria_status status;     /* of the last cria_fail */
    enum cria_retry retry;       /* may be set beside a failure */
    uint32_t retry_after_ms;     /* 0 none; for CRIA_E_LIMIT and CRIA_E_UNAVAILABLE */
    char error[CRIA_ERROR_SIZE]; /* one sentence for the client; no secrets, no paths */
};

/** Zeroes the call and gives it its arena (owned by the caller). */
void cria_call_init(struct cria_call *call, struct cria_arena *arena);

/**
 * Says once, where it happens, why something failed; everybody above passes the status on.
 * @return `status`, so that it can be returned directly.
 */
enum cria_status cria_fail(struct cria_call *call, enum cria_status status, const char *format, ...)
    CRIA_PRINTF(3, 4);
/** cria_fail for a refusal that must not be repeated by SDKs (x-should-retry: false). */
enum cria_status cria_fail_final(struct cria_call *call, enum cria_status status,
                                 const char *format, ...) CRIA_PRINTF(3, 4);
/** CRIA_E_NO_MEMORY with its sentence. */
enum cria_status cria_fail_memory(struct cria_call *call);

/** Whether the work was cancelled or its deadline has passed. now_ns: cria_now_ns(). */
bool cria_call_stopped(const struct cria_call *call, uint64_t now_ns);

#endif
