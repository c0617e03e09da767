#include "server/app.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "model/embedder.h"
#include "model/reranker.h"
#include "platform/clock.h"
#include "store/blobs.h"

enum { MAX_LOOPS = 64, JOB_ARENA_BYTES = 64 << 20, SWEEP_EVERY_MS = 3600000 };

extern const char cria_openapi_yaml[];
extern const size_t cria_openapi_yaml_len;

struct server {
    const struct cria_config *config;
    struct cria_app app;
    struct cria_pool *requests, *ingesting;
    struct cria_embedder *embedder;
    struct cria_reranker *reranker;
    struct cria_loop *loops[MAX_LOOPS];
    pthread_t threads[MAX_LOOPS];
    size_t loop_count, thread_count;
    struct cria_watch *signals;
    struct cria_job wind_down, sweep;
    struct cria_timer *sweeping;
    atomic_bool is_sweeping;
};

/* Signals reach the first loop through a pipe: all that a handler may do is write. */
static int signal_pipe[2] = {-1, -1};
static atomic_bool is_stopping;

static void on_signal(int number)
{
    char byte = (char)number;
    ssize_t ignored = write(signal_pipe[1], &byte, 1);
    (void)ignored;
}

static void stop_loops(void *arg)
{
    struct server *server = arg;
    for (size_t i = 0; i < server->loop_count; i++) cria_loop_stop(server->loops[i]);
}

/* On a worker: running turns get their grace, then are closed with an error `stop`; syncs stop
 * where they are. */
static void wind_down(struct cria_job *job)
{
    struct server *server = CRIA_CONTAINER(job, struct server, wind_down);
    uint64_t until = cria_now_ns() + (uint64_t)server->config->shutdown_grace_ms * 1000000;
    cria_ingest_halt(server->app.ingest);
    while (cria_chat_figures(server->app.chat).running && cria_now_ns() < until) usleep(20000);
    cria_chat_stop(server->app.chat, 5000);
    cria_http_drain(server->app.http, 2000, stop_loops, server);
}

static void on_signal_read(void *arg, int events)
{
    struct server *server = arg;
    char byte;
    (void)events;
    if (read(signal_pipe[0], &byte, 1) != 1) return;
    if (atomic_exchange(&is_stopping, true)) {
        stop_loops(server); /* asked twice: at once */
        return;
    }
    cria_log(CRIA_LOG_INFO, "server.stopping", "signal=%d", byte);
    server->wind_down.run = wind_down;
    cria_http_pause(server->app.http);
    cria_pool_submit(server->requests, &server->wind_down);
}

static enum cria_status watch_signals(struct server *server, struct cria_call *call)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return cria_fail(call, CRIA_E_IO, "No pipe could be made for signals");
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    enum cria_status st =
        cria_watch_new(server->loops[0], signal_pipe[0], on_signal_read, server, &server->signals);
    if (st == CRIA_OK) cria_watch_set(server->signals, CRIA_WATCH_READ);
    return st;
}

static bool is_loopback(const char *address)
{
    struct cria_str s = cria_str_from(address);
    return cria_str_starts(s, "127.") || cria_str_starts(s, "[::1]:") ||
           cria_str_starts(s, "localhost:") || cria_str_starts(s, "unix:");
}

/* Where cria-parse and cria-pdf lie: beside this program, unless the configuration says otherwise.
 */
static struct cria_str parser_folder(struct cria_call *call, const struct cria_config *config)
{
    char path[4096];
    if (config->parser_folder[0]) return cria_str_from(config->parser_folder);
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    struct cria_str self = cria_str_make(path, n > 0 ? (size_t)n : 0);
    while (self.len && self.ptr[self.len - 1] != '/') self.len--;
    return self.len ? cria_arena_copy(call->arena, self) : CRIA_STR(".");
}

/* Models want a blank behind their prefix, and a configuration file takes it away. */
static const char *prefix(const char *option, char out[CRIA_EMBEDDER_PREFIX_MAX + 1])
{
    struct cria_str text = cria_str_from(option);
    bool is_ended = !text.len || cria_str_ends(text, " ") || cria_str_ends(text, "\n");
    snprintf(out, CRIA_EMBEDDER_PREFIX_MAX + 1, "%s%s", option, is_ended ? "" : " ");
    return out;
}

/* The endpoints of vectors and of re-ranking, where they are set. */
static enum cria_status make_models(struct server *server, struct cria_call *call)
{
    const struct cria_config *config = server->config;
    char query[CRIA_EMBEDDER_PREFIX_MAX + 1], document[CRIA_EMBEDDER_PREFIX_MAX + 1];
    enum cria_status st = CRIA_OK;
    if (config->embed_url[0])
        st = cria_embedder_new(
            &(struct cria_embedder_options){
                .url = config->embed_url,
                .model = config->embed_model,
                .key = config->embed_key,
                .query_prefix = prefix(config->embed_query_prefix, query),
                .document_prefix = prefix(config->embed_document_prefix, document),
                .batch = (unsigned)config->embed_batch},
            &server->embedder);
    if (st == CRIA_OK && config->rerank_url[0])
        st = cria_reranker_new(&(struct cria_reranker_options){.url = config->rerank_url,
                                                               .model = config->rerank_model,
                                                               .key = config->rerank_key},
                               &server->reranker);
    return st == CRIA_OK ? st : cria_fail(call, st, "The model endpoints could not be set up");
}

static enum cria_status make_services(struct server *server, struct cria_call *call)
{
    const struct cria_config *config = server->config;
    struct cria_app *app = &server->app;
    enum cria_status st =
        cria_store_open(&(struct cria_store_options){.folder = config->data}, call, &app->store);
    if (st != CRIA_OK) return st;
    /* Made at the first start, so that a full disk later stops no download. */
    st = cria_store_secret(app->store, call, "page", app->page_secret);
    if (st == CRIA_OK) st = cria_store_secret(app->store, call, "blob", app->blob_secret);
    if (st != CRIA_OK) return st;
    st = cria_account_new(
        &(struct cria_account_options){.store = app->store,
                                       .rate_per_minute = (uint32_t)config->rate_per_minute},
        call, &app->account);
    if (st != CRIA_OK) return st;
    if (!is_loopback(config->listen) && !cria_account_has_keys(app->account))
        return cria_fail(
            call, CRIA_E_FORBIDDEN,
            "%s can be reached from other machines and no key exists: make one first with "
            "`cria keys create --data %s --name NAME`, or listen on 127.0.0.1",
            config->listen, config->data);
    st = make_models(server, call);
    if (st != CRIA_OK) return st;
    st = cria_pool_new("request", (unsigned)config->workers, &server->requests);
    if (st == CRIA_OK)
        st = cria_pool_new("ingest", (unsigned)config->ingest_workers, &server->ingesting);
    if (st != CRIA_OK) return cria_fail(call, st, "The worker threads could not be started");
    st = cria_search_new(
        &(struct cria_search_options){.store = app->store,
                                      .embedder = server->embedder,
                                      .reranker = server->reranker,
                                      .pool = server->ingesting,
                                      .memory_bytes = (size_t)config->search_memory_bytes},
        call, &app->search);
    if (st != CRIA_OK) return st;
    st = cria_ingest_new(
        &(struct cria_ingest_options){.store = app->store,
                                      .search = app->search,
                                      .embedder = server->embedder,
                                      .pool = server->ingesting,
                                      .parse_helpers = (unsigned)config->ingest_workers - 1,
                                      .loop = server->loops[0],
                                      .parser_folder = parser_folder(call, config).ptr,
                                      .parse_timeout_ms = (uint32_t)config->parse_timeout_ms,
                                      .parse_memory_bytes = (uint64_t)config->parse_memory_bytes,
                                      .parse_output_bytes = (uint64_t)config->parse_output_bytes},
        call, &app->ingest);
    if (st != CRIA_OK) return st;
    st = cria_chat_new(
        &(struct cria_chat_options){.store = app->store,
                                    .search = app->search,
                                    .pool = server->requests,
                                    .llm_url = config->llm_url,
                                    .llm_model = config->llm_model,
                                    .llm_key = config->llm_key,
                                    .max_turns = (unsigned)config->max_turns,
                                    .turn_deadline_ms = (uint32_t)config->turn_deadline_ms,
                                    .cancel_on_disconnect = config->cancel_on_disconnect != 0},
        call, &app->chat);
    if (st == CRIA_OK) st = cria_chat_recover(app->chat, call);
    if (st == CRIA_OK) st = cria_metrics_new(&app->metrics);
    return st;
}

static enum cria_status listen_on(struct server *server, struct cria_call *call)
{
    const struct cria_config *config = server->config;
    struct cria_app *app = &server->app;
    struct cria_http_options options = {.routes = cria_routes,
                                        .route_count = cria_route_count,
                                        .hooks = cria_api_hooks(),
                                        .app = app,
                                        .pool = server->requests,
                                        .spool_dir = cria_blobs_spool_dir(app->store),
                                        .max_header_bytes = (size_t)config->max_header_bytes,
                                        .max_json_bytes = (size_t)config->max_json_bytes,
                                        .max_upload_bytes = (uint64_t)config->max_upload_bytes,
                                        .arena_bytes = (size_t)config->max_request_memory_bytes,
                                        .header_timeout_ms = (uint32_t)config->header_timeout_ms,
                                        .body_min_bytes_per_s =
                                            (uint32_t)config->body_min_bytes_per_s,
                                        .idle_timeout_ms = (uint32_t)config->idle_timeout_ms,
                                        .write_stall_ms = (uint32_t)config->write_stall_ms,
                                        .keep_alive_ms = (uint32_t)config->keep_alive_ms,
                                        .max_connections = (unsigned)config->max_connections,
                                        .cors_origins = config->cors_origins};
    enum cria_status st = cria_http_new(&options, call, &app->http);
    if (st != CRIA_OK) return st;
    st = cria_http_listen(app->http, call, server->loops, server->loop_count, config->listen);
    if (st != CRIA_OK) return st;
    struct cria_str control =
        cria_arena_printf(call->arena, "unix:%s/control.sock", cria_store_folder(app->store));
    if (!control.ptr) return cria_fail_memory(call);
    return cria_http_listen(app->http, call, server->loops, server->loop_count, control.ptr);
}

static void *loop_thread(void *arg)
{
    cria_loop_run(arg);
    return NULL;
}

static void sweep(struct cria_job *job)
{
    struct server *server = CRIA_CONTAINER(job, struct server, sweep);
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, JOB_ARENA_BYTES);
    cria_call_init(&call, &arena);
    cria_blobs_sweep(server->app.store, &call);
    cria_search_sweep(server->app.search, &call);
    cria_arena_release(&arena);
    atomic_store(&server->is_sweeping, false);
}

static void start_sweep(void *arg)
{
    struct server *server = arg;
    if (atomic_load(&is_stopping) || atomic_exchange(&server->is_sweeping, true)) return;
    server->sweep.run = sweep;
    cria_pool_submit(server->ingesting, &server->sweep);
}

/* "http://127.0.0.1:8484" with the port that was really bound. */
static void say_ready(struct server *server)
{
    struct cria_str host = cria_str_from(server->config->listen);
    while (host.len && host.ptr[host.len - 1] != ':') host.len--;
    printf("cria: listening on http://%.*s%d\n", CRIA_STR_ARG(host),
           cria_http_port(server->app.http));
    fflush(stdout);
    cria_log(CRIA_LOG_INFO, "server.ready", "version=%s port=%d loops=%zu", CRIA_VERSION,
             cria_http_port(server->app.http), server->loop_count);
}

static enum cria_status run(struct server *server, struct cria_call *call)
{
    enum cria_status st = make_services(server, call);
    if (st == CRIA_OK) st = listen_on(server, call);
    if (st == CRIA_OK) st = watch_signals(server, call);
    if (st == CRIA_OK) st = cria_ingest_start(server->app.ingest, call);
    if (st != CRIA_OK) return st;
    st = cria_timer_new(server->loops[0], start_sweep, server, &server->sweeping);
    if (st != CRIA_OK) return cria_fail_memory(call);
    cria_timer_start(server->sweeping, SWEEP_EVERY_MS, SWEEP_EVERY_MS);
    start_sweep(server);
    for (size_t i = 1; i < server->loop_count; i++) {
        if (pthread_create(&server->threads[i], NULL, loop_thread, server->loops[i]) != 0)
            return cria_fail(call, CRIA_E_INTERNAL, "The loop threads could not be started");
        server->thread_count++;
    }
    say_ready(server);
    cria_loop_run(server->loops[0]);
    return CRIA_OK;
}

static void take_down(struct server *server)
{
    struct cria_app *app = &server->app;
    stop_loops(server);
    for (size_t i = 1; i <= server->thread_count; i++) pthread_join(server->threads[i], NULL);
    if (app->ingest) cria_ingest_halt(app->ingest);
    cria_search_stop(app->search);
    cria_pool_free(server->ingesting);
    if (app->chat) cria_chat_stop(app->chat, 0);
    cria_pool_free(server->requests);
    cria_store_stop_copying(app->store); /* wakes connections */
    cria_http_free(app->http);
    cria_chat_free(app->chat);
    cria_ingest_free(app->ingest);
    cria_search_free(app->search);
    cria_embedder_free(server->embedder);
    cria_reranker_free(server->reranker);
    cria_account_free(app->account);
    cria_watch_free(server->signals);
    cria_timer_free(server->sweeping);
    for (size_t i = 0; i < server->loop_count; i++) cria_loop_free(server->loops[i]);
    cria_metrics_free(app->metrics);
    cria_store_close(app->store);
    for (int i = 0; i < 2; i++)
        if (signal_pipe[i] >= 0) close(signal_pipe[i]);
}

enum cria_status cria_app_serve(const struct cria_config *config, struct cria_call *call)
{
    struct server server = {.config = config};
    enum cria_status st = CRIA_OK;
    server.app =
        (struct cria_app){.public_url = config->public_url[0] ? cria_str_from(config->public_url)
                                                              : (struct cria_str){0},
                          .openapi = cria_str_make(cria_openapi_yaml, cria_openapi_yaml_len),
                          .version = CRIA_VERSION,
                          .is_stopping = &is_stopping};
    for (int64_t i = 0; i < config->loops && st == CRIA_OK; i++) {
        st = cria_loop_new(&server.loops[i]);
        if (st == CRIA_OK) server.loop_count++;
    }
    if (st == CRIA_OK)
        st = run(&server, call);
    else
        cria_fail(call, st, "The event loops could not be made");
    take_down(&server);
    return st;
}
