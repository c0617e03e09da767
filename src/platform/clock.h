/* clock.h - the two clocks. Room: platform. Any thread. */
#ifndef CRIA_PLATFORM_CLOCK_H
#define CRIA_PLATFORM_CLOCK_H

#include <stdint.h>

/** Monotonic, nanoseconds since some start: for deadlines and durations. */
uint64_t cria_now_ns(void);
/** Wall clock, microseconds since 1970 in UTC: for what is written down. */
int64_t cria_wall_us(void);

#endif
