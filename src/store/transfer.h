/* transfer.h - one project in one file, to be taken to another server: its rows, its blobs, with
 * the ids they have, so that citations and clients go on. Room: store. Blocks; any worker thread.
 * The file is a tar archive: project.json, rows/<table> for each table (its columns by name, then
 * the rows), blobs/…, digests. Keys and what is derived or short-lived (search files, idempotency
 * records) stay behind. Tables and columns that the importing server does not know are left out;
 * those that the file lacks get what the schema gives them. */
#ifndef CRIA_STORE_TRANSFER_H
#define CRIA_STORE_TRANSFER_H

#include "store/records.h"

/**
 * Writes a project as it is at one moment into the spool folder and opens the file for reading; its
 * name is removed already. Turns that run are left out; their sessions are exported as they were
 * before.
 * @return CRIA_E_NOT_FOUND; CRIA_E_CONFLICT a backup, export or import goes on; CRIA_E_NO_SPACE;
 * CRIA_E_IO.
 */
CRIA_MUST_CHECK enum cria_status cria_project_export(struct cria_store *store,
                                                     struct cria_call *call,
                                                     struct cria_str project, int *fd,
                                                     uint64_t *size_bytes);

struct cria_import {
    int fd;                          /* of the file, read from its beginning; stays open */
    struct cria_str organization_id; /* the project will belong to */
    struct cria_str name; /* null: the file's, and the project keeps its id; else a copy is made,
                             under a new id if the project is here already */
};
/**
 * Brings in a project. It appears when all of it is on disk and the digests agree; until then, and
 * after a failure, there is nothing of it. out lies in the call's arena.
 * @return CRIA_E_CONFLICT it is here already and no name was given, or a backup, export or import
 * goes on; CRIA_E_CORRUPT no such file, or a damaged one; CRIA_E_NO_SPACE; CRIA_E_IO.
 */
CRIA_MUST_CHECK enum cria_status cria_project_import(struct cria_store *store,
                                                     struct cria_call *call,
                                                     const struct cria_import *import,
                                                     struct cria_project *out);

/** CRIA_E_CONFLICT: one of these, or a backup, goes on. */
CRIA_MUST_CHECK enum cria_status cria_transfer_busy(struct cria_call *call);

#endif
