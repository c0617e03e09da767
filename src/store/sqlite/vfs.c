#include "store/sqlite/vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"

struct file {
    sqlite3_file base;
    const char *name;
    sqlite3_file *real; /* lies behind this struct */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *system_vfs;
static char shadow[1024];

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static int x_close(sqlite3_file *file)
{
    return real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}

static int x_read(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), out, count, at);
}

static int x_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    if (cria_fault_fires(CRIA_FAULT_FILE)) return SQLITE_IOERR_WRITE;
    return real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

#ifdef CRIA_FAULTS
void cria_sqlite_vfs_shadow(const char *folder)
{
    snprintf(shadow, sizeof(shadow), "%s", folder ? folder : "");
}

/* Written aside and renamed, so that a kill in the middle leaves the copy of the sync before. */
static void copy_to_shadow(const struct file *file)
{
    char bytes[65536], path[2048], aside[2048 + 4];
    const char *name = strrchr(file->name, '/');
    snprintf(path, sizeof(path), "%s/%s", shadow, name ? name + 1 : file->name);
    snprintf(aside, sizeof(aside), "%s.new", path);
    FILE *from = fopen(file->name, "rbe"), *to = fopen(aside, "wbe");
    size_t n;
    while (from && to && (n = fread(bytes, 1, sizeof(bytes), from)) > 0) fwrite(bytes, 1, n, to);
    if (from) fclose(from);
    if (to && fclose(to) == 0) rename(aside, path);
}
#else
void cria_sqlite_vfs_shadow(const char *folder)
{
    (void)folder;
}

static void copy_to_shadow(const struct file *file)
{
    (void)file;
}
#endif

static int x_sync(sqlite3_file *file, int flags)
{
    if (cria_fault_fires(CRIA_FAULT_STORE)) return SQLITE_IOERR_FSYNC;
    int code = real(file)->pMethods->xSync(real(file), flags);
    if (code == SQLITE_OK && shadow[0] && ((struct file *)file)->name)
        copy_to_shadow((struct file *)file);
    return code;
}

static int x_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return real(file)->pMethods->xFileSize(real(file), out);
}

static int x_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int x_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int x_check_lock(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int x_control(sqlite3_file *file, int what, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), what, arg);
}

static int x_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int x_traits(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int x_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int x_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void x_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int x_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_lock,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_traits,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *self, const char *name, sqlite3_file *out, int flags, int *out_flags)
{
    struct file *file = (struct file *)out;
    (void)self;
    file->name = name;
    file->real = (sqlite3_file *)(file + 1);
    int code = system_vfs->xOpen(system_vfs, name, file->real, flags, out_flags);
    file->base.pMethods = file->real->pMethods ? &methods : NULL;
    return code;
}

static void register_once(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs) return;
    vfs = *system_vfs; /* all but opening is the system's own */
    vfs.zName = CRIA_SQLITE_VFS;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = x_open;
    vfs.pNext = NULL;
    sqlite3_vfs_register(&vfs, 0);
}

bool cria_sqlite_vfs_register(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_once);
    return system_vfs != NULL;
}
