/* http_post.c - a small pool of libcurl handles. Each has a multi handle of its own, which keeps
 * its connection and can be waited on in short steps, so that a cancelled call ends soon. */
#include "model/http_post.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fault.h"
#include "model/http_easy.h"
#include "platform/clock.h"

enum { KEPT_HANDLES = 16, LOOK_EVERY_MS = 50, CONNECT_MS = 10000 };

struct handle {
    struct handle *next;
    CURLM *multi;
    CURL *easy;
    struct cria_buf *answer; /* of the request that runs */
    struct cria_http_posted posted;
};

struct cria_http_poster {
    char *url;
    struct curl_slist *headers;
    uint32_t connect_ms;
    pthread_mutex_t lock;
    struct handle *idle; /* under the lock, like the count */
    size_t idle_count;
};

static void handle_free(struct handle *handle)
{
    if (!handle) return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    free(handle);
}

static bool add_header(struct cria_http_poster *poster, const char *line)
{
    struct curl_slist *longer = curl_slist_append(poster->headers, line);
    if (!longer) return false;
    poster->headers = longer;
    return true;
}

static bool add_key(struct cria_http_poster *poster, const char *key)
{
    struct cria_buf line;
    cria_buf_init(&line, 65536);
    cria_buf_printf(&line, "Authorization: Bearer %s", key);
    cria_buf_add_char(&line, '\0');
    bool good = !line.failed && add_header(poster, line.ptr);
    cria_buf_release(&line);
    return good;
}

enum cria_status cria_http_poster_new(const char *url, const char *key, uint32_t connect_ms,
                                      struct cria_http_poster **out)
{
    struct cria_http_poster *poster = calloc(1, sizeof(*poster));
    size_t size = strlen(url) + 1;
    if (!poster) return CRIA_E_NO_MEMORY;
    cria_http_start();
    pthread_mutex_init(&poster->lock, NULL);
    poster->connect_ms = connect_ms ? connect_ms : CONNECT_MS;
    poster->url = malloc(size);
    if (!poster->url || !add_header(poster, "Content-Type: application/json") ||
        !add_header(poster, "Accept: application/json") ||
        !add_header(poster, "Accept-Encoding: identity") || !add_header(poster, "Expect:") ||
        (key && key[0] && !add_key(poster, key))) {
        cria_http_poster_free(poster);
        return CRIA_E_NO_MEMORY;
    }
    memcpy(poster->url, url, size);
    *out = poster;
    return CRIA_OK;
}

void cria_http_poster_free(struct cria_http_poster *poster)
{
    if (!poster) return;
    while (poster->idle) {
        struct handle *next = poster->idle->next;
        handle_free(poster->idle);
        poster->idle = next;
    }
    curl_slist_free_all(poster->headers);
    free(poster->url);
    pthread_mutex_destroy(&poster->lock);
    free(poster);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct handle *handle = arg;
    struct cria_buf *answer = handle->answer;
    size_t total = size * count;
    if (total > answer->limit - answer->len) {
        handle->posted.is_too_large = true;
        return 0; /* ends the exchange */
    }
    cria_buf_add(answer, cria_str_make(bytes, total));
    return answer->failed ? 0 : total;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct handle *handle = arg;
    cria_http_note_retry(cria_str_make(bytes, size * count), &handle->posted.retry_after_ms);
    return size * count;
}

static struct handle *handle_new(struct cria_http_poster *poster)
{
    if (cria_fault_fires(CRIA_FAULT_NET)) return NULL;
    struct handle *handle = calloc(1, sizeof(*handle));
    if (!handle) return NULL;
    handle->multi = curl_multi_init();
    handle->easy = curl_easy_init();
    bool good = handle->multi && handle->easy &&
                cria_http_prepare(handle->easy, poster->url, poster->headers, poster->connect_ms);
#define SET(option, value) good = good && curl_easy_setopt(handle->easy, option, value) == CURLE_OK
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_WRITEFUNCTION, take_bytes);
    SET(CURLOPT_WRITEDATA, (void *)handle);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, (void *)handle);
#undef SET
    if (good) return handle;
    handle_free(handle);
    return NULL;
}

static struct handle *take(struct cria_http_poster *poster)
{
    pthread_mutex_lock(&poster->lock);
    struct handle *handle = poster->idle;
    if (handle) {
        poster->idle = handle->next;
        poster->idle_count--;
    }
    pthread_mutex_unlock(&poster->lock);
    return handle ? handle : handle_new(poster);
}

static void give_back(struct cria_http_poster *poster, struct handle *handle)
{
    pthread_mutex_lock(&poster->lock);
    bool is_kept = poster->idle_count < KEPT_HANDLES;
    if (is_kept) {
        handle->next = poster->idle;
        poster->idle = handle;
        poster->idle_count++;
    }
    pthread_mutex_unlock(&poster->lock);
    if (!is_kept) handle_free(handle);
}

enum cria_status cria_http_stop_status(const struct cria_call *call)
{
    bool is_cancelled =
        call->cancelled && atomic_load_explicit(call->cancelled, memory_order_relaxed);
    return is_cancelled ? CRIA_E_CANCELLED : CRIA_E_TIMEOUT;
}

/* Drives the exchange to its end; false when the call was stopped before. */
static bool drive(struct handle *handle, const struct cria_call *call, CURLcode *code)
{
    int running = 1, left;
    CURLMsg *message;
    *code = CURLE_OUT_OF_MEMORY;
    for (;;) {
        if (curl_multi_perform(handle->multi, &running) != CURLM_OK) return true;
        if (!running) break;
        if (cria_call_stopped(call, cria_now_ns())) return false;
        if (curl_multi_poll(handle->multi, NULL, 0, LOOK_EVERY_MS, NULL) != CURLM_OK) return true;
    }
    while ((message = curl_multi_info_read(handle->multi, &left)))
        if (message->msg == CURLMSG_DONE) *code = message->data.result;
    return true;
}

static void tell(struct handle *handle, CURLcode code)
{
    struct cria_http_posted *posted = &handle->posted;
    long status = 0;
    curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    posted->status = (int)status;
    posted->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    posted->is_broken = code != CURLE_OK && !posted->is_too_large;
    posted->is_refused_url = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    posted->error = code == CURLE_OK ? "" : curl_easy_strerror(code);
}

enum cria_status cria_http_post(struct cria_http_poster *poster, const struct cria_call *call,
                                struct cria_str body, uint32_t timeout_ms, struct cria_buf *answer,
                                struct cria_http_posted *out)
{
    CURLcode code = CURLE_OK;
    bool good = true, is_whole = false;
    if (cria_call_stopped(call, cria_now_ns())) return cria_http_stop_status(call);
    struct handle *handle = take(poster);
    if (!handle) return CRIA_E_NO_MEMORY;
    cria_buf_clear(answer);
    handle->answer = answer;
    handle->posted = (struct cria_http_posted){.retry_after_ms = -1, .error = ""};
#define SET(option, value) good = good && curl_easy_setopt(handle->easy, option, value) == CURLE_OK
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    SET(CURLOPT_POSTFIELDS, body.ptr);
#undef SET
    good = good && curl_multi_add_handle(handle->multi, handle->easy) == CURLM_OK;
    if (good) {
        is_whole = drive(handle, call, &code);
        if (is_whole) tell(handle, code);
        curl_multi_remove_handle(handle->multi, handle->easy);
    }
    *out = handle->posted;
    bool lacks_memory = !good || (is_whole && code == CURLE_OUT_OF_MEMORY) || answer->failed;
    if (is_whole && !lacks_memory)
        give_back(poster, handle);
    else
        handle_free(handle);
    if (lacks_memory) return CRIA_E_NO_MEMORY;
    return is_whole ? CRIA_OK : cria_http_stop_status(call);
}
