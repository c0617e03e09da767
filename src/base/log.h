/* log.h - one event, one JSON line on stderr: time, level, event name, fields.
 * Room: base. Any thread; a line is written whole. Never user text, never keys. */
#ifndef CRIA_BASE_LOG_H
#define CRIA_BASE_LOG_H

#include <stdbool.h>

#include "base/status.h"

enum cria_log_level {
    CRIA_LOG_DEBUG,
    CRIA_LOG_INFO,
    CRIA_LOG_WARN,
    CRIA_LOG_ERROR,
    CRIA_LOG_FATAL,
    CRIA_LOG_OFF
};

/** Lines below this level are dropped; INFO at start. */
void cria_log_set_level(enum cria_log_level level);
bool cria_log_on(enum cria_log_level level);

/**
 * `event` is a dotted name ("http.request"); `fields` a printf format of "name=value" pairs parted
 * by one blank, e.g. "route=%s status=%d". A value runs to the next blank, a value in '…' to the
 * next apostrophe; all values are written as JSON strings except whole numbers.
 */
void cria_log(enum cria_log_level level, const char *event, const char *fields, ...)
    CRIA_PRINTF(3, 4);
/** Writes a finished JSON object (without its braces) behind time, level and event. */
void cria_log_json(enum cria_log_level level, const char *event, const char *members, size_t len);

#endif
