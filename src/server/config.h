/* config.h - every option of the server: flags, CRIA_… environment, a file, --help and the docs
 * come from one table. Room: server. Read once at start, const afterwards. */
#ifndef CRIA_SERVER_CONFIG_H
#define CRIA_SERVER_CONFIG_H

#include <stdio.h>

#include "base/buf.h"

struct cria_config {
    const char *data, *listen, *public_url, *parser_folder, *log_level, *cors_origins;
    const char *llm_url, *llm_model, *llm_key;
    const char *embed_url, *embed_model, *embed_key, *embed_query_prefix, *embed_document_prefix;
    const char *rerank_url, *rerank_model, *rerank_key;
    int64_t embed_batch;
    int64_t loops, workers, ingest_workers;
    int64_t max_header_bytes, max_json_bytes, max_upload_bytes, max_request_memory_bytes;
    int64_t header_timeout_ms, idle_timeout_ms, write_stall_ms, keep_alive_ms, body_min_bytes_per_s;
    int64_t max_connections, rate_per_minute, max_turns, turn_deadline_ms, shutdown_grace_ms;
    int64_t search_memory_bytes, parse_timeout_ms, parse_memory_bytes, parse_output_bytes;
    int64_t cancel_on_disconnect;
    char *owned[128]; /* texts made while reading */
    size_t owned_count;
};

/** Fills in defaults, then the file of --config or CRIA_CONFIG, the environment, the flags (later
 * wins). argv without program and verb. All mistakes are written to `errors`, a line each; false
 * when there was one. */
bool cria_config_read(struct cria_config *config, int argc, char **argv, struct cria_buf *errors);
void cria_config_release(struct cria_config *config);
/** The options for --help. */
void cria_config_help(FILE *out);
/** The table of docs/configuration.md. */
void cria_config_markdown(FILE *out);

#endif
