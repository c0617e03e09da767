/* control.h - talks to a running server over the control socket of its data folder.
 * Room: server. Blocks; one request a call. Only who may open the folder (mode 0700) can. */
#ifndef CRIA_SERVER_CONTROL_H
#define CRIA_SERVER_CONTROL_H

#include "base/call.h"
#include "base/json.h"

/**
 * Sends one request and reads its answer.
 * @param body       JSON, or {NULL,0}.
 * @param[out] http  status of the answer. @param[out] out its JSON, NULL when it had none.
 * @return CRIA_E_UNAVAILABLE nobody listens there.
 */
CRIA_MUST_CHECK enum cria_status cria_control_ask(struct cria_call *call, const char *folder,
                                                  const char *method, const char *path,
                                                  struct cria_str body, int *http,
                                                  const struct cria_json **out);

#endif
