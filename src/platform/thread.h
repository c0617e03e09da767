/* thread.h - what threads of the system do beyond POSIX. Room: platform. */
#ifndef CRIA_PLATFORM_THREAD_H
#define CRIA_PLATFORM_THREAD_H

/** Gives the calling thread, for the rest of its life, the lowest priority that still gets on when
 * others have nothing to do: of the processor, and of the disk where the system knows such.
 * It may be put aside for long at any instruction: it must hold no lock that others wait for. */
void cria_thread_in_background(void);

#endif
