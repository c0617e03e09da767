/* store_internal.h - what the files of this room share besides query.h. */
#ifndef CRIA_STORE_STORE_INTERNAL_H
#define CRIA_STORE_STORE_INTERNAL_H

#include "store/driver.h"
#include "store/store.h"

enum { CRIA_STORE_PATH = 3000 };

/* ---- for a backup, of which there is one at a time (cria_blobs_hold) */

/** The thread of a backup begins; false: no more of them, the store is about to be closed. */
bool cria_store_copying_begin(struct cria_store *store);
/** Whether that thread has to end. Any thread; takes no lock. */
bool cria_store_copying_stops(const struct cria_store *store);
/** Its last look at the store. Takes no lock. */
void cria_store_copying_end(struct cria_store *store);
/** How many there have been. Takes no lock. Any thread. */
uint64_t cria_store_commits(const struct cria_store *store);

/**
 * From now on the database's files do not change but at the end (driver.h, hold_files), and hold
 * all that was acknowledged before. Until cria_store_release_files the log only grows.
 * @param[out] files to be read in their order; the store's own.
 * @return CRIA_E_NO_SPACE; CRIA_E_IO.
 */
CRIA_MUST_CHECK enum cria_status cria_store_hold_files(struct cria_store *store,
                                                       struct cria_call *call,
                                                       const struct cria_database_file **files);
/** False: the store ended it, as the disk became full; what was read since is good for nothing. Any
 * thread; takes no lock. */
bool cria_store_holds_files(const struct cria_store *store);
/** Any thread, any time; takes no lock and cannot fail. */
void cria_store_release_files(struct cria_store *store);

#endif
