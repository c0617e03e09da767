#include "chat/turn_log.h"

#include <pthread.h>
#include <stdlib.h>

struct cria_turn_log {
    char turn_id[CRIA_ID_SIZE];
    atomic_uint references;
    pthread_mutex_t lock;  /* for all below */
    struct cria_buf bytes; /* the frames as they go out, one behind the other */
    size_t *ends;          /* where each ends in bytes */
    uint32_t count, capacity;
    bool is_ended, is_cut;
    struct cria_log_reader *readers;
};

/* Framing adds at most some 100 bytes to each; 1 MiB covers the smallest frames there are. */
enum { LOG_BYTES_MAX = CRIA_TURN_BYTES_MAX * 2 };

enum cria_status cria_turn_log_new(struct cria_str turn_id, struct cria_turn_log **out)
{
    struct cria_turn_log *log = calloc(1, sizeof(*log));
    if (!log) return CRIA_E_NO_MEMORY;
    if (!cria_str_copy_z(turn_id, log->turn_id, sizeof(log->turn_id))) {
        free(log);
        return CRIA_E_INTERNAL;
    }
    atomic_init(&log->references, 1);
    pthread_mutex_init(&log->lock, NULL);
    cria_buf_init(&log->bytes, LOG_BYTES_MAX);
    *out = log;
    return CRIA_OK;
}

struct cria_turn_log *cria_turn_log_ref(struct cria_turn_log *log)
{
    atomic_fetch_add(&log->references, 1);
    return log;
}

void cria_turn_log_unref(struct cria_turn_log *log)
{
    if (!log || atomic_fetch_sub(&log->references, 1) != 1) return;
    cria_buf_release(&log->bytes);
    free(log->ends);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

const char *cria_turn_log_id(const struct cria_turn_log *log)
{
    return log->turn_id;
}

void cria_frame_write(struct cria_buf *out, const char *turn_id, const struct cria_frame *frame)
{
    cria_buf_add(out, CRIA_STR("id: "));
    cria_buf_add_z(out, turn_id);
    cria_buf_add_char(out, '-');
    cria_buf_add_int(out, frame->n);
    cria_buf_add_z(out, frame->is_delta ? "\nevent: delta\ndata: " : "\nevent: message\ndata: ");
    cria_buf_add(out, frame->json);
    cria_buf_add(out, CRIA_STR("\n\n"));
}

static bool append_one(struct cria_turn_log *log, const struct cria_frame *frame)
{
    if (log->count == log->capacity) {
        uint32_t capacity = log->capacity ? log->capacity * 2 : 16;
        size_t *ends = realloc(log->ends, capacity * sizeof(*ends));
        if (!ends) return false;
        log->ends = ends;
        log->capacity = capacity;
    }
    cria_frame_write(&log->bytes, log->turn_id, frame);
    if (log->bytes.failed) return false;
    log->ends[log->count++] = log->bytes.len;
    return true;
}

void cria_turn_log_append(struct cria_turn_log *log, const struct cria_frame *frames, size_t count,
                          bool is_last)
{
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < count && !log->is_ended; i++)
        if (!append_one(log, &frames[i])) log->is_cut = log->is_ended = true;
    log->is_ended |= is_last;
    for (struct cria_log_reader *reader = log->readers; reader; reader = reader->next)
        reader->wake(reader);
    pthread_mutex_unlock(&log->lock);
}

bool cria_turn_log_is_cut(struct cria_turn_log *log)
{
    pthread_mutex_lock(&log->lock);
    bool is_cut = log->is_cut;
    pthread_mutex_unlock(&log->lock);
    return is_cut;
}

uint32_t cria_turn_log_count(struct cria_turn_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint32_t count = log->count;
    pthread_mutex_unlock(&log->lock);
    return count;
}

enum cria_log_read cria_turn_log_read(struct cria_turn_log *log, uint32_t *after_n,
                                      struct cria_buf *out, size_t room)
{
    pthread_mutex_lock(&log->lock);
    uint32_t first = *after_n, last = first;
    size_t from = first && first <= log->count ? log->ends[first - 1] : 0;
    /* One frame goes out however large it is: else a small room would stall for ever. */
    while (last < log->count && (last == first || log->ends[last] - from <= room)) last++;
    if (last > first)
        cria_buf_add(out, cria_str_make(log->bytes.ptr + from, log->ends[last - 1] - from));
    bool is_all = last >= log->count, is_ended = log->is_ended;
    pthread_mutex_unlock(&log->lock);
    if (last > first && !out->failed) *after_n = last;
    if (is_all && is_ended) return CRIA_LOG_END;
    return last > first ? CRIA_LOG_MORE : CRIA_LOG_WAIT;
}

void cria_turn_log_subscribe(struct cria_turn_log *log, struct cria_log_reader *reader)
{
    pthread_mutex_lock(&log->lock);
    reader->previous = NULL;
    reader->next = log->readers;
    if (log->readers) log->readers->previous = reader;
    log->readers = reader;
    pthread_mutex_unlock(&log->lock);
}

void cria_turn_log_unsubscribe(struct cria_turn_log *log, struct cria_log_reader *reader)
{
    pthread_mutex_lock(&log->lock);
    if (reader->next) reader->next->previous = reader->previous;
    if (reader->previous)
        reader->previous->next = reader->next;
    else if (log->readers == reader)
        log->readers = reader->next;
    reader->next = reader->previous = NULL;
    pthread_mutex_unlock(&log->lock);
}

bool cria_frame_id_parse(struct cria_str id, struct cria_str *turn_id, uint32_t *n)
{
    size_t dash = id.len;
    int64_t number;
    while (dash > 0 && id.ptr[dash - 1] != '-') dash--;
    struct cria_str digits = cria_str_sub(id, dash, SIZE_MAX);
    if (dash < 2 || digits.len == 0 || digits.ptr[0] == '0') return false;
    if (!cria_str_to_int64(digits, &number) || number < 1 || number > UINT32_MAX) return false;
    *turn_id = cria_str_sub(id, 0, dash - 1);
    *n = (uint32_t)number;
    return true;
}
