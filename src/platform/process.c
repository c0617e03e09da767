#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REAP_STEP_MS = 5, FIRST_FREE_FD = 3 };

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* A pipe whose ends are close-on-exec and lie above the standard descriptors, so that laying one
 * over 0, 1 or 2 of the child never closes another. */
static bool make_pipe(int ends[2])
{
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
#else
    if (pipe(ends) != 0) return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= FIRST_FREE_FD) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        close(ends[i]);
        ends[i] = moved;
    }
    if (ends[0] >= 0 && ends[1] >= 0) return true;
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    return false;
}

static int spawn(const char *path, const char *const argv[], const char *const env[],
                 const int child[3], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT /* macOS */
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    sigemptyset(&none);
    sigfillset(&all);
    for (int fd = 0; fd < 3 && !error; fd++)
        error = posix_spawn_file_actions_adddup2(&actions, child[fd], fd);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setpgroup(&attributes, 0);
    if (!error) error = posix_spawnattr_setflags(&attributes, flags);
    /* posix_spawn promises not to change the strings; its types are older than const. */
    if (!error)
        error = posix_spawn(pid, path, &actions, &attributes, (char *const *)(uintptr_t)argv,
                            (char *const *)(uintptr_t)env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum cria_status cria_process_start(struct cria_call *call, const char *path,
                                    const char *const argv[], const char *const env[],
                                    struct cria_process *out)
{
    enum cria_status st = CRIA_OK;
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t pid = 0;
    int error = 0;
    for (int i = 0; i < 3 && !error; i++)
        if (!make_pipe(pipes[i])) error = errno;
    if (!error) {
        const int child[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
        error = spawn(path, argv, env, child, &pid);
    }
    close_fd(&pipes[0][0]);
    close_fd(&pipes[1][1]);
    close_fd(&pipes[2][1]);
    if (error) {
        close_fd(&pipes[0][1]);
        close_fd(&pipes[1][0]);
        close_fd(&pipes[2][0]);
        bool is_missing = error == ENOENT || error == EACCES || error == ENOTDIR;
        st = cria_fail(call, is_missing ? CRIA_E_NOT_FOUND : CRIA_E_UNAVAILABLE,
                       "a child program cannot be started (error %d)", error);
        return st;
    }
    *out = (struct cria_process){pid, pipes[0][1], pipes[1][0], pipes[2][0]};
    fcntl(out->input, F_SETFL, O_NONBLOCK);
    fcntl(out->output, F_SETFL, O_NONBLOCK);
    fcntl(out->messages, F_SETFL, O_NONBLOCK);
    return CRIA_OK;
}

void cria_process_close_input(struct cria_process *process)
{
    close_fd(&process->input);
}

struct cria_process_end cria_process_end(struct cria_process *process, unsigned grace_ms)
{
    struct cria_process_end end = {0, 0};
    int status = 0;
    pid_t got = 0;
    close_fd(&process->input);
    close_fd(&process->output);
    close_fd(&process->messages);
    if (process->pid <= 0) return end;
    for (unsigned waited = 0;; waited += REAP_STEP_MS) {
        do got = waitpid(process->pid, &status, WNOHANG);
        while (got < 0 && errno == EINTR);
        if (got != 0 || waited >= grace_ms) break;
        poll(NULL, 0, REAP_STEP_MS);
    }
    if (got == 0) {
        kill(process->pid, SIGKILL);
        do got = waitpid(process->pid, &status, 0);
        while (got < 0 && errno == EINTR);
    }
    if (got > 0 && WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (got > 0 && WIFEXITED(status)) end.code = WEXITSTATUS(status);
    process->pid = 0;
    return end;
}
