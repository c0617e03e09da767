#include "model/http_client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/fault.h"
#include "model/http_easy.h"

struct cria_http_client {
    struct cria_loop *loop;
    CURLM *multi;
    struct cria_timer *timer;
    struct cria_http_fetch *news; /* those to be told, in order */
    unsigned depth;               /* > 0 while libcurl is on the stack: no handle may go then */
};

struct cria_http_fetch {
    struct cria_http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct cria_timer *timer;
    struct cria_http_fetch_options options;
    struct cria_http_result result;
    struct cria_http_fetch *next_news;
    bool has_news, is_added;
};

/* ---- telling */

static void add_news(struct cria_http_fetch *fetch)
{
    struct cria_http_fetch **at = &fetch->client->news;
    if (fetch->has_news) return;
    fetch->has_news = true;
    fetch->next_news = NULL;
    while (*at) at = &(*at)->next_news;
    *at = fetch;
}

static void drop_news(struct cria_http_fetch *fetch)
{
    struct cria_http_fetch **at = &fetch->client->news;
    if (!fetch->has_news) return;
    while (*at != fetch) at = &(*at)->next_news;
    *at = fetch->next_news;
    fetch->has_news = false;
}

static void end_fetch(struct cria_http_fetch *fetch, const char *error)
{
    if (fetch->result.ended) return;
    fetch->result.ended = true;
    fetch->result.error = error;
    fetch->result.is_broken = error[0] != '\0';
    cria_timer_stop(fetch->timer);
    add_news(fetch);
}

static void collect_ended(struct cria_http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct cria_http_fetch *fetch = NULL;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
        CURLcode code = message->data.result;
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        fetch->result.status = (int)status;
        fetch->result.timed_out |= code == CURLE_OPERATION_TIMEDOUT;
        fetch->result.is_refused_url =
            code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
        end_fetch(fetch, code == CURLE_OK ? "" : curl_easy_strerror(code));
    }
}

static void tell(struct cria_http_client *client)
{
    collect_ended(client);
    while (client->news) {
        struct cria_http_fetch *fetch = client->news;
        drop_news(fetch);
        fetch->options.on_news(fetch->options.arg);
    }
}

/* ---- libcurl on the loop */

static void act(struct cria_http_client *client, curl_socket_t fd, int what)
{
    int running;
    client->depth++;
    curl_multi_socket_action(client->multi, fd, what, &running);
    client->depth--;
    tell(client);
}

struct watched {
    struct cria_http_client *client;
    struct cria_watch *watch;
    curl_socket_t fd;
};

static void on_socket(void *arg, int events)
{
    struct watched *watched = arg;
    int what = 0;
    if (events & CRIA_WATCH_READ) what |= CURL_CSELECT_IN;
    if (events & CRIA_WATCH_WRITE) what |= CURL_CSELECT_OUT;
    if (events & CRIA_WATCH_ERROR) what |= CURL_CSELECT_ERR;
    act(watched->client, watched->fd, what);
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct cria_http_client *client = arg;
    struct watched *watched = socket_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watched) cria_watch_free(watched->watch);
        free(watched);
        curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    if (!watched) {
        watched = calloc(1, sizeof(*watched));
        if (!watched) return -1;
        *watched = (struct watched){.client = client, .fd = fd};
        if (cria_watch_new(client->loop, (int)fd, on_socket, watched, &watched->watch) != CRIA_OK) {
            free(watched);
            return -1;
        }
        curl_multi_assign(client->multi, fd, watched);
    }
    cria_watch_set(watched->watch, (what & CURL_POLL_IN ? CRIA_WATCH_READ : 0) |
                                       (what & CURL_POLL_OUT ? CRIA_WATCH_WRITE : 0));
    return 0;
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
    struct cria_http_client *client = arg;
    (void)multi;
    if (timeout_ms < 0)
        cria_timer_stop(client->timer);
    else
        cria_timer_start(client->timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

enum cria_status cria_http_client_new(struct cria_loop *loop, struct cria_http_client **out)
{
    struct cria_http_client *client = calloc(1, sizeof(*client));
    if (!client) return CRIA_E_NO_MEMORY;
    cria_http_start();
    client->loop = loop;
    client->multi = curl_multi_init();
    if (!client->multi || cria_timer_new(loop, on_timer, client, &client->timer) != CRIA_OK) {
        cria_http_client_free(client);
        return CRIA_E_NO_MEMORY;
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 16L);
    *out = client;
    return CRIA_OK;
}

void cria_http_client_free(struct cria_http_client *client)
{
    if (!client) return;
    curl_multi_cleanup(client->multi); /* tells us to forget each kept socket */
    cria_timer_free(client->timer);
    free(client);
}

/* ---- one fetch */

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct cria_http_fetch *fetch = arg;
    size_t total = size * count;
    long status = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    fetch->result.status = (int)status;
    cria_timer_start(fetch->timer, fetch->options.idle_ms, 0);
    fetch->options.on_bytes(fetch->options.arg, cria_str_make(bytes, total));
    add_news(fetch);
    return total;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct cria_http_fetch *fetch = arg;
    cria_http_note_retry(cria_str_make(bytes, size * count), &fetch->result.retry_after_ms);
    return size * count;
}

static void on_silence(void *arg)
{
    struct cria_http_fetch *fetch = arg;
    struct cria_http_client *client = fetch->client;
    fetch->result.timed_out = true;
    end_fetch(fetch, fetch->result.status ? "the answer stalled" : "no answer in time");
    tell(client);
}

static bool set_up(struct cria_http_fetch *fetch)
{
    const struct cria_http_fetch_options *options = &fetch->options;
    CURL *easy = fetch->easy;
    bool good = true;
    for (size_t i = 0; i < options->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(fetch->headers, options->headers[i]);
        if (!longer) return false;
        fetch->headers = longer;
    }
    good = cria_http_prepare(easy, options->url, fetch->headers, options->connect_ms);
#define SET(option, value) good = good && curl_easy_setopt(easy, option, value) == CURLE_OK
    SET(CURLOPT_PRIVATE, (void *)fetch);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body.len);
    SET(CURLOPT_POSTFIELDS, options->body.ptr);
    SET(CURLOPT_WRITEFUNCTION, take_bytes);
    SET(CURLOPT_WRITEDATA, (void *)fetch);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, (void *)fetch);
#undef SET
    return good;
}

enum cria_status cria_http_fetch_new(struct cria_http_client *client,
                                     const struct cria_http_fetch_options *options,
                                     struct cria_http_fetch **out)
{
    if (cria_fault_fires(CRIA_FAULT_NET)) return CRIA_E_NO_MEMORY;
    struct cria_http_fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) return CRIA_E_NO_MEMORY;
    fetch->client = client;
    fetch->options = *options;
    fetch->result = (struct cria_http_result){.retry_after_ms = -1, .error = ""};
    fetch->easy = curl_easy_init();
    if (!fetch->easy || cria_timer_new(client->loop, on_silence, fetch, &fetch->timer) != CRIA_OK ||
        !set_up(fetch)) {
        cria_http_fetch_free(fetch);
        return CRIA_E_NO_MEMORY;
    }
    /* Adding only arms the client's timer: all else happens from the loop. */
    if (curl_multi_add_handle(client->multi, fetch->easy) != CURLM_OK) {
        cria_http_fetch_free(fetch);
        return CRIA_E_NO_MEMORY;
    }
    fetch->is_added = true;
    cria_timer_start(fetch->timer, options->first_byte_ms, 0);
    *out = fetch;
    return CRIA_OK;
}

void cria_http_fetch_free(struct cria_http_fetch *fetch)
{
    if (!fetch) return;
    assert(fetch->client->depth == 0);
    drop_news(fetch);
    if (fetch->is_added) {
        fetch->client->depth++;
        curl_multi_remove_handle(fetch->client->multi, fetch->easy);
        fetch->client->depth--;
    }
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    cria_timer_free(fetch->timer);
    free(fetch);
}

const struct cria_http_result *cria_http_fetch_result(const struct cria_http_fetch *fetch)
{
    return &fetch->result;
}
