/* process.h - starts a child program that talks over pipes: its standard input, output and error.
 * Room: platform. Any thread; nothing here blocks but cria_process_end. Every descriptor is
 * close-on-exec, so that children started at the same time by other threads inherit none. */
#ifndef CRIA_PLATFORM_PROCESS_H
#define CRIA_PLATFORM_PROCESS_H

#include "base/call.h"

/** A running child and our ends of its pipes, which do not block. A descriptor is -1 when closed.
 */
struct cria_process {
    int pid;      /* 0: none */
    int input;    /* we write, the child reads as its descriptor 0 */
    int output;   /* the child's descriptor 1 */
    int messages; /* the child's descriptor 2 */
};
#define CRIA_PROCESS_NONE                                   \
    {                                                       \
        .pid = 0, .input = -1, .output = -1, .messages = -1 \
    }

/** How a child ended. */
struct cria_process_end {
    int signal; /* that killed it; 0: it exited by itself */
    int code;   /* then its exit code */
};

/**
 * Starts a program: in a process group of its own (so that a Ctrl-C reaches the server alone), with
 * default signals and no descriptor but the three pipes.
 * @param path  of the program; not looked up.
 * @param argv  and @param env  end with NULL; env is the child's whole environment.
 * @return CRIA_OK; CRIA_E_NOT_FOUND no such program; CRIA_E_UNAVAILABLE no descriptors, processes
 *         or memory left.
 */
CRIA_MUST_CHECK enum cria_status cria_process_start(struct cria_call *call, const char *path,
                                                    const char *const argv[],
                                                    const char *const env[],
                                                    struct cria_process *out);

/**
 * Closes the pipes and reaps the child. It gets grace_ms to exit by itself, then it is killed.
 * Accepts a process that is CRIA_PROCESS_NONE; leaves it so.
 */
struct cria_process_end cria_process_end(struct cria_process *process, unsigned grace_ms);

/** Closes our end of its input: the child reads an end of file. */
void cria_process_close_input(struct cria_process *process);

#endif
