/* conn.h - what the files of this room share: lanes (one per loop), connections, exchanges.
 * Room: http. A connection and all that hangs on it belong to its lane's loop; only the fields
 * marked so may be touched by other threads. */
#ifndef CRIA_HTTP_CONN_H
#define CRIA_HTTP_CONN_H

#include <llhttp.h>
#include <uv.h>

#include "http/http.h"
#include "http/multipart.h"

enum { CRIA_READ_BYTES = 65536, CRIA_PULL_BYTES = 65536 };

struct cria_lane;

struct cria_http_server {
    struct cria_http_options options;
    struct cria_lane *lanes[64];
    size_t lane_count;
    int port;
    char control_path[4096]; /* removed at the end; empty: none */
    atomic_uint_fast64_t connections, streams, requests;
    atomic_bool is_paused, is_draining;
    uint64_t drain_until_ns;
    void (*drained)(void *arg);
    void *drained_arg;
    struct cria_task drain_task;
};

/** What one loop has of the server. */
struct cria_lane {
    struct cria_http_server *server;
    struct cria_loop *loop;
    uv_loop_t *uv;
    uv_tcp_t *listener;
    uv_pipe_t *control; /* first lane only */
    uv_timer_t tick;
    uint64_t now_ns; /* as of the last tick or event */
    struct cria_conn *conns;
    size_t conn_count;
    char *read_buffer; /* lent to one connection while it takes bytes */
    struct cria_buf pull_buffer;
    struct cria_task stop_task, drain_task; /* posted by other threads */
    bool is_listening;
    bool owes_tcp, owes_control; /* a caller waits to be accepted until there is memory */
};

enum cria_conn_state {
    CRIA_CONN_HEAD,   /* between requests, or a header is coming in */
    CRIA_CONN_BODY,   /* the body of the request is coming in */
    CRIA_CONN_FLUSH,  /* … and waits for the disk */
    CRIA_CONN_WORK,   /* the handler has the exchange */
    CRIA_CONN_REPLY,  /* the answer is going out */
    CRIA_CONN_STREAM, /* an answer without end is going out */
    CRIA_CONN_LINGER, /* all is said; what still comes is dropped until the peer closes */
    CRIA_CONN_CLOSED
};

/** The private half of an exchange. */
struct cria_exchange_own {
    struct cria_exchange ex; /* first: the public half */
    struct cria_arena arena;
    struct cria_lane *lane;
    struct cria_conn *conn; /* loop only; NULL when the connection is gone */
    atomic_uint refs;       /* any thread */
    atomic_bool is_woken;   /* any thread: a wake is posted */
    struct cria_task task;  /* the ending call, posted */
    struct cria_task wake_task;
    struct cria_job job; /* handler, flush or file read on a worker */
    struct cria_multipart *form;
    struct cria_buf headers; /* of the reply */
    enum { CRIA_END_NONE, CRIA_END_REPLY, CRIA_END_FILE, CRIA_END_STREAM } ending;
    char content_type[96];
    bool has_content_type;
    struct cria_buf received_body;
    uint64_t received; /* body bytes so far, framing not counted */
    bool closes;       /* the connection ends after this exchange */
    bool is_head;      /* HEAD: no body goes out */
    bool is_old;       /* HTTP/1.0: no chunks */
    bool is_handled;   /* a handler has it and a reference for it */
    bool is_streaming, is_ended, is_pumping;
    bool is_events; /* the stream is one of events, whose silence comments may fill */
    enum cria_status flush_status;
    int file_fd;
    uint64_t file_offset, file_left;
    char *file_bytes;
    ssize_t file_got;
    const struct cria_stream_ops *stream_ops;
    void *stream_self;
};

struct cria_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct cria_lane *lane;
    struct cria_conn *next, *previous;
    enum cria_conn_state state;
    llhttp_t parser;
    struct cria_buf head;    /* header bytes so far */
    struct cria_buf pending; /* bytes of the next request, come early */
    struct cria_exchange_own *own;
    uint64_t deadline_ns; /* of the state: header, idle, linger; 0 none */
    uint64_t body_started_ns, body_bytes;
    uint64_t read_ns;     /* when body bytes last came */
    uint64_t sent_ns;     /* when a stream last said something */
    uint64_t stalled_ns;  /* since when a write waits without progress; 0: none does */
    size_t stalled_bytes; /* how much of it is left */
    bool is_reading, is_writing, is_control, is_processing, message_done, after_write_close;
    struct cria_exchange_own *parsing; /* being filled by the parser's callbacks */
    enum cria_status body_status;
};

/* conn.c */
void cria_conn_accept(struct cria_lane *lane, uv_stream_t *listener, bool is_control);
void cria_conn_tick(struct cria_conn *conn, uint64_t now_ns);
void cria_conn_close(struct cria_conn *conn);
/** Sends bytes (copied if they cannot leave at once); when all have left, cria_conn_written is
 * called. */
void cria_conn_send(struct cria_conn *conn, struct cria_str first, struct cria_str second);
/** Goes on with bytes that waited (after a flush). */
void cria_conn_resume(struct cria_conn *conn);
/** The exchange's answer is complete: the next request, or the end. */
void cria_conn_done(struct cria_conn *conn);

/* exchange.c */
struct cria_exchange_own *cria_exchange_new(struct cria_conn *conn);
/** On the loop, when an ending call was made. */
void cria_exchange_end(struct cria_exchange_own *own);
/** On the loop: the last write of the connection has left. */
void cria_exchange_written(struct cria_exchange_own *own);
/** On the loop: the connection is gone. */
void cria_exchange_orphan(struct cria_exchange_own *own);
void cria_exchange_pump(struct cria_exchange_own *own);
void cria_exchange_free_memory(struct cria_exchange_own *own);

/* request.c */
/** Reads a whole header (with its empty line) into a new exchange. False: it was answered with an
 * error. */
bool cria_request_begin(struct cria_conn *conn, struct cria_str head);
/** Takes body bytes; gives back how many it used. */
size_t cria_request_body(struct cria_conn *conn, struct cria_str bytes);
/** The body is whole: hands the exchange to its handler. */
void cria_request_ready(struct cria_conn *conn);
extern const llhttp_settings_t cria_llhttp_settings;

#endif
