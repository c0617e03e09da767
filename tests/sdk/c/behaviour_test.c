/* behaviour_test.c - libcria does about faults and pages what the official SDKs were seen to do:
 * ../behaviour.json, which tests/sdk/python/test_recorded.py holds one of them to. */
#include <cria/cria.h>
#include <curl/curl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* clang-format off: cmocka.h wants those above it */
#include <cmocka.h>
/* clang-format on */

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    char *out = arg;
    size_t len = strlen(out), n = size * count;
    if (len + n >= 65536) return 0;
    memcpy(out + len, bytes, n);
    out[len + n] = '\0';
    return n;
}

/* POSTs to the proxy itself; what it said is in `said`. */
static void ask_proxy(const char *path, const char *body, char said[65536])
{
    char url[200];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof(url), "%s%s", getenv("CRIA_TEST_PROXY_URL"), path);
    said[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, said);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    curl_easy_cleanup(curl);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum cria_code make_session(struct cria_client *client)
{
    struct cria_chat_summary *chat = NULL;
    enum cria_code code = cria_beta_chat_new(client, NULL, &chat);
    cria_free(chat);
    return code;
}

static enum cria_code list_sessions(struct cria_client *client, long long *items)
{
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    enum cria_code code = cria_beta_chat_list_all(client, NULL, &all);
    while (code == CRIA_OK && (code = cria_iterator_next(all, &item)) == CRIA_OK && item) ++*items;
    cria_iterator_free(all);
    return code;
}

static int status_of(enum cria_code code)
{
    return code == CRIA_OK ? 200 : code == CRIA_STATUS ? cria_last_error()->status : -(int)code;
}

static void check(json_t *one)
{
    static char said[65536];
    const char *name = json_string_value(json_object_get(one, "name"));
    json_t *outcome = json_object_get(one, "outcome"), *longest = json_object_get(one, "at_most_s");
    struct cria_client *client = NULL;
    long long items = 0;
    char *faults = json_dumps(json_object_get(one, "faults"), JSON_COMPACT);
    const struct cria_client_options options = {.base_url = getenv("CRIA_TEST_PROXY_URL"),
                                                .max_retries = 2};
    ask_proxy("/__seen", "", said); /* forgets */
    ask_proxy("/__faults", faults, said);
    free(faults);
    assert_int_equal(cria_client_new(&options, &client), CRIA_OK);
    double begun = now_s();
    enum cria_code code = strcmp(json_string_value(json_object_get(one, "call")), "new") == 0
                              ? make_session(client)
                              : list_sessions(client, &items);
    double took = now_s() - begun;
    int want = json_is_integer(outcome) ? (int)json_integer_value(outcome) : -(int)CRIA_CONNECTION;
    if (status_of(code) != want)
        fail_msg("%s: %d, not %d: %s", name, status_of(code), want, cria_last_error()->detail);
    ask_proxy("/__seen", "", said);
    json_t *seen = json_loads(said, 0, NULL);
    long long requests = (long long)json_array_size(seen);
    json_decref(seen);
    if (requests != json_integer_value(json_object_get(one, "requests")))
        fail_msg("%s: %lld requests", name, requests);
    if (items != json_integer_value(json_object_get(one, "items")))
        fail_msg("%s: %lld items", name, items);
    if (took < json_number_value(json_object_get(one, "at_least_s")))
        fail_msg("%s: already after %.3f s", name, took);
    if (longest && took > json_number_value(longest) * (getenv("CRIA_TEST_SLOW") ? 10 : 1))
        fail_msg("%s: after %.3f s only", name, took);
    cria_client_free(client);
}

static void faults_and_pages_as_recorded(void **state)
{
    size_t n;
    json_t *one;
    (void)state;
    json_t *cases = json_load_file("tests/sdk/behaviour.json", 0, NULL);
    assert_in_range(json_array_size(cases), 20, 1000);
    json_array_foreach (cases, n, one) check(one);
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_and_pages_as_recorded)};
    return cmocka_run_group_tests_name("behaviour", tests, NULL, NULL);
}
