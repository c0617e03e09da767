#include "parser/table.h"

#include <stdlib.h>

struct cria_table *cria_table_new(void)
{
    struct cria_table *table = calloc(1, sizeof(*table));
    if (table) cria_buf_init(&table->texts, CRIA_DOC_MAX_TEXT_BYTES);
    return table;
}

void cria_table_free(struct cria_table *table)
{
    if (!table) return;
    cria_buf_release(&table->texts);
    free(table->cells);
    free(table);
}

void cria_table_row(struct cria_table *table)
{
    table->row = table->rows++;
    table->column = 0;
}

void cria_table_cell(struct cria_table *table, struct cria_str text, unsigned column_span,
                     unsigned row_span)
{
    if (table->rows == 0) cria_table_row(table);
    while (table->column < CRIA_TABLE_MAX_COLUMNS && table->taken[table->column] > table->row)
        table->column++;
    if (table->column >= CRIA_TABLE_MAX_COLUMNS) {
        /* Too wide to be a table for anybody: its text is kept in the last column. */
        if (table->count && table->cells[table->count - 1].row == table->row) {
            cria_buf_add_char(&table->texts, ' ');
            cria_fold_space(&table->texts, text);
            struct cria_table_cell *last = &table->cells[table->count - 1];
            last->len = table->texts.len - last->start;
        }
        return;
    }
    uint32_t column = table->column;
    size_t start = table->texts.len;
    cria_fold_space(&table->texts, text);
    for (unsigned i = 0;
         i < (column_span ? column_span : 1) && table->column < CRIA_TABLE_MAX_COLUMNS; i++)
        table->taken[table->column++] = table->row + (row_span ? row_span : 1);
    if (table->texts.len == start) return; /* empty: its place is kept, nothing is written */
    if (table->column > table->columns) table->columns = table->column;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        struct cria_table_cell *grown = capacity <= CRIA_TABLE_MAX_CELLS
                                            ? realloc(table->cells, capacity * sizeof(*grown))
                                            : NULL;
        if (!grown) {
            table->failed = true;
            return;
        }
        table->cells = grown;
        table->capacity = capacity;
    }
    table->cells[table->count++] =
        (struct cria_table_cell){table->row, column, start, table->texts.len - start};
}

static void add_escaped(struct cria_doc *doc, struct cria_str text)
{
    struct cria_str head;
    while (cria_str_cut(&text, '|', &head)) {
        cria_doc_add(doc, head);
        cria_doc_add_z(doc, "\\|");
    }
    cria_doc_add(doc, head);
}

static struct cria_str text_of(const struct cria_table *table, const struct cria_table_cell *cell)
{
    return cria_str_sub(cria_buf_str(&table->texts), cell->start, cell->len);
}

static void write_row(const struct cria_table *table, struct cria_doc *doc, size_t from, size_t to,
                      const bool *used)
{
    size_t at = from;
    cria_doc_add_z(doc, "|");
    for (uint32_t column = 0; column < table->columns; column++) {
        if (!used[column]) continue;
        cria_doc_add_z(doc, " ");
        if (at < to && table->cells[at].column == column) {
            add_escaped(doc, text_of(table, &table->cells[at++]));
            cria_doc_add_z(doc, " |");
        } else {
            cria_doc_add_z(doc, "|");
        }
    }
    cria_doc_add_z(doc, "\n");
}

void cria_table_write(const struct cria_table *table, struct cria_doc *doc)
{
    bool used[CRIA_TABLE_MAX_COLUMNS] = {false};
    size_t columns = 0, rows = 0;
    if (table->failed || table->texts.failed)
        cria_doc_fail(doc, CRIA_DOC_TOO_LARGE, "a table has too many cells");
    for (size_t i = 0; i < table->count; i++) used[table->cells[i].column] = true;
    for (uint32_t i = 0; i < table->columns; i++) columns += used[i];
    if (columns == 0) return;
    cria_doc_blank_line(doc);
    for (size_t from = 0, to; from < table->count && cria_doc_ok(doc); from = to, rows++) {
        for (to = from; to < table->count && table->cells[to].row == table->cells[from].row;) to++;
        if (columns == 1) {
            cria_doc_add(doc, text_of(table, &table->cells[from]));
            cria_doc_blank_line(doc);
            continue;
        }
        write_row(table, doc, from, to, used);
        if (rows > 0) continue;
        cria_doc_add_z(doc, "|");
        for (size_t i = 0; i < columns; i++) cria_doc_add_z(doc, " --- |");
        cria_doc_add_z(doc, "\n");
    }
    cria_doc_blank_line(doc);
}

void cria_table_write_line(const struct cria_table *table, struct cria_buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        if (i) cria_buf_add_z(out, table->cells[i].row == table->cells[i - 1].row ? " / " : "; ");
        cria_buf_add(out, text_of(table, &table->cells[i]));
    }
}
