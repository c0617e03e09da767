#include "platform/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The handler walks this list without a lock: what is in it is never freed, only used again. The
 * mapping that a thread reads stays in its place meanwhile, so the one looked for does not change.
 */
struct cria_mapped {
    atomic_uintptr_t start, end; /* empty: free */
    atomic_bool is_lost;
    struct cria_mapped *next, *next_free; /* next: set before it is seen */
};

static _Atomic(struct cria_mapped *) all;
static struct cria_mapped *free_ones; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static uintptr_t page_bytes;

/* False when no mapping holds the address. One that is being made or freed may seem to, too: it
 * does no harm to take it for lost, and the right one is found in any case. */
static bool mark_lost(uintptr_t at)
{
    bool found = false;
    for (struct cria_mapped *one = atomic_load(&all); one; one = one->next) {
        if (at < atomic_load(&one->start) || at >= atomic_load(&one->end)) continue;
        atomic_store(&one->is_lost, true);
        found = true;
    }
    return found;
}

/* As if there were no handler: what was there is asked, or, when this returns, the same instruction
 * ends the process. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    if (before.sa_flags & SA_SIGINFO && before.sa_sigaction)
        before.sa_sigaction(number, info, context);
    else if (!(before.sa_flags & SA_SIGINFO) && before.sa_handler != SIG_DFL &&
             before.sa_handler != SIG_IGN)
        before.sa_handler(number);
    else
        signal(number, SIG_DFL);
}

static void on_bus(int number, siginfo_t *info, void *context)
{
    int error = errno;
    uintptr_t at = (uintptr_t)info->si_addr;
    /* mmap is a bare system call, which POSIX does not promise to a handler, but systems keep. */
    if (!mark_lost(at) || mmap((void *)(at & ~(page_bytes - 1)), page_bytes, PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        pass_on(number, info, context);
    errno = error;
}

/* Each time, as somebody else may have set theirs since. Under the lock. */
static void set_action(void)
{
    struct sigaction now, action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (sigaction(SIGBUS, NULL, &now) != 0 ||
        (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus))
        return;
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    before = now;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

/* One that was used before, or a new one in the list; NULL: no memory. */
static struct cria_mapped *take(void)
{
    pthread_mutex_lock(&lock);
    set_action();
    struct cria_mapped *mapped = free_ones;
    if (mapped) {
        free_ones = mapped->next_free;
    } else if ((mapped = calloc(1, sizeof(*mapped))) != NULL) {
        mapped->next = atomic_load(&all);
        atomic_store(&all, mapped);
    }
    pthread_mutex_unlock(&lock);
    return mapped;
}

static void give_back(struct cria_mapped *mapped)
{
    pthread_mutex_lock(&lock);
    mapped->next_free = free_ones;
    free_ones = mapped;
    pthread_mutex_unlock(&lock);
}

struct cria_mapped *cria_mapped_new(int fd, size_t len)
{
    struct cria_mapped *mapped = take();
    if (!mapped) return NULL;
    void *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        int error = errno;
        give_back(mapped);
        errno = error;
        return NULL;
    }
    atomic_store(&mapped->is_lost, false);
    atomic_store(&mapped->start, (uintptr_t)bytes);
    atomic_store(&mapped->end, (uintptr_t)bytes + len);
    return mapped;
}

void cria_mapped_free(struct cria_mapped *mapped)
{
    if (!mapped) return;
    uintptr_t start = atomic_load(&mapped->start), end = atomic_load(&mapped->end);
    atomic_store(&mapped->end, 0); /* first: it must not seem to hold what comes there next */
    atomic_store(&mapped->start, 0);
    munmap((void *)start, end - start);
    give_back(mapped);
}

const uint8_t *cria_mapped_bytes(const struct cria_mapped *mapped)
{
    return (const uint8_t *)atomic_load(&((struct cria_mapped *)(uintptr_t)mapped)->start);
}

bool cria_mapped_is_lost(const struct cria_mapped *mapped)
{
    return atomic_load(&((struct cria_mapped *)(uintptr_t)mapped)->is_lost);
}
