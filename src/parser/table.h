/* table.h - collects the cells of a table with their spans and writes it as Markdown.
 * Room: parser. Empty columns and rows are left out; the text of a cell that spans stands once. */
#ifndef CRIA_PARSER_TABLE_H
#define CRIA_PARSER_TABLE_H

#include "parser/doc.h"

enum { CRIA_TABLE_MAX_COLUMNS = 1000, CRIA_TABLE_MAX_CELLS = 1 << 22 };

struct cria_table_cell {
    uint32_t row, column;
    size_t start, len; /* in texts */
};

struct cria_table {
    struct cria_buf texts;
    struct cria_table_cell *cells; /* by row, then column */
    size_t count, capacity;
    uint32_t row, column; /* where the next cell goes */
    uint32_t rows, columns;
    uint32_t taken[CRIA_TABLE_MAX_COLUMNS]; /* the first row that a row span leaves free again */
    bool failed;
};

/** NULL when memory is short. */
struct cria_table *cria_table_new(void);
void cria_table_free(struct cria_table *table);
void cria_table_row(struct cria_table *table);
/** The next cell of the row; text is folded to one line. Spans from 1. */
void cria_table_cell(struct cria_table *table, struct cria_str text, unsigned column_span,
                     unsigned row_span);
/** Writes it: as Markdown, or a table of one column as paragraphs. */
void cria_table_write(const struct cria_table *table, struct cria_doc *doc);
/** Writes it as text on one line, for a table inside a cell. */
void cria_table_write_line(const struct cria_table *table, struct cria_buf *out);

#endif
