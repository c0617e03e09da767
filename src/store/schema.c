#include "store/schema.h"

#include <stdio.h>

/* Rows of one version are one step. */
static const struct {
    int64_t version;
    const char *sql;
} steps[] = {
    {1,
     "CREATE TABLE organizations(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, created_at "
     "BIGINT NOT NULL);"
     "CREATE TABLE projects(id TEXT NOT NULL PRIMARY KEY, organization_id TEXT NOT NULL, name TEXT "
     "NOT NULL,"
     " is_default INT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);"
     "CREATE TABLE api_keys(id TEXT NOT NULL PRIMARY KEY, organization_id TEXT NOT NULL, "
     "project_id TEXT,"
     " name TEXT NOT NULL, prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, may_write INT NOT NULL,"
     " created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT NOT NULL);"
     "CREATE TABLE secrets(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);"},
    {1, "CREATE TABLE files(project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, "
        "file_type TEXT,"
        " media_type TEXT, external_file_id TEXT, purpose TEXT, sha256 TEXT NOT NULL, size_bytes "
        "BIGINT NOT NULL,"
        " created_at BIGINT NOT NULL, last_modified_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,"
        " PRIMARY KEY(project_id, id));"
        "CREATE INDEX files_by_created ON files(project_id, created_at, id);"
        "CREATE INDEX files_by_sha ON files(project_id, sha256);"},
    {1, "CREATE TABLE directories(project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, "
        "description TEXT,"
        " type TEXT NOT NULL, system_metadata TEXT, index_id TEXT, created_at BIGINT NOT NULL,"
        " updated_at BIGINT NOT NULL, deleted_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,"
        " PRIMARY KEY(project_id, id));"
        "CREATE INDEX directories_by_created ON directories(project_id, created_at, id);"
        "CREATE INDEX directories_by_expiry ON directories(expires_at);"},
    {1,
     "CREATE TABLE entries(project_id TEXT NOT NULL, id TEXT NOT NULL, directory_id TEXT NOT NULL,"
     " display_name TEXT NOT NULL, unique_id TEXT NOT NULL, file_id TEXT, metadata TEXT NOT NULL,"
     " source_entry_id TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at "
     "BIGINT NOT NULL,"
     " PRIMARY KEY(project_id, id));"
     "CREATE INDEX entries_by_created ON entries(project_id, directory_id, created_at, id);"
     "CREATE UNIQUE INDEX entries_by_unique_id ON entries(project_id, directory_id, unique_id) "
     "WHERE deleted_at = 0;"
     "CREATE INDEX entries_by_file ON entries(project_id, file_id);"},
    {1, "CREATE TABLE indexes(project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, "
        "description TEXT,"
        " source_directory_id TEXT NOT NULL, output_directory_id TEXT NOT NULL, products TEXT, "
        "parameters TEXT,"
        " keep_screenshots INT NOT NULL, keep_items INT NOT NULL, sync_frequency TEXT NOT NULL,"
        " has_vectors INT NOT NULL, status INT NOT NULL, error_message TEXT, files_total BIGINT "
        "NOT NULL,"
        " files_succeeded BIGINT NOT NULL, files_failed BIGINT NOT NULL, files_pending BIGINT NOT "
        "NULL,"
        " failed_files TEXT NOT NULL, generation BIGINT NOT NULL, created_at BIGINT NOT NULL,"
        " updated_at BIGINT NOT NULL, last_synced_at BIGINT NOT NULL, last_exported_at BIGINT NOT "
        "NULL,"
        " PRIMARY KEY(project_id, id));"
        "CREATE INDEX indexes_by_created ON indexes(project_id, created_at, id);"},
    {1, "CREATE TABLE documents(project_id TEXT NOT NULL, id TEXT NOT NULL, index_id TEXT NOT NULL,"
        " entry_id TEXT NOT NULL, source_entry_id TEXT NOT NULL, content_key TEXT NOT NULL,"
        " display_name TEXT NOT NULL, metadata TEXT NOT NULL, title TEXT, format TEXT, file_id "
        "TEXT, sha256 TEXT,"
        " char_count BIGINT NOT NULL, byte_count BIGINT NOT NULL, page_count INT NOT NULL, "
        "chunk_count INT NOT NULL,"
        " pages TEXT NOT NULL, headings TEXT NOT NULL, is_live INT NOT NULL, created_at BIGINT NOT "
        "NULL,"
        " PRIMARY KEY(project_id, id));"
        "CREATE INDEX documents_by_entry ON documents(project_id, index_id, entry_id, is_live);"
        "CREATE INDEX documents_by_name ON documents(project_id, index_id, is_live, display_name, "
        "entry_id);"
        "CREATE TABLE document_texts(project_id TEXT NOT NULL, document_id TEXT NOT NULL, body "
        "BLOB NOT NULL,"
        " PRIMARY KEY(project_id, document_id));"
        "CREATE TABLE chunks(project_id TEXT NOT NULL, document_id TEXT NOT NULL, n INT NOT NULL,"
        " char_start BIGINT NOT NULL, char_end BIGINT NOT NULL, byte_start BIGINT NOT NULL, "
        "byte_end BIGINT NOT NULL,"
        " page_start INT NOT NULL, page_end INT NOT NULL, token_count INT NOT NULL, heading TEXT,"
        " PRIMARY KEY(project_id, document_id, n));"},
    {1,
     "CREATE TABLE sessions(project_id TEXT NOT NULL, id TEXT NOT NULL, index_ids TEXT, title TEXT,"
     " shared_access TEXT NOT NULL, job_metadata TEXT, is_locked INT NOT NULL, event_count BIGINT "
     "NOT NULL,"
     " created_at BIGINT NOT NULL, last_updated_at BIGINT NOT NULL, PRIMARY KEY(project_id, id));"
     "CREATE INDEX sessions_by_updated ON sessions(project_id, last_updated_at, id);"
     "CREATE TABLE turns(project_id TEXT NOT NULL, session_id TEXT NOT NULL, id TEXT NOT NULL,"
     " is_running INT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, state TEXT "
     "NOT NULL,"
     " PRIMARY KEY(project_id, session_id, id));"
     "CREATE INDEX turns_running ON turns(is_running) WHERE is_running = 1;"
     "CREATE TABLE events(project_id TEXT NOT NULL, session_id TEXT NOT NULL, seq BIGINT NOT NULL,"
     " turn_id TEXT NOT NULL, n INT NOT NULL, body TEXT NOT NULL, UNIQUE(project_id, session_id, "
     "seq));"
     "CREATE TABLE deltas(project_id TEXT NOT NULL, session_id TEXT NOT NULL, turn_id TEXT NOT "
     "NULL,"
     " n INT NOT NULL, body TEXT NOT NULL, UNIQUE(project_id, session_id, turn_id, n));"},
    {1,
     "CREATE TABLE configurations(project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,"
     " product_type TEXT NOT NULL, parameters TEXT NOT NULL, created_at BIGINT NOT NULL,"
     " updated_at BIGINT NOT NULL, PRIMARY KEY(project_id, id));"
     "CREATE UNIQUE INDEX configurations_by_name ON configurations(project_id, product_type, name);"
     "CREATE INDEX configurations_by_updated ON configurations(project_id, updated_at, id);"},
    {1, "CREATE TABLE attachments(project_id TEXT NOT NULL, entry_id TEXT NOT NULL, kind TEXT NOT "
        "NULL,"
        " sort_key BIGINT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL, sha256 TEXT NOT "
        "NULL,"
        " size_bytes BIGINT NOT NULL, last_modified BIGINT NOT NULL, PRIMARY KEY(project_id, "
        "entry_id, name));"
        "CREATE INDEX attachments_by_sha ON attachments(project_id, sha256);"},
    {1, "CREATE TABLE idempotency(project_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT "
        "NOT NULL,"
        " status INT NOT NULL, body TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY "
        "KEY(project_id, key));"
        "CREATE INDEX idempotency_by_created ON idempotency(created_at);"},
    /* What search keeps in files, and which documents changed since it looked. */
    {2, "CREATE TABLE manifests(project_id TEXT NOT NULL, index_id TEXT NOT NULL, version BIGINT "
        "NOT NULL,"
        " body BLOB NOT NULL, PRIMARY KEY(project_id, index_id));"
        "ALTER TABLE indexes ADD COLUMN document_seq BIGINT NOT NULL DEFAULT 0;"
        "ALTER TABLE documents ADD COLUMN live_seq BIGINT NOT NULL DEFAULT 0;"
        "CREATE INDEX documents_by_seq ON documents(project_id, index_id, is_live, live_seq, id);"},
    {3,
     "ALTER TABLE indexes ADD COLUMN embedder TEXT;"
     "CREATE TABLE document_vectors(project_id TEXT NOT NULL, document_id TEXT NOT NULL,"
     " index_id TEXT NOT NULL, content_key TEXT NOT NULL, embedder TEXT NOT NULL, dims INT NOT "
     "NULL,"
     " chunk_count INT NOT NULL, is_kept INT NOT NULL, hashes BLOB NOT NULL, vectors BLOB NOT "
     "NULL,"
     " PRIMARY KEY(project_id, document_id));"
     "CREATE INDEX document_vectors_by_content ON document_vectors(project_id, content_key);"
     "CREATE INDEX document_vectors_by_index ON document_vectors(project_id, index_id, is_kept);"},
};

static int64_t version_of(const struct cria_driver *driver, struct cria_conn *conn)
{
    int64_t version = 0;
    struct cria_stmt *stmt =
        driver->prepare(conn, CRIA_STR("SELECT max(version) FROM schema_versions"));
    if (!stmt) return -1;
    if (driver->step(stmt) == CRIA_STEP_ROW) version = driver->column_int(stmt, 0);
    driver->reset(stmt);
    return version;
}

static enum cria_status fail(const struct cria_driver *driver, struct cria_conn *conn,
                             struct cria_call *call)
{
    enum cria_failure why = driver->failure(conn);
    enum cria_status st = why == CRIA_FAILURE_FULL      ? CRIA_E_NO_SPACE
                          : why == CRIA_FAILURE_CORRUPT ? CRIA_E_CORRUPT
                          : why == CRIA_FAILURE_MEMORY  ? CRIA_E_NO_MEMORY
                                                        : CRIA_E_IO;
    cria_fail(call, st, "The database could not be brought up to date: %s", driver->message(conn));
    if (driver->in_transaction(conn)) driver->exec(conn, "ROLLBACK");
    return st;
}

enum cria_status cria_schema_apply(const struct cria_driver *driver, struct cria_conn *conn,
                                   struct cria_call *call)
{
    char note[128];
    if (!driver->exec(
            conn, "CREATE TABLE IF NOT EXISTS schema_versions(version INT NOT NULL PRIMARY KEY)"))
        return fail(driver, conn, call);
    int64_t version = version_of(driver, conn), newest = steps[CRIA_COUNT(steps) - 1].version;
    if (version < 0) return fail(driver, conn, call);
    if (version > newest)
        return cria_fail(call, CRIA_E_UNAVAILABLE,
                         "The data folder is of a newer Cria (schema %lld, this one knows %lld)",
                         (long long)version, (long long)newest);
    while (++version <= newest) {
        bool good = driver->exec(conn, "BEGIN IMMEDIATE");
        for (size_t i = 0; i < CRIA_COUNT(steps) && good; i++)
            if (steps[i].version == version) good = driver->exec(conn, steps[i].sql);
        snprintf(note, sizeof(note), "INSERT INTO schema_versions VALUES(%lld)",
                 (long long)version);
        if (!good || !driver->exec(conn, note) || !driver->exec(conn, "COMMIT"))
            return fail(driver, conn, call);
    }
    return CRIA_OK;
}
