/* cria.h - a client for Cria and for LlamaCloud's Index and Chat API: libcria, the one header.
 *
 *     struct cria_client *client = NULL;
 *     struct cria_chat_summary *chat = NULL;
 *     if (cria_client_new(&(struct cria_client_options){0}, &client) == CRIA_OK &&
 *         cria_beta_chat_new(client, &(struct cria_beta_chat_new_params){0}, &chat) == CRIA_OK)
 *         puts(cria_chat_summary_session_id(chat));
 *     cria_free(chat);
 *     cria_client_free(client);
 *
 * Results are handles; what accessors return lies in them and lives as long. Free a result with
 * cria_free(); what was reached through another handle is not freed. Strings are UTF-8 with a NUL.
 * Threads: a client may be used by any number at once; a result, iterator or stream by one at a
 * time (cria_stream_cancel() excepted). Nothing here aborts, prints or changes process-wide state,
 * but for curl_global_init() at the first client. */
#ifndef CRIA_CRIA_H
#define CRIA_CRIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CRIA_API __attribute__((visibility("default")))
#else
#define CRIA_API
#endif

/** "1.0.0". Static. */
CRIA_API const char *cria_version(void);

/* ---- errors */

enum cria_code {
    CRIA_OK = 0,
    CRIA_USAGE,      /* a wrong argument; nothing was sent */
    CRIA_MEMORY,     /* out of memory */
    CRIA_CONNECTION, /* no connection, or it broke; retries included */
    CRIA_TIMEOUT,    /* the call's time is over */
    CRIA_CANCELLED,  /* by cria_stream_cancel() or a progress function */
    CRIA_STATUS,     /* the server refused: see status, detail */
    CRIA_RESPONSE    /* the answer is not what the contract says */
};

/** What went wrong with the last call of this thread that did not give CRIA_OK. */
struct cria_error {
    enum cria_code code;
    int status;           /* HTTP, 0 when there was no answer */
    char detail[600];     /* a sentence; of a 422, the first problem with its place */
    char request_id[100]; /* x-request-id, or empty */
    long retry_after_ms;  /* -1: the server did not say */
    char *body;           /* the answer's bytes, NUL-terminated, or NULL */
};
/** Never NULL. Valid until the next call of this thread. */
CRIA_API const struct cria_error *cria_last_error(void);

/* ---- the client */

struct cria_client;

struct cria_header {
    const char *name, *value;
};

/** NULL and 0 mean the default. All strings are copied. */
struct cria_client_options {
    const char *api_key;  /* else LLAMA_CLOUD_API_KEY, else LLAMA_PARSE_API_KEY; none is fine for a
                             local Cria without keys */
    const char *base_url; /* else LLAMA_CLOUD_BASE_URL, else http://127.0.0.1:8484 */
    double timeout_s;     /* of one attempt without a stream: 60. Negative: none */
    int max_retries;      /* 2; negative: none. 408, 409, 429, 5xx and lost connections are tried
                             again after 0.5 s, 1 s, … at most 8 s, or when the server says */
    const char *project_id, *organization_id; /* for calls that name none */
    /** Sent with each call, and those of LLAMA_CLOUD_CUSTOM_HEADERS (lines of "Name: value"). Of
     * one name counts the call's, then these, then the environment's, then libcria's own. */
    const struct cria_header *headers;
    size_t header_count;
    const char *proxy;   /* else as the environment says */
    const char *ca_file; /* certificates to trust instead of the system's */
    /** Gets one line for each attempt: method, path, status, milliseconds. No keys, no bodies. */
    void (*log)(void *arg, const char *line);
    void *log_arg;
};
/** CRIA_USAGE: the base URL is no http(s) URL. */
CRIA_API enum cria_code cria_client_new(const struct cria_client_options *options,
                                        struct cria_client **out);
/** After its last call has returned. NULL is fine. */
CRIA_API void cria_client_free(struct cria_client *client);

/** Changes for one call; any params may point to it. NULL and 0 keep the client's. */
struct cria_call_options {
    double timeout_s;
    int max_retries;
    const struct cria_header *headers;
    size_t header_count;
};

/* ---- params: {0} is absent */

/** Where a string may be null: sends null instead of leaving the member out. */
#define CRIA_NULL cria_null_text
/** What CRIA_NULL is; told by its address. */
CRIA_API extern const char cria_null_text[];

enum cria_presence { CRIA_ABSENT = 0, CRIA_PRESENT = 1, CRIA_IS_NULL = 2 };
struct cria_int {
    enum cria_presence presence;
    int64_t value;
};
struct cria_real {
    enum cria_presence presence;
    double value;
};
struct cria_bool {
    enum cria_presence presence;
    bool value;
};
/** items NULL and not is_null: absent. */
struct cria_strings {
    const char *const *items;
    size_t count;
    bool is_null;
};
#ifdef __cplusplus
#define CRIA_LITERAL(type) type
#else
#define CRIA_LITERAL(type) (struct type)
#endif
#define CRIA_INT(number) (CRIA_LITERAL(cria_int){CRIA_PRESENT, (number)})
#define CRIA_REAL(number) (CRIA_LITERAL(cria_real){CRIA_PRESENT, (number)})
#define CRIA_BOOL(truth) (CRIA_LITERAL(cria_bool){CRIA_PRESENT, (truth)})

/** A file to send: exactly one of path, bytes and read. */
struct cria_upload {
    const char *path;
    const void *bytes;
    size_t size; /* of bytes */
    /** Fills up to `size` bytes; 0: the end; negative: gives up (CRIA_CANCELLED). Not sent again
     * after a failure. */
    long (*read)(void *arg, void *buffer, size_t size);
    void *arg;
    const char *name;         /* else the last part of path, else "upload" */
    const char *content_type; /* else by the server */
    /** Called now and then; total 0: not known. False cancels. */
    bool (*progress)(void *arg, uint64_t sent, uint64_t total);
    void *progress_arg;
};

/* ---- any result */

/** Frees a result. NULL is fine. */
CRIA_API void cria_free(void *result);
/** A result, or any handle in it, as JSON; to be freed with cria_text_free(). NULL: out of memory.
 */
CRIA_API char *cria_to_json(const void *handle);
/** A member as JSON, for those that have no accessor; NULL: it is not there. */
CRIA_API char *cria_member_json(const void *handle, const char *name);
/** A member's text, number or object, for those that have no accessor; NULL or 0: it is not there,
 * or of another kind. They live as long as the handle. */
CRIA_API const char *cria_get_text(const void *handle, const char *name);
/** As cria_get_text(). */
CRIA_API int64_t cria_get_int(const void *handle, const char *name);
/** As cria_get_text(); a handle, not to be freed. */
CRIA_API const void *cria_get_object(const void *handle, const char *name);
/** Whether a member is there, and whether it is null. */
CRIA_API enum cria_presence cria_member_presence(const void *handle, const char *name);
/** Ends what cria_to_json() and cria_member_json() gave. NULL is fine. */
CRIA_API void cria_text_free(char *text);

/* ---- pages */

/** Goes through all items of a list, fetching page after page. */
struct cria_iterator;
/** CRIA_OK with *item NULL: there are no more. *item is valid until the next call. */
CRIA_API enum cria_code cria_iterator_next(struct cria_iterator *iterator, const void **item);
/** The items it gave end with it. NULL is fine. */
CRIA_API void cria_iterator_free(struct cria_iterator *iterator);

/* ---- streams of a turn */

struct cria_stream;
struct cria_event; /* accessors below, cria_event_…; all events have type, most have content */

/**
 * The next event of the turn. Waits for it. When the connection breaks, the stream is taken up
 * again behind the last event (Last-Event-ID), as often as the client retries; events are not
 * repeated.
 * @param[out] event  valid until the next call; NULL when the turn is over.
 */
CRIA_API enum cria_code cria_stream_next(struct cria_stream *stream,
                                         const struct cria_event **event);
/** Id of the last event given, to go on later with cria_beta_chat_resume(); "" before the first. */
CRIA_API const char *cria_stream_last_event_id(const struct cria_stream *stream);
/** From any thread: makes cria_stream_next() return CRIA_CANCELLED. The turn itself goes on; see
 * cria_beta_chat_cancel(). */
CRIA_API void cria_stream_cancel(struct cria_stream *stream);
/** Closes the connection. The turn itself goes on. NULL is fine. */
CRIA_API void cria_stream_free(struct cria_stream *stream);
/** Attaches to the session's latest turn behind an event ("" or NULL: from its start). */
CRIA_API enum cria_code cria_beta_chat_resume(struct cria_client *client, const char *session_id,
                                              const char *last_event_id, struct cria_stream **out);

/**
 * Reads a stream to its end and gives each event to fn; when fn returns false it stops there with
 * CRIA_CANCELLED. The stream is still to be freed. CRIA_OK: the turn is over.
 */
CRIA_API enum cria_code cria_stream_each(struct cria_stream *stream,
                                         bool (*fn)(void *arg, const struct cria_event *event),
                                         void *arg);

/** "text_delta", "text", "tool_call", "stop", …; "" when the server sent none. */
CRIA_API const char *cria_event_type(const struct cria_event *event);
/** NULL when it has none. */
CRIA_API const char *cria_event_content(const struct cria_event *event);
/** Of a stop event. */
CRIA_API bool cria_event_is_error(const struct cria_event *event);
/** Of a stop event: why the turn failed; NULL when it did not. */
CRIA_API const char *cria_event_error(const struct cria_event *event);

/** Follows a presigned link (download_url, cria_files_content()) and gives its bytes to write(),
 * which returns false to give up. */
CRIA_API enum cria_code cria_download(struct cria_client *client, const char *url,
                                      bool (*write)(void *arg, const void *bytes, size_t size),
                                      void *arg);

/** GETs a path of the server that is beside the contract ("/backup", "/metrics"), with the client's
 * key, and gives the bytes to write(). No retries. */
CRIA_API enum cria_code cria_fetch(struct cria_client *client, const char *path,
                                   bool (*write)(void *arg, const void *bytes, size_t size),
                                   void *arg);
/** POSTs a file and text fields as a form to a path of the server that is beside the contract
 * ("/import"). No retries, no time limit but the kept-up progress of the bytes. fields: name,
 * value, name, value, …, NULL. @param[out] out the answer, a handle as all; to be freed with
 * cria_free(). */
CRIA_API enum cria_code cria_send_form(struct cria_client *client, const char *path,
                                       const char *const *fields, const char *file_field,
                                       const struct cria_upload *file, void **out);

#ifdef __cplusplus
}
#endif

#include <cria/api.h>

#endif
