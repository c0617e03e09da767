#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/time.h"

enum { LINE_BYTES = 8192, FIELD_BYTES = 4096 };

static atomic_int threshold = CRIA_LOG_INFO;

void cria_log_set_level(enum cria_log_level level)
{
    atomic_store(&threshold, (int)level);
}

bool cria_log_on(enum cria_log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

static const char *level_name(enum cria_log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "fatal", "off"};
    return names[level];
}

static void emit(struct cria_buf *line)
{
    cria_buf_add(line, CRIA_STR("}\n"));
    size_t at = 0;
    while (at < line->len) { /* one write is one line; a short one only happens on full pipes */
        ssize_t n = write(STDERR_FILENO, line->ptr + at, line->len - at);
        if (n <= 0) break;
        at += (size_t)n;
    }
    cria_buf_release(line);
}

static void start(struct cria_buf *line, enum cria_log_level level, const char *event)
{
    struct timespec now;
    char text[CRIA_TIME_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    cria_time_format((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, text);
    cria_buf_init(line, LINE_BYTES);
    cria_buf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", text,
                    level_name(level), event);
}

void cria_log_json(enum cria_log_level level, const char *event, const char *members, size_t len)
{
    struct cria_buf line;
    if (!cria_log_on(level)) return;
    start(&line, level, event);
    if (len) {
        cria_buf_add_char(&line, ',');
        cria_buf_add(&line, cria_str_make(members, len));
    }
    emit(&line);
}

static void fields_to_json(struct cria_buf *line, struct cria_str rest)
{
    struct cria_str name, value;
    while (rest.len) {
        if (!cria_str_cut(&rest, '=', &name)) break;
        if (rest.len && rest.ptr[0] == '\'') {
            rest = cria_str_sub(rest, 1, rest.len);
            cria_str_cut(&rest, '\'', &value);
            rest = cria_str_trim(rest);
        } else {
            cria_str_cut(&rest, ' ', &value);
        }
        struct cria_json_out out = cria_json_out_to(line);
        int64_t number;
        cria_buf_add_char(line, ',');
        cria_out_str(&out, cria_str_trim(name));
        cria_buf_add_char(line, ':');
        out = cria_json_out_to(line);
        if (cria_str_to_int64(value, &number))
            cria_out_int(&out, number);
        else
            cria_out_str(&out, value);
    }
}

void cria_log(enum cria_log_level level, const char *event, const char *fields, ...)
{
    struct cria_buf line;
    char text[FIELD_BYTES];
    va_list args;
    if (!cria_log_on(level)) return;
    va_start(args, fields);
    int n = vsnprintf(text, sizeof(text), fields, args);
    va_end(args);
    if (n < 0) return;
    start(&line, level, event);
    fields_to_json(&line,
                   cria_str_make(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
    emit(&line);
}
