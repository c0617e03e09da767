/* vfs.h - a thin layer between SQLite and the system's files, for tests: failures on demand, and
 * word of all that was done, from which a test makes what a power cut may leave. Without them it
 * only passes calls on. Room: store/sqlite.
 *
 * CRIA_FAULT_FILE fails an open, read, write, truncation, deletion or mapping, CRIA_FAULT_STORE a
 * sync. */
#ifndef CRIA_STORE_SQLITE_VFS_H
#define CRIA_STORE_SQLITE_VFS_H

#include "base/str.h"

#define CRIA_SQLITE_VFS "cria"

/** Once or more, any thread. */
bool cria_sqlite_vfs_register(void);

enum cria_sqlite_deed {
    CRIA_SQLITE_WRITE,    /* bytes at `at` */
    CRIA_SQLITE_TRUNCATE, /* to `at` bytes */
    CRIA_SQLITE_SYNC,     /* all that was written to the file before it is on disk */
    CRIA_SQLITE_LOSS,     /* a sync failed: what was written since the last one may never get there,
                             not even by a later sync */
    CRIA_SQLITE_DELETE    /* at: 1 when the folder was synced, too */
};
struct cria_sqlite_event {
    enum cria_sqlite_deed deed;
    const char *path;      /* absolute */
    struct cria_str bytes; /* the caller's, for the time of the call */
    int64_t at;
};
typedef void cria_sqlite_watch_fn(void *arg, const struct cria_sqlite_event *event);

/** From now on fn is told of each such deed after it was done, on the thread that did it. NULL
 * ends it. To be set while no database is open. Only in builds with CRIA_FAULTS. */
void cria_sqlite_vfs_watch(cria_sqlite_watch_fn *fn, void *arg);

#endif
