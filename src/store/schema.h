/* schema.h - the tables, as numbered steps. A step once released never changes; a new one is added
 * behind. Room: store. Portable SQL: no triggers, no sequences; every primary key of a project's
 * rows begins with project_id. */
#ifndef CRIA_STORE_SCHEMA_H
#define CRIA_STORE_SCHEMA_H

#include "store/driver.h"

/** Brings the database up to date, each step in a transaction of its own. CRIA_E_UNAVAILABLE: it is
 * newer than we are. */
CRIA_MUST_CHECK enum cria_status cria_schema_apply(const struct cria_driver *driver,
                                                   struct cria_conn *conn, struct cria_call *call);

#endif
