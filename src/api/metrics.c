#include "api/metrics.h"

#include <stdlib.h>

enum { KINDS = 5, BUCKETS = 11 };

static const char *const kinds[KINDS] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
/* Upper ends in milliseconds; above the last lies +Inf. */
static const unsigned ends_ms[BUCKETS] = {1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000, 30000};

struct counts {
    atomic_uint_fast64_t answers[KINDS];
    atomic_uint_fast64_t buckets[BUCKETS + 1]; /* each request in one of them */
    atomic_uint_fast64_t ns;
};

struct cria_metrics {
    atomic_uint_fast64_t received_bytes, sent_bytes;
    size_t route_count; /* the last of routes: none fits */
    struct counts routes[];
};

enum cria_status cria_metrics_new(struct cria_metrics **out)
{
    struct cria_metrics *metrics =
        calloc(1, sizeof(*metrics) + (cria_route_count + 1) * sizeof(struct counts));
    if (!metrics) return CRIA_E_NO_MEMORY;
    metrics->route_count = cria_route_count + 1;
    *out = metrics;
    return CRIA_OK;
}

void cria_metrics_free(struct cria_metrics *metrics)
{
    free(metrics);
}

static void add(atomic_uint_fast64_t *to, uint64_t n)
{
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

void cria_metrics_count(struct cria_metrics *metrics, const struct cria_exchange *ex, uint64_t ns,
                        uint64_t received_bytes)
{
    size_t n = ex->route ? (size_t)(ex->route - cria_routes) : cria_route_count, bucket = 0;
    int kind = ex->status / 100 - 1;
    if (n > cria_route_count) n = cria_route_count;
    struct counts *counts = &metrics->routes[n];
    while (bucket < BUCKETS && ns > (uint64_t)ends_ms[bucket] * 1000000) bucket++;
    add(&counts->answers[kind < 0 || kind >= KINDS ? KINDS - 1 : kind], 1);
    add(&counts->buckets[bucket], 1);
    add(&counts->ns, ns);
    add(&metrics->received_bytes, received_bytes);
    add(&metrics->sent_bytes, ex->sent_bytes);
}

/* ---- the page */

static void write_one(struct cria_buf *out, const char *name, const char *type, const char *help,
                      uint64_t value)
{
    cria_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                    (unsigned long long)value);
}

static const char *route_name(size_t n)
{
    return n < cria_route_count ? cria_routes[n].name : "none";
}

static uint64_t total_of(const struct counts *counts)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKETS; i++) total += get(&counts->buckets[i]);
    return total;
}

static void write_answers(const struct cria_metrics *metrics, struct cria_buf *out)
{
    cria_buf_add_z(out, "# HELP cria_http_requests_total Requests answered.\n"
                        "# TYPE cria_http_requests_total counter\n");
    for (size_t n = 0; n < metrics->route_count; n++)
        for (size_t k = 0; k < KINDS; k++) {
            uint64_t count = get(&metrics->routes[n].answers[k]);
            if (count)
                cria_buf_printf(out, "cria_http_requests_total{route=\"%s\",status=\"%s\"} %llu\n",
                                route_name(n), kinds[k], (unsigned long long)count);
        }
}

static void write_times(const struct cria_metrics *metrics, struct cria_buf *out)
{
    static const char name[] = "cria_http_request_seconds";
    cria_buf_printf(out, "# HELP %s From the first byte of a request to the last of its answer.\n",
                    name);
    cria_buf_printf(out, "# TYPE %s histogram\n", name);
    for (size_t n = 0; n < metrics->route_count; n++) {
        const struct counts *counts = &metrics->routes[n];
        uint64_t sum = 0, total = total_of(counts);
        const char *route = route_name(n);
        if (!total) continue; /* routes nobody asked for yet are left out */
        for (size_t i = 0; i < BUCKETS; i++) {
            sum += get(&counts->buckets[i]);
            cria_buf_printf(out, "%s_bucket{route=\"%s\",le=\"%g\"} %llu\n", name, route,
                            ends_ms[i] / 1000.0, (unsigned long long)sum);
        }
        cria_buf_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", name, route,
                        (unsigned long long)total);
        cria_buf_printf(out, "%s_sum{route=\"%s\"} %.6f\n", name, route,
                        (double)get(&counts->ns) / 1e9);
        cria_buf_printf(out, "%s_count{route=\"%s\"} %llu\n", name, route,
                        (unsigned long long)total);
    }
}

static void write_rooms(const struct cria_app *app, struct cria_buf *out)
{
    struct cria_http_figures http = cria_http_figures(app->http);
    struct cria_store_figures store = cria_store_figures(app->store);
    struct cria_search_figures search = cria_search_figures(app->search);
    struct cria_ingest_figures ingest = cria_ingest_figures(app->ingest);
    struct cria_chat_figures chat = cria_chat_figures(app->chat);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"cria_http_connections", "gauge", "Open connections.", http.connections},
        {"cria_http_streams", "gauge", "Open streams.", http.streams},
        {"cria_store_commits_total", "counter", "Commits.", store.commits},
        {"cria_store_writes_total", "counter", "Writes; several share a commit.", store.writes},
        {"cria_store_queued", "gauge", "Writes that wait.", store.queued},
        {"cria_store_wal_bytes", "gauge", "Bytes of the write-ahead log.", store.wal_bytes},
        {"cria_store_fsync_errors_total", "counter", "Failed syncs.", store.fsync_errors},
        {"cria_store_writable", "gauge", "1 while the store takes writes.", store.is_writable},
        {"cria_store_full", "gauge", "1 when the disk was full at the last write.", store.is_full},
        {"cria_search_indexes", "gauge", "Indexes loaded.", search.indexes},
        {"cria_search_segments", "gauge", "Segments of loaded indexes.", search.segments},
        {"cria_search_chunks", "gauge", "Chunks of loaded indexes.", search.chunks},
        {"cria_search_bytes", "gauge", "Memory of loaded indexes, bytes.", search.bytes},
        {"cria_search_mapped_bytes", "gauge", "Bytes of mapped search files.", search.mapped_bytes},
        {"cria_ingest_queued", "gauge", "Syncs that wait.", ingest.queued},
        {"cria_ingest_running", "gauge", "Syncs that run.", ingest.running},
        {"cria_ingest_files_total", "counter", "Files parsed.", ingest.files_done},
        {"cria_ingest_failed_files_total", "counter", "Files that failed.", ingest.files_failed},
        {"cria_chat_running", "gauge", "Turns that run.", chat.running},
        {"cria_chat_finished_total", "counter", "Turns that ended well.", chat.finished},
        {"cria_chat_failed_total", "counter", "Turns that failed.", chat.failed},
    };
    for (size_t i = 0; i < CRIA_COUNT(rows); i++)
        write_one(out, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
}

void cria_metrics_write(const struct cria_app *app, struct cria_buf *out)
{
    const struct cria_metrics *metrics = app->metrics;
    write_answers(metrics, out);
    write_times(metrics, out);
    write_one(out, "cria_http_received_bytes_total", "counter", "Bytes of request bodies.",
              get(&metrics->received_bytes));
    write_one(out, "cria_http_sent_bytes_total", "counter", "Bytes of answers.",
              get(&metrics->sent_bytes));
    write_rooms(app, out);
}
