/* presign.h - download links that are their own credential. Room: api. */
#ifndef CRIA_API_PRESIGN_H
#define CRIA_API_PRESIGN_H

#include "api/reply.h"

enum { CRIA_LINK_SECONDS = 3600 };

/** Writes a PresignedURL for a stored file. */
void cria_presign_file(struct cria_exchange *ex, struct cria_json_out *out, struct cria_str file_id,
                       int64_t seconds);
/** Writes one for an attachment of an output entry. */
void cria_presign_attachment(struct cria_exchange *ex, struct cria_json_out *out,
                             struct cria_str entry_id, struct cria_str name, int64_t seconds);
/** Whether the query asks for expand=download_url. */
bool cria_wants_link(struct cria_check *check);

#endif
