/* api.h - the resources over HTTP: one file each reads, checks, calls one service, answers.
 * Room: api; may use http, account, chat, ingest, search, store/records.h, base. routes.c lists
 * every route. */
#ifndef CRIA_API_API_H
#define CRIA_API_API_H

#include "account/account.h"
#include "chat/chat.h"
#include "http/http.h"
#include "ingest/ingest.h"

/** What handlers reach through exchange->app. Made by server/app.c; const afterwards. */
struct cria_app {
    struct cria_store *store;
    struct cria_search *search;
    struct cria_ingest *ingest;
    struct cria_chat *chat;
    struct cria_account *account;
    struct cria_http_server *http; /* for figures; set after cria_http_new */
    struct cria_str
        public_url; /* "https://docs.example.org", null: scheme and Host of the request */
    struct cria_str cors_origins; /* as http's option: comma list of exact origins; null none */
    struct cria_str openapi;      /* the contract as text */
    const char *version;
    const atomic_bool *is_stopping;
    struct cria_metrics *metrics;                   /* api/metrics.h */
    unsigned char page_secret[32], blob_secret[32]; /* sign page tokens and download links */
};

extern const struct cria_route cria_routes[];
extern const size_t cria_route_count;
/** The hooks for http: keys and scope, error answers, log lines and metrics. */
struct cria_http_hooks cria_api_hooks(void);

struct cria_metrics;
CRIA_MUST_CHECK enum cria_status cria_metrics_new(struct cria_metrics **out);
void cria_metrics_free(struct cria_metrics *metrics);

#endif
