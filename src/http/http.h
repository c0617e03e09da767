/* http.h - what the rest of the server sees of HTTP: routes, one exchange (a request and its
 * reply), streams. Room: http; may use platform, base, libuv, llhttp; knows no resource. Threads:
 * an exchange begins on its connection's loop. A handler without CRIA_ROUTE_ON_LOOP runs on a
 * worker and then owns the exchange until it calls one of the ending functions (reply, file,
 * stream, error), exactly once, from any thread; from then on only cria_exchange_wake and _unref
 * may be called on it. */
#ifndef CRIA_HTTP_HTTP_H
#define CRIA_HTTP_HTTP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/call.h"
#include "platform/loop.h"
#include "platform/pool.h"

enum cria_method {
    CRIA_GET,
    CRIA_POST,
    CRIA_PUT,
    CRIA_PATCH,
    CRIA_DELETE,
    CRIA_HEAD,
    CRIA_OPTIONS
};

enum cria_body_kind {
    CRIA_BODY_NONE,     /* what comes is read and dropped, up to the JSON limit; its type does not
                           matter */
    CRIA_BODY_JSON,     /* application/json or no Content-Type; else 415 */
    CRIA_BODY_MULTIPART /* multipart/form-data; else 415 */
};

enum {
    CRIA_ROUTE_ON_LOOP = 1, /* handler never blocks and runs on the loop */
    CRIA_ROUTE_OPEN = 2,    /* no key is asked for */
    CRIA_ROUTE_WRITE = 4,   /* changes something: refused to read-only keys */
    CRIA_ROUTE_ADMIN = 8,   /* on the control socket only; elsewhere it does not exist */
    CRIA_ROUTE_REST = 16    /* the last {parameter} takes the rest of the path, slashes too */
};

struct cria_exchange;

struct cria_route {
    enum cria_method method;
    const char *pattern; /* "/api/v1/chat/{session_id}/summary" */
    const char *name;    /* operationId: the label in logs and metrics */
    void (*handle)(struct cria_exchange *ex);
    enum cria_body_kind body;
    unsigned flags;
};

struct cria_param {
    struct cria_str name, value; /* percent-decoded; + is a blank in queries */
};

/** One part of a multipart form. Small ones lie in memory, large ones in a spool file. */
struct cria_part {
    struct cria_str name;
    struct cria_str file_name;    /* {NULL,0} when none was sent; raw UTF-8, untrusted */
    struct cria_str content_type; /* {NULL,0} when none was sent */
    struct cria_str value;        /* the bytes, when spool_fd is -1 */
    int spool_fd;                 /* else an open, unlinked or named temporary file at offset 0 */
    const char *spool_path;       /* its name, so that it can be moved into place; removed when the
                                     exchange ends       unless spool_taken is set */
    bool spool_taken;
    uint64_t size_bytes;
    char sha256[65]; /* hex, of the bytes */
};

struct cria_request {
    enum cria_method method;
    struct cria_str target;         /* as it came, for logs */
    struct cria_str path_values[6]; /* of the pattern's {…}, decoded, in order */
    size_t path_count;
    const struct cria_param *query;
    size_t query_count;
    const struct cria_param *headers; /* names in lower case */
    size_t header_count;
    struct cria_str body;    /* JSON routes: the bytes; {NULL,0} when there was none */
    struct cria_part *parts; /* multipart routes, in the order they came */
    size_t part_count;
    char peer[64];     /* address, no port */
    bool from_control; /* came over the control socket */
};

struct cria_exchange {
    struct cria_call call; /* its arena, limits, principal, request id */
    struct cria_request request;
    const struct cria_route *route; /* NULL when none fits */
    void *app;                      /* what cria_http_options.app is */
    struct cria_buf body; /* the reply's body: write here, then call cria_exchange_reply */
    int status;           /* of the reply, once it is known */
    uint64_t started_ns;
    uint64_t sent_bytes;
    /* the rest is conn.c's */
};

/** {NULL, 0} when the request has none. `name` in lower case. */
struct cria_str cria_request_header(const struct cria_exchange *ex, const char *name);
/** First non-empty value of a query parameter; {NULL, 0} when absent or empty (empty counts as
 * absent). */
struct cria_str cria_request_query(const struct cria_exchange *ex, const char *name);
/** The loop of the connection. */
struct cria_loop *cria_exchange_loop(const struct cria_exchange *ex);

/** Adds a header to the reply; before the ending call. Values with control characters are dropped.
 */
void cria_exchange_header(struct cria_exchange *ex, const char *name, struct cria_str value);

/* The ending calls: exactly one per exchange, any thread. */
/** Sends status, headers and what ex->body holds. content_type NULL: none (204 has no body). */
void cria_exchange_reply(struct cria_exchange *ex, int status, const char *content_type);
/** {"detail": "<detail>"} with this status. close: the connection ends after it. */
void cria_exchange_error(struct cria_exchange *ex, int status, const char *detail, bool close);
/** Sends a range of an open file (the fd is taken and closed). */
void cria_exchange_file(struct cria_exchange *ex, int status, const char *content_type, int fd,
                        uint64_t offset, uint64_t count);

enum cria_pull {
    CRIA_PULL_WAIT, /* nothing now; cria_exchange_wake tells when */
    CRIA_PULL_MORE, /* something was appended */
    CRIA_PULL_END,  /* appended what was left (or nothing); close the reply */
    CRIA_PULL_FAIL  /* there will be no end: the connection is cut, so that the reader can tell */
};
struct cria_stream_ops {
    /** On the loop, whenever there may be more and the socket can take it: append up to about
     * `room` bytes.
     */
    enum cria_pull (*pull)(void *self, struct cria_buf *out, size_t room);
    /** On the loop, exactly once: the reader is gone or was cut off (by_peer), or the end was sent.
     * Last use of self. */
    void (*closed)(void *self, bool by_peer);
};
/** An answer whose length nobody knows. Headers leave at once (200, no-store, X-Accel-Buffering:
 * no); then bytes are pulled. content_type NULL: text/event-stream, which gets ": keep-alive\n"
 * after 15 s of silence; others get nothing but what is pulled. Holds nothing per idle stream but
 * the connection object. A reader of HTTP/1.0, who has no chunks, cannot tell a cut from the end.
 */
void cria_exchange_stream(struct cria_exchange *ex, const char *content_type,
                          const struct cria_stream_ops *ops, void *self);
/** Any thread, any time while a reference is held: pull again soon. Many wakes cost one. */
void cria_exchange_wake(struct cria_exchange *ex);
/** References for wakers: an exchange with references outlives its connection (as a dead shell).
 * Any thread.
 */
struct cria_exchange *cria_exchange_ref(struct cria_exchange *ex);
void cria_exchange_unref(struct cria_exchange *ex);

/* The listener. */
struct cria_http_hooks {
    /** On the loop, when the headers are read and the route is known (ex->route not NULL), before
     * the body: key, scope that needs no store, rate. Not CRIA_OK: `refuse` answers and the body is
     * not read. */
    enum cria_status (*admit)(struct cria_exchange *ex);
    /** Writes the answer for a status by ex->call (api/reply.c). Ends the exchange. */
    void (*refuse)(struct cria_exchange *ex, enum cria_status status);
    /** On the loop, when the last byte was sent or the peer left: log line, metrics. */
    void (*finished)(struct cria_exchange *ex, bool complete);
};

struct cria_http_options {
    const struct cria_route *routes;
    size_t route_count;
    struct cria_http_hooks hooks;
    void *app;
    struct cria_pool *pool;
    const char *spool_dir;         /* temporary files of uploads */
    size_t max_header_bytes;       /* 16 KiB: 431 */
    size_t max_json_bytes;         /* 1 MiB: 413 */
    uint64_t max_upload_bytes;     /* 512 MiB: 413 */
    size_t arena_bytes;            /* memory of one request, 64 MiB */
    uint32_t header_timeout_ms;    /* 10 s for a whole header: 408 */
    uint32_t body_min_bytes_per_s; /* 1 KiB on the whole, after a grace of header_timeout_ms: 408 */
    uint32_t idle_timeout_ms;      /* keep-alive: 75 s */
    uint32_t write_stall_ms;  /* 30 s without a byte taken: closed; without one of a body: 408 */
    uint32_t keep_alive_ms;   /* of streams: 15 s */
    unsigned max_connections; /* 10,000 per loop: 503 */
    const char *cors_origins; /* "" off; comma list of exact origins, for whose preflights
                                 OPTIONS is answered on every path */
};

struct cria_http_server;
/** Prepares; copies the options (what they point to must outlive the server). */
CRIA_MUST_CHECK enum cria_status cria_http_new(const struct cria_http_options *options,
                                               struct cria_call *call,
                                               struct cria_http_server **out);
/** Adds a listening socket on each loop (SO_REUSEPORT): "127.0.0.1:8484", "[::1]:8484", or
 * "unix:/path" (first loop only; mode 0600; requests on it have from_control set). Before the loops
 * run. CRIA_E_CONFLICT: the address is taken. CRIA_E_BAD_REQUEST: no such address. */
CRIA_MUST_CHECK enum cria_status cria_http_listen(struct cria_http_server *server,
                                                  struct cria_call *call, struct cria_loop **loops,
                                                  size_t loop_count, const char *address);
/** The port that was really bound (for port 0). */
int cria_http_port(const struct cria_http_server *server);
/** Any thread: stop accepting; requests and streams on open connections go on. */
void cria_http_pause(struct cria_http_server *server);
/** Any thread: stop accepting; idle connections close, running requests end, streams get up to
 * grace_ms. done is called on some loop when no connection is left. */
void cria_http_drain(struct cria_http_server *server, uint32_t grace_ms, void (*done)(void *arg),
                     void *arg);
/** After the loops have stopped. */
void cria_http_free(struct cria_http_server *server);

struct cria_http_figures {
    uint64_t connections, streams, requests; /* now, now, ever */
};
struct cria_http_figures cria_http_figures(const struct cria_http_server *server);

#endif
