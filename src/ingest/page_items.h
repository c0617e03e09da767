/* page_items.h - what is kept beside a parsed file, and its kind "items": what stands on each page,
 * as JSON.
 * Room: ingest. Blocks (writes blobs). */
#ifndef CRIA_INGEST_PAGE_ITEMS_H
#define CRIA_INGEST_PAGE_ITEMS_H

#include <pthread.h>

#include "ingest/parser_host.h"
#include "store/records.h"

/** What is to be kept beside one output entry, from several workers. */
struct cria_attachments {
    struct cria_store *store;
    struct cria_str project, entry_id;
    struct cria_arena *arena; /* of the rows; under the lock */
    pthread_mutex_t *lock;
    struct cria_attachment *rows; /* for cria_tx_attachment_put; their blobs are durable */
    size_t count, capacity;
};

/** Makes the bytes durable and adds a row. name: "items/page_7.json". */
CRIA_MUST_CHECK enum cria_status cria_attachments_keep(struct cria_attachments *list,
                                                       struct cria_call *call, const char *name,
                                                       const char *media_type, uint32_t page,
                                                       struct cria_str bytes);

/** When the rows were committed or will not be: blobs that no row names may go. */
void cria_attachments_end(struct cria_attachments *list, struct cria_call *call);

/**
 * Keeps items/page_N.json for every page (N from 1; a format without pages has one). A page is
 * {"page":N,"items":[{"type":"heading"|"text"|"table","lvl":…,"value":…,"md":…,"char_start":…,"char_end":…},…]}.
 */
CRIA_MUST_CHECK enum cria_status cria_page_items_keep(struct cria_attachments *list,
                                                      struct cria_call *call,
                                                      const struct cria_parsed *parsed);

#endif
