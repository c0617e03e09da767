/* app.h - the composition root: builds the house from a configuration, runs it, takes it down in
 * reverse. Room: server, which alone knows all others. */
#ifndef CRIA_SERVER_APP_H
#define CRIA_SERVER_APP_H

#include "base/call.h"
#include "server/config.h"

/**
 * Serves until SIGTERM or SIGINT. Prints one line with the address on stdout when it is ready.
 * @return CRIA_OK after a graceful stop; else why it could not start, with the sentence in
 * call->error.
 */
CRIA_MUST_CHECK enum cria_status cria_app_serve(const struct cria_config *config,
                                                struct cria_call *call);

#endif
