#include "model/http_easy.h"

#include <pthread.h>
#include <time.h>

#include "model/http_client.h"
#include "platform/clock.h"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void cria_http_start(void)
{
    pthread_once(&curl_once, curl_start);
}

bool cria_http_prepare(CURL *easy, const char *url, struct curl_slist *headers, uint32_t connect_ms)
{
    bool good = true;
#define SET(option, value) good = good && curl_easy_setopt(easy, option, value) == CURLE_OK
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_HTTPHEADER, headers);
#undef SET
    return good;
}

int64_t cria_retry_after_ms(struct cria_str value, int64_t now_us)
{
    const int64_t most_ms = 60000, epoch_from_s = 1000000000;
    int64_t seconds, at_us = 0;
    value = cria_str_trim(value);
    if (cria_str_to_int64(value, &seconds)) {
        at_us = seconds * 1000000;
        if (seconds < 0 || seconds > INT64_MAX / 1000000) return seconds < 0 ? 0 : most_ms;
        if (seconds < epoch_from_s) at_us += now_us;
    } else {
        char text[64];
        if (!cria_str_copy_z(value, text, sizeof(text))) return -1;
        time_t when = curl_getdate(text, NULL);
        if (when == (time_t)-1) return -1;
        at_us = (int64_t)when * 1000000;
    }
    int64_t wait_ms = (at_us - now_us) / 1000;
    return wait_ms < 0 ? 0 : wait_ms > most_ms ? most_ms : wait_ms;
}

void cria_http_note_retry(struct cria_str line, int64_t *retry_after_ms)
{
    struct cria_str name;
    if (cria_str_starts(line, "HTTP/")) *retry_after_ms = -1; /* after a 1xx */
    if (!cria_str_cut(&line, ':', &name)) return;
    if (cria_str_equal_nocase(name, CRIA_STR("retry-after-ms"))) {
        int64_t ms;
        if (cria_str_to_int64(cria_str_trim(line), &ms))
            *retry_after_ms = ms < 0 ? 0 : ms > 60000 ? 60000 : ms;
    } else if (cria_str_equal_nocase(name, CRIA_STR("retry-after")) && *retry_after_ms < 0) {
        *retry_after_ms = cria_retry_after_ms(line, cria_wall_us());
    }
}
