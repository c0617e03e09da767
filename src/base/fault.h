/* fault.h - makes the n-th fallible call of a kind fail, so that tests can walk through every
 * failure. Room: base. Compiled in only with CRIA_FAULTS (dev and sanitizer builds); otherwise it
 * costs nothing. The state is process-wide and atomic. */
#ifndef CRIA_BASE_FAULT_H
#define CRIA_BASE_FAULT_H

#include <stdbool.h>

enum { CRIA_FAULT_EXIT_STATUS = 77 }; /* of a process that an armed fault ended */

enum cria_fault_kind {
    CRIA_FAULT_ALLOC,
    CRIA_FAULT_FILE,
    CRIA_FAULT_STORE,
    CRIA_FAULT_NET,
    CRIA_FAULT_KINDS
};

#ifdef CRIA_FAULTS
/** The nth (from 1) call of this kind from now on fails, once; 0 disarms. */
void cria_fault_arm(enum cria_fault_kind kind, unsigned nth);
/** The same, but the process dies there at once, as by a power cut: for a test's child. */
void cria_fault_arm_exit(enum cria_fault_kind kind, unsigned nth);
/** Whether an armed fault of any kind fired since the last arm. */
bool cria_fault_fired(void);
/** Asked at each fallible call: true when this one has to fail. */
bool cria_fault_fires(enum cria_fault_kind kind);
#else
static inline void cria_fault_arm(enum cria_fault_kind kind, unsigned nth)
{
    (void)kind, (void)nth;
}
static inline void cria_fault_arm_exit(enum cria_fault_kind kind, unsigned nth)
{
    (void)kind, (void)nth;
}
static inline bool cria_fault_fired(void)
{
    return false;
}
static inline bool cria_fault_fires(enum cria_fault_kind kind)
{
    (void)kind;
    return false;
}
#endif

#endif
