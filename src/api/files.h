/* files.h - stored files, as other resources see them. Room: api. */
#ifndef CRIA_API_FILES_H
#define CRIA_API_FILES_H

#include "api/links.h"
#include "store/records.h"

/** A stored file by its UUID or by the id of an entry that points at it; CRIA_E_NOT_FOUND with its
 * sentence. */
CRIA_MUST_CHECK enum cria_status cria_stored_file_get(struct cria_tx *tx, struct cria_call *call,
                                                      struct cria_str project, struct cria_str id,
                                                      struct cria_file *out);
/** Reads `expand`: whether download_url is wanted. Other values are ignored. */
bool cria_wants_link(struct cria_check *check);

#endif
