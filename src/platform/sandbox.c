#include "platform/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef CRIA_HAVE_SECCOMP
#include <seccomp.h>
#include <sys/mman.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

enum { NOBODY = 65534, OPEN_FILES_WITH_FOLDER = 32, FIRST_OTHER_FD = 3 };

static void tell_missing(const char *layer, int error)
{
    fprintf(stderr, "sandbox: %s is not available (%s)\n", layer, strerror(error));
}

static bool limit(int resource, uint64_t value)
{
    struct rlimit limit = {(rlim_t)value, (rlim_t)value};
    struct rlimit now;
    if (getrlimit((__typeof__(RLIMIT_CORE))resource, &now) == 0 && now.rlim_max != RLIM_INFINITY &&
        now.rlim_max < limit.rlim_max)
        limit.rlim_cur = limit.rlim_max = now.rlim_max;
    return setrlimit((__typeof__(RLIMIT_CORE))resource, &limit) == 0;
}

static bool set_limits(const struct cria_sandbox_options *options)
{
    bool set = limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, options->cpu_seconds);
    if (!options->may_write_to_files) set = set && limit(RLIMIT_FSIZE, 0);
    /* Sanitizers reserve terabytes that they never touch. */
    if (options->memory_bytes && !HAS_SHADOW_MEMORY) {
#ifdef __linux__
        set = set && limit(RLIMIT_AS, options->memory_bytes);
#else
        limit(RLIMIT_AS, options->memory_bytes); /* macOS knows the limit and does not keep it */
#endif
    }
    return set;
}

#ifdef __linux__

/* Rights newer than this header's are not asked for: the kernel's version masks the rest. */
static uint64_t landlock_rights(long version)
{
    uint64_t rights = (1ULL << 13) - 1;     /* EXECUTE to MAKE_SYM: the first version */
    if (version >= 2) rights |= 1ULL << 13; /* REFER */
    if (version >= 3) rights |= 1ULL << 14; /* TRUNCATE */
    if (version >= 5) rights |= 1ULL << 15; /* IOCTL_DEV */
    return rights;
}

static bool landlock_allow_reading(int ruleset, const char *folder)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
                                                                LANDLOCK_ACCESS_FS_READ_DIR};
    rule.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (rule.parent_fd < 0) return false;
    bool added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return added;
}

static bool enter_landlock(const char *read_folder, bool *may_read)
{
    struct {
        uint64_t handled_access_fs, handled_access_net, scoped;
    } attributes = {0, 0, 0};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return false;
    attributes.handled_access_fs = landlock_rights(version);
    size_t size = sizeof(uint64_t);
    if (version >= 4) {
        attributes.handled_access_net = 3; /* BIND_TCP, CONNECT_TCP */
        size = 2 * sizeof(uint64_t);
    }
    if (version >= 6) {
        attributes.scoped = 3; /* abstract sockets, signals to processes outside */
        size = 3 * sizeof(uint64_t);
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return false;
    *may_read = read_folder && landlock_allow_reading(ruleset, read_folder);
    bool entered = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return entered;
}

static bool drop_root(void)
{
    if (geteuid() != 0 && getuid() != 0) return true;
    if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0) return false;
    return setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

#ifdef CRIA_HAVE_SECCOMP
/* Calls that compute, read and write what is open already. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(getrlimit),
};

/* Calls that libraries try and can live without: they are told no. */
static const struct {
    int call, error;
} refused[] = {
    {SCMP_SYS(lstat), EACCES},
    {SCMP_SYS(faccessat), EACCES},
    {SCMP_SYS(faccessat2), EACCES},
    {SCMP_SYS(readlink), EACCES},
    {SCMP_SYS(readlinkat), EACCES},
    {SCMP_SYS(statfs), EACCES},
    {SCMP_SYS(getcwd), EACCES},
    {SCMP_SYS(socket), EACCES},
    {SCMP_SYS(openat2), EACCES},
    {SCMP_SYS(ioctl), ENOTTY},
    {SCMP_SYS(fork), EAGAIN},
    {SCMP_SYS(vfork), EAGAIN},
    {SCMP_SYS(clone), EAGAIN},
    {SCMP_SYS(clone3), ENOSYS},
    {SCMP_SYS(getdents64), EACCES},
    {SCMP_SYS(fadvise64), ENOSYS},
    {SCMP_SYS(sched_setaffinity), EPERM},
    {SCMP_SYS(get_mempolicy), ENOSYS},
};

static int add_memory_rules(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    int error = 0;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !error; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* Growing a map keeps its rights, so it never makes code. */
    if (!error) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mremap), 0);
    return error;
}

static int add_argument_rules(scmp_filter_ctx filter, bool may_read)
{
    static const int opens[] = {SCMP_SYS(open), SCMP_SYS(openat)};
    static const int looks[] = {SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
                                SCMP_SYS(access)};
    /* abort() sends its signal to itself; nobody else may get one. */
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    /* Looking at limits and flags, never setting them. */
    if (!error)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                 SCMP_A2(SCMP_CMP_EQ, 0));
    if (!error)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                 SCMP_A1(SCMP_CMP_EQ, F_GETFL));
    if (!error)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                 SCMP_A1(SCMP_CMP_EQ, F_GETFD));
    if (!error)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                 SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
    /* What fstat() is made of where files may be opened; a name tells no more than that it is
     * there. */
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]) && !error; i++)
        error = seccomp_rule_add(filter, may_read ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
                                 looks[i], 0);
    for (size_t i = 0; i < 2 && !error; i++) {
        if (may_read && opens[i] == SCMP_SYS(openat)) /* Landlock says which */
            error = seccomp_rule_add(
                filter, SCMP_ACT_ALLOW, opens[i], 1,
                SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
        else
            error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), opens[i], 0);
    }
    return error;
}

/* Returns 0 or an errno value. */
static int enter_seccomp(bool may_read)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int error = 0;
    if (!filter) return ENOMEM;
    /* Calls that this architecture never had are skipped by name resolution: libseccomp answers
     * -EDOM only for rules that can never match. */
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !error; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && !error; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(refused[i].error), refused[i].call, 0);
    if (!error) error = add_memory_rules(filter);
    if (!error) error = add_argument_rules(filter, may_read);
    if (!error) error = seccomp_load(filter);
    seccomp_release(filter);
    return -error;
}
#endif

static unsigned enter_linux(const struct cria_sandbox_options *options)
{
    unsigned layers = 0;
    bool may_read = false;
    if (drop_root())
        layers |= CRIA_SANDBOX_USER;
    else
        tell_missing("a user without rights", errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        layers |= CRIA_SANDBOX_NO_PRIVILEGES;
    else
        tell_missing("no-new-privileges", errno);
#ifdef SYS_close_range
    if (syscall(SYS_close_range, FIRST_OTHER_FD, ~0U, 0) != 0)
#endif
        for (int fd = FIRST_OTHER_FD; fd < 4096; fd++) close(fd);
    if (enter_landlock(options->read_folder, &may_read))
        layers |= CRIA_SANDBOX_LANDLOCK;
    else {
        may_read = false;
        tell_missing("Landlock", errno);
    }
    /* No new descriptor at all; and no process, which is counted per user and not for root. */
    if (limit(RLIMIT_NOFILE, may_read ? OPEN_FILES_WITH_FOLDER : FIRST_OTHER_FD) &&
        (geteuid() == 0 || limit(RLIMIT_NPROC, 0)) && set_limits(options))
        layers |= CRIA_SANDBOX_LIMITS;
    else
        return 0;
#ifdef CRIA_HAVE_SECCOMP
    int error = enter_seccomp(may_read);
    if (error == 0)
        layers |= CRIA_SANDBOX_SECCOMP;
    else
        tell_missing("seccomp", error);
#else
    tell_missing("seccomp", ENOSYS);
#endif
    return layers;
}
#endif

unsigned cria_sandbox_enter(const struct cria_sandbox_options *options)
{
#ifdef __linux__
    return enter_linux(options);
#else
    if (geteuid() == 0) tell_missing("a user without rights", ENOSYS);
    for (int fd = FIRST_OTHER_FD; fd < 1024; fd++) close(fd);
    return set_limits(options) && limit(RLIMIT_NOFILE, FIRST_OTHER_FD) ? CRIA_SANDBOX_LIMITS : 0;
#endif
}
