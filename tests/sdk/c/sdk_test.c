/* sdk_test.c - libcria against a real server, and its retries against a proxy that goes wrong on
 * demand (tests/support/with_server.py starts both and names them in the environment). */
#include <cria/cria.h>
#include <curl/curl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* clang-format off: cmocka.h wants those above it */
#include <cmocka.h>
/* clang-format on */

static const char text[] =
    "The Elm Street plant had the longest outage: it stood still for 61 days.\n";

struct fixture {
    struct cria_client *client;
    char index_id[80], directory_id[80], file_id[80];
};

static struct cria_client *client_for(const char *variable, const char *key, int retries)
{
    struct cria_client *client = NULL;
    const struct cria_client_options options = {
        .base_url = getenv(variable), .api_key = key, .max_retries = retries};
    assert_non_null(options.base_url);
    assert_int_equal(cria_client_new(&options, &client), CRIA_OK);
    return client;
}

#define good(call) good_at((call), #call, __LINE__)
static void good_at(enum cria_code code, const char *what, int line)
{
    if (code != CRIA_OK)
        fail_msg("line %d: %s: %d %s", line, what, (int)code, cria_last_error()->detail);
}

static void wait_ready(struct fixture *f)
{
    for (int i = 0; i < 300; i++, usleep(20000)) {
        struct cria_index *index = NULL;
        good(cria_beta_indexes_get(f->client, f->index_id, NULL, &index));
        char status[20];
        snprintf(status, sizeof(status), "%s",
                 cria_index_metadata_status(cria_index_metadata(index)));
        cria_free(index);
        if (strcmp(status, "ready") == 0) return;
        assert_string_not_equal(status, "failed");
    }
    fail_msg("the index did not become ready");
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct cria_directory *directory = NULL;
    struct cria_directory_file *file = NULL;
    struct cria_index *index = NULL;
    f->client = client_for("CRIA_TEST_URL", NULL, 0);
    good(cria_beta_directories_new(
        f->client,
        &(struct cria_beta_directories_new_params){.name = "sdk", .description = CRIA_NULL},
        &directory));
    snprintf(f->directory_id, sizeof(f->directory_id), "%s", cria_directory_id(directory));
    const struct cria_beta_directories_files_upload_params upload = {
        .upload_file = {.bytes = text, .size = sizeof(text) - 1, .name = "outages.txt"},
        .metadata = "{\"topic\":\"power\"}"};
    good(cria_beta_directories_files_upload(f->client, f->directory_id, &upload, &file));
    assert_string_equal(cria_directory_file_display_name(file), "outages.txt");
    snprintf(f->file_id, sizeof(f->file_id), "%s", cria_directory_file_file_id(file));
    good(cria_beta_indexes_new(
        f->client, &(struct cria_beta_indexes_new_params){.source_directory_id = f->directory_id},
        &index));
    snprintf(f->index_id, sizeof(f->index_id), "%s", cria_index_id(index));
    cria_free(index);
    cria_free(file);
    cria_free(directory);
    wait_ready(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cria_client_free(f->client);
    free(f);
    return 0;
}

static void results_have_presence(void **state)
{
    struct fixture *f = *state;
    struct cria_chat_summary *chat = NULL;
    good(cria_beta_chat_new(f->client, &(struct cria_beta_chat_new_params){0}, &chat));
    assert_memory_equal(cria_chat_summary_session_id(chat), "ses-", 4);
    assert_null(cria_chat_summary_generated_title(chat));
    assert_int_equal(cria_member_presence(chat, "generated_title"), CRIA_IS_NULL);
    assert_int_equal(cria_member_presence(chat, "no_such"), CRIA_ABSENT);
    assert_int_equal(cria_member_presence(chat, "session_id"), CRIA_PRESENT);
    char *json = cria_to_json(chat), *access = cria_member_json(chat, "shared_access");
    assert_non_null(strstr(json, "\"session_id\":\"ses-"));
    assert_string_equal(access, "\"read_only\"");
    cria_text_free(json);
    cria_text_free(access);
    good(cria_beta_chat_delete(f->client, cria_chat_summary_session_id(chat), NULL));
    cria_free(chat);
}

static void params_tell_absent_from_null(void **state)
{
    struct fixture *f = *state;
    struct cria_directory *directory = NULL;
    good(cria_beta_directories_new(
        f->client, &(struct cria_beta_directories_new_params){.name = "n", .description = "d"},
        &directory));
    char id[80];
    snprintf(id, sizeof(id), "%s", cria_directory_id(directory));
    cria_free(directory);
    good(cria_beta_directories_update(
        f->client, id, &(struct cria_beta_directories_update_params){.name = "m"}, &directory));
    assert_string_equal(cria_directory_description(directory), "d");
    cria_free(directory);
    good(cria_beta_directories_update(
        f->client, id, &(struct cria_beta_directories_update_params){.description = CRIA_NULL},
        &directory));
    assert_null(cria_directory_description(directory));
    assert_string_equal(cria_directory_name(directory), "m");
    cria_free(directory);
    good(cria_beta_directories_delete(f->client, id, NULL));
}

static void errors_are_typed(void **state)
{
    struct fixture *f = *state;
    struct cria_index *index = NULL;
    struct cria_retrieved *found = NULL;
    struct cria_configuration *configuration = NULL;
    assert_int_equal(cria_beta_indexes_get(f->client, "idx-none", NULL, &index), CRIA_STATUS);
    const struct cria_error *error = cria_last_error();
    assert_int_equal(error->status, 404);
    assert_string_equal(error->detail, "Index not found");
    assert_non_null(strstr(error->body, "detail"));
    assert_true(error->request_id[0]);
    assert_int_equal(
        cria_beta_retrieval_get(
            f->client,
            &(struct cria_beta_retrieval_get_params){.index_id = f->index_id, .query = ""}, &found),
        CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 422);
    assert_non_null(strstr(cria_last_error()->detail, "body.query: "));
    /* What cannot be sent is told before anything is sent. */
    assert_int_equal(cria_beta_indexes_get(f->client, "", NULL, &index), CRIA_USAGE);
    assert_int_equal(cria_configurations_new(f->client,
                                             &(struct cria_configurations_new_params){
                                                 .name = "n", .parameters_json = "{no json"},
                                             &configuration),
                     CRIA_USAGE);
    assert_int_equal(cria_beta_indexes_get(f->client, "../../x", NULL, &index), CRIA_STATUS);
    assert_null(index);
    struct cria_client *nobody = NULL;
    assert_int_equal(cria_client_new(&(struct cria_client_options){.base_url = "ftp://x"}, &nobody),
                     CRIA_USAGE);
    good(cria_client_new(
        &(struct cria_client_options){.base_url = "http://127.0.0.1:9", .max_retries = -1},
        &nobody));
    assert_int_equal(cria_beta_indexes_get(nobody, "x", NULL, &index), CRIA_CONNECTION);
    cria_client_free(nobody);
}

static void retrieval_find_grep_read(void **state)
{
    struct fixture *f = *state;
    struct cria_retrieved *found = NULL;
    struct cria_file_find_page *files = NULL;
    struct cria_file_text *read = NULL;
    struct cria_iterator *matches = NULL;
    const void *item = NULL;
    const struct cria_beta_retrieval_get_params ask = {
        .index_id = f->index_id,
        .query = "longest outage",
        .top_k = CRIA_INT(3),
        .vector_pipeline_weight = CRIA_REAL(0),
        .custom_filters_json = "{\"topic\":{\"operator\":\"eq\",\"value\":\"power\"}}"};
    good(cria_beta_retrieval_get(f->client, &ask, &found));
    assert_int_equal(cria_retrieved_results_count(found), 1);
    const struct cria_retrieved_chunk *chunk = cria_retrieved_results_at(found, 0);
    assert_non_null(strstr(cria_retrieved_chunk_content(chunk), "61 days"));
    assert_true(cria_retrieved_chunk_score(chunk) > 0);
    char *metadata = cria_member_json(chunk, "metadata");
    assert_string_equal(metadata, "{\"topic\":\"power\"}");
    cria_text_free(metadata);
    good(cria_beta_retrieval_find(f->client,
                                  &(struct cria_beta_retrieval_find_params){
                                      .index_id = f->index_id, .file_name = "outages.txt"},
                                  &files));
    const char *file_id = cria_found_file_file_id(cria_file_find_page_items_at(files, 0));
    good(cria_beta_retrieval_read(
        f->client,
        &(struct cria_beta_retrieval_read_params){.index_id = f->index_id,
                                                  .file_id = file_id,
                                                  .offset = CRIA_INT(4),
                                                  .max_length = CRIA_INT(10)},
        &read));
    assert_string_equal(cria_file_text_content(read), "Elm Street");
    good(cria_beta_retrieval_grep_all(
        f->client,
        &(struct cria_beta_retrieval_grep_params){
            .index_id = f->index_id, .file_id = file_id, .pattern = "t", .page_size = CRIA_INT(2)},
        &matches));
    size_t count = 0;
    do {
        good(cria_iterator_next(matches, &item));
        if (item) assert_string_equal(cria_grep_match_content(item), "t");
        count += item != NULL;
    } while (item);
    assert_true(count > 4); /* several pages */
    cria_iterator_free(matches);
    cria_free(read);
    cria_free(files);
    cria_free(found);
}

static void lists_go_over_pages(void **state)
{
    struct fixture *f = *state;
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    size_t count = 0;
    for (int i = 0; i < 5; i++) {
        struct cria_chat_summary *chat = NULL;
        good(cria_beta_chat_new(f->client, NULL, &chat));
        cria_free(chat);
    }
    good(cria_beta_chat_list_all(
        f->client, &(struct cria_beta_chat_list_params){.page_size = CRIA_INT(2)}, &all));
    char seen[64][80];
    while (good(cria_iterator_next(all, &item)), item) {
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(seen[i], cria_chat_summary_session_id(item));
        assert_true(count < 64);
        snprintf(seen[count++], 80, "%s", cria_chat_summary_session_id(item));
    }
    assert_true(count >= 5);
    cria_iterator_free(all);
}

struct source {
    size_t left;
    uint64_t told;
};

static long give(void *arg, void *buffer, size_t size)
{
    struct source *source = arg;
    size_t n = source->left < size ? source->left : size;
    memset(buffer, 'x', n);
    source->left -= n;
    return (long)n;
}

static bool count_progress(void *arg, uint64_t sent, uint64_t total)
{
    (void)total;
    ((struct source *)arg)->told = sent;
    return true;
}

static bool refuse_progress(void *arg, uint64_t sent, uint64_t total)
{
    (void)arg, (void)total;
    return sent == 0;
}

static bool collect(void *arg, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)arg += size;
    return true;
}

static void uploads_from_path_memory_and_function(void **state)
{
    struct fixture *f = *state;
    struct cria_file *file = NULL;
    struct cria_presigned_url *link = NULL;
    struct source source = {.left = 1000000};
    struct cria_files_new_params params = {.purpose = "user_data",
                                           .file = {.read = give,
                                                    .arg = &source,
                                                    .name = "made up.bin",
                                                    .progress = count_progress,
                                                    .progress_arg = &source}};
    size_t size = 0;
    good(cria_files_new(f->client, &params, &file));
    assert_string_equal(cria_file_name(file), "made up.bin");
    assert_true(source.told >= 1000000);
    good(cria_files_content(f->client, cria_file_id(file), NULL, &link));
    good(cria_download(f->client, cria_presigned_url_url(link), collect, &size));
    assert_int_equal(size, 1000000);
    good(cria_files_delete(f->client, cria_file_id(file), NULL));
    assert_int_equal(cria_download(f->client, cria_presigned_url_url(link), collect, &size),
                     CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 404);
    cria_free(link);
    cria_free(file);
    params.file = (struct cria_upload){.path = "README.md"};
    good(cria_files_new(f->client, &params, &file));
    assert_string_equal(cria_file_name(file), "README.md");
    cria_free(file);
    params.file = (struct cria_upload){.path = "/no/such/file"};
    assert_int_equal(cria_files_new(f->client, &params, &file), CRIA_USAGE);
    params.file = (struct cria_upload){.path = "README.md", .bytes = "x", .size = 1};
    assert_int_equal(cria_files_new(f->client, &params, &file), CRIA_USAGE);
    static char large[4 << 20];
    params.file =
        (struct cria_upload){.bytes = large, .size = sizeof(large), .progress = refuse_progress};
    assert_int_equal(cria_files_new(f->client, &params, &file), CRIA_CANCELLED);
}

/* Reads a stream to its end; gives the text and the last id. */
static void read_all(struct cria_stream *stream, char *said, size_t size, char *first_id)
{
    const struct cria_event *event = NULL;
    size_t n = 0;
    said[0] = first_id[0] = '\0';
    while (good(cria_stream_next(stream, &event)), event) {
        if (!first_id[0]) snprintf(first_id, 160, "%s", cria_stream_last_event_id(stream));
        if (strcmp(cria_event_type(event), "text_delta") == 0)
            n += (size_t)snprintf(said + n, size - n, "%s", cria_event_content(event));
        if (strcmp(cria_event_type(event), "stop") == 0) assert_false(cria_event_is_error(event));
    }
}

static char *new_session(struct cria_client *client)
{
    struct cria_chat_summary *chat = NULL;
    good(cria_beta_chat_new(client, NULL, &chat));
    char *id = strdup(cria_chat_summary_session_id(chat));
    cria_free(chat);
    return id;
}

static void a_turn_is_streamed_and_taken_up_again(void **state)
{
    struct fixture *f = *state;
    struct cria_stream *stream = NULL;
    struct cria_chat *chat = NULL;
    char said[8000], again[8000], first[160], other[160];
    char *session = new_session(f->client);
    const char *const ids[] = {f->index_id};
    const struct cria_beta_chat_stream_params params = {
        .index_ids = {.items = ids, .count = 1}, .prompt = "Which plant had the longest outage?"};
    good(cria_beta_chat_stream(f->client, session, &params, &stream));
    read_all(stream, said, sizeof(said), first);
    assert_non_null(strstr(said, "Elm Street"));
    cria_stream_free(stream);
    good(cria_beta_chat_resume(f->client, session, first, &stream));
    read_all(stream, again, sizeof(again), other);
    assert_string_equal(again, said);
    assert_string_not_equal(other, first);
    cria_stream_free(stream);
    good(cria_beta_chat_get(f->client, session, NULL, &chat));
    size_t count = cria_chat_events_count(chat);
    const struct cria_event *answer = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(cria_event_type(cria_chat_events_at(chat, i)), "text") == 0)
            answer = cria_chat_events_at(chat, i);
    const struct cria_text_event *spoken = (const void *)answer;
    assert_true(cria_text_event_citations_count(spoken) >= 1);
    assert_string_equal(cria_citation_file_name(cria_text_event_citations_at(spoken, 0)),
                        "outages.txt");
    assert_string_equal(cria_text_event_grounding(spoken), "answered");
    cria_free(chat);
    /* A refusal is told by the call, not by the stream. */
    stream = NULL;
    assert_int_equal(cria_beta_chat_stream(f->client, "ses-none", &params, &stream), CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 404);
    assert_null(stream);
    free(session);
}

static bool stop_at_text(void *arg, const struct cria_event *event)
{
    ++*(int *)arg;
    return strcmp(cria_event_type(event), "text_delta") != 0;
}

static bool count_all(void *arg, const struct cria_event *event)
{
    (void)event;
    ++*(int *)arg;
    return true;
}

static void events_come_to_a_function_too(void **state)
{
    struct fixture *f = *state;
    struct cria_stream *stream = NULL;
    char *session = new_session(f->client);
    const char *const ids[] = {f->index_id};
    int some = 0, all = 0;
    good(cria_beta_chat_stream(
        f->client, session,
        &(struct cria_beta_chat_stream_params){.index_ids = {.items = ids, .count = 1},
                                               .prompt = "Which plant had the longest outage?"},
        &stream));
    assert_int_equal(cria_stream_each(stream, stop_at_text, &some), CRIA_CANCELLED);
    good(cria_stream_each(stream, count_all, &all)); /* the rest */
    cria_stream_free(stream);
    assert_true(some > 1 && all > 1);
    free(session);
}

static void *cancel_soon(void *arg)
{
    usleep(100000);
    cria_stream_cancel(arg);
    return NULL;
}

static void a_stream_is_cancelled_from_another_thread(void **state)
{
    (void)state;
    struct cria_client *client = client_for("CRIA_TEST_LLM_URL", NULL, 0);
    struct cria_iterator *all = NULL;
    const void *item = NULL;
    struct fixture other = {.client = client};
    struct cria_directory *directory = NULL;
    struct cria_index *index = NULL;
    struct cria_stream *stream = NULL;
    const struct cria_event *event = NULL;
    good(cria_beta_directories_new(client, &(struct cria_beta_directories_new_params){.name = "x"},
                                   &directory));
    good(cria_beta_indexes_new(
        client,
        &(struct cria_beta_indexes_new_params){.source_directory_id = cria_directory_id(directory)},
        &index));
    snprintf(other.index_id, sizeof(other.index_id), "%s", cria_index_id(index));
    wait_ready(&other);
    char *session = new_session(client);
    const char *const ids[] = {other.index_id};
    good(cria_beta_chat_stream(
        client, session,
        &(struct cria_beta_chat_stream_params){.index_ids = {.items = ids, .count = 1},
                                               .prompt = "scenario:slow"},
        &stream));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, stream), 0);
    enum cria_code code;
    while ((code = cria_stream_next(stream, &event)) == CRIA_OK && event) {}
    pthread_join(thread, NULL);
    assert_int_equal(code, CRIA_CANCELLED);
    cria_stream_free(stream);
    good(cria_beta_chat_cancel(client, session, NULL, NULL));
    good(cria_beta_indexes_list_all(client, NULL, &all));
    good(cria_iterator_next(all, &item));
    cria_iterator_free(all);
    free(session);
    cria_free(index);
    cria_free(directory);
    cria_client_free(client);
}

/* ---- retries */

static void queue_faults(const char *json)
{
    char url[200];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof(url), "%s/__faults", getenv("CRIA_TEST_PROXY_URL"));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    curl_easy_cleanup(curl);
}

static void retries_follow_the_official_rules(void **state)
{
    (void)state;
    static const struct {
        const char *faults;
        int retries;
        enum cria_code code;
        int status;
    } cases[] = {
        {"[500]", 2, CRIA_OK, 0},
        {"[503]", 2, CRIA_OK, 0},
        {"[429]", 2, CRIA_OK, 0},
        {"[408]", 2, CRIA_OK, 0},
        {"[409]", 2, CRIA_OK, 0},
        {"[\"close\"]", 2, CRIA_OK, 0},
        {"[\"cut\"]", 2, CRIA_OK, 0},
        {"[500, \"close\"]", 2, CRIA_OK, 0},
        {"[500, 500, 500]", 2, CRIA_STATUS, 500},
        {"[500]", -1, CRIA_STATUS, 500},
        {"[400]", 2, CRIA_STATUS, 400},
        {"[{\"status\": 503, \"headers\": {\"x-should-retry\": \"false\"}}]", 2, CRIA_STATUS, 503},
        {"[{\"status\": 400, \"headers\": {\"x-should-retry\": \"true\", \"retry-after-ms\": "
         "\"1\"}}]",
         2, CRIA_OK, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cria_client *client = client_for("CRIA_TEST_PROXY_URL", NULL, cases[i].retries);
        struct cria_chat_summary *chat = NULL;
        queue_faults(cases[i].faults);
        enum cria_code code = cria_beta_chat_new(client, NULL, &chat);
        if (code != cases[i].code || (code && cria_last_error()->status != cases[i].status))
            fail_msg("%s: %d, HTTP %d: %s", cases[i].faults, (int)code, cria_last_error()->status,
                     cria_last_error()->detail);
        cria_free(chat);
        cria_client_free(client);
    }
}

static void keep_line(void *arg, const char *line)
{
    char *all = arg;
    size_t len = strlen(all);
    snprintf(all + len, 4000 - len, "%s\n", line);
}

static void options_are_heeded(void **state)
{
    static char lines[4000];
    struct cria_client *client = NULL;
    struct cria_chat_summary *chat = NULL;
    struct cria_list *projects = NULL;
    (void)state;
    lines[0] = '\0';
    /* The key from the environment; attempts are told without it. */
    setenv("LLAMA_CLOUD_BASE_URL", getenv("CRIA_TEST_KEYED_URL"), 1);
    setenv("LLAMA_PARSE_API_KEY", getenv("CRIA_TEST_KEY"), 1);
    good(cria_client_new(
        &(struct cria_client_options){.max_retries = -1, .log = keep_line, .log_arg = lines},
        &client));
    good(cria_projects_list(client, NULL, &projects));
    assert_non_null(strstr(lines, "GET"));
    assert_non_null(strstr(lines, "200"));
    assert_null(strstr(lines, getenv("CRIA_TEST_KEY")));
    cria_free(projects);
    cria_client_free(client);
    /* LLAMA_CLOUD_API_KEY comes first; the option before both. */
    setenv("LLAMA_CLOUD_API_KEY", "wrong", 1);
    good(cria_client_new(&(struct cria_client_options){.max_retries = -1}, &client));
    assert_int_equal(cria_projects_list(client, NULL, &projects), CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 401);
    cria_client_free(client);
    good(cria_client_new(
        &(struct cria_client_options){.api_key = getenv("CRIA_TEST_KEY"), .max_retries = -1},
        &client));
    good(cria_projects_list(client, NULL, &projects));
    cria_free(projects);
    cria_client_free(client);
    unsetenv("LLAMA_CLOUD_BASE_URL");
    unsetenv("LLAMA_CLOUD_API_KEY");
    unsetenv("LLAMA_PARSE_API_KEY");
    /* Headers of the environment, the client and the call reach the server: it looks at this one.
     */
    const struct cria_header key = {"Idempotency-Key", "twice"};
    const struct cria_call_options with_key = {.headers = &key, .header_count = 1};
    const struct cria_beta_chat_new_params once = {.options = &with_key};
    char first[80];
    client = client_for("CRIA_TEST_URL", NULL, -1);
    good(cria_beta_chat_new(client, &once, &chat));
    snprintf(first, sizeof(first), "%s", cria_chat_summary_session_id(chat));
    cria_free(chat);
    good(cria_beta_chat_new(client, &once, &chat));
    assert_string_equal(cria_chat_summary_session_id(chat), first);
    cria_free(chat);
    cria_client_free(client);
    setenv("LLAMA_CLOUD_CUSTOM_HEADERS", "X-Other: 1\nIdempotency-Key: twice", 1);
    client = client_for("CRIA_TEST_URL", NULL, -1);
    good(cria_beta_chat_new(client, NULL, &chat));
    assert_string_equal(cria_chat_summary_session_id(chat), first);
    unsetenv("LLAMA_CLOUD_CUSTOM_HEADERS");
    cria_free(chat);
    cria_client_free(client);
}

static void a_certificate_of_ones_own_is_trusted_when_named(void **state)
{
    (void)state;
    struct cria_client *client = NULL;
    struct cria_chat_summary *chat = NULL;
    if (!getenv("CRIA_TEST_TLS_URL")) skip();
    struct cria_client_options options = {.base_url = getenv("CRIA_TEST_TLS_URL"),
                                          .ca_file = getenv("CRIA_TEST_CA"),
                                          .max_retries = -1};
    good(cria_client_new(&options, &client));
    good(cria_beta_chat_new(client, NULL, &chat));
    cria_free(chat);
    cria_client_free(client);
    options.ca_file = NULL; /* the system does not know it */
    good(cria_client_new(&options, &client));
    assert_int_equal(cria_beta_chat_new(client, NULL, &chat), CRIA_CONNECTION);
    cria_client_free(client);
}

static void a_proxy_is_gone_through(void **state)
{
    (void)state;
    struct cria_client *client = NULL;
    struct cria_chat_summary *chat = NULL;
    const struct cria_client_options options = {.base_url = getenv("CRIA_TEST_URL"),
                                                .proxy = getenv("CRIA_TEST_PROXY_URL"),
                                                .max_retries = -1};
    good(cria_client_new(&options, &client));
    good(cria_beta_chat_new(client, NULL, &chat));
    cria_free(chat);
    queue_faults("[{\"status\": 429, \"headers\": {\"retry-after\": \"7\"}}]");
    assert_int_equal(cria_beta_chat_new(client, NULL, &chat), CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 429); /* so it was asked, not the server */
    assert_int_equal(cria_last_error()->retry_after_ms, 7000);
    assert_string_equal(cria_last_error()->detail, "a made fault");
    cria_client_free(client);
}

static void a_call_has_a_deadline(void **state)
{
    (void)state;
    struct cria_client *client = client_for("CRIA_TEST_PROXY_URL", NULL, -1);
    struct cria_chat_summary *chat = NULL;
    const struct cria_call_options options = {.timeout_s = 0.3};
    queue_faults("[\"stall\"]");
    assert_int_equal(
        cria_beta_chat_new(client, &(struct cria_beta_chat_new_params){.options = &options}, &chat),
        CRIA_TIMEOUT);
    cria_client_free(client);
}

static void a_cut_stream_is_taken_up_again(void **state)
{
    struct fixture *f = *state;
    struct cria_client *client = client_for("CRIA_TEST_PROXY_URL", NULL, 3);
    struct cria_stream *stream = NULL;
    char whole[8000], said[8000], id[160];
    char *session = new_session(client);
    const char *const ids[] = {f->index_id};
    good(cria_beta_chat_stream(
        client, session,
        &(struct cria_beta_chat_stream_params){.index_ids = {.items = ids, .count = 1},
                                               .prompt = "Which plant had the longest outage?"},
        &stream));
    read_all(stream, whole, sizeof(whole), id);
    cria_stream_free(stream);
    queue_faults("[\"cut\"]");
    good(cria_beta_chat_resume(client, session, NULL, &stream));
    read_all(stream, said, sizeof(said), id);
    assert_string_equal(said, whole);
    cria_stream_free(stream);
    free(session);
    cria_client_free(client);
}

static void keys_and_projects(void **state)
{
    (void)state;
    struct cria_client *none = client_for("CRIA_TEST_KEYED_URL", "wrong", -1);
    struct cria_client *reader =
        client_for("CRIA_TEST_KEYED_URL", getenv("CRIA_TEST_READ_KEY"), -1);
    struct cria_list *projects = NULL;
    struct cria_chat_summary *chat = NULL;
    assert_int_equal(cria_projects_list(none, NULL, &projects), CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 401);
    assert_null(strstr(cria_last_error()->detail, "wrong"));
    good(cria_projects_list(reader, NULL, &projects));
    assert_true(cria_list_count(projects) >= 1);
    assert_true(cria_project_is_default(cria_list_at(projects, 0)) ||
                cria_list_count(projects) > 1);
    assert_int_equal(cria_beta_chat_new(reader, NULL, &chat), CRIA_STATUS);
    assert_int_equal(cria_last_error()->status, 403);
    cria_free(projects);
    cria_client_free(reader);
    cria_client_free(none);
}

static void *make_many(void *arg)
{
    for (int i = 0; i < 20; i++) {
        struct cria_chat_summary *chat = NULL;
        if (cria_beta_chat_new(arg, NULL, &chat) != CRIA_OK) return (void *)1;
        cria_free(chat);
    }
    return NULL;
}

static void a_client_serves_many_threads(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, f->client), 0);
    for (int i = 0; i < 8; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_have_presence),
        cmocka_unit_test(params_tell_absent_from_null),
        cmocka_unit_test(errors_are_typed),
        cmocka_unit_test(retrieval_find_grep_read),
        cmocka_unit_test(lists_go_over_pages),
        cmocka_unit_test(uploads_from_path_memory_and_function),
        cmocka_unit_test(a_turn_is_streamed_and_taken_up_again),
        cmocka_unit_test(events_come_to_a_function_too),
        cmocka_unit_test(a_stream_is_cancelled_from_another_thread),
        cmocka_unit_test(retries_follow_the_official_rules),
        cmocka_unit_test(options_are_heeded),
        cmocka_unit_test(a_certificate_of_ones_own_is_trusted_when_named),
        cmocka_unit_test(a_proxy_is_gone_through),
        cmocka_unit_test(a_call_has_a_deadline),
        cmocka_unit_test(a_cut_stream_is_taken_up_again),
        cmocka_unit_test(keys_and_projects),
        cmocka_unit_test(a_client_serves_many_threads),
    };
    return cmocka_run_group_tests_name("libcria", tests, setup, teardown);
}
