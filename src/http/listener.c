/* listener.c - listening sockets, one set per loop, and the life of the server. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/conn.h"
#include "platform/clock.h"

enum { BACKLOG = 1024, TICK_MS = 500, MIN_TICK_MS = 10, PULL_LIMIT = 64 << 20 };

enum cria_status cria_http_new(const struct cria_http_options *options, struct cria_call *call,
                               struct cria_http_server **out)
{
    struct cria_http_server *server = calloc(1, sizeof(*server));
    if (!server) return cria_fail_memory(call);
    server->options = *options;
    if (!server->options.cors_origins) server->options.cors_origins = "";
    *out = server;
    return CRIA_OK;
}

/* Whom there was no memory for. */
static void accept_owed(struct cria_lane *lane)
{
    bool tcp = lane->owes_tcp, control = lane->owes_control;
    lane->owes_tcp = lane->owes_control = false;
    if (tcp && lane->listener) cria_conn_accept(lane, (uv_stream_t *)lane->listener, false);
    if (control) cria_conn_accept(lane, (uv_stream_t *)lane->control, true);
}

static void on_tick(uv_timer_t *timer)
{
    struct cria_lane *lane = timer->data;
    struct cria_http_server *server = lane->server;
    uint64_t now = cria_now_ns();
    lane->now_ns = now;
    bool is_draining = atomic_load(&server->is_draining);
    accept_owed(lane);
    for (struct cria_conn *conn = lane->conns, *next; conn; conn = next) {
        next = conn->next;
        bool is_idle = conn->state == CRIA_CONN_HEAD && conn->head.len == 0;
        if (is_draining && (is_idle || now > server->drain_until_ns))
            cria_conn_close(conn);
        else
            cria_conn_tick(conn, now);
    }
}

static struct cria_lane *lane_of(struct cria_http_server *server, struct cria_loop *loop)
{
    for (size_t i = 0; i < server->lane_count; i++)
        if (server->lanes[i]->loop == loop) return server->lanes[i];
    const struct cria_http_options *options = &server->options;
    struct cria_lane *lane =
        server->lane_count < CRIA_COUNT(server->lanes) ? calloc(1, sizeof(*lane)) : NULL;
    if (!lane) return NULL;
    lane->read_buffer = malloc(CRIA_READ_BYTES);
    if (!lane->read_buffer) {
        free(lane);
        return NULL;
    }
    lane->server = server;
    lane->loop = loop;
    lane->uv = cria_loop_uv(loop);
    lane->now_ns = cria_now_ns();
    cria_buf_init(&lane->pull_buffer, PULL_LIMIT);
    /* Fine enough for the shortest of the time limits, so that tests need not wait. */
    uint64_t shortest = options->header_timeout_ms;
    if (options->idle_timeout_ms < shortest) shortest = options->idle_timeout_ms;
    if (options->keep_alive_ms < shortest) shortest = options->keep_alive_ms;
    if (options->write_stall_ms < shortest) shortest = options->write_stall_ms;
    uint64_t tick = shortest / 4 < MIN_TICK_MS ? MIN_TICK_MS
                    : shortest / 4 > TICK_MS   ? TICK_MS
                                               : shortest / 4;
    uv_timer_init(lane->uv, &lane->tick);
    lane->tick.data = lane;
    uv_timer_start(&lane->tick, on_tick, tick, tick);
    server->lanes[server->lane_count++] = lane;
    return lane;
}

/* Out of descriptors, and libuv has none in reserve either: it would call again and again without
 * letting the loop go on. The connection that has been idle longest makes room. */
static void make_room(struct cria_lane *lane)
{
    struct cria_conn *oldest = NULL;
    for (struct cria_conn *conn = lane->conns; conn; conn = conn->next)
        if (conn->state == CRIA_CONN_LINGER ||
            (conn->state == CRIA_CONN_HEAD && conn->head.len == 0))
            oldest = conn;
    if (oldest)
        cria_conn_close(oldest);
    else
        uv_sleep(MIN_TICK_MS); /* others of this process have them: better slow than busy */
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct cria_lane *lane = listener->data;
    if (status == UV_EMFILE || status == UV_ENFILE) make_room(lane);
    if (status == 0) cria_conn_accept(lane, listener, listener == (uv_stream_t *)lane->control);
}

static enum cria_status listen_control(struct cria_http_server *server, struct cria_call *call,
                                       struct cria_loop *loop, const char *path)
{
    struct cria_lane *lane = lane_of(server, loop);
    uv_pipe_t *pipe = lane && !lane->control ? calloc(1, sizeof(*pipe)) : NULL;
    if (!pipe ||
        !cria_str_copy_z(cria_str_from(path), server->control_path, sizeof(server->control_path)))
        return cria_fail_memory(call);
    uv_pipe_init(lane->uv, pipe, 0);
    pipe->data = lane;
    lane->control = pipe;
    unlink(path); /* the folder is locked: what is there is a dead server's */
    int code = uv_pipe_bind(pipe, path);
    if (code == 0 && chmod(path, 0600) != 0) code = UV_EIO;
    if (code == 0) code = uv_listen((uv_stream_t *)pipe, BACKLOG, on_connection);
    if (code == 0) return CRIA_OK;
    return cria_fail(call, CRIA_E_IO, "The control socket %s cannot be opened: %s", path,
                     uv_strerror(code));
}

static enum cria_status resolve(struct cria_call *call, const char *address,
                                struct sockaddr_storage *out)
{
    struct cria_str text = cria_str_from(address), host = text;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    while (host.len && host.ptr[host.len - 1] != ':') host.len--;
    const char *port = text.ptr + host.len;
    int64_t number;
    if (host.len) host.len--;
    if (!cria_str_to_int64(cria_str_from(port), &number) || number < 0 || number > 65535)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "'%s' is no address:port", address);
    if (host.len && host.ptr[0] == '[') {
        if (host.len < 3 || host.ptr[host.len - 1] != ']')
            return cria_fail(call, CRIA_E_BAD_REQUEST, "'%s' is no address:port", address);
        host = cria_str_sub(host, 1, host.len - 2);
    }
    char *name = cria_arena_z(call->arena, host);
    if (!name) return cria_fail_memory(call);
    if (getaddrinfo(host.len ? name : NULL, port, &hints, &found) != 0 || !found)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "'%s' is no address of this machine", address);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return CRIA_OK;
}

static int bound_port(uv_tcp_t *tcp)
{
    struct sockaddr_storage address;
    int size = sizeof(address);
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &size) != 0) return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int listen_lane(struct cria_lane *lane, const struct sockaddr_storage *address,
                       bool shares_port)
{
    int one = 1, fd;
    uv_tcp_t *tcp = calloc(1, sizeof(*tcp));
    if (!tcp) return UV_ENOMEM;
    uv_tcp_init_ex(lane->uv, tcp, address->ss_family);
    tcp->data = lane;
    lane->listener = tcp;
    if (uv_fileno((uv_handle_t *)tcp, &fd) == 0 && shares_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    int code = uv_tcp_bind(tcp, (const struct sockaddr *)address, 0);
    if (code == 0) code = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    lane->is_listening = code == 0;
    return code;
}

/* Another server may sit on the port with SO_REUSEPORT too; a socket without it tells. */
static int probe(const struct sockaddr_storage *address)
{
    int one = 1, fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), code = 0;
    socklen_t size =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (fd < 0) return 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)address, size) != 0) code = -errno;
    close(fd);
    return code;
}

enum cria_status cria_http_listen(struct cria_http_server *server, struct cria_call *call,
                                  struct cria_loop **loops, size_t loop_count, const char *address)
{
    struct sockaddr_storage to = {0};
    if (cria_str_starts(cria_str_from(address), "unix:"))
        return listen_control(server, call, loops[0], address + 5);
    enum cria_status st = resolve(call, address, &to);
    if (st != CRIA_OK) return st;
    int code = probe(&to);
    for (size_t i = 0; i < loop_count && code == 0; i++) {
        struct cria_lane *lane = lane_of(server, loops[i]);
        if (!lane) return cria_fail_memory(call);
        code = listen_lane(lane, &to, loop_count > 1);
        if (code != 0) break;
        server->port = bound_port(lane->listener);
        if (to.ss_family == AF_INET6)
            ((struct sockaddr_in6 *)&to)->sin6_port = htons((uint16_t)server->port);
        else
            ((struct sockaddr_in *)&to)->sin_port = htons((uint16_t)server->port);
    }
    if (code == 0) return CRIA_OK;
    if (code == UV_EADDRINUSE)
        return cria_fail(call, CRIA_E_CONFLICT, "The address %s is taken by another program",
                         address);
    return cria_fail(call, CRIA_E_IO, "The address %s cannot be listened on: %s", address,
                     uv_strerror(code));
}

int cria_http_port(const struct cria_http_server *server)
{
    return server->port;
}

/* ---- stopping
 * ------------------------------------------------------------------------------------------------
 */

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void stop_listening(struct cria_task *task)
{
    struct cria_lane *lane = CRIA_CONTAINER(task, struct cria_lane, stop_task);
    if (lane->listener) uv_close((uv_handle_t *)lane->listener, free_handle);
    lane->listener = NULL;
}

void cria_http_pause(struct cria_http_server *server)
{
    if (atomic_exchange(&server->is_paused, true)) return;
    for (size_t i = 0; i < server->lane_count; i++) {
        server->lanes[i]->stop_task.run = stop_listening;
        cria_loop_post(server->lanes[i]->loop, &server->lanes[i]->stop_task);
    }
}

static void on_drain_tick(uv_timer_t *timer)
{
    struct cria_lane *lane = timer->data;
    struct cria_http_server *server = lane->server;
    on_tick(timer);
    if (atomic_load(&server->connections) > 0 &&
        lane->now_ns < server->drain_until_ns + 1000000000u)
        return;
    void (*drained)(void *arg) = server->drained;
    server->drained = NULL;
    uv_timer_start(timer, on_tick, TICK_MS, TICK_MS);
    if (drained) drained(server->drained_arg);
}

static void watch_drain(struct cria_task *task)
{
    struct cria_http_server *server = CRIA_CONTAINER(task, struct cria_http_server, drain_task);
    uv_timer_start(&server->lanes[0]->tick, on_drain_tick, 1, MIN_TICK_MS);
}

static void hasten(struct cria_task *task)
{
    struct cria_lane *lane = CRIA_CONTAINER(task, struct cria_lane, drain_task);
    uv_timer_start(&lane->tick, on_tick, 1, MIN_TICK_MS);
}

void cria_http_drain(struct cria_http_server *server, uint32_t grace_ms, void (*done)(void *arg),
                     void *arg)
{
    cria_http_pause(server);
    server->drained = done;
    server->drained_arg = arg;
    server->drain_until_ns = cria_now_ns() + (uint64_t)grace_ms * 1000000;
    atomic_store(&server->is_draining, true);
    for (size_t i = 1; i < server->lane_count; i++) {
        server->lanes[i]->drain_task.run = hasten;
        cria_loop_post(server->lanes[i]->loop, &server->lanes[i]->drain_task);
    }
    server->drain_task.run = watch_drain;
    cria_loop_post(server->lanes[0]->loop, &server->drain_task);
}

/* The loops stand still: handles are closed by hand and the loops turned once more so that memory
 * goes. */
void cria_http_free(struct cria_http_server *server)
{
    if (!server) return;
    for (size_t i = 0; i < server->lane_count; i++) {
        struct cria_lane *lane = server->lanes[i];
        if (lane->listener) uv_close((uv_handle_t *)lane->listener, free_handle);
        if (lane->control) uv_close((uv_handle_t *)lane->control, free_handle);
        uv_close((uv_handle_t *)&lane->tick, NULL);
        for (struct cria_conn *conn = lane->conns, *next; conn; conn = next) {
            next = conn->next;
            cria_conn_close(conn);
        }
        while (uv_run(lane->uv, UV_RUN_NOWAIT) && lane->conns) {}
        uv_run(lane->uv, UV_RUN_NOWAIT);
        cria_buf_release(&lane->pull_buffer);
        free(lane->read_buffer);
        free(lane);
    }
    if (server->control_path[0]) unlink(server->control_path);
    free(server);
}

struct cria_http_figures cria_http_figures(const struct cria_http_server *server)
{
    return (struct cria_http_figures){.connections = atomic_load(&server->connections),
                                      .streams = atomic_load(&server->streams),
                                      .requests = atomic_load(&server->requests)};
}
