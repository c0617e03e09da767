/* sse_reader.h - bytes of a text/event-stream to events, in any chunking.
 * Room: model. Pure, hostile bytes welcome; one thread at a time. By the HTML standard's rules
 * (section 9.2.6), and lenient where providers are sloppy: an event that ends with the stream, not
 * with a blank line, still counts, and so does llama.cpp's field `error`. */
#ifndef CRIA_MODEL_SSE_READER_H
#define CRIA_MODEL_SSE_READER_H

#include "base/buf.h"

struct cria_sse_event {
    struct cria_str name; /* of the `event` field, "" when there was none; "error" for that field */
    struct cria_str data; /* data lines joined by a newline; any bytes */
};

struct cria_sse_reader {
    /** Gets each event; its slices live until it returns. */
    void (*on_event)(void *arg, const struct cria_sse_event *event);
    void *arg;
    size_t cap; /* most bytes of one line and of one event's data */
    struct cria_buf line, data, name;
    bool has_data, after_cr, started, failed;
};

void cria_sse_init(struct cria_sse_reader *reader, size_t cap_bytes,
                   void (*on_event)(void *arg, const struct cria_sse_event *event), void *arg);
/** Accepts a zeroed one. */
void cria_sse_release(struct cria_sse_reader *reader);
/** false when an event exceeds the cap or memory is short, now and ever after. */
CRIA_MUST_CHECK bool cria_sse_feed(struct cria_sse_reader *reader, struct cria_str bytes);
/** The stream ended: gives the last event, blank line or not. */
CRIA_MUST_CHECK bool cria_sse_end(struct cria_sse_reader *reader);

#endif
