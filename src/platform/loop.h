/* loop.h - an event loop over libuv: tasks from other threads, timers, watched descriptors.
 * Room: platform. A loop belongs to the thread that runs it; only cria_loop_post and cria_loop_stop
 * may be called from others. libuv.h is included by loop.c and http/ only. */
#ifndef CRIA_PLATFORM_LOOP_H
#define CRIA_PLATFORM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct cria_loop;
struct cria_timer;
struct cria_watch;

/** Work handed to a loop; lies in a larger object, which lives until run has been called. */
struct cria_task {
    void (*run)(struct cria_task *task);
    struct cria_task *next; /* loop's own */
};

CRIA_MUST_CHECK enum cria_status cria_loop_new(struct cria_loop **out);
/** Closes what is left and frees; not while it runs. */
void cria_loop_free(struct cria_loop *loop);
/** Runs until cria_loop_stop. */
void cria_loop_run(struct cria_loop *loop);
/** Any thread. */
void cria_loop_stop(struct cria_loop *loop);
/** Any thread: task->run is called on the loop, in order of posting; many posts cost one wake-up.
 */
void cria_loop_post(struct cria_loop *loop, struct cria_task *task);
/** Whether the calling thread runs this loop. */
bool cria_loop_is_current(const struct cria_loop *loop);
/** The uv_loop_t, for http/ alone. */
void *cria_loop_uv(struct cria_loop *loop);

/** A timer, stopped at first. fn runs on the loop. */
CRIA_MUST_CHECK enum cria_status cria_timer_new(struct cria_loop *loop, void (*fn)(void *arg),
                                                void *arg, struct cria_timer **out);
/** (Re)starts: first after after_ms, then every repeat_ms unless that is 0. */
void cria_timer_start(struct cria_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void cria_timer_stop(struct cria_timer *timer);
/** No call of fn follows. NULL is fine. */
void cria_timer_free(struct cria_timer *timer);

enum { CRIA_WATCH_READ = 1, CRIA_WATCH_WRITE = 2, CRIA_WATCH_ERROR = 4 };
/** Watches a descriptor that somebody else owns (libcurl's sockets): fn gets what is possible. */
CRIA_MUST_CHECK enum cria_status cria_watch_new(struct cria_loop *loop, int fd,
                                                void (*fn)(void *arg, int events), void *arg,
                                                struct cria_watch **out);
void cria_watch_set(struct cria_watch *watch, int events);
/** Before the descriptor is closed. NULL is fine. */
void cria_watch_free(struct cria_watch *watch);

#endif
