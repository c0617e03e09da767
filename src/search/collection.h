/* collection.h - the searchable state of one index: its segments, which of their documents are
 * dead, and how both follow the store. Room: search.
 *
 *   store --update--> segments in memory or files --save, vectors, merge--> files, a manifest row
 *
 * A snapshot never changes, so queries need no lock; a new one takes its place. Text is truth:
 * what is missing, damaged or behind is made again from the store, by comparing what is here with
 * the live documents there. The manifest row (compare-and-swap) says which files count; a file
 * without a row is a stray, a row without its file is a segment to make again. */
#ifndef CRIA_SEARCH_COLLECTION_H
#define CRIA_SEARCH_COLLECTION_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "model/embedder.h"
#include "search/segment.h"
#include "search/vector/vector.h"

struct cria_search;

/** A segment with its vectors; shared by the snapshots that hold it. */
struct cria_piece {
    atomic_uint refs;
    struct cria_segment *segment;
    char name[CRIA_ID_SIZE]; /* of its file; "": it lies in memory only */
    atomic_bool is_busy;     /* somebody merges it or encodes its vectors */
    /* Come once, after the segment, and stay. */
    _Atomic(struct cria_vector_index *) vectors;
    struct cria_segment_file *vector_file;
    char vectors_name[CRIA_ID_SIZE];
};
struct cria_piece *cria_piece_new(struct cria_segment *segment, const char *name); /* takes it */
struct cria_piece *cria_piece_ref(struct cria_piece *piece);
void cria_piece_unref(struct cria_piece *piece);

/** A piece as one snapshot sees it. */
struct cria_part {
    struct cria_piece *piece;
    uint64_t *dead;  /* bitmap of documents; NULL: none */
    uint64_t *alive; /* bitmap of chunks; NULL: all */
    uint32_t dead_documents, dead_chunks;
};
/** Marks a document dead; false when memory is short. Before cria_part_settle(). */
bool cria_part_kill(struct cria_part *part, uint32_t document);
/** Makes `alive` of `dead`; false when memory is short. */
bool cria_part_settle(struct cria_part *part);

struct cria_parts {
    struct cria_part *items;
    size_t count, capacity;
};
/** Takes a reference of the piece. NULL when memory is short (the reference is given back). */
struct cria_part *cria_parts_add(struct cria_parts *parts, struct cria_piece *piece);
/** Adds a copy of a part: its piece, its dead. False when memory is short. */
bool cria_parts_copy(struct cria_parts *parts, const struct cria_part *part);
void cria_parts_release(struct cria_parts *parts);
uint64_t cria_parts_documents(const struct cria_parts *parts); /* that live */

struct cria_snapshot {
    atomic_uint refs;
    int64_t generation; /* of the index, at least */
    int64_t seq;        /* of its documents: what came later is not in it */
    struct cria_parts parts;
    uint64_t chunk_count;                 /* that live */
    size_t bytes;                         /* of memory that is no file's */
    char embedder[CRIA_EMBEDDER_ID_SIZE]; /* whose vectors the index holds; "": none yet */
};
/** Takes the parts, whatever the outcome; settles them. NULL when memory is short. */
struct cria_snapshot *cria_snapshot_new(struct cria_parts *parts, int64_t generation, int64_t seq);
struct cria_snapshot *cria_snapshot_ref(struct cria_snapshot *snapshot);
/** NULL is fine. */
void cria_snapshot_unref(struct cria_snapshot *snapshot);
/** The part of a piece; NULL: the snapshot has it not. */
const struct cria_part *cria_snapshot_find(const struct cria_snapshot *snapshot,
                                           const struct cria_piece *piece);

struct cria_collection {
    struct cria_search *search;
    char project[CRIA_ID_SIZE], index_id[CRIA_ID_SIZE];
    pthread_mutex_t build;        /* held while a snapshot is made and put in place */
    bool is_loaded;               /* under build: the manifest was read */
    struct cria_snapshot *loaded; /* under build: what the manifest said, until the first update:
                                   * what was lost of it nobody may miss */
    bool has_lost;                /* under build: a part was; all documents have to be compared */
    bool is_unsure;               /* under build: the last manifest may have been written or not */
    int64_t manifest_version;     /* under build */
    struct cria_buf gone; /* under build: names (CRIA_ID_SIZE each) of files that no snapshot has
                           * any more, to be unlinked when the manifest no longer names them */
    pthread_mutex_t lock; /* of the pointer below */
    struct cria_snapshot *current; /* NULL before the first update */
    atomic_uint exports; /* going on: what is current answers, though the store is ahead of it */
    /* Under search->lock: */
    atomic_uint users;
    bool is_dropped;
    uint64_t used_ns;
    bool is_maintained; /* a job is queued or runs */
};
struct cria_collection *cria_collection_new(struct cria_search *search, struct cria_str project,
                                            struct cria_str index_id);
void cria_collection_free(struct cria_collection *collection);
/** A reference to what is current; NULL before the first update. */
struct cria_snapshot *cria_collection_current(struct cria_collection *collection);

/* ---- with `build` held */

/** Brings the collection up to what the store says now; what is new lies in memory when it is
 * small. */
CRIA_MUST_CHECK enum cria_status cria_collection_update(struct cria_collection *collection,
                                                        struct cria_call *call);
/** Puts a snapshot in place of the current one; takes it. Files that it has no more are unlinked
 * when a manifest without them is written. */
void cria_collection_install(struct cria_collection *collection, struct cria_snapshot *snapshot);
/** Looks through all files, drops what is damaged (vectors alone, where only they are) and `piece`
 * (NULL: none) whatever the checksums say, and indexes those documents again. */
CRIA_MUST_CHECK enum cria_status cria_collection_drop_damaged(struct cria_collection *collection,
                                                              struct cria_call *call,
                                                              const struct cria_piece *piece);
/** Writes parts that lie in memory into files, and the manifest. */
CRIA_MUST_CHECK enum cria_status cria_collection_save(struct cria_collection *collection,
                                                      struct cria_call *call);
CRIA_MUST_CHECK enum cria_status cria_collection_write_manifest(struct cria_collection *collection,
                                                                struct cria_call *call);

/* ---- without it: they take it themselves, for moments */

/** Encodes the vectors that the store has for a part whose piece has none yet and that nobody else
 * is busy with: all of them or none, beside its file, or in memory as it is. *added: whether there
 * were any. Wants no lock. */
CRIA_MUST_CHECK enum cria_status cria_collection_encode(const struct cria_collection *collection,
                                                        struct cria_call *call,
                                                        const struct cria_part *part, bool *added);
/** The same for all parts, and the manifest. max_chunks: larger parts are left. */
CRIA_MUST_CHECK enum cria_status cria_collection_add_vectors(struct cria_collection *collection,
                                                             struct cria_call *call,
                                                             uint64_t max_chunks);
/** Merges small parts, and those of which much has died, until none is left that is worth it.
 * max_chunks: merges of more are left. *left: whether some were. */
CRIA_MUST_CHECK enum cria_status cria_collection_merge(struct cria_collection *collection,
                                                       struct cria_call *call, uint64_t max_chunks,
                                                       bool *left);

/** Path of a file of the collection; name NULL: of its folder. False: too long. */
bool cria_collection_path(const struct cria_collection *collection, const char *name, char *out,
                          size_t size);
/** A name for a new file, its path, and the path it is written under until it is whole; both of
 * `size`. False: too long. */
bool cria_collection_new_file(const struct cria_collection *collection, const char *prefix,
                              char name[CRIA_ID_SIZE], char *part, char *path, size_t size);
/** Unlinks files that the snapshot does not name; while nothing writes there. */
void cria_collection_sweep(struct cria_collection *collection,
                           const struct cria_snapshot *snapshot);
/** Makes the folder unless it is there. */
CRIA_MUST_CHECK enum cria_status cria_collection_make_folder(
    const struct cria_collection *collection, struct cria_call *call);
/** Unlinks what is retired: the manifest was written. */
void cria_collection_remove_retired(struct cria_collection *collection);
/** "project/index", as manifests are bound to it. */
void cria_collection_scope(const struct cria_collection *collection, char out[2 * CRIA_ID_SIZE]);
/** Unlinks a file of it. */
void cria_collection_remove(const struct cria_collection *collection, const char *name);
/** Opens the vectors of a piece, which has none before. Takes the file, whatever the outcome.
 * identity: the file's, 0: any. */
CRIA_MUST_CHECK enum cria_status cria_piece_open_vectors(struct cria_piece *piece,
                                                         struct cria_call *call,
                                                         struct cria_segment_file *file,
                                                         const char *name, uint64_t identity);

#endif
