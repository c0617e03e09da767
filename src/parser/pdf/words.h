/* words.h - what poppler knows of a page: words with boxes and fonts, and its picture.
 * Room: parser/pdf; with main.c the one place that sees poppler. */
#ifndef CRIA_PARSER_PDF_WORDS_H
#define CRIA_PARSER_PDF_WORDS_H

#include <poppler.h>

#include "parser/parse_options.h"
#include "parser/pdf/layout.h"

/** Fills out (all but number) from a page, in the arena. False when memory is short. */
bool cria_pdf_words(PopplerPage *page, const struct cria_parse_options *options,
                    struct cria_arena *arena, struct cria_pdf_page *out);

/** The page as JPEG, at most CRIA_PICTURE_PIXELS wide and high. False when it cannot be drawn. */
enum { CRIA_PICTURE_PIXELS = 1240 };
bool cria_pdf_picture(PopplerPage *page, struct cria_buf *jpeg);

#endif
