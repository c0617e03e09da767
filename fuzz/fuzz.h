/* fuzz.h - what every fuzz target defines. */
#ifndef CRIA_FUZZ_FUZZ_H
#define CRIA_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Takes any bytes; finds faults by assert() and by the sanitizers. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
