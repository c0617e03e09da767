/* multipart.h - a multipart/form-data body (RFC 7578), bytes in any portions, parts out.
 * Room: http. Runs on the loop but for cria_multipart_flush and _finish, which touch the disk and
 * run on a worker. Small parts stay in memory; one that grows beyond CRIA_PART_MEMORY is written to
 * a file of the spool folder. */
#ifndef CRIA_HTTP_MULTIPART_H
#define CRIA_HTTP_MULTIPART_H

#include "http/http.h"

enum { CRIA_PART_MEMORY = 256 * 1024, CRIA_PART_COUNT = 64 };

struct cria_multipart;

/** The boundary of a Content-Type; {NULL,0} when it is no multipart/form-data or has none.
 * *is_multipart tells which. */
struct cria_str cria_multipart_boundary(struct cria_str content_type, bool *is_multipart);

/** arena and spool_dir must outlive it. NULL when memory is short. */
struct cria_multipart *cria_multipart_new(struct cria_arena *arena, struct cria_str boundary,
                                          const char *spool_dir);
/** Takes the next bytes. CRIA_E_BAD_REQUEST broken framing, CRIA_E_TOO_LARGE, CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_multipart_add(struct cria_multipart *form,
                                                    struct cria_call *call, struct cria_str bytes);
/** Whether so much is in memory that cria_multipart_flush should be called before more is added. */
bool cria_multipart_wants_flush(const struct cria_multipart *form);
/** Writes what is in memory of the large parts. */
CRIA_MUST_CHECK enum cria_status cria_multipart_flush(struct cria_multipart *form,
                                                      struct cria_call *call);
/** After the body's end: flushes, computes digests, gives the parts. CRIA_E_BAD_REQUEST when the
 * form is not whole. */
CRIA_MUST_CHECK enum cria_status cria_multipart_finish(struct cria_multipart *form,
                                                       struct cria_call *call,
                                                       struct cria_part **parts, size_t *count);
/** Closes and removes spool files that nobody took. NULL is fine. */
void cria_multipart_free(struct cria_multipart *form);

#endif
