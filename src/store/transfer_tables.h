/* transfer_tables.h - which tables a moved project consists of, and what their columns are here.
 * Room: store; for transfer.c and transfer_in.c. The columns are read from the database, so that a
 * column added by a migration moves along without a word here. */
#ifndef CRIA_STORE_TRANSFER_TABLES_H
#define CRIA_STORE_TRANSFER_TABLES_H

#include "store/query.h"

#define CRIA_TRANSFER_FORMAT "cria-project-1"
enum {
    CRIA_TRANSFER_PIECE = 1 << 16,
    CRIA_TRANSFER_TEXT_MAX = 1 << 16, /* of project.json, digests, a statement */
    CRIA_TRANSFER_ROW_MAX = 1 << 30,  /* bytes of a value; no text is that long */
    CRIA_TRANSFER_COLUMNS = 64,
    CRIA_TRANSFER_NAME = 64
};

struct cria_transfer_table {
    const char *name;
    const char *json;  /* its columns that hold JSON, each with a blank before and behind it */
    const char *where; /* further condition on the rows; "" */
    struct {
        const char *name, *select; /* exported so in place of the column */
    } instead[2];
};

/** In the order they are exported and imported; NULL behind the last. A table that is not in the
 * database (yet) has no columns and no rows. */
const struct cria_transfer_table *cria_transfer_table_at(size_t n);
/** Where a table stands in that order; SIZE_MAX: it is none of them. */
size_t cria_transfer_table_find(const char *name);
/** Whether a table of projects stays behind: keys, short-lived and derived rows. For the test that
 * sees to it that no table is forgotten. */
bool cria_transfer_stays(const char *table);

/** Kinds: i integer (never null), b bytes, t text, j text that is JSON. */
struct cria_transfer_column {
    char name[CRIA_TRANSFER_NAME];
    char kind;
};
struct cria_transfer_columns {
    struct cria_transfer_column items[CRIA_TRANSFER_COLUMNS]; /* all but project_id */
    size_t count;
    bool is_too_many;
};
CRIA_MUST_CHECK enum cria_status cria_transfer_columns_read(struct cria_tx *tx,
                                                            struct cria_call *call,
                                                            const struct cria_transfer_table *table,
                                                            struct cria_transfer_columns *out);
/** NULL: there is none. */
const struct cria_transfer_column *cria_transfer_column_find(
    const struct cria_transfer_columns *columns, const char *name);

#endif
