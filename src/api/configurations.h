/* configurations.h - saved product configurations, as other resources see them. Room: api. */
#ifndef CRIA_API_CONFIGURATIONS_H
#define CRIA_API_CONFIGURATIONS_H

#include "api/handler.h"
#include "store/records.h"

/** A saved or built-in configuration; CRIA_E_NOT_FOUND with its sentence. */
CRIA_MUST_CHECK enum cria_status cria_configuration_find(struct cria_tx *tx, struct cria_call *call,
                                                         struct cria_str project,
                                                         struct cria_str id,
                                                         struct cria_configuration *out);

#endif
