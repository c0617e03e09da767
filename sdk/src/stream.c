/* stream.c - the events of a turn, pulled one at a time; a broken connection is taken up again. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

enum {
    POLL_MS = 100,  /* how soon a cancel is seen */
    SILENCE_S = 60, /* keep-alives come every 15 s: after this the connection is dead */
    LINE_MAX_BYTES = 64 << 20,
    ID_BYTES = 160
};

struct cria_stream {
    struct cria_client *client;
    char *session_id;
    struct sdk_request request; /* of the turn; after a break, of attaching to it */
    struct cria_call_options options;
    CURLM *multi;
    CURL *curl;
    struct curl_slist *headers;
    struct sdk_reply reply; /* headers, and the body of a refusal */
    char why[CURL_ERROR_SIZE];
    /* The frame that is being read. */
    struct sdk_text line, data;
    char id[ID_BYTES], last_id[ID_BYTES];
    json_t *queue; /* events that were read and not given yet, each [id, event] */
    json_t *given; /* the last one given */
    atomic_bool is_cancelled;
    bool is_attaching, has_stopped, is_over, is_broken_frame;
    int retries, failures;
};

/* ---- frames: a line at a time, as the standard for server-sent events has them */

static void end_frame(struct cria_stream *stream)
{
    if (!stream->data.len) return;
    json_t *event = json_loadb(stream->data.ptr, stream->data.len, JSON_ALLOW_NUL, NULL);
    sdk_text_clear(&stream->data);
    if (!json_is_object(event)) {
        json_decref(event);
        stream->is_broken_frame = true;
        return;
    }
    stream->has_stopped |= strcmp(cria_event_type((const void *)event), "stop") == 0;
    json_array_append_new(stream->queue, json_pack("[s, o]", stream->id, event));
}

static void end_line(struct cria_stream *stream)
{
    const char *line = stream->line.ptr ? stream->line.ptr : "";
    size_t len = stream->line.len;
    if (len && line[len - 1] == '\r') stream->line.ptr[--len] = '\0';
    if (len == 0)
        end_frame(stream);
    else if (strncmp(line, "data:", 5) == 0)
        sdk_text_add_z(&stream->data, line + 5 + (line[5] == ' '));
    else if (strncmp(line, "id:", 3) == 0)
        snprintf(stream->id, sizeof(stream->id), "%s", line + 3 + (line[3] == ' '));
    sdk_text_clear(&stream->line);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct cria_stream *stream = arg;
    size_t len = size * count, start = 0;
    long status = 0;
    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
    stream->reply.status = (int)status;
    if (status != 200) {
        sdk_text_add(&stream->reply.body, bytes, len);
        return stream->reply.body.failed ? 0 : len;
    }
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') continue;
        sdk_text_add(&stream->line, bytes + start, i - start);
        end_line(stream);
        start = i + 1;
    }
    sdk_text_add(&stream->line, bytes + start, len - start);
    bool good = !stream->line.failed && !stream->data.failed &&
                stream->line.len + stream->data.len < LINE_MAX_BYTES;
    return good ? len : 0;
}

/* ---- connections */

static void disconnect(struct cria_stream *stream)
{
    if (stream->curl) {
        curl_multi_remove_handle(stream->multi, stream->curl);
        sdk_give_handle(stream->client, stream->curl);
    }
    curl_slist_free_all(stream->headers);
    stream->curl = NULL;
    stream->headers = NULL;
}

static enum cria_code connect_stream(struct cria_stream *stream)
{
    char last[ID_BYTES + 20];
    const char *extra = "Accept: text/event-stream";
    stream->reply.status = 0;
    stream->reply.retry_after_ms = -1;
    stream->reply.should_retry[0] = '\0';
    sdk_text_clear(&stream->reply.body);
    sdk_text_clear(&stream->line);
    sdk_text_clear(&stream->data);
    stream->curl = sdk_take_handle(stream->client);
    if (stream->is_attaching && stream->last_id[0]) {
        snprintf(last, sizeof(last), "Last-Event-ID: %s", stream->last_id);
        extra = last;
    }
    stream->headers = sdk_headers(stream->client, &stream->request, stream->failures, extra);
    if (!stream->curl || !stream->headers) return sdk_fail_memory();
    sdk_set_common(stream->client, stream->curl, &stream->request, &stream->reply, stream->headers);
    curl_easy_setopt(stream->curl, CURLOPT_ERRORBUFFER, stream->why);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(stream->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(stream->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    if (curl_multi_add_handle(stream->multi, stream->curl) != CURLM_OK) return sdk_fail_memory();
    return CRIA_OK;
}

/* From now on the turn is attached to, not started. */
static enum cria_code turn_to_attaching(struct cria_stream *stream)
{
    struct sdk_text url = {0};
    const char *query = strchr(stream->request.url.ptr, '?');
    sdk_text_add_z(&url, stream->client->base_url);
    sdk_text_add_z(&url, "/api/v1/chat/");
    sdk_text_add_escaped(&url, stream->session_id);
    sdk_text_add_z(&url, "/messages/stream");
    if (query) sdk_text_add_z(&url, query);
    if (url.failed) return sdk_fail_memory();
    sdk_text_release(&stream->request.url);
    sdk_text_release(&stream->request.body);
    stream->request.url = url;
    stream->request.has_body = false;
    stream->request.method = "GET";
    stream->request.idempotency_key[0] = '\0';
    stream->is_attaching = true;
    return CRIA_OK;
}

/* The transfer has ended: by the turn's end, a refusal or a break. */
static enum cria_code on_end(struct cria_stream *stream, CURLcode result)
{
    long status = 0;
    curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
    stream->reply.status = (int)status;
    sdk_log(stream->client, stream->request.method, stream->request.url.ptr, stream->reply.status,
            0, stream->failures);
    disconnect(stream);
    if (stream->has_stopped || (status == 200 && result == CURLE_OK && stream->is_attaching &&
                                !json_array_size(stream->queue) && !stream->last_id[0])) {
        stream->is_over = true;
        return CRIA_OK;
    }
    bool is_refused = result == CURLE_OK && status != 200;
    bool again = stream->failures < stream->retries &&
                 (is_refused ? sdk_should_retry(CURLE_OK, &stream->reply)
                             : sdk_should_retry(CURLE_RECV_ERROR, &stream->reply));
    /* A turn whose first event is not known may have begun or not: it is never sent twice. */
    if (!is_refused && !stream->last_id[0] && !stream->is_attaching &&
        result != CURLE_COULDNT_CONNECT)
        again = false;
    if (!again) {
        if (is_refused) return sdk_fail_status(&stream->reply);
        return sdk_fail_curl(result == CURLE_OK ? CURLE_PARTIAL_FILE : result,
                             result == CURLE_OK ? "the stream ended before the turn did"
                                                : stream->why);
    }
    sdk_sleep_ms(sdk_retry_delay_ms(&stream->reply, stream->failures));
    stream->failures++;
    if (stream->last_id[0] && !stream->is_attaching) {
        enum cria_code code = turn_to_attaching(stream);
        if (code != CRIA_OK) return code;
    }
    return connect_stream(stream);
}

/* One step of the transfer. */
static enum cria_code step(struct cria_stream *stream)
{
    int running = 0, left = 0;
    if (atomic_load(&stream->is_cancelled))
        return sdk_fail(CRIA_CANCELLED, "the stream was cancelled");
    if (curl_multi_perform(stream->multi, &running) != CURLM_OK) return sdk_fail_memory();
    if (stream->is_broken_frame) return sdk_fail(CRIA_RESPONSE, "an event is no JSON object");
    CURLMsg *message = curl_multi_info_read(stream->multi, &left);
    if (message && message->msg == CURLMSG_DONE) return on_end(stream, message->data.result);
    if (!json_array_size(stream->queue)) curl_multi_poll(stream->multi, NULL, 0, POLL_MS, NULL);
    return CRIA_OK;
}

/* Until the server has answered with a stream or a refusal. */
static enum cria_code wait_for_headers(struct cria_stream *stream)
{
    enum cria_code code = CRIA_OK;
    while (code == CRIA_OK && !stream->is_over && !json_array_size(stream->queue)) {
        long status = 0;
        if (stream->curl) curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status == 200) break;
        code = step(stream);
    }
    return code;
}

static struct cria_stream *stream_new(struct cria_client *client, const char *session_id,
                                      const struct cria_call_options *options)
{
    struct cria_stream *stream = calloc(1, sizeof(*stream));
    if (!stream) return NULL;
    stream->client = client;
    stream->session_id = strdup(session_id);
    stream->multi = curl_multi_init();
    stream->queue = json_array();
    stream->retries = sdk_retries(client, options);
    if (options) stream->options = *options;
    if (stream->session_id && stream->multi && stream->queue) return stream;
    cria_stream_free(stream);
    return NULL;
}

static enum cria_code begin(struct cria_stream *stream, struct cria_stream **out)
{
    enum cria_code code = connect_stream(stream);
    if (code == CRIA_OK) code = wait_for_headers(stream);
    if (code != CRIA_OK)
        cria_stream_free(stream);
    else
        *out = stream;
    return code;
}

enum cria_code sdk_stream_open(struct cria_client *client, const struct sdk_operation *operation,
                               const char *const *ids, const void *params,
                               const struct cria_call_options *options, struct cria_stream **out)
{
    struct sdk_request request;
    if (!client) return sdk_fail(CRIA_USAGE, "cria_%s: there is no client", operation->name);
    enum cria_code code =
        sdk_request_build(&request, client, operation, ids, params, options, NULL);
    if (code != CRIA_OK) return code;
    struct cria_stream *stream = stream_new(client, ids[0], options);
    if (!stream) {
        sdk_request_release(&request);
        return sdk_fail_memory();
    }
    stream->request = request;
    stream->request.options = options ? &stream->options : NULL;
    return begin(stream, out);
}

enum cria_code cria_beta_chat_resume(struct cria_client *client, const char *session_id,
                                     const char *last_event_id, struct cria_stream **out)
{
    static const struct sdk_operation operation = {"beta_chat_resume",
                                                   "GET",
                                                   "/api/v1/chat/{session_id}/messages/stream",
                                                   SDK_NO_BODY,
                                                   NULL,
                                                   0,
                                                   1};
    const char *const ids[] = {session_id};
    if (last_event_id && strlen(last_event_id) >= ID_BYTES)
        return sdk_fail(CRIA_USAGE, "cria_beta_chat_resume: this is no event's id");
    struct sdk_request request;
    if (!client) return sdk_fail(CRIA_USAGE, "cria_beta_chat_resume: there is no client");
    enum cria_code code = sdk_request_build(&request, client, &operation, ids, NULL, NULL, NULL);
    if (code != CRIA_OK) return code;
    struct cria_stream *stream = stream_new(client, session_id, NULL);
    if (!stream) {
        sdk_request_release(&request);
        return sdk_fail_memory();
    }
    stream->request = request;
    stream->is_attaching = true;
    snprintf(stream->last_id, sizeof(stream->last_id), "%s", last_event_id ? last_event_id : "");
    return begin(stream, out);
}

/* ---- reading */

enum cria_code cria_stream_next(struct cria_stream *stream, const struct cria_event **event)
{
    *event = NULL;
    while (!json_array_size(stream->queue)) {
        if (stream->is_over) return CRIA_OK;
        enum cria_code code = step(stream);
        if (code != CRIA_OK) return code;
    }
    json_decref(stream->given);
    stream->given = json_incref(json_array_get(stream->queue, 0));
    json_array_remove(stream->queue, 0);
    const char *id = json_string_value(json_array_get(stream->given, 0));
    if (id && id[0]) snprintf(stream->last_id, sizeof(stream->last_id), "%s", id);
    stream->failures = 0; /* it moves */
    *event = (const void *)json_array_get(stream->given, 1);
    if (strcmp(cria_event_type(*event), "stop") == 0) {
        stream->is_over = true;
        disconnect(stream);
    }
    return CRIA_OK;
}

enum cria_code cria_stream_each(struct cria_stream *stream,
                                bool (*fn)(void *arg, const struct cria_event *event), void *arg)
{
    const struct cria_event *event = NULL;
    enum cria_code code;
    while ((code = cria_stream_next(stream, &event)) == CRIA_OK && event)
        if (!fn(arg, event)) return sdk_fail(CRIA_CANCELLED, "the reader stopped");
    return code;
}

const char *cria_stream_last_event_id(const struct cria_stream *stream)
{
    return stream->last_id;
}

void cria_stream_cancel(struct cria_stream *stream)
{
    atomic_store(&stream->is_cancelled, true);
}

void cria_stream_free(struct cria_stream *stream)
{
    if (!stream) return;
    disconnect(stream);
    if (stream->multi) curl_multi_cleanup(stream->multi);
    json_decref(stream->queue);
    json_decref(stream->given);
    sdk_request_release(&stream->request);
    sdk_text_release(&stream->reply.body);
    sdk_text_release(&stream->line);
    sdk_text_release(&stream->data);
    free(stream->session_id);
    free(stream);
}
