/* conversation.c INDEX QUESTION… - asks one question after the other in one session and prints the
 * answers as they come. */
#include <cria/cria.h>
#include <stdio.h>
#include <string.h>

static int ask(struct cria_client *client, const char *session_id, const char *index_id,
               const char *question)
{
    struct cria_stream *stream = NULL;
    const struct cria_event *event = NULL;
    const char *const ids[] = {index_id};
    const struct cria_beta_chat_stream_params params = {.index_ids = {.items = ids, .count = 1},
                                                        .prompt = question};
    enum cria_code code = cria_beta_chat_stream(client, session_id, &params, &stream);
    while (code == CRIA_OK && (code = cria_stream_next(stream, &event)) == CRIA_OK && event) {
        if (strcmp(cria_event_type(event), "text_delta") == 0)
            fputs(cria_event_content(event), stdout);
        if (cria_event_is_error(event)) fprintf(stderr, "%s\n", cria_event_error(event));
        fflush(stdout);
    }
    puts("\n");
    cria_stream_free(stream);
    if (code != CRIA_OK) fprintf(stderr, "%s\n", cria_last_error()->detail);
    return code == CRIA_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct cria_client *client = NULL;
    struct cria_chat_summary *chat = NULL;
    int failed = argc < 3 ? 64 : 0;
    if (failed) return failed;
    const char *const ids[] = {argv[1]};
    if (cria_client_new(NULL, &client) != CRIA_OK ||
        cria_beta_chat_new(
            client, &(struct cria_beta_chat_new_params){.index_ids = {.items = ids, .count = 1}},
            &chat) != CRIA_OK) {
        fprintf(stderr, "%s\n", cria_last_error()->detail);
        failed = 1;
    }
    for (int i = 2; i < argc && !failed; i++)
        failed = ask(client, cria_chat_summary_session_id(chat), argv[1], argv[i]);
    cria_free(chat);
    cria_client_free(client);
    return failed;
}
