/* sandbox.h - locks the calling process down for good: what is left is its memory, its three
 * standard descriptors and its CPU time. For child programs that read documents of strangers.
 * Room: platform. Call it once, with one thread, after libraries are loaded and before the first
 * outside byte is looked at. Works for any user and in containers with default settings. */
#ifndef CRIA_PLATFORM_SANDBOX_H
#define CRIA_PLATFORM_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

struct cria_sandbox_options {
    uint64_t memory_bytes;   /* address space; 0 leaves it unlimited */
    uint32_t cpu_seconds;    /* of the whole process, then it is killed */
    bool may_write_to_files; /* standard output may be a regular file (a person's redirection) */
    const char
        *read_folder; /* NULL, or the one folder that may be read, where Landlock guards it */
};

/** What is in force after cria_sandbox_enter. */
enum {
    CRIA_SANDBOX_LIMITS = 1,   /* rlimits */
    CRIA_SANDBOX_USER = 2,     /* not root */
    CRIA_SANDBOX_LANDLOCK = 4, /* no file can be reached */
    CRIA_SANDBOX_SECCOMP = 8,  /* no system call but those that compute, read and write */
    CRIA_SANDBOX_NO_PRIVILEGES = 16
};

/**
 * @return the layers in force. What the kernel or the build lacks is told on stderr, one line each,
 *         and left out; 0 when not even the limits could be set: then do not go on.
 */
unsigned cria_sandbox_enter(const struct cria_sandbox_options *options);

#endif
