/* vfs.h - a thin layer between SQLite and the system's files: failures on demand, and a copy of
 * what is surely on disk, both for tests. Without them it only passes calls on. Room: store/sqlite.
 */
#ifndef CRIA_STORE_SQLITE_VFS_H
#define CRIA_STORE_SQLITE_VFS_H

#include <stdbool.h>

#define CRIA_SQLITE_VFS "cria"

/** Once or more, any thread. */
bool cria_sqlite_vfs_register(void);
/** From now on every successful sync of a file copies it to `folder` under its own name: after a
 * power cut exactly those bytes are there. NULL ends it. Only in builds with CRIA_FAULTS. */
void cria_sqlite_vfs_shadow(const char *folder);

#endif
