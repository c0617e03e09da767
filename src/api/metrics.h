/* metrics.h - counters of requests by route and kind of answer, and the page that Prometheus reads.
 * Label sets are fixed: routes of the table and five kinds. Room: api. Any thread. */
#ifndef CRIA_API_METRICS_H
#define CRIA_API_METRICS_H

#include "api/api.h"

/** Counts a finished exchange; ns: from its first byte to its last. */
void cria_metrics_count(struct cria_metrics *metrics, const struct cria_exchange *ex, uint64_t ns,
                        uint64_t received_bytes);
/** Appends the whole page: requests, and the figures of all rooms. */
void cria_metrics_write(const struct cria_app *app, struct cria_buf *out);

#endif
