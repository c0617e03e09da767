/* file.h - what files of the system do beyond POSIX. Room: platform. Any thread. */
#ifndef CRIA_PLATFORM_FILE_H
#define CRIA_PLATFORM_FILE_H

#include <stdint.h>

/** Lets the system write a piece of a file now rather than with much else later, and waits for it.
 * A long copy does so piece by piece: else a sync of another file may have to wait for all of it.
 * Promises nothing about what is on disk. Blocks. */
void cria_file_settle(int fd, uint64_t offset, uint64_t size);

#endif
