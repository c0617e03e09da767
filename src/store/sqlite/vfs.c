#include "store/sqlite/vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/fault.h"

struct file {
    sqlite3_file base;
    const char *name;
    sqlite3_file *real; /* lies behind this struct */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *system_vfs;

#ifdef CRIA_FAULTS
static cria_sqlite_watch_fn *watch;
static void *watch_arg;

void cria_sqlite_vfs_watch(cria_sqlite_watch_fn *fn, void *arg)
{
    watch = fn;
    watch_arg = arg;
}

static int told(int code, enum cria_sqlite_deed deed, const char *name, struct cria_str bytes,
                int64_t at)
{
    const struct cria_sqlite_event event = {deed, name, bytes, at};
    if (watch && code == SQLITE_OK && name) watch(watch_arg, &event);
    return code;
}
#else
void cria_sqlite_vfs_watch(cria_sqlite_watch_fn *fn, void *arg)
{
    (void)fn, (void)arg;
}

static int told(int code, enum cria_sqlite_deed deed, const char *name, struct cria_str bytes,
                int64_t at)
{
    (void)deed, (void)name, (void)bytes, (void)at;
    return code;
}
#endif

/* The system's reason, too: SQLite asks for it. */
static bool fails(enum cria_fault_kind kind)
{
    if (!cria_fault_fires(kind)) return false;
    errno = EIO;
    return true;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static const char *name_of(sqlite3_file *file)
{
    return ((struct file *)file)->name;
}

static int x_close(sqlite3_file *file)
{
    return real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}

static int x_read(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    if (fails(CRIA_FAULT_FILE)) return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), out, count, at);
}

static int x_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    if (fails(CRIA_FAULT_FILE)) return SQLITE_IOERR_WRITE;
    return told(real(file)->pMethods->xWrite(real(file), bytes, count, at), CRIA_SQLITE_WRITE,
                name_of(file), cria_str_make(bytes, (size_t)count), at);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails(CRIA_FAULT_FILE)) return SQLITE_IOERR_TRUNCATE;
    return told(real(file)->pMethods->xTruncate(real(file), size), CRIA_SQLITE_TRUNCATE,
                name_of(file), (struct cria_str){0}, size);
}

static int x_sync(sqlite3_file *file, int flags)
{
    if (fails(CRIA_FAULT_STORE)) {
        told(SQLITE_OK, CRIA_SQLITE_LOSS, name_of(file), (struct cria_str){0}, 0);
        return SQLITE_IOERR_FSYNC;
    }
    return told(real(file)->pMethods->xSync(real(file), flags), CRIA_SQLITE_SYNC, name_of(file),
                (struct cria_str){0}, 0);
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
    if (fails(CRIA_FAULT_FILE)) return SQLITE_IOERR_SHMMAP;
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
    file->base.pMethods = NULL;
    if (fails(CRIA_FAULT_FILE)) return SQLITE_CANTOPEN;
    file->name = name;
    file->real = (sqlite3_file *)(file + 1);
    int code = system_vfs->xOpen(system_vfs, name, file->real, flags, out_flags);
    file->base.pMethods = file->real->pMethods ? &methods : NULL;
    return code;
}

static int x_delete(sqlite3_vfs *self, const char *name, int sync_folder)
{
    (void)self;
    if (fails(CRIA_FAULT_FILE)) return SQLITE_IOERR_DELETE;
    return told(system_vfs->xDelete(system_vfs, name, sync_folder), CRIA_SQLITE_DELETE, name,
                (struct cria_str){0}, sync_folder);
}

static void register_once(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs) return;
    vfs = *system_vfs; /* all but opening and deleting is the system's own */
    vfs.zName = CRIA_SQLITE_VFS;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = x_open;
    vfs.xDelete = x_delete;
    vfs.pNext = NULL;
    sqlite3_vfs_register(&vfs, 0);
}

bool cria_sqlite_vfs_register(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_once);
    return system_vfs != NULL;
}
