#include "base/fault.h"

#ifdef CRIA_FAULTS
#include <stdatomic.h>
#include <unistd.h>

static atomic_uint armed[CRIA_FAULT_KINDS];
static atomic_bool fired, exits;

void cria_fault_arm(enum cria_fault_kind kind, unsigned nth)
{
    atomic_store(&fired, false);
    atomic_store(&exits, false);
    atomic_store(&armed[kind], nth);
}

void cria_fault_arm_exit(enum cria_fault_kind kind, unsigned nth)
{
    cria_fault_arm(kind, nth);
    atomic_store(&exits, true);
}

bool cria_fault_fired(void)
{
    return atomic_load(&fired);
}

bool cria_fault_fires(enum cria_fault_kind kind)
{
    unsigned left = atomic_load(&armed[kind]);
    do {
        if (left == 0) return false;
    } while (!atomic_compare_exchange_weak(&armed[kind], &left, left - 1));
    if (left != 1) return false;
    if (atomic_load(&exits)) _exit(CRIA_FAULT_EXIT_STATUS);
    atomic_store(&fired, true);
    return true;
}
#else
typedef int cria_fault_is_compiled_out; /* ISO C wants a declaration in every file */
#endif
