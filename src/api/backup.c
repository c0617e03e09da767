/* backup.c - everything in one file, for whoever may do everything. Not in the contract. */
#include "store/backup.h"
#include "api/handler.h"
#include "api/handlers.h"

static enum cria_status backup(struct cria_exchange *ex)
{
    struct cria_check check;
    int fd = -1;
    uint64_t size = 0;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    /* A key of one project must not carry off the others'. */
    if (st == CRIA_OK && !cria_account_is_wide(cria_app_of(ex)->account, &ex->call))
        st = cria_fail(&ex->call, CRIA_E_FORBIDDEN,
                       "A backup wants a key of the whole organization");
    if (st == CRIA_OK) st = cria_backup_make(cria_app_of(ex)->store, &ex->call, &fd, &size);
    if (st == CRIA_OK) cria_exchange_file(ex, 200, "application/x-tar", fd, 0, size);
    return st;
}

void cria_api_backup(struct cria_exchange *ex)
{
    enum cria_status st = backup(ex);
    if (st != CRIA_OK) cria_reply(ex, st); /* else the file is on its way */
}
