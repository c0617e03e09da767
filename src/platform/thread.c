#include "platform/thread.h"

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#endif

void cria_thread_in_background(void)
{
#ifdef __linux__
    enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_IDLE = 3, IOPRIO_CLASS_SHIFT = 13, NICEST = 19 };
    long id = syscall(SYS_gettid); /* of a thread, which Linux takes for a process here */
    (void)!setpriority(PRIO_PROCESS, (id_t)id, NICEST);
    (void)!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, id, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
#elif defined(__APPLE__)
    (void)pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0);
#endif
}
