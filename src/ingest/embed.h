/* embed.h - gives the chunks of an index their vectors.
 * Room: ingest. Blocks; on the worker that runs the sync. What an earlier document or attempt has
 * got already is copied by the hash of the text that was embedded, the rest is sent to the
 * endpoint. */
#ifndef CRIA_INGEST_EMBED_H
#define CRIA_INGEST_EMBED_H

#include "model/embedder.h"
#include "store/records.h"

struct cria_embed_options {
    struct cria_store *store;
    struct cria_embedder *embedder;
    struct cria_str project;
    const struct cria_index *index; /* its embedder: null, or one that matches ours */
    /** Called after each step with the documents that still lack vectors. false: stop. */
    bool (*on_progress)(void *arg, uint64_t documents_left);
    void *arg;
};

struct cria_embed_figures {
    uint64_t sent, copied; /* chunks */
};

/**
 * Embeds all documents of the index, staged and live, that lack vectors. What was done before a
 * failure stays in the store, and the next run goes on from there.
 * @param call  its arena is left alone; cancelled is looked at.
 * @param[out] id  the embedder's id as the index shall remember it; "" when the index has no chunks
 * and remembers none.
 * @return CRIA_E_CONFLICT the endpoint's vectors have other dims than the index remembers;
 * CRIA_E_UNAVAILABLE the endpoint; CRIA_E_CANCELLED; the store's. All with a sentence.
 */
CRIA_MUST_CHECK enum cria_status cria_embed_index(const struct cria_embed_options *options,
                                                  struct cria_call *call,
                                                  char id[CRIA_EMBEDDER_ID_SIZE],
                                                  struct cria_embed_figures *figures);

/** CRIA_E_CONFLICT with a sentence when the index remembers another embedder. */
CRIA_MUST_CHECK enum cria_status cria_embed_check(const struct cria_embedder *embedder,
                                                  struct cria_call *call,
                                                  const struct cria_index *index);

#endif
