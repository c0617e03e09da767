/* runtime.h - what the generated calls stand on. Private to libcria. */
#ifndef CRIA_SDK_RUNTIME_H
#define CRIA_SDK_RUNTIME_H

#include <cria/cria.h>
#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>

#define SDK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- calls as data */

enum sdk_kind { SDK_TEXT, SDK_INT, SDK_REAL, SDK_BOOL, SDK_TEXTS, SDK_JSON, SDK_UPLOAD };
enum sdk_place { SDK_IN_QUERY, SDK_IN_BODY, SDK_IN_FORM };
struct sdk_field {
    const char *name; /* on the wire */
    enum sdk_kind kind;
    enum sdk_place place;
    size_t offset; /* in the params */
};
enum sdk_body { SDK_NO_BODY, SDK_JSON_BODY, SDK_FORM };
struct sdk_operation {
    const char *name, *method, *path;
    enum sdk_body body;
    const struct sdk_field *fields;
    size_t field_count;
    int id_count;
};

/** Makes the call. out NULL: no result is wanted (204). */
enum cria_code sdk_call(struct cria_client *client, const struct sdk_operation *operation,
                        const char *const *ids, const void *params,
                        const struct cria_call_options *options, void **out);
enum cria_code sdk_iterate(struct cria_client *client, const struct sdk_operation *operation,
                           const char *const *ids, const void *params,
                           const struct cria_call_options *options, struct cria_iterator **out);
enum cria_code sdk_stream_open(struct cria_client *client, const struct sdk_operation *operation,
                               const char *const *ids, const void *params,
                               const struct cria_call_options *options, struct cria_stream **out);

/* ---- results: a handle is a json_t */

const char *sdk_text(const void *of, const char *name);
int64_t sdk_int(const void *of, const char *name);
double sdk_real(const void *of, const char *name);
bool sdk_bool(const void *of, const char *name);
const void *sdk_object(const void *of, const char *name);
size_t sdk_count(const void *of, const char *name);
const char *sdk_text_at(const void *of, const char *name, size_t n);
const void *sdk_object_at(const void *of, const char *name, size_t n);
size_t sdk_list_count(const void *of);
const void *sdk_list_at(const void *of, size_t n);

/* ---- growing text that remembers its first failure */

struct sdk_text {
    char *ptr;
    size_t len, capacity;
    bool failed;
};
void sdk_text_add(struct sdk_text *text, const char *bytes, size_t len);
void sdk_text_add_z(struct sdk_text *text, const char *bytes);
/** Percent-encodes all but the unreserved characters of RFC 3986. */
void sdk_text_add_escaped(struct sdk_text *text, const char *value);
void sdk_text_clear(struct sdk_text *text);
void sdk_text_release(struct sdk_text *text);

/* ---- requests */

struct sdk_request {
    const char *method;
    struct sdk_text url, body; /* body: JSON, when has_body */
    bool has_body;
    json_t *form; /* text fields of a form: name -> string */
    const char *upload_name;
    const struct cria_upload *upload;
    const struct cria_call_options *options;
    char idempotency_key[40];
};
/** Reads params into a request. CRIA_USAGE for what cannot be sent. */
enum cria_code sdk_request_build(struct sdk_request *request, struct cria_client *client,
                                 const struct sdk_operation *operation, const char *const *ids,
                                 const void *params, const struct cria_call_options *options,
                                 const char *page_token);
void sdk_request_release(struct sdk_request *request);

struct sdk_reply {
    int status;
    struct sdk_text body;
    char request_id[100], should_retry[8];
    long retry_after_ms; /* -1: not said */
};

struct cria_client {
    char *api_key, *base_url, *project_id, *organization_id, *proxy, *ca_file;
    double timeout_s;
    int max_retries;
    struct curl_slist *headers;
    void (*log)(void *arg, const char *line);
    void *log_arg;
    pthread_mutex_t lock;
    CURL *idle[8]; /* with their connections */
    size_t idle_count;
};

/** With retries; the reply is that of the last attempt. CRIA_OK also for refusals: look at status.
 */
enum cria_code sdk_send(struct cria_client *client, const struct sdk_request *request,
                        struct sdk_reply *reply);
/** A handle with everything of the client and the request set but what takes the bytes. */
CURL *sdk_take_handle(struct cria_client *client);
void sdk_give_handle(struct cria_client *client, CURL *curl);
struct curl_slist *sdk_headers(struct cria_client *client, const struct sdk_request *request,
                               int attempt, const char *extra);
void sdk_set_common(struct cria_client *client, CURL *curl, const struct sdk_request *request,
                    struct sdk_reply *reply, struct curl_slist *headers);
int sdk_retries(const struct cria_client *client, const struct cria_call_options *options);
/** Whether an attempt that ended so is worth another, and how long to wait before it. */
bool sdk_should_retry(CURLcode curl_code, const struct sdk_reply *reply);
long sdk_retry_delay_ms(const struct sdk_reply *reply, int attempt);
void sdk_sleep_ms(long ms);
void sdk_log(struct cria_client *client, const char *method, const char *url, int status,
             double seconds, int attempt);

/* ---- errors */

enum cria_code sdk_fail(enum cria_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** From a refusal; takes the reply's body. */
enum cria_code sdk_fail_status(struct sdk_reply *reply);
enum cria_code sdk_fail_curl(CURLcode curl_code, const char *why);
enum cria_code sdk_fail_memory(void);

#endif
