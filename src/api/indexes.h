/* indexes.h - indexes, as other resources see them. Room: api. */
#ifndef CRIA_API_INDEXES_H
#define CRIA_API_INDEXES_H

#include "api/handler.h"
#include "store/records.h"

/** By either spelling (idx-, exp-) in the call's project; CRIA_E_NOT_FOUND with its sentence.
 * Begins and ends a read of its own. */
CRIA_MUST_CHECK enum cria_status cria_index_load(struct cria_exchange *ex, struct cria_str id,
                                                 struct cria_index *out);
/** The same, and that it can be queried: CRIA_E_CONFLICT (final) before its first export. */
CRIA_MUST_CHECK enum cria_status cria_index_load_exported(struct cria_exchange *ex,
                                                          struct cria_str id,
                                                          struct cria_index *out);

#endif
