#include "platform/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

struct cria_loop {
    uv_loop_t uv;
    uv_async_t wake;
    /* The newest first. No lock: one who posts may have the lowest priority and be put aside in the
     * middle, and the loop must not wait for that. */
    _Atomic(struct cria_task *) posted;
    atomic_bool is_stopping;
    pthread_t thread;
    bool is_running;
};

struct cria_timer {
    uv_timer_t uv;
    void (*fn)(void *arg);
    void *arg;
};

struct cria_watch {
    uv_poll_t uv;
    void (*fn)(void *arg, int events);
    void *arg;
};

static struct cria_task *in_order(struct cria_task *newest)
{
    struct cria_task *first = NULL;
    while (newest) {
        struct cria_task *older = newest->next;
        newest->next = first;
        first = newest;
        newest = older;
    }
    return first;
}

static void on_wake(uv_async_t *handle)
{
    struct cria_loop *loop = handle->data;
    bool is_stopping = atomic_load(&loop->is_stopping);
    struct cria_task *task = in_order(atomic_exchange(&loop->posted, NULL));
    while (task) {
        struct cria_task *next = task->next; /* run may free the task */
        task->run(task);
        task = next;
    }
    if (is_stopping) uv_stop(&loop->uv);
}

enum cria_status cria_loop_new(struct cria_loop **out)
{
    struct cria_loop *loop = calloc(1, sizeof(*loop));
    if (!loop) return CRIA_E_NO_MEMORY;
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return CRIA_E_IO;
    }
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
        uv_loop_close(&loop->uv);
        free(loop);
        return CRIA_E_IO;
    }
    loop->wake.data = loop;
    *out = loop;
    return CRIA_OK;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void cria_loop_free(struct cria_loop *loop)
{
    if (!loop) return;
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    free(loop);
}

void cria_loop_run(struct cria_loop *loop)
{
    loop->thread = pthread_self();
    loop->is_running = true;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->is_running = false;
}

void cria_loop_stop(struct cria_loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    uv_async_send(&loop->wake);
}

void cria_loop_post(struct cria_loop *loop, struct cria_task *task)
{
    struct cria_task *older = atomic_load(&loop->posted);
    do { /* from the exchange on the task is the loop's */
        task->next = older;
    } while (!atomic_compare_exchange_weak(&loop->posted, &older, task));
    uv_async_send(&loop->wake); /* of many before the loop turns, libuv sends one */
}

bool cria_loop_is_current(const struct cria_loop *loop)
{
    return loop->is_running && pthread_equal(loop->thread, pthread_self());
}

void *cria_loop_uv(struct cria_loop *loop)
{
    return &loop->uv;
}

static void on_timer(uv_timer_t *handle)
{
    struct cria_timer *timer = handle->data;
    timer->fn(timer->arg);
}

enum cria_status cria_timer_new(struct cria_loop *loop, void (*fn)(void *arg), void *arg,
                                struct cria_timer **out)
{
    struct cria_timer *timer = calloc(1, sizeof(*timer));
    if (!timer) return CRIA_E_NO_MEMORY;
    timer->fn = fn;
    timer->arg = arg;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    *out = timer;
    return CRIA_OK;
}

void cria_timer_start(struct cria_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
    uv_update_time(timer->uv.loop); /* the loop's idea of now may be as old as its last round */
    uv_timer_start(&timer->uv, on_timer, after_ms, repeat_ms);
}

void cria_timer_stop(struct cria_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

void cria_timer_free(struct cria_timer *timer)
{
    if (timer) uv_close((uv_handle_t *)&timer->uv, free_handle);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct cria_watch *watch = handle->data;
    int seen = status < 0 ? CRIA_WATCH_ERROR : 0;
    if (events & UV_READABLE) seen |= CRIA_WATCH_READ;
    if (events & UV_WRITABLE) seen |= CRIA_WATCH_WRITE;
    watch->fn(watch->arg, seen);
}

enum cria_status cria_watch_new(struct cria_loop *loop, int fd, void (*fn)(void *arg, int events),
                                void *arg, struct cria_watch **out)
{
    struct cria_watch *watch = calloc(1, sizeof(*watch));
    if (!watch) return CRIA_E_NO_MEMORY;
    watch->fn = fn;
    watch->arg = arg;
    if (uv_poll_init(&loop->uv, &watch->uv, fd) != 0) {
        free(watch);
        return CRIA_E_IO;
    }
    watch->uv.data = watch;
    *out = watch;
    return CRIA_OK;
}

void cria_watch_set(struct cria_watch *watch, int events)
{
    int want = (events & CRIA_WATCH_READ ? UV_READABLE : 0) |
               (events & CRIA_WATCH_WRITE ? UV_WRITABLE : 0);
    if (want)
        uv_poll_start(&watch->uv, want, on_poll);
    else
        uv_poll_stop(&watch->uv);
}

void cria_watch_free(struct cria_watch *watch)
{
    if (!watch) return;
    uv_poll_stop(&watch->uv);
    uv_close((uv_handle_t *)&watch->uv, free_handle);
}
