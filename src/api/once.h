/* once.h - Idempotency-Key: a creating POST sent again within a day gets the first answer, byte for
 * byte, and has no second effect. The answer is kept in the same write as the effect, so a crash
 * loses both or none; requests of one key that come together are ordered by the writer.
 * Room: api. */
#ifndef CRIA_API_ONCE_H
#define CRIA_API_ONCE_H

#include "api/handler.h"
#include "store/records.h"

struct cria_once {
    struct cria_exchange *ex;
    cria_write_fn *fn; /* makes the thing */
    void *arg;
    /** Writes the thing's JSON to the end of ex->body. On the writer thread: quick. */
    void (*render)(struct cria_exchange *ex, const void *arg);
    struct cria_str key; /* {NULL,0}: the client sent none */
    struct cria_str fingerprint;
    bool is_replay; /* out: nothing was done, ex->body is the first answer */
};

/** After cria_check_end. CRIA_E_BAD_REQUEST a key of more than 255 bytes. */
CRIA_MUST_CHECK enum cria_status cria_once_init(struct cria_once *once, struct cria_exchange *ex,
                                                cria_write_fn *fn, void *arg,
                                                void (*render)(struct cria_exchange *ex,
                                                               const void *arg));
/** The write function (arg is a cria_once); CRIA_E_INVALID the key was used for another request. */
cria_write_fn cria_once_fn;
/** Runs it and waits; on CRIA_OK the answer is in ex->body. On a worker. */
CRIA_MUST_CHECK enum cria_status cria_once_run(struct cria_once *once);

#endif
