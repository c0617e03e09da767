/* records.h - the rows, and every function that reads or changes them.
 * Room: store. Each takes a transaction (store.h) and, but for the roots (organizations, projects,
 * keys), the project: a row is named by project and id together, so tenancy cannot be forgotten.
 * Ids and times are made by the caller. Results lie in call->arena. Not found is CRIA_E_NOT_FOUND
 * *without* a sentence in the call (the caller knows the resource's name). Functions that change
 * rows want the writer's transaction (asserted). Strings: {NULL, 0} is SQL null. Times:
 * microseconds since 1970, 0 is null. *_json: valid JSON text. */
#ifndef CRIA_STORE_RECORDS_H
#define CRIA_STORE_RECORDS_H

#include "store/store.h"

#define CRIA_TX_FN CRIA_MUST_CHECK enum cria_status

/** Where a page goes on: the sort values and id of the last row of the page before. */
struct cria_cursor {
    bool is_set;
    int64_t at_us;        /* of the time the list is sorted by */
    struct cria_str name; /* of the name, where it is */
    struct cria_str id;
};
/** Asks for at most `limit` rows behind the cursor. */
struct cria_window {
    struct cria_cursor after;
    uint32_t limit;
};
/* Lists come as: items (arena), count, and has_more: a further row exists. */

/* ---- organizations, projects, keys
 * ---------------------------------------------------------------- */
struct cria_organization {
    struct cria_str id, name;
    int64_t created_at_us;
};
struct cria_project {
    struct cria_str id, organization_id, name;
    bool is_default;
    int64_t created_at_us, updated_at_us;
};
struct cria_api_key {
    struct cria_str id, organization_id;
    struct cria_str project_id;         /* null: every project of the organization */
    struct cria_str name, prefix, hash; /* prefix is shown; hash is hex */
    bool may_write;
    int64_t created_at_us, expires_at_us, revoked_at_us;
};
struct cria_project_list {
    const struct cria_project *items;
    size_t count;
    bool has_more;
};
struct cria_api_key_list {
    const struct cria_api_key *items;
    size_t count;
};
CRIA_TX_FN cria_tx_organization_insert(struct cria_tx *tx, struct cria_call *call,
                                       const struct cria_organization *row);
/** The first organization made (the default one). */
CRIA_TX_FN cria_tx_organization_first(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_organization *out);
CRIA_TX_FN cria_tx_project_insert(struct cria_tx *tx, struct cria_call *call,
                                  const struct cria_project *row);
CRIA_TX_FN cria_tx_project_get(struct cria_tx *tx, struct cria_call *call, struct cria_str id,
                               struct cria_project *out);
CRIA_TX_FN cria_tx_project_default(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str organization_id, struct cria_project *out);
/** By created_at, then id; `name` null: all. */
CRIA_TX_FN cria_tx_project_list(struct cria_tx *tx, struct cria_call *call,
                                struct cria_str organization_id, struct cria_str name,
                                const struct cria_window *window, struct cria_project_list *out);
CRIA_TX_FN cria_tx_api_key_insert(struct cria_tx *tx, struct cria_call *call,
                                  const struct cria_api_key *row);
/** All keys ever, revoked ones too, oldest first. */
CRIA_TX_FN cria_tx_api_key_list(struct cria_tx *tx, struct cria_call *call,
                                struct cria_api_key_list *out);
CRIA_TX_FN cria_tx_api_key_revoke(struct cria_tx *tx, struct cria_call *call, struct cria_str id,
                                  int64_t at_us);

/* ---- files
 * ------------------------------------------------------------------------------------------ */
struct cria_file {
    struct cria_str id, name, file_type, media_type, external_file_id, purpose;
    struct cria_str sha256; /* names the blob */
    uint64_t size_bytes;
    int64_t created_at_us, last_modified_at_us, expires_at_us;
};
struct cria_file_list {
    const struct cria_file *items;
    size_t count;
    bool has_more;
};
enum cria_file_field { CRIA_FILE_BY_NAME, CRIA_FILE_BY_ID, CRIA_FILE_BY_CREATED };
struct cria_file_query {
    struct cria_str name, external_file_id; /* null: any */
    const struct cria_str *ids;
    size_t id_count;
    bool has_ids; /* with id_count 0: nothing matches */
    struct {
        enum cria_file_field field;
        bool descending;
    } order[3]; /* then id ascending */
    size_t order_count;
};
CRIA_TX_FN cria_tx_file_insert(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               const struct cria_file *row);
CRIA_TX_FN cria_tx_file_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                            struct cria_str id, struct cria_file *out);
/** Removes the row; entries that point at it get deleted_at = at_us and file_id null. Gives the
 * row's sha256 in *out_sha256. */
CRIA_TX_FN cria_tx_file_delete(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str id, int64_t at_us, struct cria_str *out_sha256);
CRIA_TX_FN cria_tx_file_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                             const struct cria_file_query *query, const struct cria_window *window,
                             struct cria_file_list *out);

/* ---- directories and their entries
 * ------------------------------------------------------------------ */
struct cria_directory {
    struct cria_str id, name, description, type; /* type: user, index, ephemeral */
    struct cria_str system_metadata_json;
    struct cria_str index_id; /* of an output directory */
    int64_t created_at_us, updated_at_us, deleted_at_us, expires_at_us;
};
struct cria_directory_list {
    const struct cria_directory *items;
    size_t count;
    bool has_more;
};
struct cria_directory_query {
    struct cria_str name;
    const struct cria_str *types;
    size_t type_count; /* 0: any */
    bool include_deleted;
};
CRIA_TX_FN cria_tx_directory_insert(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, const struct cria_directory *row);
/** Live ones only. */
CRIA_TX_FN cria_tx_directory_get(struct cria_tx *tx, struct cria_call *call,
                                 struct cria_str project, struct cria_str id,
                                 struct cria_directory *out);
/** Writes name, description and updated_at of the row. */
CRIA_TX_FN cria_tx_directory_update(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, const struct cria_directory *row);
/** Marks the directory and its live entries deleted. */
CRIA_TX_FN cria_tx_directory_delete(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, struct cria_str id, int64_t at_us);
/** created_at descending. */
CRIA_TX_FN cria_tx_directory_list(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const struct cria_directory_query *query,
                                  const struct cria_window *window,
                                  struct cria_directory_list *out);
/** Live ephemeral directories of all projects whose expires_at has passed are marked deleted;
 * number in *out. */
CRIA_TX_FN cria_tx_directory_expire(struct cria_tx *tx, struct cria_call *call, int64_t now_us,
                                    uint64_t *out);

struct cria_entry {
    struct cria_str id, directory_id, display_name, unique_id;
    struct cria_str file_id;       /* null once the file was deleted */
    struct cria_str metadata_json; /* an object, "{}" when empty */
    struct cria_str
        source_entry_id; /* of entries in output directories: the entry they were made from */
    int64_t created_at_us, updated_at_us, deleted_at_us;
};
struct cria_entry_list {
    const struct cria_entry *items;
    size_t count;
    bool has_more;
};
struct cria_entry_query {
    struct cria_str directory_id;
    struct cria_str display_name, display_name_contains /* case folded (ASCII) */, unique_id,
        file_id;                            /* null: any */
    int64_t updated_from_us, updated_to_us; /* 0: any; both inclusive */
    bool include_deleted;
};
/** CRIA_E_CONFLICT when a live entry of the directory has the unique_id. Sets the directory's
 * updated_at. */
CRIA_TX_FN cria_tx_entry_insert(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                const struct cria_entry *row);
/** A live entry; directory_id null: of whatever directory. */
CRIA_TX_FN cria_tx_entry_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                             struct cria_str directory_id, struct cria_str id,
                             struct cria_entry *out);
/** Writes display_name, unique_id, metadata, directory_id, file_id, updated_at. CRIA_E_CONFLICT as
 * insert. */
CRIA_TX_FN cria_tx_entry_update(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                const struct cria_entry *row);
CRIA_TX_FN cria_tx_entry_delete(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str directory_id, struct cria_str id, int64_t at_us);
/** created_at ascending. */
CRIA_TX_FN cria_tx_entry_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                              const struct cria_entry_query *query,
                              const struct cria_window *window, struct cria_entry_list *out);

/* ---- indexes
 * ------------------------------------------------------------------------------------------ */
enum cria_index_status {
    CRIA_INDEX_PENDING,
    CRIA_INDEX_SYNCING,
    CRIA_INDEX_EXPORTING,
    CRIA_INDEX_READY,
    CRIA_INDEX_FAILED
};
const char *cria_index_status_name(enum cria_index_status status);
struct cria_index {
    struct cria_str
        id; /* "idx-<uuid>"; export_config_id is "exp-<uuid>", sync_config_id "syn-<uuid>" */
    struct cria_str name, description, source_directory_id, output_directory_id;
    struct cria_str products_json;   /* as created, an array or null */
    struct cria_str parameters_json; /* copy of the parse configuration's parameters, or null */
    bool keep_screenshots, keep_items;
    struct cria_str sync_frequency; /* manual, daily, on_source_change */
    bool has_vectors;               /* vector_target DEFAULT */
    enum cria_index_status status;
    struct cria_str error_message;
    int64_t files_total, files_succeeded, files_failed, files_pending;
    struct cria_str failed_files_json; /* array of {directory_file_id, error}, at most 100; "[]" */
    int64_t generation;                /* counts exports; search keeps what it has loaded by it */
    int64_t created_at_us, updated_at_us, last_synced_at_us, last_exported_at_us;
    struct cria_str embedder; /* whose vectors it holds (model/embedder.h); null: none yet */
};
struct cria_index_list {
    const struct cria_index *items;
    size_t count;
    bool has_more;
};
CRIA_TX_FN cria_tx_index_insert(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                const struct cria_index *row);
/** Takes both spellings, idx-… and exp-…. */
CRIA_TX_FN cria_tx_index_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                             struct cria_str id, struct cria_index *out);
/** created_at descending; source_directory_id null: any. */
CRIA_TX_FN cria_tx_index_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                              struct cria_str source_directory_id, const struct cria_window *window,
                              struct cria_index_list *out);
/** Writes the build state: status, error_message, counts, failed files, generation, the times and
 * the embedder. */
CRIA_TX_FN cria_tx_index_update_state(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_index *row);
/** Removes index, output directory and its entries, documents, chunks, attachments (rows; blobs are
 * released by the sweep). */
CRIA_TX_FN cria_tx_index_delete(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str id);
/** Of all projects, for the scheduler: indexes by status set or frequency; with their project. */
struct cria_index_ref {
    struct cria_str project_id;
    struct cria_index index;
};
struct cria_index_ref_list {
    const struct cria_index_ref *items;
    size_t count;
};
/** Those in pending, syncing or exporting. */
CRIA_TX_FN cria_tx_index_unfinished(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_index_ref_list *out);
/** Those to be synced by their frequency at now_us: daily ones whose last sync is 24 h old;
 * on_source_change ones whose source directory (updated_at) changed after their last sync and has
 * been quiet for 30 s. Not those that are unfinished. */
CRIA_TX_FN cria_tx_index_due(struct cria_tx *tx, struct cria_call *call, int64_t now_us,
                             struct cria_index_ref_list *out);

/* ---- documents (parsed text) and chunks
 * ---------------------------------------------------------------- */
/** One parse of one entry for one index. Staged by a sync, made live by its export; the one before
 * then dies. */
struct cria_document {
    struct cria_str id; /* "doc-<uuid>" */
    struct cria_str index_id;
    struct cria_str entry_id; /* of the OUTPUT directory: the file_id of find, grep, read */
    struct cria_str source_entry_id;
    struct cria_str content_key; /* sha256 of file bytes + parse parameters + parser version: same
                                    key, same text */
    struct cria_str display_name, metadata_json, title, format;
    struct cria_str file_id, sha256;
    uint64_t char_count, byte_count;
    uint32_t page_count; /* 0: format without pages */
    uint32_t chunk_count;
    struct cria_str pages_json;    /* [[number,byte_start,char_start],…] */
    struct cria_str headings_json; /* [[level,byte_start,byte_end,char_start,char_end],…] */
    bool is_live;
    int64_t created_at_us;
    int64_t live_seq; /* set by cria_tx_documents_since() alone */
};
struct cria_document_list {
    const struct cria_document *items;
    size_t count;
    bool has_more;
};
struct cria_chunk {
    uint32_t n;                                          /* position in its document, from 0 */
    uint64_t char_start, char_end, byte_start, byte_end; /* in the parsed text */
    uint32_t page_start, page_end;                       /* 0: none */
    uint32_t token_count;
    struct cria_str heading; /* path, "Part > Chapter"; null when none */
};
struct cria_chunk_list {
    const struct cria_chunk *items;
    size_t count;
};
/** Inserts a staged document with its text and chunks. */
CRIA_TX_FN cria_tx_document_insert(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, const struct cria_document *row,
                                   struct cria_str text, const struct cria_chunk *chunks,
                                   size_t chunk_count);
/** The live (or, with staged, the newest staged) document of an entry. */
CRIA_TX_FN cria_tx_document_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str index_id, struct cria_str entry_id, bool staged,
                                struct cria_document *out);
/** Text of a document, whole. Large: read with an arena that can hold it. */
CRIA_TX_FN cria_tx_document_text(struct cria_tx *tx, struct cria_call *call,
                                 struct cria_str project, struct cria_str document_id,
                                 struct cria_str *out);
/** Bytes [byte_start, byte_start + max_bytes) of the text, cut to what is there. */
CRIA_TX_FN cria_tx_document_slice(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, struct cria_str document_id,
                                  uint64_t byte_start, uint64_t max_bytes, struct cria_str *out);
CRIA_TX_FN cria_tx_document_chunks(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str document_id,
                                   struct cria_chunk_list *out);
/** Live documents of an index by display_name, then entry id (cursor: name = display_name, id =
 * entry_id). name: exact; name_contains: case folded (ASCII); null: any. */
CRIA_TX_FN cria_tx_document_list(struct cria_tx *tx, struct cria_call *call,
                                 struct cria_str project, struct cria_str index_id,
                                 struct cria_str name, struct cria_str name_contains,
                                 const struct cria_window *window, struct cria_document_list *out);
/** Changes display_name and metadata of the live document of an entry (no new parse was needed). */
CRIA_TX_FN cria_tx_document_relabel(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, struct cria_str index_id,
                                    struct cria_str entry_id, struct cria_str display_name,
                                    struct cria_str metadata_json);
/** Makes all staged documents of the index live and removes those they replace and those of the
 * entries in `gone`. */
CRIA_TX_FN cria_tx_documents_publish(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id,
                                     const struct cria_str *gone_entry_ids, size_t gone_count);
/** Drops staged documents (a sync was cancelled or begins afresh). Their vectors are kept aside
 * until the index is published or deleted, for the sync that tries again. */
CRIA_TX_FN cria_tx_documents_unstage(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str index_id);
/** Documents of the index, staged and live, that have chunks and not a vector of this embedder for
 * each; by entry id (cursor: id = entry_id). A live one that a staged one will replace is left out.
 */
CRIA_TX_FN cria_tx_documents_unembedded(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str index_id,
                                        struct cria_str embedder, const struct cria_window *window,
                                        struct cria_document_list *out);
CRIA_TX_FN cria_tx_documents_unembedded_count(struct cria_tx *tx, struct cria_call *call,
                                              struct cria_str project, struct cria_str index_id,
                                              struct cria_str embedder, uint64_t *out);

/* ---- vectors of documents
 * ------------------------------------------------------------------------------- */
enum { CRIA_CHUNK_HASH_BYTES = 16 };
/** Vectors of a document's chunks, by one embedder. Fewer than the document has chunks: what a
 * build that broke off has got so far, good for copying and not for searching. Dies with the
 * document. */
struct cria_document_vectors {
    struct cria_str document_id, index_id;
    struct cria_str content_key; /* the document's */
    struct cria_str embedder;    /* id, with dims (model/embedder.h) */
    uint32_t dims, chunk_count;
    /* CRIA_CHUNK_HASH_BYTES a chunk: of the embedder's id and the exact text that was embedded. */
    struct cria_str hashes;
    /* dims half floats a chunk (base/half.h), little endian, of length 1; in the chunks' order. */
    struct cria_str vectors;
};
/** Inserts or replaces the row of a document. */
CRIA_TX_FN cria_tx_vectors_put(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               const struct cria_document_vectors *row);
/** CRIA_E_CORRUPT when sizes and counts do not agree. Large: read with an arena that can hold it.
 */
CRIA_TX_FN cria_tx_vectors_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str document_id, struct cria_document_vectors *out);
/** Of any document of the project with this content, live, staged or kept aside: the row with most
 * chunks. */
CRIA_TX_FN cria_tx_vectors_of_content(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str content_key,
                                      struct cria_str embedder, struct cria_document_vectors *out);

/* ---- what search derives from the documents: which changed, and the files that hold them
 * ------------------------------------------------------- */

/** Rises with every export and relabelling of the index's documents. */
CRIA_TX_FN cria_tx_document_seq(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str index_id, int64_t *out);
/** Live documents of an index that came or were relabelled after `seq`, by their own seq, then id
 * (cursor: at_us = seq, id). *out has no pages and headings. */
CRIA_TX_FN cria_tx_documents_since(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str index_id, int64_t seq,
                                   const struct cria_window *window,
                                   struct cria_document_list *out);
/** Live documents of an index. */
CRIA_TX_FN cria_tx_documents_count(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str index_id,
                                   uint64_t *out);
struct cria_manifest {
    int64_t version;      /* 0: there is none yet */
    struct cria_str body; /* search's own, bytes */
};
CRIA_TX_FN cria_tx_manifest_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str index_id, struct cria_manifest *out);
/** Replaces the manifest of version `expected` (0: makes the first) by one of the next version.
 * CRIA_E_CONFLICT somebody else did; CRIA_E_NOT_FOUND there is no such index. */
CRIA_TX_FN cria_tx_manifest_put(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str index_id, int64_t expected, struct cria_str body);
/** Whether the index exists in the project. */
CRIA_TX_FN cria_tx_index_exists(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                struct cria_str index_id, bool *out);

/* ---- chat
 * ------------------------------------------------------------------------------------------------
 */
struct cria_session {
    struct cria_str id;
    struct cria_str index_ids_json; /* array as bound, or null: unbound */
    struct cria_str title;          /* null before the first turn */
    struct cria_str shared_access;
    struct cria_str job_metadata_json; /* of the latest finished turn, or null */
    bool is_locked;
    int64_t event_count; /* persisted events: the next seq */
    int64_t created_at_us, last_updated_at_us;
};
struct cria_session_list {
    const struct cria_session *items;
    size_t count;
    bool has_more;
};
CRIA_TX_FN cria_tx_session_insert(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const struct cria_session *row);
CRIA_TX_FN cria_tx_session_get(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str id, struct cria_session *out);
/** last_updated_at descending. */
CRIA_TX_FN cria_tx_session_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                                const struct cria_window *window, struct cria_session_list *out);
/** Writes index_ids, title, job_metadata, is_locked, last_updated_at. */
CRIA_TX_FN cria_tx_session_update(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const struct cria_session *row);
/** With its turns, events and frames. */
CRIA_TX_FN cria_tx_session_delete(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, struct cria_str id);

/** One run of the agent. Its id is the first part of the frames' ids. */
struct cria_turn_row {
    struct cria_str id; /* "trn-<uuid>" */
    struct cria_str session_id;
    bool is_running;
    int64_t started_at_us, ended_at_us;
    struct cria_str
        state_json; /* what closing it after a crash needs: index ids as asked and as searched … */
};
/** Marks the session's earlier turns' delta frames for removal (they are dropped here) and inserts.
 */
CRIA_TX_FN cria_tx_turn_insert(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               const struct cria_turn_row *row);
/** The latest turn of the session. */
CRIA_TX_FN cria_tx_turn_latest(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str session_id, struct cria_turn_row *out);
CRIA_TX_FN cria_tx_turn_finish(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str session_id, struct cria_str id, int64_t at_us);
struct cria_turn_ref {
    struct cria_str project_id;
    struct cria_turn_row turn;
};
struct cria_turn_ref_list {
    const struct cria_turn_ref *items;
    size_t count;
};
/** Running turns of all projects: at start, those a crash left. */
CRIA_TX_FN cria_tx_turn_unfinished(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_turn_ref_list *out);

/** One frame of a turn's stream, n from 1. Message frames are the session's history (seq) and stay;
 * delta frames stay until the session's next turn begins. */
struct cria_frame {
    uint32_t n;
    bool is_delta;
    struct cria_str json; /* the data line */
};
struct cria_frame_list {
    const struct cria_frame *items;
    size_t count;
};
/** Appends frames with rising n; message frames also get the session's next seq, UNIQUE(session,
 * seq). */
CRIA_TX_FN cria_tx_frames_append(struct cria_tx *tx, struct cria_call *call,
                                 struct cria_str project, struct cria_str session_id,
                                 struct cria_str turn_id, const struct cria_frame *frames,
                                 size_t count);
/** Frames of a turn with n > after_n, in order, at most `limit`. */
CRIA_TX_FN cria_tx_frames_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str session_id, struct cria_str turn_id,
                               uint32_t after_n, uint32_t limit, struct cria_frame_list *out);
/** The history: message events of the session by seq, from seq `from` on, at most `limit` (0: all).
 */
CRIA_TX_FN cria_tx_events_list(struct cria_tx *tx, struct cria_call *call, struct cria_str project,
                               struct cria_str session_id, int64_t from, uint32_t limit,
                               struct cria_frame_list *out);

/* ---- configurations, attachments, idempotency
 * ------------------------------------------------------------ */
struct cria_configuration {
    struct cria_str id, name, product_type, parameters_json;
    int64_t created_at_us, updated_at_us;
};
struct cria_configuration_list {
    const struct cria_configuration *items;
    size_t count;
    bool has_more;
};
/** Inserts, or updates the one of the same product_type and name, which keeps its id and
 * created_at: *out is what is stored. */
CRIA_TX_FN cria_tx_configuration_upsert(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project,
                                        const struct cria_configuration *row,
                                        struct cria_configuration *out);
CRIA_TX_FN cria_tx_configuration_get(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str id,
                                     struct cria_configuration *out);
/** CRIA_E_CONFLICT when another one of the product_type has the name. */
CRIA_TX_FN cria_tx_configuration_update(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project,
                                        const struct cria_configuration *row);
CRIA_TX_FN cria_tx_configuration_delete(struct cria_tx *tx, struct cria_call *call,
                                        struct cria_str project, struct cria_str id);
/** updated_at descending; types: 0 any. */
CRIA_TX_FN cria_tx_configuration_list(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, struct cria_str name,
                                      const struct cria_str *types, size_t type_count,
                                      const struct cria_window *window,
                                      struct cria_configuration_list *out);

struct cria_attachment {
    struct cria_str entry_id; /* of the output directory */
    struct cria_str name;     /* "items/page_7.json" */
    struct cria_str media_type, sha256;
    uint64_t size_bytes;
    int64_t sort_key; /* page number: names are listed by kind, then this */
    int64_t last_modified_us;
};
struct cria_attachment_list {
    const struct cria_attachment *items;
    size_t count;
    bool has_more;
};
CRIA_TX_FN cria_tx_attachment_put(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, const struct cria_attachment *row);
/** Removes all attachments of the entry. */
CRIA_TX_FN cria_tx_attachments_clear(struct cria_tx *tx, struct cria_call *call,
                                     struct cria_str project, struct cria_str entry_id);
/** source_id: the output entry, the source entry or the stored file's id. */
CRIA_TX_FN cria_tx_attachment_get(struct cria_tx *tx, struct cria_call *call,
                                  struct cria_str project, struct cria_str source_id,
                                  struct cria_str name, struct cria_attachment *out);
/** By name, page numbers as numbers (cursor: name). CRIA_E_NOT_FOUND when source_id is nothing of
 * the project. */
CRIA_TX_FN cria_tx_attachment_list(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str source_id,
                                   const struct cria_window *window,
                                   struct cria_attachment_list *out);

/** A finished answer kept under an Idempotency-Key for 24 hours. */
struct cria_idempotency {
    struct cria_str key, fingerprint; /* of method, path, query, body */
    int status;
    struct cria_str body;
    int64_t created_at_us;
};
CRIA_TX_FN cria_tx_idempotency_get(struct cria_tx *tx, struct cria_call *call,
                                   struct cria_str project, struct cria_str key,
                                   struct cria_idempotency *out);
CRIA_TX_FN cria_tx_idempotency_insert(struct cria_tx *tx, struct cria_call *call,
                                      struct cria_str project, const struct cria_idempotency *row);
CRIA_TX_FN cria_tx_idempotency_expire(struct cria_tx *tx, struct cria_call *call,
                                      int64_t before_us);

#endif
