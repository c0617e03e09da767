/* page_items.h - the attachment kind "items": what stands on each page, as JSON.
 * Room: ingest. Blocks (writes blobs). */
#ifndef CRIA_INGEST_PAGE_ITEMS_H
#define CRIA_INGEST_PAGE_ITEMS_H

#include "ingest/parser_host.h"
#include "store/records.h"

/**
 * Writes items/page_N.json for every page (N from 1; a format without pages has one) and keeps the
 * bytes as blobs. A page is
 * {"page":N,"items":[{"type":"heading"|"text"|"table","lvl":…,"value":…,"md":…,"char_start":…,"char_end":…},…]}.
 * @param[out] out  rows for cria_tx_attachment_put, in `arena`; their blobs are durable.
 */
CRIA_MUST_CHECK enum cria_status cria_page_items_keep(
    struct cria_store *store, struct cria_call *call, struct cria_arena *arena,
    struct cria_str project, struct cria_str entry_id, const struct cria_parsed *parsed,
    const struct cria_attachment **out, size_t *count);

#endif
