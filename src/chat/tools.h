/* tools.h - what the model may call: the table of tools, lenient reading of arguments, one run.
 * Room: chat. Each tool is one file, tool_<name>.c, and one row in tools.c. A tool has two halves:
 * `run` works on a worker and may read store and search; `tell` runs on the turn's loop in call
 * order, numbers the passages, and writes what the client (JSON) and the model (text) see. */
#ifndef CRIA_CHAT_TOOLS_H
#define CRIA_CHAT_TOOLS_H

#include "chat/evidence.h"
#include "model/provider.h"
#include "search/files.h"
#include "search/search.h"

enum {
    CRIA_TOOL_TIME_MS = 5000,
    CRIA_TOOL_CHARS = 6000,      /* of text for the model, per result */
    CRIA_TOOL_CHARS_MAX = 12000, /* read_file, when asked */
    CRIA_TOOL_ARENA_BYTES = 64 << 20
};

/** What every tool of a turn works on; const while the turn runs, any thread. */
struct cria_tool_scope {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_str project;
    const struct cria_search_index
        *indexes; /* nothing else is reachable, whatever the model says */
    size_t index_count;
};

/** The file that an argument means, as far as the loop can tell. */
struct cria_tool_file {
    struct cria_str text;              /* as the model wrote it */
    struct cria_str index_id, file_id; /* of a handle; else null: look it up by id or name */
};

/** One found span, without its number. */
struct cria_tool_passage {
    struct cria_passage passage;
    struct cria_str metadata_json, heading;
    uint32_t chunk_n, token_count;
    double score, rerank_score;
    bool is_chunk, has_rerank_score;
    uint64_t match_start, match_end; /* grep: of the match alone */
};

struct cria_tool_run {
    const struct cria_tool_scope *scope;
    struct cria_call call; /* of the worker: arena, deadline, cancelled */
    const struct cria_json *arguments;
    struct cria_tool_file file;
    /* Found by run, read by tell; in call.arena. */
    enum cria_status status; /* not CRIA_OK: call.error says why */
    struct cria_tool_passage *passages;
    size_t passage_count;
    struct cria_document_list files;
    const struct cria_str *unknown_words;
    size_t unknown_count;
    double confidence;
    struct cria_str file_name;
    uint64_t offset, char_count;
    bool has_more, is_weak;
};

struct cria_tool {
    struct cria_str name, description, parameters_json;
    void (*run)(struct cria_tool_run *run); /* sets status */
    void (*tell)(struct cria_tool_run *run, struct cria_evidence *evidence, struct cria_buf *json,
                 struct cria_buf *text);
};

extern const struct cria_tool cria_tools[];
extern const size_t cria_tool_count;

/** By name, or the one within two letters of it; NULL. */
const struct cria_tool *cria_tool_find(struct cria_str name);
/** All of them as a prompt's tools; in the arena; NULL when memory is short. */
const struct cria_prompt_tool *cria_tools_prompt(struct cria_arena *arena);
/** What a failed or unknown call tells: `json` for the client, `text` for the model. */
void cria_tool_tell_error(const struct cria_tool *tool, struct cria_str sentence,
                          struct cria_buf *json, struct cria_buf *text);

/* Lenient reading: the first name that is there counts; numbers as strings, a string for an array,
 * an array for a string. */
struct cria_str cria_tool_arg_str(const struct cria_json *arguments, const char *const *names);
int64_t cria_tool_arg_int(const struct cria_json *arguments, const char *const *names,
                          int64_t otherwise, int64_t least, int64_t most);
bool cria_tool_arg_bool(const struct cria_json *arguments, const char *name, bool otherwise);
/** Names of the argument that means a file. */
extern const char *const cria_tool_file_names[];

/** The document that run->file means, in one of the scope's indexes. CRIA_E_NOT_FOUND with a
 * sentence for the model. */
CRIA_MUST_CHECK enum cria_status cria_tool_document(struct cria_tool_run *run,
                                                    struct cria_document *out);
/** The scope narrowed by an index_id(s) argument: unknown ids are left out, none left: all. In the
 * arena; NULL when memory is short. */
const struct cria_search_index *cria_tool_indexes(struct cria_tool_run *run, size_t *count);
/** The page at a code point of a document, 0 when it has no pages; the start of a page, false when
 * there is no such page. */
uint32_t cria_document_page_at(struct cria_arena *arena, const struct cria_document *document,
                               uint64_t at_char);
bool cria_document_page_start(struct cria_arena *arena, const struct cria_document *document,
                              int64_t page, uint64_t *at_char);

/** " p. 3" or " p. 3-4", nothing without pages. */
void cria_pages_write(struct cria_buf *out, uint32_t page_start, uint32_t page_end);
/** Document text for a prompt: no control, zero-width, direction or tag characters, no chat tokens,
 * no HTML comments. */
void cria_text_sanitize(struct cria_buf *out, struct cria_str text);

/** Writes one result in the shape of the retrieval answer. */
struct cria_json_out;
void cria_retrieved_write(struct cria_json_out *out, const struct cria_tool_passage *found,
                          uint32_t passage_id);
/** Fills passages from a search result. */
CRIA_MUST_CHECK enum cria_status cria_tool_take_hits(struct cria_tool_run *run,
                                                     const struct cria_search_index *indexes,
                                                     const struct cria_search_result *result);

#endif
