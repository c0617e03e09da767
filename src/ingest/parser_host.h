/* parser_host.h - runs the parser programs for one document after the other, and trusts nothing
 * they say. Room: ingest. Blocks; called by the ingest workers, any number at once. */
#ifndef CRIA_INGEST_PARSER_HOST_H
#define CRIA_INGEST_PARSER_HOST_H

#include "base/call.h"

struct cria_parser_host;

struct cria_parser_host_options {
    const char *folder;    /* where cria-parse and cria-pdf lie */
    uint32_t timeout_ms;   /* wall clock of one document; 0: 120,000 */
    uint64_t memory_bytes; /* address space of a child; 0: 1 GiB */
    uint64_t output_bytes; /* text of one document; 0: 256 MiB */
};

struct cria_parsed_page {
    uint32_t number; /* from 1 */
    size_t byte_start, char_start;
};
struct cria_parsed_heading {
    unsigned level; /* 1 to 6 */
    size_t byte_start, byte_end, char_start, char_end;
};
/** What a document says. Everything lies in the arena of the call it was parsed with. */
struct cria_parsed {
    struct cria_str text; /* valid UTF-8 */
    size_t char_count;
    const struct cria_parsed_page *pages; /* rising; only when has_pages */
    size_t page_count;
    const struct cria_parsed_heading *headings; /* rising, not overlapping */
    size_t heading_count;
    struct cria_str title, format; /* title: {NULL,0} when it has none */
    bool has_pages;
};

struct cria_parser_input {
    struct cria_str file_name, media_type;
    struct cria_str options_json; /* parse parameters, or {NULL,0} */
    struct cria_str bytes;        /* used when fd is -1 */
    int fd;                       /* else its bytes from the start; taken and closed */
    uint64_t size_bytes;
    /** NULL, or takes the picture (JPEG) of a page; when it fails, so does the parse. Only asked
     * for formats with pages. */
    enum cria_status (*take_picture)(void *arg, struct cria_call *call, uint32_t page,
                                     struct cria_str jpeg);
    void *take_arg;
};

CRIA_MUST_CHECK enum cria_status cria_parser_host_new(
    const struct cria_parser_host_options *options, struct cria_call *call,
    struct cria_parser_host **out);
/** Ends idle children. NULL is fine. */
void cria_parser_host_free(struct cria_parser_host *host);
/**
 * Parses one document. call->cancelled is looked at.
 * @return CRIA_E_BAD_REQUEST the document is to blame, with a sentence a person can act on;
 * CRIA_E_TIMEOUT; CRIA_E_CANCELLED; CRIA_E_IO the parser stopped unexpectedly; CRIA_E_UNAVAILABLE
 * no program.
 */
CRIA_MUST_CHECK enum cria_status cria_parser_host_parse(struct cria_parser_host *host,
                                                        struct cria_call *call,
                                                        const struct cria_parser_input *input,
                                                        struct cria_parsed *out);

#endif
