/* client.c - the client, one HTTP exchange with its retries, results, iterators, downloads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime.h"

static const double default_timeout_s = 60;
enum { DEFAULT_RETRIES = 2, RETRY_AFTER_MOST_MS = 60000, ANSWER_MAX = 1 << 30 };

/* ---- the client */

static bool keep(char **out, const char *option, const char *variable, const char *other)
{
    const char *value = option;
    if (!value && variable) value = getenv(variable);
    if ((!value || !value[0]) && other) value = getenv(other);
    if (!value || !value[0]) return true;
    *out = strdup(value);
    return *out != NULL;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct sdk_text line = {0};
    sdk_text_add_z(&line, name);
    sdk_text_add_z(&line, ": ");
    sdk_text_add_z(&line, value);
    struct curl_slist *grown = line.failed ? NULL : curl_slist_append(*list, line.ptr);
    sdk_text_release(&line);
    if (grown) *list = grown;
    return grown != NULL;
}

/* Lines of "Name: value". */
static bool add_custom_headers(struct curl_slist **list)
{
    const char *lines = getenv("LLAMA_CLOUD_CUSTOM_HEADERS");
    bool good = true;
    while (lines && *lines && good) {
        size_t len = strcspn(lines, "\r\n");
        struct sdk_text line = {0};
        sdk_text_add(&line, lines, len);
        if (line.failed || (len && memchr(lines, ':', len))) {
            struct curl_slist *grown = line.failed ? NULL : curl_slist_append(*list, line.ptr);
            good = grown != NULL;
            if (grown) *list = grown;
        }
        sdk_text_release(&line);
        lines += len + strspn(lines + len, "\r\n");
    }
    return good;
}

enum cria_code cria_client_new(const struct cria_client_options *options, struct cria_client **out)
{
    static const struct cria_client_options none = {0};
    if (!options) options = &none;
    pthread_once(&curl_once, start_curl);
    struct cria_client *client = calloc(1, sizeof(*client));
    if (!client) return sdk_fail_memory();
    pthread_mutex_init(&client->lock, NULL);
    bool good =
        keep(&client->api_key, options->api_key, "LLAMA_CLOUD_API_KEY", "LLAMA_PARSE_API_KEY") &&
        keep(&client->base_url, options->base_url, "LLAMA_CLOUD_BASE_URL", NULL) &&
        keep(&client->project_id, options->project_id, NULL, NULL) &&
        keep(&client->organization_id, options->organization_id, NULL, NULL) &&
        keep(&client->proxy, options->proxy, NULL, NULL) &&
        keep(&client->ca_file, options->ca_file, NULL, NULL);
    if (good && !client->base_url)
        good = (client->base_url = strdup("http://127.0.0.1:8484")) != NULL;
    for (size_t i = 0; good && i < options->header_count; i++)
        good = add_header(&client->headers, options->headers[i].name, options->headers[i].value);
    good = good && add_custom_headers(&client->headers); /* behind: the option counts */
    client->timeout_s = options->timeout_s;
    client->max_retries = options->max_retries;
    client->log = options->log;
    client->log_arg = options->log_arg;
    if (!good) {
        cria_client_free(client);
        return sdk_fail_memory();
    }
    size_t n = strlen(client->base_url);
    while (n && client->base_url[n - 1] == '/') client->base_url[--n] = '\0';
    if (strncmp(client->base_url, "http://", 7) != 0 &&
        strncmp(client->base_url, "https://", 8) != 0) {
        enum cria_code code =
            sdk_fail(CRIA_USAGE, "the base URL '%.200s' does not begin with http:// or https://",
                     client->base_url);
        cria_client_free(client);
        return code;
    }
    *out = client;
    return CRIA_OK;
}

void cria_client_free(struct cria_client *client)
{
    if (!client) return;
    for (size_t i = 0; i < client->idle_count; i++) curl_easy_cleanup(client->idle[i]);
    curl_slist_free_all(client->headers);
    free(client->api_key);
    free(client->base_url);
    free(client->project_id);
    free(client->organization_id);
    free(client->proxy);
    free(client->ca_file);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

CURL *sdk_take_handle(struct cria_client *client)
{
    CURL *curl = NULL;
    pthread_mutex_lock(&client->lock);
    if (client->idle_count) curl = client->idle[--client->idle_count];
    pthread_mutex_unlock(&client->lock);
    return curl ? curl : curl_easy_init();
}

void sdk_give_handle(struct cria_client *client, CURL *curl)
{
    bool kept = false;
    if (!curl) return;
    curl_easy_reset(curl); /* the connection stays */
    pthread_mutex_lock(&client->lock);
    if (client->idle_count < SDK_COUNT(client->idle)) {
        client->idle[client->idle_count++] = curl;
        kept = true;
    }
    pthread_mutex_unlock(&client->lock);
    if (!kept) curl_easy_cleanup(curl);
}

/* ---- one attempt */

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct sdk_reply *reply = arg;
    if (reply->body.len + size * count > ANSWER_MAX) return 0;
    sdk_text_add(&reply->body, bytes, size * count);
    return reply->body.failed ? 0 : size * count;
}

/* "Name: value" into out when the name fits. */
static void take_value(const char *line, size_t len, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    if (len <= n || curl_strnequal(line, name, n) == 0 || line[n] != ':') return;
    const char *value = line + n + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) end--;
    snprintf(out, size, "%.*s", (int)(end - value), value);
}

static size_t take_header(char *line, size_t size, size_t count, void *arg)
{
    struct sdk_reply *reply = arg;
    size_t len = size * count;
    char seconds[40] = "", ms[40] = "";
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) { /* a new answer: what came before was not it */
        reply->request_id[0] = reply->should_retry[0] = '\0';
        reply->retry_after_ms = -1;
    }
    take_value(line, len, "x-request-id", reply->request_id, sizeof(reply->request_id));
    take_value(line, len, "x-should-retry", reply->should_retry, sizeof(reply->should_retry));
    take_value(line, len, "retry-after-ms", ms, sizeof(ms));
    take_value(line, len, "retry-after", seconds, sizeof(seconds));
    char *end;
    double value = strtod(ms[0] ? ms : seconds, &end);
    if (end != ms && end != seconds && value >= 0) {
        long told = (long)(ms[0] ? value : value * 1000);
        if (ms[0] || reply->retry_after_ms < 0) reply->retry_after_ms = told;
    } else if (seconds[0]) {
        time_t when = curl_getdate(seconds, NULL), now = time(NULL);
        if (when > now) reply->retry_after_ms = (long)(when - now) * 1000;
    }
    return len;
}

/* Adds a header unless one of its name is there: what the caller says comes first and counts. */
static bool add_missing(struct curl_slist **list, const char *name, const char *value)
{
    size_t len = strlen(name);
    for (const struct curl_slist *h = *list; h; h = h->next)
        if (curl_strnequal(h->data, name, len) && h->data[len] == ':') return true;
    return add_header(list, name, value);
}

/* The same for a whole line. */
static bool add_missing_line(struct curl_slist **list, const char *line)
{
    char name[128];
    size_t len = strcspn(line, ":");
    snprintf(name, sizeof(name), "%.*s", (int)(len < 127 ? len : 127), line);
    const char *value = line[len] ? line + len + 1 : "";
    while (*value == ' ') value++;
    return add_missing(list, name, value);
}

struct curl_slist *sdk_headers(struct cria_client *client, const struct sdk_request *request,
                               int attempt, const char *extra)
{
    struct curl_slist *list = NULL;
    struct sdk_text line = {0};
    char count[16];
    bool good = true;
    if (request && request->options)
        for (size_t i = 0; good && i < request->options->header_count; i++)
            good = add_missing(&list, request->options->headers[i].name,
                               request->options->headers[i].value);
    for (const struct curl_slist *h = client->headers; h && good; h = h->next)
        good = add_missing_line(&list, h->data);
    snprintf(count, sizeof(count), "%d", attempt);
    good = good && add_missing(&list, "User-Agent", "libcria/" CRIA_SDK_VERSION) &&
           add_missing(&list, "X-Stainless-Retry-Count", count) && add_missing(&list, "Expect", "");
    if (good && client->api_key) {
        sdk_text_add_z(&line, "Bearer ");
        sdk_text_add_z(&line, client->api_key);
        good = !line.failed && add_missing(&list, "Authorization", line.ptr);
    }
    if (good && request && request->has_body)
        good = add_missing(&list, "Content-Type", "application/json");
    if (good && request && request->idempotency_key[0])
        good = add_missing(&list, "Idempotency-Key", request->idempotency_key);
    if (good && extra) good = add_missing_line(&list, extra);
    sdk_text_release(&line);
    if (good) return list;
    curl_slist_free_all(list);
    return NULL;
}

void sdk_set_common(struct cria_client *client, CURL *curl, const struct sdk_request *request,
                    struct sdk_reply *reply, struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url.ptr);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
    if (client->proxy) curl_easy_setopt(curl, CURLOPT_PROXY, client->proxy);
    if (client->ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
    if (request->has_body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
    }
}

static size_t read_upload(char *buffer, size_t size, size_t count, void *arg)
{
    const struct cria_upload *upload = arg;
    long got = upload->read(upload->arg, buffer, size * count);
    return got < 0 || (size_t)got > size * count ? CURL_READFUNC_ABORT : (size_t)got;
}

static int tell_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t total,
                         curl_off_t sent)
{
    const struct cria_upload *upload = arg;
    (void)down_total, (void)down;
    return upload->progress(upload->progress_arg, (uint64_t)sent, total > 0 ? (uint64_t)total : 0)
               ? 0
               : 1;
}

/* The text fields first, then the file. */
static curl_mime *make_form(CURL *curl, const struct sdk_request *request)
{
    const struct cria_upload *upload = request->upload;
    curl_mime *form = curl_mime_init(curl);
    const char *name;
    json_t *value;
    bool good = form != NULL;
    json_object_foreach (request->form, name, value) {
        curl_mimepart *part = good ? curl_mime_addpart(form) : NULL;
        char *text = json_is_string(value) ? strdup(json_string_value(value))
                                           : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        good = part && text && curl_mime_name(part, name) == CURLE_OK &&
               curl_mime_data(part, text, CURL_ZERO_TERMINATED) == CURLE_OK;
        free(text);
    }
    curl_mimepart *part = good && upload ? curl_mime_addpart(form) : NULL;
    if (upload) good = part && curl_mime_name(part, request->upload_name) == CURLE_OK;
    if (good && upload && upload->path)
        good = curl_mime_filedata(part, upload->path) == CURLE_OK;
    else if (good && upload && upload->bytes)
        good = curl_mime_data(part, upload->bytes, upload->size) == CURLE_OK &&
               curl_mime_filename(part, "upload") == CURLE_OK;
    else if (good && upload)
        good = curl_mime_data_cb(part, -1, read_upload, NULL, NULL, (void *)(uintptr_t)upload) ==
                   CURLE_OK &&
               curl_mime_filename(part, "upload") == CURLE_OK;
    if (good && upload && upload->name) good = curl_mime_filename(part, upload->name) == CURLE_OK;
    if (good && upload && upload->content_type)
        good = curl_mime_type(part, upload->content_type) == CURLE_OK;
    if (good) return form;
    curl_mime_free(form);
    return NULL;
}

static CURLcode attempt_once(struct cria_client *client, const struct sdk_request *request,
                             int attempt, struct sdk_reply *reply, char why[CURL_ERROR_SIZE])
{
    CURLcode result = CURLE_OUT_OF_MEMORY;
    CURL *curl = sdk_take_handle(client);
    struct curl_slist *headers =
        curl ? sdk_headers(client, request, attempt, "Accept: application/json") : NULL;
    curl_mime *form = NULL;
    double timeout = request->options && request->options->timeout_s != 0
                         ? request->options->timeout_s
                     : client->timeout_s != 0 ? client->timeout_s
                                              : default_timeout_s;
    sdk_text_clear(&reply->body);
    reply->status = 0;
    if (!headers) goto out;
    sdk_set_common(client, curl, request, reply, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    if (timeout > 0) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
    if (request->upload) {
        form = make_form(curl, request);
        if (!form) {
            snprintf(why, CURL_ERROR_SIZE, "%.150s cannot be read",
                     request->upload->path ? request->upload->path : "the upload");
            result = CURLE_READ_ERROR;
            goto out;
        }
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
        if (request->upload->progress) {
            curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
            curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)request->upload);
        }
    } else if (!request->has_body && strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    result = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
out:
    curl_mime_free(form);
    sdk_give_handle(client, curl);
    curl_slist_free_all(headers);
    return result;
}

/* ---- retries: as the official SDKs have them */

int sdk_retries(const struct cria_client *client, const struct cria_call_options *options)
{
    int wanted = options && options->max_retries ? options->max_retries : client->max_retries;
    return wanted < 0 ? 0 : wanted ? wanted : DEFAULT_RETRIES;
}

bool sdk_should_retry(CURLcode curl_code, const struct sdk_reply *reply)
{
    if (curl_code == CURLE_ABORTED_BY_CALLBACK || curl_code == CURLE_OUT_OF_MEMORY ||
        curl_code == CURLE_READ_ERROR || curl_code == CURLE_URL_MALFORMAT ||
        curl_code == CURLE_UNSUPPORTED_PROTOCOL || curl_code == CURLE_PEER_FAILED_VERIFICATION)
        return false;
    if (curl_code != CURLE_OK) return true;
    if (strcmp(reply->should_retry, "true") == 0) return true;
    if (strcmp(reply->should_retry, "false") == 0) return false;
    return reply->status == 408 || reply->status == 409 || reply->status == 429 ||
           reply->status >= 500;
}

long sdk_retry_delay_ms(const struct sdk_reply *reply, int attempt)
{
    if (reply->retry_after_ms >= 0 && reply->retry_after_ms <= RETRY_AFTER_MOST_MS)
        return reply->retry_after_ms;
    long delay = attempt < 4 ? 500L << attempt : 8000;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return delay - delay * (now.tv_nsec / 1000 % 250) / 1000; /* up to a quarter less */
}

void sdk_sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

void sdk_log(struct cria_client *client, const char *method, const char *url, int status,
             double seconds, int attempt)
{
    char line[400];
    if (!client->log) return;
    const char *query = strchr(url, '?');
    snprintf(line, sizeof(line), "%s %.*s status=%d ms=%.0f attempt=%d", method,
             (int)(query ? query - url : (long)strlen(url)), url, status, seconds * 1000,
             attempt + 1);
    client->log(client->log_arg, line);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum cria_code sdk_send(struct cria_client *client, const struct sdk_request *request,
                        struct sdk_reply *reply)
{
    int retries = sdk_retries(client, request->options);
    if (request->upload && request->upload->read) retries = 0; /* its bytes are gone */
    for (int attempt = 0;; attempt++) {
        char why[CURL_ERROR_SIZE] = "";
        double begun = now_s();
        reply->retry_after_ms = -1;
        reply->should_retry[0] = reply->request_id[0] = '\0';
        CURLcode result = attempt_once(client, request, attempt, reply, why);
        sdk_log(client, request->method, request->url.ptr, reply->status, now_s() - begun, attempt);
        bool is_good = result == CURLE_OK && reply->status < 400;
        if (is_good || attempt == retries || !sdk_should_retry(result, reply))
            return result == CURLE_OK ? CRIA_OK : sdk_fail_curl(result, why);
        sdk_sleep_ms(sdk_retry_delay_ms(reply, attempt));
    }
}

/* ---- calls */

static enum cria_code read_answer(struct sdk_reply *reply, json_t **out)
{
    json_error_t error;
    if (reply->status < 200 || reply->status > 299) return sdk_fail_status(reply);
    if (!out) return CRIA_OK;
    *out =
        json_loadb(reply->body.ptr ? reply->body.ptr : "", reply->body.len, JSON_ALLOW_NUL, &error);
    if (*out) return CRIA_OK;
    return sdk_fail(CRIA_RESPONSE, "the answer is not the JSON that it should be: %.200s",
                    error.text);
}

static enum cria_code call(struct cria_client *client, const struct sdk_operation *operation,
                           const char *const *ids, const void *params,
                           const struct cria_call_options *options, const char *page_token,
                           json_t **out)
{
    struct sdk_request request;
    struct sdk_reply reply = {0};
    if (!client) return sdk_fail(CRIA_USAGE, "cria_%s: there is no client", operation->name);
    enum cria_code code =
        sdk_request_build(&request, client, operation, ids, params, options, page_token);
    if (code != CRIA_OK) return code;
    code = sdk_send(client, &request, &reply);
    if (code == CRIA_OK) code = read_answer(&reply, out);
    sdk_text_release(&reply.body);
    sdk_request_release(&request);
    return code;
}

enum cria_code sdk_call(struct cria_client *client, const struct sdk_operation *operation,
                        const char *const *ids, const void *params,
                        const struct cria_call_options *options, void **out)
{
    json_t *value = NULL;
    enum cria_code code = call(client, operation, ids, params, options, NULL, out ? &value : NULL);
    if (code == CRIA_OK && out) *out = value;
    return code;
}

/* ---- pages */

struct cria_iterator {
    struct cria_client *client;
    struct sdk_request request; /* of the first page, without a token */
    struct cria_call_options options;
    bool has_options;
    json_t *page;
    size_t next;
    bool is_begun;
};

enum cria_code sdk_iterate(struct cria_client *client, const struct sdk_operation *operation,
                           const char *const *ids, const void *params,
                           const struct cria_call_options *options, struct cria_iterator **out)
{
    struct cria_iterator *iterator = calloc(1, sizeof(*iterator));
    if (!iterator) return sdk_fail_memory();
    if (!client) {
        free(iterator);
        return sdk_fail(CRIA_USAGE, "cria_%s: there is no client", operation->name);
    }
    iterator->client = client;
    if (options) iterator->options = *options;
    enum cria_code code = sdk_request_build(&iterator->request, client, operation, ids, params,
                                            options ? &iterator->options : NULL, NULL);
    iterator->request.idempotency_key[0] = '\0'; /* each page is another request */
    if (code != CRIA_OK)
        free(iterator);
    else
        *out = iterator;
    return code;
}

static enum cria_code fetch_page(struct cria_iterator *iterator)
{
    struct sdk_reply reply = {0};
    size_t len = iterator->request.url.len;
    const char *token = sdk_text(iterator->page, "next_page_token");
    if (token) {
        sdk_text_add(&iterator->request.url, strchr(iterator->request.url.ptr, '?') ? "&" : "?", 1);
        sdk_text_add_z(&iterator->request.url, "page_token=");
        sdk_text_add_escaped(&iterator->request.url, token);
    }
    enum cria_code code = iterator->request.url.failed
                              ? sdk_fail_memory()
                              : sdk_send(iterator->client, &iterator->request, &reply);
    iterator->request.url.len = len;
    iterator->request.url.ptr[len] = '\0';
    if (code == CRIA_OK && reply.status != 200) code = sdk_fail_status(&reply);
    json_t *page = code == CRIA_OK ? json_loadb(reply.body.ptr ? reply.body.ptr : "",
                                                reply.body.len, JSON_ALLOW_NUL, NULL)
                                   : NULL;
    if (code == CRIA_OK && !json_is_array(json_object_get(page, "items")))
        code = sdk_fail(CRIA_RESPONSE, "the answer is no page of a list");
    sdk_text_release(&reply.body);
    if (code != CRIA_OK) {
        json_decref(page);
        return code;
    }
    json_decref(iterator->page);
    iterator->page = page;
    iterator->next = 0;
    iterator->is_begun = true;
    return CRIA_OK;
}

enum cria_code cria_iterator_next(struct cria_iterator *iterator, const void **item)
{
    *item = NULL;
    for (;;) {
        if (iterator->is_begun) {
            *item = sdk_object_at(iterator->page, "items", iterator->next);
            if (*item) {
                iterator->next++;
                return CRIA_OK;
            }
            /* No token, an empty one or an empty page: the end, as the official SDKs have it. */
            const char *token = sdk_text(iterator->page, "next_page_token");
            if (!token || !token[0] || sdk_count(iterator->page, "items") == 0) return CRIA_OK;
        }
        enum cria_code code = fetch_page(iterator);
        if (code != CRIA_OK) return code;
    }
}

void cria_iterator_free(struct cria_iterator *iterator)
{
    if (!iterator) return;
    json_decref(iterator->page);
    sdk_request_release(&iterator->request);
    free(iterator);
}

/* ---- downloads */

struct download {
    bool (*write)(void *arg, const void *bytes, size_t size);
    void *arg;
    CURL *curl;
    struct sdk_reply reply; /* of a refusal */
};

static size_t take_download(char *bytes, size_t size, size_t count, void *arg)
{
    struct download *download = arg;
    long status = 0;
    curl_easy_getinfo(download->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return take_body(bytes, size, count, &download->reply);
    return download->write(download->arg, bytes, size * count) ? size * count : 0;
}

static enum cria_code download(struct cria_client *client, struct sdk_request *request,
                               struct curl_slist *headers,
                               bool (*write)(void *arg, const void *bytes, size_t size), void *arg)
{
    char why[CURL_ERROR_SIZE] = "";
    struct download download = {.write = write, .arg = arg, .curl = sdk_take_handle(client)};
    if (!download.curl || request->url.failed) return sdk_fail_memory();
    sdk_set_common(client, download.curl, request, &download.reply, headers);
    curl_easy_setopt(download.curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(download.curl, CURLOPT_WRITEFUNCTION, take_download);
    curl_easy_setopt(download.curl, CURLOPT_WRITEDATA, &download);
    if (!headers) curl_easy_setopt(download.curl, CURLOPT_FOLLOWLOCATION, 1L);
    CURLcode result = curl_easy_perform(download.curl);
    long status = 0;
    curl_easy_getinfo(download.curl, CURLINFO_RESPONSE_CODE, &status);
    sdk_give_handle(client, download.curl);
    enum cria_code code = CRIA_OK;
    download.reply.status = (int)status;
    if (result == CURLE_WRITE_ERROR)
        code = sdk_fail(CRIA_CANCELLED, "the download was given up");
    else if (result != CURLE_OK)
        code = sdk_fail_curl(result, why);
    else if (status != 200)
        code = sdk_fail_status(&download.reply);
    sdk_text_release(&download.reply.body);
    return code;
}

enum cria_code cria_download(struct cria_client *client, const char *url,
                             bool (*write)(void *arg, const void *bytes, size_t size), void *arg)
{
    struct sdk_request request = {.method = "GET"};
    sdk_text_add_z(&request.url, url);
    /* No key goes along: the link is the credential, and it may lead elsewhere. */
    enum cria_code code = download(client, &request, NULL, write, arg);
    sdk_text_release(&request.url);
    return code;
}

enum cria_code cria_fetch(struct cria_client *client, const char *path,
                          bool (*write)(void *arg, const void *bytes, size_t size), void *arg)
{
    struct sdk_request request = {.method = "GET"};
    if (!path || path[0] != '/') return sdk_fail(CRIA_USAGE, "cria_fetch: a path begins with /");
    sdk_text_add_z(&request.url, client->base_url);
    sdk_text_add_z(&request.url, path);
    struct curl_slist *headers = sdk_headers(client, &request, 0, NULL);
    enum cria_code code =
        headers ? download(client, &request, headers, write, arg) : sdk_fail_memory();
    curl_slist_free_all(headers);
    sdk_text_release(&request.url);
    return code;
}

enum cria_code cria_send_form(struct cria_client *client, const char *path,
                              const char *const *fields, const char *file_field,
                              const struct cria_upload *file, void **out)
{
    static const struct cria_call_options once = {.timeout_s = -1, .max_retries = -1};
    struct sdk_request request = {
        .method = "POST", .upload_name = file_field, .upload = file, .options = &once};
    struct sdk_reply reply = {0};
    if (!path || path[0] != '/' || !file_field || !file)
        return sdk_fail(CRIA_USAGE, "cria_send_form: a path, a field and a file are wanted");
    sdk_text_add_z(&request.url, client->base_url);
    sdk_text_add_z(&request.url, path);
    request.form = json_object();
    for (size_t i = 0; request.form && fields && fields[i] && fields[i + 1]; i += 2)
        json_object_set_new(request.form, fields[i], json_string(fields[i + 1]));
    enum cria_code code = request.form && !request.url.failed ? sdk_send(client, &request, &reply)
                                                              : sdk_fail_memory();
    if (code == CRIA_OK) code = read_answer(&reply, (json_t **)out);
    sdk_text_release(&reply.body);
    sdk_text_release(&request.url);
    json_decref(request.form);
    return code;
}
