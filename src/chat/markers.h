/* markers.h - the [n] in a model's answer, on the fly: numbers of passages become 1, 2, 3 by first
 * use; numbers that mean nothing go. Room: chat. Pure; one thread at a time. */
#ifndef CRIA_CHAT_MARKERS_H
#define CRIA_CHAT_MARKERS_H

#include "base/buf.h"
#include "chat/evidence.h"

enum { CRIA_MARKERS_MAX = 99, CRIA_MARKER_HOLD = 24 };

struct cria_markers {
    const struct cria_evidence *evidence;
    uint32_t ids[CRIA_MARKERS_MAX]; /* passage id of marker n, at n - 1 */
    size_t count;
    struct cria_buf held;         /* what may be the start of a marker */
    unsigned fence, inline_ticks; /* back-ticks that opened the code we are in; 0: none */
    bool is_line_start;
};

void cria_markers_init(struct cria_markers *markers, const struct cria_evidence *evidence);
void cria_markers_release(struct cria_markers *markers);
/** Appends to out what is certain. */
void cria_markers_feed(struct cria_markers *markers, struct cria_str text, struct cria_buf *out);
/** The block ended: the rest. Numbering goes on in the turn's next block. */
void cria_markers_flush(struct cria_markers *markers, struct cria_buf *out);

/** Finds the next "[n]" of a finished text at or behind at, outside code. false: none. */
struct cria_marker {
    size_t start, end; /* bytes */
    uint32_t n;
};
bool cria_marker_next(struct cria_str text, size_t *at, struct cria_marker *out);

#endif
