/* new_chat.c - the program of the reference page: makes a chat session and prints its id. */
#include <cria/cria.h>
#include <stdio.h>

int main(void)
{
    struct cria_client *client = NULL;
    struct cria_chat_summary *chat = NULL;
    if (cria_client_new(&(struct cria_client_options){0}, &client) == CRIA_OK &&
        cria_beta_chat_new(client, &(struct cria_beta_chat_new_params){0}, &chat) == CRIA_OK)
        printf("%s\n", cria_chat_summary_session_id(chat));
    else
        fprintf(stderr, "%s\n", cria_last_error()->detail);
    bool is_good = chat != NULL;
    cria_free(chat);
    cria_client_free(client);
    return is_good ? 0 : 1;
}
