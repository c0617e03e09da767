/* norms.h - a chunk's length in one byte, as ranking sees it. Room: search. Any thread. */
#ifndef CRIA_SEARCH_NORMS_H
#define CRIA_SEARCH_NORMS_H

#include <stdint.h>

/** The byte whose length is nearest to `length` words; it grows with the length. Exact up to 34
 * words, then within 3 % (from 100 words on within 2 %); 65,535 stands for all that is longer. */
uint8_t cria_norm_of(uint32_t length);
/** The length in words that the byte stands for; all 256 stand for one. */
uint32_t cria_norm_length(uint8_t norm);

#endif
