#include "platform/pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { STACK_BYTES = 1 << 20 };

struct cria_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct cria_job *first, **last;
    size_t backlog;
    bool is_ending;
    unsigned thread_count;
    pthread_t threads[];
};

static void finish(struct cria_task *task)
{
    struct cria_job *job = CRIA_CONTAINER(task, struct cria_job, task);
    job->done(job);
}

static void *worker(void *arg)
{
    struct cria_pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->is_ending) pthread_cond_wait(&pool->work, &pool->lock);
        struct cria_job *job = pool->first;
        if (!job) break;
        pool->first = job->next;
        if (!pool->first) pool->last = &pool->first;
        pool->backlog--;
        pthread_mutex_unlock(&pool->lock);
        /* Without a loop run() may free the job, so it is not looked at afterwards. */
        struct cria_loop *loop = job->done ? job->loop : NULL;
        job->task.run = finish;
        job->run(job);
        if (loop) cria_loop_post(loop, &job->task);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum cria_status cria_pool_new(const char *name, unsigned threads, struct cria_pool **out)
{
    struct cria_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pthread_t));
    pthread_attr_t attributes;
    if (!pool) return CRIA_E_NO_MEMORY;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->last = &pool->first;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&pool->threads[i], &attributes, worker, pool) != 0) break;
#ifdef __linux__
        pthread_setname_np(pool->threads[i], name);
#else
        (void)name;
#endif
        pool->thread_count++;
    }
    pthread_attr_destroy(&attributes);
    if (pool->thread_count != threads) {
        cria_pool_free(pool);
        return CRIA_E_LIMIT;
    }
    *out = pool;
    return CRIA_OK;
}

void cria_pool_submit(struct cria_pool *pool, struct cria_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    *pool->last = job;
    pool->last = &job->next;
    pool->backlog++;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

size_t cria_pool_backlog(const struct cria_pool *pool)
{
    struct cria_pool *p = (struct cria_pool *)(uintptr_t)pool;
    pthread_mutex_lock(&p->lock);
    size_t backlog = p->backlog;
    pthread_mutex_unlock(&p->lock);
    return backlog;
}

void cria_pool_free(struct cria_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
