/* Words at any place of any size as a page: the text holds each word once, in some order. */
#include <assert.h>
#include <math.h>

#include "fuzz/fuzz.h"
#include "parser/pdf/layout.h"

enum { WORD_BYTES = 6, WORDS_MOST = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_doc doc;
    size_t count = size / WORD_BYTES, letters = 0;
    if (count == 0 || count > WORDS_MOST) return 0;
    cria_doc_init(&doc, 256 << 20);
    struct cria_pdf_word *words = CRIA_NEW_ARRAY(&doc.arena, count, struct cria_pdf_word);
    if (!words) return 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = data + i * WORD_BYTES;
        words[i] = (struct cria_pdf_word){.x1 = at[0] * 2.5,
                                          .y1 = at[1] * 3.3,
                                          .size = at[2] % 40,
                                          .is_bold = at[5] & 1,
                                          .text = CRIA_STR("xyz")};
        words[i].x2 = words[i].x1 + at[3];
        words[i].y2 = words[i].y1 + at[4] % 60;
        if (at[5] == 255) words[i].x1 = (double)NAN;
    }
    struct cria_pdf_page page = {
        .number = 1, .width = 600, .height = 800, .words = words, .word_count = count};
    cria_pdf_layout(&page, 1, &doc);
    for (size_t i = 0; i < doc.text.len; i++) letters += doc.text.ptr[i] == 'x';
    assert(!cria_doc_ok(&doc) || letters == count);
    cria_doc_release(&doc);
    return 0;
}
