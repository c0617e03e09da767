/* http_easy.h - what all libcurl handles of this room have in common. Room: model, for
 * http_client.c and http_post.c alone. */
#ifndef CRIA_MODEL_HTTP_EASY_H
#define CRIA_MODEL_HTTP_EASY_H

#include <curl/curl.h>

#include "base/str.h"

/** Starts libcurl, once in the process's life. Any thread. */
void cria_http_start(void);
/** Address, headers (borrowed) and the limits of every request: http and https only, no redirects,
 * no .netrc, no signals. false when libcurl is out of memory. */
bool cria_http_prepare(CURL *easy, const char *url, struct curl_slist *headers,
                       uint32_t connect_ms);
/** Notes what a header line says about trying again; -1 when it says nothing. */
void cria_http_note_retry(struct cria_str line, int64_t *retry_after_ms);

#endif
