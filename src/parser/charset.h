/* charset.h - bytes of unknown encoding to UTF-8. Room: parser; ICU converts, uchardet guesses. */
#ifndef CRIA_PARSER_CHARSET_H
#define CRIA_PARSER_CHARSET_H

#include "base/arena.h"

/**
 * Byte order mark, valid UTF-8, the pattern of zeros in UTF-16 and UTF-32, what is declared,
 * uchardet's guess, windows-1252: the first that fits.
 * @param declared  name of an encoding or empty.
 * @param[out] out  the bytes themselves (without their mark) when they are UTF-8 already, else a
 *                  copy in the arena. Bytes that stand for nothing come out as U+FFFD.
 * @return false when memory is short.
 */
bool cria_charset_to_utf8(struct cria_arena *arena, struct cria_str bytes, struct cria_str declared,
                          struct cria_str *out);

/** Whether UTF-8 text looks like something people write: few control characters and few U+FFFD. */
bool cria_charset_is_text(struct cria_str text);

/** Makes the libraries load what they load late. */
void cria_charset_prepare(void);

#endif
