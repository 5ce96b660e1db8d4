/* Two clocks: the monotonic one for durations and deadlines, the wall clock for people. */
#ifndef VVE_BASE_CLOCK_H
#define VVE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* milliseconds since the epoch */

#endif
