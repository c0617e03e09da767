/* admin.h - `cria keys …` and `cria projects …`: on a running server through its control socket,
 * else on the data folder itself. Room: server. */
#ifndef CRIA_SERVER_ADMIN_H
#define CRIA_SERVER_ADMIN_H

#include "base/call.h"

/** argv without the program; argv[0] is "keys" or "projects". @return an exit code of sysexits.h.
 */
int cria_admin_main(int argc, char **argv);

#endif
