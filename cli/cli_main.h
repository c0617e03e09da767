/* cli_main.h - the commands as the server's main() sees them; without libcria's header, which names
 * some things as the server's rooms do. */
#ifndef CRIA_CLI_CLI_MAIN_H
#define CRIA_CLI_CLI_MAIN_H

#include <stdbool.h>
#include <stdio.h>

/** Whether the word is a command that talks to a server. */
bool cli_knows(const char *command);
/** main() of those; argv[1] is the command. Gives the exit code (sysexits.h). */
int cli_main(int argc, char **argv);
/** One line a command, for `cria --help`. */
void cli_print_commands(FILE *out);

#endif
