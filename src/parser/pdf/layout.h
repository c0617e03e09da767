/* layout.h - from words with boxes to text: lines, columns, tables, headings, paragraphs,
 * running headers left out. Room: parser/pdf. Pure; knows no PDF library.
 * Lengths are points (1/72 inch), y grows downwards. */
#ifndef CRIA_PARSER_PDF_LAYOUT_H
#define CRIA_PARSER_PDF_LAYOUT_H

#include "parser/doc.h"

struct cria_pdf_word {
    double x1, y1, x2, y2;
    double size;          /* of the font */
    struct cria_str text; /* no white space in it */
    bool is_bold;
};

struct cria_pdf_page {
    uint32_t number; /* from 1 */
    struct cria_str label;
    double width, height;
    struct cria_pdf_word *words; /* in the order of the file */
    size_t word_count;
};

/** Writes the pages as Markdown into doc; words may be moved about in their arrays. Memory comes
 * from doc->arena. */
void cria_pdf_layout(struct cria_pdf_page *pages, size_t count, struct cria_doc *doc);

/* The steps, for tests. */
struct cria_pdf_line {
    struct cria_pdf_word *words; /* from left to right */
    size_t word_count;
    double x1, y1, x2, y2, size; /* size: of most of its text */
    bool is_bold, is_table;      /* is_table: a row of cells */
    bool begins_block;           /* another column or part of the page begins */
};
struct cria_pdf_lines {
    struct cria_pdf_line *items;
    size_t count, capacity;
};
/** Orders a page's words into lines in reading order: columns one after the other. False when
 * memory is short. */
bool cria_pdf_read_lines(struct cria_arena *arena, struct cria_pdf_page *page,
                         struct cria_pdf_lines *out);

#endif
