/* cli_hash.h - the one thing that the commands take from the server's rooms; apart, because the
 * headers of libcria and of the server name some things alike. */
#ifndef CRIA_CLI_CLI_HASH_H
#define CRIA_CLI_CLI_HASH_H

#include <stdbool.h>

/** SHA-256 of a file in hex; false when it cannot be read. */
bool cli_hash_file(const char *path, char out[65]);

#endif
