#include "platform/file.h"

#include <fcntl.h>

void cria_file_settle(int fd, uint64_t offset, uint64_t size)
{
#ifdef __linux__
    (void)!sync_file_range(fd, (off_t)offset, (off_t)size,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                               SYNC_FILE_RANGE_WAIT_AFTER);
#else
    (void)fd, (void)offset, (void)size;
#endif
}
