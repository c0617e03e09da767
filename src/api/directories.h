/* directories.h - directories, as other resources see them. Room: api. */
#ifndef CRIA_API_DIRECTORIES_H
#define CRIA_API_DIRECTORIES_H

#include "api/handler.h"
#include "store/records.h"

/** A live directory; CRIA_E_NOT_FOUND with its sentence. */
CRIA_MUST_CHECK enum cria_status cria_directory_find(struct cria_tx *tx, struct cria_call *call,
                                                     struct cria_str project, struct cria_str id,
                                                     struct cria_directory *out);
/** CRIA_E_CONFLICT (final) for the output directory of an index. */
CRIA_MUST_CHECK enum cria_status cria_directory_check_own(struct cria_call *call,
                                                          const struct cria_directory *directory);

#endif
