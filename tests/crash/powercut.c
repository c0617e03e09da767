/* powercut.c - an LD_PRELOAD shim that knows what a power cut would leave.
 * CRIA_CUT_DATA is the data folder, CRIA_CUT_DISK another folder: each file under the first is
 * copied to the same place under the second when fsync or fdatasync on it succeeded, and a rename
 * or unlink is done there too. After a kill -9, CRIA_CUT_DISK is what the disk would hold.
 * What is not modelled: parts of a file (copies are whole), unsynced directory entries. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *folder(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

/* The place of `path` (absolute) on the disk; 0 when it lies outside the data folder. */
static int on_disk(const char *path, char out[PATH_MAX])
{
    const char *data = folder("CRIA_CUT_DATA"), *disk = folder("CRIA_CUT_DISK");
    if (!data || !disk || !path) return 0;
    size_t n = strlen(data);
    if (strncmp(path, data, n) != 0 || path[n] != '/') return 0;
    int length = snprintf(out, PATH_MAX, "%s%s", disk, path + n);
    return length > 0 && length < PATH_MAX;
}

static int path_of_fd(int fd, char out[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    if (n <= 0) return 0;
    out[n] = '\0';
    return 1;
}

/* An absolute path for a pair of openat's kind; the file itself need not exist. */
static int path_of_at(int fd, const char *name, char out[PATH_MAX])
{
    char base[PATH_MAX];
    if (name[0] == '/') return snprintf(out, PATH_MAX, "%s", name) < PATH_MAX;
    if (fd == AT_FDCWD ? !getcwd(base, sizeof(base)) : !path_of_fd(fd, base)) return 0;
    return snprintf(out, PATH_MAX, "%s/%s", base, name) < PATH_MAX;
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void copy_to_disk(int fd)
{
    char path[PATH_MAX], place[PATH_MAX], source[64], buffer[65536];
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink == 0) return;
    if (!path_of_fd(fd, path) || !on_disk(path, place)) return;
    snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
    int in = open(source, O_RDONLY | O_CLOEXEC);
    if (in < 0) return;
    make_parents(place);
    int out = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    off_t at = 0;
    ssize_t n;
    while (out >= 0 && (n = pread(in, buffer, sizeof(buffer), at)) > 0) {
        if (pwrite(out, buffer, (size_t)n, at) != n) abort();
        at += n;
    }
    if (out >= 0 && ftruncate(out, at) != 0) abort();
    if (out >= 0) close(out);
    close(in);
}

static int synced(int result, int fd)
{
    if (result != 0) return result;
    int kept = errno;
    pthread_mutex_lock(&lock);
    copy_to_disk(fd);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return 0;
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return synced(real(fd), fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return synced(real(fd), fd);
}

/* A file that was never synced has no copy: under its new name there is nothing either. */
static void renamed(const char *from, const char *to)
{
    char old_place[PATH_MAX], new_place[PATH_MAX];
    int kept = errno;
    pthread_mutex_lock(&lock);
    if (on_disk(to, new_place)) {
        make_parents(new_place);
        if (!on_disk(from, old_place) ||
            syscall(SYS_renameat2, AT_FDCWD, old_place, AT_FDCWD, new_place, 0) != 0)
            unlink(new_place);
    }
    pthread_mutex_unlock(&lock);
    errno = kept;
}

static int rename_at(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    static int (*real)(int, const char *, int, const char *, unsigned);
    char old_path[PATH_MAX], new_path[PATH_MAX];
    if (!real)
        real =
            (int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");
    int known = path_of_at(from_fd, from, old_path) && path_of_at(to_fd, to, new_path);
    int result = real(from_fd, from, to_fd, to, flags);
    if (result == 0 && known) renamed(old_path, new_path);
    return result;
}

int rename(const char *from, const char *to)
{
    return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return rename_at(from_fd, from, to_fd, to, 0);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return rename_at(from_fd, from, to_fd, to, flags);
}

int unlinkat(int fd, const char *name, int flags)
{
    static int (*real)(int, const char *, int);
    char path[PATH_MAX], place[PATH_MAX];
    if (!real) real = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "unlinkat");
    int known = path_of_at(fd, name, path) && on_disk(path, place);
    int result = real(fd, name, flags);
    if (result == 0 && known) {
        int kept = errno;
        real(AT_FDCWD, place, flags);
        errno = kept;
    }
    return result;
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}
