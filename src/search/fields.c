#include "search/fields.h"

#include "search/bitmap.h"
#include "search/fields_format.h"
#include "search/runs.h"

enum cria_status cria_fields_open(struct cria_bytes bytes, struct cria_fields *out)
{
    const size_t footer_len = CRIA_FIELDS_FOOTER_BYTES;
    if (bytes.len < footer_len || !cria_bytes_check(&bytes, bytes.len - footer_len, footer_len))
        return CRIA_E_CORRUPT;
    const uint8_t *footer = bytes.ptr + bytes.len - footer_len;
    uint64_t end = bytes.len - footer_len, columns_at = cria_load64(footer),
             invalid_len = cria_load64(footer + 16), invalid_at = cria_load64(footer + 24);
    uint32_t column_count = cria_load32(footer + 12);
    if (cria_load64(footer + 56) != CRIA_FIELDS_MAGIC || columns_at > end ||
        (end - columns_at) / CRIA_COLUMN_BYTES < column_count || invalid_at > end ||
        invalid_len > end - invalid_at)
        return CRIA_E_CORRUPT;
    *out = (struct cria_fields){.bytes = bytes,
                                .document_count = cria_load32(footer + 8),
                                .column_count = column_count,
                                .columns_at = (size_t)columns_at,
                                .invalid_at = (size_t)invalid_at,
                                .invalid_len = (size_t)invalid_len};
    return CRIA_OK;
}

/* ---- columns */

struct column {
    const struct cria_bytes *bytes;
    enum cria_fields_type type;
    uint8_t flags;
    uint32_t value_count, documents_len, text_len;
    size_t documents_at, starts_at, values_at, texts_at;
};

/* What is read of one filter after the other. */
struct scan {
    const struct cria_fields *fields;
    uint64_t *found; /* documents of the condition at hand */
    uint32_t document_count;
    bool is_corrupt;
};

static bool lies_within(const struct cria_bytes *bytes, uint64_t at, uint64_t len)
{
    return at <= bytes->len && len <= bytes->len - at;
}

static bool read_row(const struct cria_bytes *bytes, const uint8_t *row, struct column *out)
{
    uint32_t count = cria_load32(row + 8), documents_len = cria_load32(row + 12),
             text_len = cria_load32(row + 56);
    uint64_t documents_at = cria_load64(row + 24), starts_at = cria_load64(row + 32),
             values_at = cria_load64(row + 40), texts_at = cria_load64(row + 48),
             values_len = (uint64_t)count * sizeof(double);
    if (row[1] == CRIA_FIELD_TEXT) values_len = ((uint64_t)count + 1) * sizeof(uint32_t);
    *out = (struct column){.bytes = bytes,
                           .type = (enum cria_fields_type)row[1],
                           .flags = row[2],
                           .value_count = count,
                           .documents_len = documents_len,
                           .text_len = text_len,
                           .documents_at = (size_t)documents_at,
                           .starts_at = (size_t)starts_at,
                           .values_at = (size_t)values_at,
                           .texts_at = (size_t)texts_at};
    return lies_within(bytes, documents_at, documents_len) &&
           lies_within(bytes, texts_at, text_len) && lies_within(bytes, values_at, values_len) &&
           lies_within(bytes, starts_at, ((uint64_t)count + 1) * sizeof(uint32_t));
}

/* The column of a member's values of a type; false: there is none, or the bytes are bad. */
static bool find_column(struct scan *scan, enum cria_fields_space space, struct cria_str name,
                        enum cria_fields_type type, struct column *out)
{
    const struct cria_fields *fields = scan->fields;
    const struct cria_bytes *bytes = &fields->bytes;
    uint32_t low = 0, high = fields->column_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        size_t at = fields->columns_at + (size_t)middle * CRIA_COLUMN_BYTES;
        if (!cria_bytes_check(bytes, at, CRIA_COLUMN_BYTES)) goto corrupt;
        const uint8_t *row = bytes->ptr + at;
        uint32_t len = cria_load32(row + 4);
        uint64_t name_at = cria_load64(row + 16);
        if (!lies_within(bytes, name_at, len) || !cria_bytes_check(bytes, (size_t)name_at, len))
            goto corrupt;
        int n = (row[0] > space) - (row[0] < space);
        if (n == 0)
            n = cria_str_compare(cria_str_make((const char *)bytes->ptr + name_at, len), name);
        if (n == 0) n = (row[1] > type) - (row[1] < type);
        if (n == 0) {
            if (!read_row(bytes, row, out)) goto corrupt;
            return true;
        }
        if (n > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
corrupt:
    scan->is_corrupt = true;
    return false;
}

/* -1, 0, 1: the value at `index` against the wanted one, of the column's type. */
static int compare_value(struct scan *scan, const struct column *column, uint32_t index,
                         const struct cria_json *wanted)
{
    const struct cria_bytes *bytes = column->bytes;
    if (column->type != CRIA_FIELD_TEXT) {
        size_t at = column->values_at + (size_t)index * sizeof(double);
        double there = 0, number = wanted->kind == CRIA_JSON_BOOL ? wanted->truth : wanted->real;
        if (wanted->kind == CRIA_JSON_NULL) number = 0;
        if (!cria_bytes_check(bytes, at, sizeof(double))) goto corrupt;
        memcpy(&there, bytes->ptr + at, sizeof(there));
        return (there > number) - (there < number);
    }
    size_t at = column->values_at + (size_t)index * sizeof(uint32_t);
    if (!cria_bytes_check(bytes, at, 2 * sizeof(uint32_t))) goto corrupt;
    uint32_t start = cria_load32(bytes->ptr + at), end = cria_load32(bytes->ptr + at + 4);
    if (start > end || end > column->text_len ||
        !cria_bytes_check(bytes, column->texts_at + start, end - start))
        goto corrupt;
    int n = cria_str_compare(
        cria_str_make((const char *)bytes->ptr + column->texts_at + start, end - start),
        wanted->text);
    return (n > 0) - (n < 0);
corrupt:
    scan->is_corrupt = true;
    return 0;
}

/* How many values are before the wanted one, or also equal to it. */
static uint32_t count_before(struct scan *scan, const struct column *column,
                             const struct cria_json *wanted, bool or_equal)
{
    uint32_t low = 0, high = column->value_count;
    while (low < high && !scan->is_corrupt) {
        uint32_t middle = low + (high - low) / 2;
        int n = compare_value(scan, column, middle, wanted);
        if (n < 0 || (n == 0 && or_equal))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sets the bits of the documents in some runs. */
static void set_runs(struct scan *scan, size_t at, size_t len)
{
    struct cria_runs_in runs = {.at = scan->fields->bytes.ptr + at,
                                .end = scan->fields->bytes.ptr + at + len};
    uint32_t start, end;
    while (cria_runs_next(&runs, scan->document_count, &start, &end)) {
        if (end - start == 1)
            cria_bitmap_set(scan->found, start);
        else
            cria_bitmap_set_range(scan->found, start, end);
    }
    scan->is_corrupt = scan->is_corrupt || runs.failed;
}

/* Sets the bits of a list of numbers. */
static void set_numbers(struct scan *scan, size_t at, size_t len)
{
    const uint8_t *list = scan->fields->bytes.ptr + at;
    uint64_t *found = scan->found;
    uint32_t count = scan->document_count;
    for (size_t i = 0; i + sizeof(uint32_t) <= len; i += sizeof(uint32_t)) {
        uint32_t document = cria_load32(list + i);
        if (document >= count) {
            scan->is_corrupt = true;
            return;
        }
        cria_bitmap_set(found, document);
    }
}

/* Sets the bits of a bitmap. */
static void set_bits(struct scan *scan, size_t at)
{
    const uint8_t *words = scan->fields->bytes.ptr + at;
    for (size_t i = 0; i < cria_bitmap_words(scan->document_count); i++)
        scan->found[i] |= cria_load64(words + i * sizeof(uint64_t));
}

/* Sets the bits of the documents that have one of the values [from, to). */
static void set_values(struct scan *scan, const struct column *column, uint32_t from, uint32_t to)
{
    const struct cria_bytes *bytes = column->bytes;
    if (from >= to || scan->is_corrupt) return;
    size_t at = column->starts_at + (size_t)from * sizeof(uint32_t),
           len = ((size_t)(to - from) + 1) * sizeof(uint32_t),
           bitmap_len = cria_bitmap_words(scan->document_count) * sizeof(uint64_t);
    uint32_t here, end, last;
    if (!cria_bytes_check(bytes, at, len)) goto corrupt;
    here = cria_load32(bytes->ptr + at);
    last = cria_load32(bytes->ptr + at + len - sizeof(uint32_t));
    if (here > last || last > column->documents_len ||
        !cria_bytes_check(bytes, column->documents_at + here, last - here))
        goto corrupt;
    if (column->flags & CRIA_COLUMN_FLAT) {
        set_numbers(scan, column->documents_at + here, last - here);
        return;
    }
    for (uint32_t v = from; v < to && !scan->is_corrupt; v++, here = end) {
        at += sizeof(uint32_t);
        end = cria_load32(bytes->ptr + at);
        if (end < here || end > last) goto corrupt;
        if (end - here == bitmap_len)
            set_bits(scan, column->documents_at + here);
        else
            set_runs(scan, column->documents_at + here, end - here);
    }
    return;
corrupt:
    scan->is_corrupt = true;
}

/* ---- conditions */

/* The type of column in which values equal to the wanted one are; false: there are none. */
static bool type_of(const struct cria_json *wanted, enum cria_fields_type *out)
{
    if (!wanted) return false;
    switch (wanted->kind) {
    case CRIA_JSON_NULL: *out = CRIA_FIELD_NULL; return true;
    case CRIA_JSON_BOOL: *out = CRIA_FIELD_BOOL; return true;
    case CRIA_JSON_INT:
    case CRIA_JSON_REAL: *out = CRIA_FIELD_NUMBER; return true;
    case CRIA_JSON_STRING: *out = CRIA_FIELD_TEXT; return true;
    case CRIA_JSON_ARRAY:
    case CRIA_JSON_OBJECT: return false;
    }
    return false;
}

static void set_equal(struct scan *scan, enum cria_fields_space space, struct cria_str name,
                      const struct cria_json *wanted)
{
    struct column column;
    enum cria_fields_type type;
    if (!type_of(wanted, &type) || !find_column(scan, space, name, type, &column)) return;
    uint32_t from = count_before(scan, &column, wanted, false);
    set_values(scan, &column, from, count_before(scan, &column, wanted, true));
}

/* The column of the values that have an order with the wanted one. */
static bool ordered_column(struct scan *scan, enum cria_fields_space space, struct cria_str name,
                           const struct cria_json *wanted, struct column *out)
{
    enum cria_fields_type type;
    return type_of(wanted, &type) && (type == CRIA_FIELD_NUMBER || type == CRIA_FIELD_TEXT) &&
           find_column(scan, space, name, type, out);
}

/* Narrows [*from, *to) to the values for which gt, gte, lt or lte holds; any other operator is lte,
 * as in filter.c. */
static void narrow(struct scan *scan, const struct column *column, struct cria_str op,
                   const struct cria_json *wanted, uint32_t *from, uint32_t *to)
{
    bool is_gt = cria_str_is(op, "gt"), is_lt = cria_str_is(op, "lt");
    if (is_gt || cria_str_is(op, "gte")) {
        uint32_t start = count_before(scan, column, wanted, is_gt);
        if (start > *from) *from = start;
    } else {
        uint32_t end = count_before(scan, column, wanted, !is_lt);
        if (end < *to) *to = end;
    }
}

static void set_ordered(struct scan *scan, enum cria_fields_space space, struct cria_str name,
                        struct cria_str op, const struct cria_json *wanted)
{
    struct column column;
    if (!ordered_column(scan, space, name, wanted, &column)) return;
    uint32_t from = 0, to = column.value_count;
    narrow(scan, &column, op, wanted, &from, &to);
    set_values(scan, &column, from, to);
}

static bool is_order(struct cria_str op)
{
    return !cria_str_is(op, "eq") && !cria_str_is(op, "ne") && !cria_str_is(op, "in") &&
           !cria_str_is(op, "nin");
}

/* Several ranges of a member that no document has twice are one range of values, which is found in
 * one go. False: they are not of that kind, nothing is done. */
static bool apply_range(struct scan *scan, struct cria_str name, const struct cria_json *conditions,
                        uint64_t *documents)
{
    struct column column;
    enum cria_fields_type type;
    if (conditions->count < 2 ||
        !ordered_column(scan, CRIA_SPACE_USER, name, cria_json_get(&conditions->items[0], "value"),
                        &column) ||
        !(column.flags & CRIA_COLUMN_SINGLE))
        return false;
    uint32_t from = 0, to = column.value_count;
    for (size_t i = 0; i < conditions->count; i++) {
        const struct cria_json *wanted = cria_json_get(&conditions->items[i], "value");
        struct cria_str op = cria_json_get_str(&conditions->items[i], "operator");
        if (!type_of(wanted, &type) || type != column.type || !is_order(op)) return false;
        narrow(scan, &column, op, wanted, &from, &to);
    }
    memset(scan->found, 0, cria_bitmap_words(scan->document_count) * sizeof(uint64_t));
    set_values(scan, &column, from, to);
    cria_bitmap_and(documents, scan->found, scan->document_count);
    return true;
}

/* Clears the documents for which the condition does not hold. */
static void apply_condition(struct scan *scan, enum cria_fields_space space, struct cria_str name,
                            const struct cria_json *condition, uint64_t *documents)
{
    struct cria_str op = cria_json_get_str(condition, "operator");
    const struct cria_json *wanted = cria_json_get(condition, "value");
    size_t count = scan->document_count;
    bool is_in = cria_str_is(op, "in") || cria_str_is(op, "nin"),
         negates = cria_str_is(op, "ne") || cria_str_is(op, "nin");
    memset(scan->found, 0, cria_bitmap_words(count) * sizeof(uint64_t));
    if (!wanted) negates = false; /* nothing is found, and nothing allowed */
    if (wanted && is_in) {
        for (size_t i = 0; wanted->kind == CRIA_JSON_ARRAY && i < wanted->count; i++)
            set_equal(scan, space, name, &wanted->items[i]);
    } else if (wanted && (negates || cria_str_is(op, "eq"))) {
        set_equal(scan, space, name, wanted);
    } else if (wanted) {
        set_ordered(scan, space, name, op, wanted);
    }
    if (negates)
        cria_bitmap_andnot(documents, scan->found, count);
    else
        cria_bitmap_and(documents, scan->found, count);
}

static void apply_custom(struct scan *scan, const struct cria_json *filters, uint64_t *documents)
{
    const struct cria_fields *fields = scan->fields;
    memset(scan->found, 0, cria_bitmap_words(scan->document_count) * sizeof(uint64_t));
    if (!cria_bytes_check(&fields->bytes, fields->invalid_at, fields->invalid_len))
        scan->is_corrupt = true;
    else
        set_runs(scan, fields->invalid_at, fields->invalid_len);
    cria_bitmap_andnot(documents, scan->found, scan->document_count);
    for (size_t i = 0; i < filters->count && !scan->is_corrupt; i++) {
        const struct cria_json *conditions = &filters->items[i];
        if (conditions->kind == CRIA_JSON_NULL) continue;
        bool is_list = conditions->kind == CRIA_JSON_ARRAY;
        if (is_list && apply_range(scan, conditions->name, conditions, documents)) continue;
        for (size_t k = 0; k < (is_list ? conditions->count : 1) && !scan->is_corrupt; k++)
            apply_condition(scan, CRIA_SPACE_USER, conditions->name,
                            is_list ? &conditions->items[k] : conditions, documents);
    }
}

enum cria_status cria_fields_filter(const struct cria_fields *fields, size_t document_count,
                                    const struct cria_json *static_filters,
                                    const struct cria_json *custom_filters, uint64_t *documents,
                                    struct cria_arena *scratch)
{
    const struct cria_json *file = cria_json_get(static_filters, CRIA_FIELD_ENTRY_ID);
    bool has_custom = !cria_json_is_null(custom_filters) && custom_filters->count;
    struct scan scan = {.fields = fields, .document_count = fields->document_count};
    if (document_count != fields->document_count) return CRIA_E_CORRUPT;
    if (document_count == 0 || (cria_json_is_null(file) && !has_custom)) return CRIA_OK;
    scan.found = CRIA_NEW_ARRAY(scratch, cria_bitmap_words(document_count), uint64_t);
    if (!scan.found) return CRIA_E_NO_MEMORY;
    if (!cria_json_is_null(file))
        apply_condition(&scan, CRIA_SPACE_STATIC, CRIA_STR(CRIA_FIELD_ENTRY_ID), file, documents);
    if (has_custom && !scan.is_corrupt) apply_custom(&scan, custom_filters, documents);
    return scan.is_corrupt ? CRIA_E_CORRUPT : CRIA_OK;
}
