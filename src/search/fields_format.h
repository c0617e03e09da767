/* fields_format.h - how fields lie in a segment; for fields.c and fields_build.c alone. Room:
 * search.
 *
 * A column holds one type of one member: its distinct values ascending, and for each value the
 * documents that have it. Its parts: the documents of all values, one behind the other; value count
 * + 1 starts of those, u32; then the values, a double each, or for texts value count + 1 starts,
 * u32, of the texts that follow. A column's row is CRIA_COLUMN_BYTES:
 *   0 space, 1 type, 2 flags, u8; 4 length of the name, u32; 8 value count, u32; 12 bytes of
 *   documents, u32; 16 name at, 24 documents at, 32 starts at, 40 values at, 48 texts at, u64;
 *   56 bytes of texts, u32
 * A value's documents are runs (runs.h), or a bitmap in 64-bit words where that is no longer than
 * the runs: what has the length of such a bitmap is one. In a flat column they are numbers, u32:
 * there values are many and a range of them is a plain list.
 * Rows are sorted by space, name (bytes, a start first), type. The last 64 bytes:
 *   0 rows at, u64; 8 document count, 12 column count, u32; 16 bytes of runs, u32, at, u64 (24), of
 *   the documents whose metadata is no JSON; 56 the magic number */
#ifndef CRIA_SEARCH_FIELDS_FORMAT_H
#define CRIA_SEARCH_FIELDS_FORMAT_H

#include <stdint.h>

enum { CRIA_COLUMN_BYTES = 64, CRIA_FIELDS_FOOTER_BYTES = 64 };
static const uint64_t CRIA_FIELDS_MAGIC = UINT64_C(0x3130646c65695243); /* "CRield01" */

enum {
    CRIA_COLUMN_SINGLE = 1, /* no document is there twice: conditions on ranges may be merged */
    CRIA_COLUMN_FLAT = 2
};

enum cria_fields_space { CRIA_SPACE_STATIC, CRIA_SPACE_USER };
/* Nulls are elements of lists: a member that is null is none. */
enum cria_fields_type {
    CRIA_FIELD_NULL,
    CRIA_FIELD_BOOL,   /* 0 or 1 */
    CRIA_FIELD_NUMBER, /* integers too, as the filters compare them; no negative zero */
    CRIA_FIELD_TEXT
};

#define CRIA_FIELD_ENTRY_ID "parsed_directory_file_id" /* in the static space */

#endif
