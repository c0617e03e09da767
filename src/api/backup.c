/* backup.c - everything, or one project, in one file, and a project back in. Not in the contract.
 */
#include "store/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "api/handler.h"
#include "api/handlers.h"
#include "api/projects.h"
#include "api/uploads.h"
#include "platform/crypto.h"
#include "store/blobs.h"
#include "store/transfer.h"

enum { NAME_CHARS = 255 };

/* ---- a backup: the loop sends what its thread has read */

static enum cria_pull pull(void *self, struct cria_buf *out, size_t room)
{
    switch (cria_backup_pull(self, out, room)) {
    case CRIA_BACKUP_WAIT: return CRIA_PULL_WAIT;
    case CRIA_BACKUP_MORE: return CRIA_PULL_MORE;
    case CRIA_BACKUP_END: return CRIA_PULL_END;
    case CRIA_BACKUP_FAIL: return CRIA_PULL_FAIL;
    }
    cria_unreachable();
}

static void closed(void *self, bool by_peer)
{
    (void)by_peer;
    cria_backup_close(self);
}

static void wake(void *arg)
{
    cria_exchange_wake(arg);
}

static void gone(void *arg)
{
    cria_exchange_unref(arg);
}

static enum cria_status backup(struct cria_exchange *ex)
{
    static const struct cria_stream_ops ops = {.pull = pull, .closed = closed};
    const struct cria_backup_reader reader = {.wake = wake, .gone = gone, .arg = ex};
    struct cria_check check;
    struct cria_backup *made = NULL;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    /* A key of one project must not carry off the others'. */
    if (st == CRIA_OK && !cria_account_is_wide(cria_app_of(ex)->account, &ex->call))
        st = cria_fail(&ex->call, CRIA_E_FORBIDDEN,
                       "A backup wants a key of the whole organization");
    if (st != CRIA_OK) return st;
    cria_exchange_ref(ex); /* the backup's */
    st = cria_backup_start(cria_app_of(ex)->store, &ex->call, &reader, &made);
    if (st == CRIA_OK)
        cria_exchange_stream(ex, "application/x-tar", &ops, made);
    else
        cria_exchange_unref(ex);
    return st;
}

void cria_api_backup(struct cria_exchange *ex)
{
    enum cria_status st = backup(ex);
    if (st != CRIA_OK) cria_reply(ex, st); /* else the stream has begun */
}

/* ---- one project */

static enum cria_status export_project(struct cria_exchange *ex)
{
    struct cria_check check;
    int fd = -1;
    uint64_t size = 0;
    cria_check_init(&check, ex);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK)
        st =
            cria_project_export(cria_app_of(ex)->store, &ex->call, cria_project_of(ex), &fd, &size);
    if (st == CRIA_OK) cria_exchange_file(ex, 200, "application/x-tar", fd, 0, size);
    return cria_named(&ex->call, st, "Project not found");
}

void cria_api_export_project(struct cria_exchange *ex)
{
    enum cria_status st = export_project(ex);
    if (st != CRIA_OK) cria_reply(ex, st); /* else the file is on its way */
}

/* The form's file as a descriptor to be closed; small ones came in memory. */
static enum cria_status open_part(struct cria_exchange *ex, const struct cria_part *part, int *fd)
{
    if (part->spool_fd >= 0) {
        *fd = fcntl(part->spool_fd, F_DUPFD_CLOEXEC, 0);
    } else {
        char id[CRIA_ID_SIZE], path[CRIA_ID_SIZE + 4096];
        cria_id_new("import-", id);
        snprintf(path, sizeof(path), "%s/%s", cria_blobs_spool_dir(cria_app_of(ex)->store), id);
        *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (*fd >= 0) unlink(path);
        if (*fd >= 0 && write(*fd, part->value.ptr, part->value.len) != (ssize_t)part->value.len) {
            close(*fd);
            *fd = -1;
        }
    }
    if (*fd >= 0 && lseek(*fd, 0, SEEK_SET) == 0) return CRIA_OK;
    return cria_fail(&ex->call, CRIA_E_IO, "The upload cannot be read again");
}

static enum cria_status import_project(struct cria_exchange *ex)
{
    struct cria_check check;
    struct cria_upload upload;
    struct cria_app *app = cria_app_of(ex);
    struct cria_project project;
    struct cria_import import = {
        .fd = -1, .organization_id = cria_str_from(ex->call.principal.organization_id)};
    cria_check_init(&check, ex);
    cria_upload_form(&check);
    cria_upload_read(&upload, &check, "upload_file");
    cria_member_str(&check.body, "name", CRIA_OPTIONAL, 1, NAME_CHARS, &import.name);
    enum cria_status st = cria_check_end(&check);
    if (st == CRIA_OK && !cria_account_is_wide(app->account, &ex->call))
        st = cria_fail(&ex->call, CRIA_E_FORBIDDEN,
                       "An import wants a key of the whole organization");
    if (st == CRIA_OK) st = open_part(ex, upload.part, &import.fd);
    if (st == CRIA_OK) st = cria_project_import(app->store, &ex->call, &import, &project);
    if (import.fd >= 0) close(import.fd);
    if (st == CRIA_OK) st = cria_account_project_adopt(app->account, &ex->call, &project);
    if (st != CRIA_OK) return st;
    struct cria_json_out out = cria_json_out_to(&ex->body);
    cria_write_project(&out, &project);
    return CRIA_OK;
}
CRIA_HANDLER(import_project)
