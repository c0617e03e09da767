/* fields_build.c - gathers the values of all documents, each distinct one once, then sorts them and
 * writes the columns (fields_format.h). */
#include <stdlib.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/map.h"
#include "search/bitmap.h"
#include "search/fields.h"
#include "search/fields_format.h"
#include "search/put.h"
#include "search/runs.h"

enum { PARSE_BYTES = 512 << 20 }; /* a member's value takes some 100 bytes of an arena */

struct key {
    uint32_t space, len;
    char *name;
    uint32_t id; /* order of arrival */
};

struct value {
    union {
        double number;
        size_t at;        /* of a text in the builder's texts */
        const char *text; /* the same, once no more texts come */
    } is;
    uint32_t key; /* id; once no more come, the key's rank */
    uint32_t len; /* of a text */
    uint32_t id;  /* order of arrival */
    uint32_t type;
};

struct entry {
    uint32_t value, document;
};

struct cria_fields_builder {
    struct cria_map key_ids; /* space and name -> id + 1 */
    struct key *keys;
    struct value *values;
    struct entry *entries; /* documents ascending */
    uint32_t *slots;       /* hash table: value id + 1 */
    char *texts;
    size_t key_count, key_room, value_count, value_room, entry_count, entry_room, slot_count,
        text_len, text_room;
    struct cria_buf invalid; /* runs of documents */
    struct cria_runs_out invalid_runs;
    struct cria_arena arena;
    uint64_t documents; /* the last one's number + 1 */
    enum cria_status status;
};

struct cria_fields_builder *cria_fields_builder_new(void)
{
    struct cria_fields_builder *b =
        cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : calloc(1, sizeof(*b));
    if (!b) return NULL;
    cria_arena_init(&b->arena, PARSE_BYTES);
    cria_buf_init(&b->invalid, UINT32_MAX);
    return b;
}

void cria_fields_builder_free(struct cria_fields_builder *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->key_count; i++) free(b->keys[i].name);
    cria_map_release(&b->key_ids);
    cria_buf_release(&b->invalid);
    cria_arena_release(&b->arena);
    free(b->keys);
    free(b->values);
    free(b->entries);
    free(b->slots);
    free(b->texts);
    free(b);
}

/* Makes room for `more` elements behind `count`; `array` is where the pointer to the first lies. */
static bool room_for(void *array, size_t *room, size_t count, size_t more, size_t each_bytes)
{
    size_t wanted = *room ? *room : 64, bytes;
    void *old, *grown;
    if (count + more <= *room) return true;
    while (wanted < count + more)
        if (!cria_size_mul(wanted, 2, &wanted)) return false;
    if (!cria_size_mul(wanted, each_bytes, &bytes) || cria_fault_fires(CRIA_FAULT_ALLOC))
        return false;
    memcpy(&old, array, sizeof(old));
    if (!(grown = realloc(old, bytes))) return false;
    memcpy(array, &grown, sizeof(grown));
    *room = wanted;
    return true;
}
#define ROOM_FOR(b, array, room, count, more) \
    room_for(&(b)->array, &(b)->room, (b)->count, (more), sizeof(*(b)->array))

/* ---- adding */

static bool key_id(struct cria_fields_builder *b, uint32_t space, struct cria_str name,
                   uint32_t *out)
{
    char *copy = cria_arena_alloc(&b->arena, name.len + 1);
    if (!copy) return false;
    copy[0] = (char)('0' + space);
    if (name.len) memcpy(copy + 1, name.ptr, name.len);
    struct cria_str wanted = cria_str_make(copy, name.len + 1);
    uintptr_t known = (uintptr_t)cria_map_get(&b->key_ids, wanted);
    if (known) {
        *out = (uint32_t)(known - 1);
        return true;
    }
    if (name.len >= UINT32_MAX || !ROOM_FOR(b, keys, key_room, key_count, 1)) return false;
    char *kept = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : malloc(name.len + 1);
    if (!kept) return false;
    memcpy(kept, copy + 1, name.len);
    if (!cria_map_put(&b->key_ids, wanted, (void *)(b->key_count + 1))) {
        free(kept);
        return false;
    }
    *out = (uint32_t)b->key_count;
    b->keys[b->key_count++] = (struct key){space, (uint32_t)name.len, kept, *out};
    return true;
}

static uint64_t hash_of(const struct cria_fields_builder *b, const struct value *value)
{
    struct cria_str bytes = {(const char *)&value->is.number, sizeof(double)};
    if (value->type == CRIA_FIELD_TEXT) bytes = cria_str_make(b->texts + value->is.at, value->len);
    return cria_map_hash(bytes) ^ (value->key * 4 + value->type) * UINT64_C(0x9E3779B97F4A7C15);
}

static bool is_same(const struct cria_fields_builder *b, const struct value *x,
                    const struct value *y)
{
    if (x->key != y->key || x->type != y->type || x->len != y->len) return false;
    if (x->type != CRIA_FIELD_TEXT) return x->is.number == y->is.number;
    return x->len == 0 || memcmp(b->texts + x->is.at, b->texts + y->is.at, x->len) == 0;
}

static bool grow_slots(struct cria_fields_builder *b)
{
    size_t count = b->slot_count ? b->slot_count * 2 : 256;
    uint32_t *slots = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : calloc(count, sizeof(*slots));
    if (!slots) return false;
    for (size_t i = 0; i < b->value_count; i++) {
        size_t at = hash_of(b, &b->values[i]) & (count - 1);
        while (slots[at]) at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)(i + 1);
    }
    free(b->slots);
    b->slots = slots;
    b->slot_count = count;
    return true;
}

/* The document has the value; a text's bytes are the last of the builder's texts. */
static enum cria_status add_entry(struct cria_fields_builder *b, uint32_t document,
                                  struct value value)
{
    if (b->value_count * 2 >= b->slot_count && !grow_slots(b)) return CRIA_E_NO_MEMORY;
    if (!ROOM_FOR(b, values, value_room, value_count, 1) ||
        !ROOM_FOR(b, entries, entry_room, entry_count, 1))
        return CRIA_E_NO_MEMORY;
    size_t at = hash_of(b, &value) & (b->slot_count - 1);
    while (b->slots[at] && !is_same(b, &b->values[b->slots[at] - 1], &value))
        at = (at + 1) & (b->slot_count - 1);
    if (!b->slots[at]) {
        if (b->value_count >= UINT32_MAX - 1) return CRIA_E_TOO_LARGE;
        value.id = (uint32_t)b->value_count;
        b->values[b->value_count++] = value;
        b->slots[at] = (uint32_t)b->value_count;
        if (value.type == CRIA_FIELD_TEXT) b->text_len += value.len;
    }
    b->entries[b->entry_count++] = (struct entry){b->slots[at] - 1, document};
    return CRIA_OK;
}

static enum cria_status add_text(struct cria_fields_builder *b, uint32_t document, uint32_t key,
                                 struct cria_str text)
{
    if (text.len >= UINT32_MAX) return CRIA_E_TOO_LARGE;
    if (!ROOM_FOR(b, texts, text_room, text_len, text.len + 1)) return CRIA_E_NO_MEMORY;
    if (text.len) memcpy(b->texts + b->text_len, text.ptr, text.len);
    return add_entry(
        b, document,
        (struct value){
            .is.at = b->text_len, .key = key, .len = (uint32_t)text.len, .type = CRIA_FIELD_TEXT});
}

static enum cria_status add_scalar(struct cria_fields_builder *b, uint32_t document, uint32_t key,
                                   const struct cria_json *json)
{
    struct value value = {.key = key};
    switch (json->kind) {
    case CRIA_JSON_NULL: value.type = CRIA_FIELD_NULL; break;
    case CRIA_JSON_BOOL:
        value.type = CRIA_FIELD_BOOL;
        value.is.number = json->truth ? 1 : 0;
        break;
    case CRIA_JSON_INT:
    case CRIA_JSON_REAL:
        value.type = CRIA_FIELD_NUMBER;
        value.is.number = json->real == 0 ? 0 : json->real;
        break;
    case CRIA_JSON_STRING: return add_text(b, document, key, json->text);
    case CRIA_JSON_ARRAY:
    case CRIA_JSON_OBJECT: return CRIA_OK; /* equal to nothing, before and behind nothing */
    }
    return add_entry(b, document, value);
}

static enum cria_status add_member(struct cria_fields_builder *b, uint32_t document,
                                   const struct cria_json *json)
{
    enum cria_status st = CRIA_OK;
    uint32_t key;
    if (json->kind == CRIA_JSON_NULL || json->kind == CRIA_JSON_OBJECT) return CRIA_OK;
    if (!key_id(b, CRIA_SPACE_USER, json->name, &key)) return CRIA_E_NO_MEMORY;
    if (json->kind != CRIA_JSON_ARRAY) return add_scalar(b, document, key, json);
    for (size_t i = 0; i < json->count && st == CRIA_OK; i++)
        st = add_scalar(b, document, key, &json->items[i]);
    return st;
}

static enum cria_status add_document(struct cria_fields_builder *b, uint32_t document,
                                     struct cria_str entry_id, struct cria_str metadata_json)
{
    const struct cria_json *metadata = NULL;
    const char *why;
    uint8_t bytes[CRIA_RUN_BYTES];
    uint32_t key;
    if (!key_id(b, CRIA_SPACE_STATIC, CRIA_STR(CRIA_FIELD_ENTRY_ID), &key)) return CRIA_E_NO_MEMORY;
    enum cria_status st = add_text(b, document, key, entry_id);
    if (st != CRIA_OK) return st;
    st = cria_json_parse(&b->arena, metadata_json, &metadata, &why);
    if (st == CRIA_E_NO_MEMORY) return st;
    if (st != CRIA_OK) {
        size_t len = cria_runs_add(&b->invalid_runs, document, bytes);
        cria_buf_add(&b->invalid, cria_str_make((const char *)bytes, len));
        return cria_buf_status(&b->invalid);
    }
    /* A list has no names: its last element answers to the empty one, as in cria_filter_allows. */
    size_t first = metadata->kind == CRIA_JSON_ARRAY && metadata->count ? metadata->count - 1 : 0;
    st = CRIA_OK;
    for (size_t i = first; i < metadata->count && st == CRIA_OK; i++)
        st = add_member(b, document, &metadata->items[i]);
    return st;
}

enum cria_status cria_fields_add(struct cria_fields_builder *b, uint32_t document,
                                 struct cria_str entry_id, struct cria_str metadata_json)
{
    if (b->status != CRIA_OK) return b->status;
    if (document < b->documents || document == UINT32_MAX) return b->status = CRIA_E_BAD_REQUEST;
    b->documents = (uint64_t)document + 1;
    b->status = add_document(b, document, entry_id, metadata_json);
    cria_arena_reset(&b->arena);
    return b->status;
}

/* ---- writing */

static int by_name(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->space != y->space) return x->space < y->space ? -1 : 1;
    return cria_str_compare(cria_str_make(x->name, x->len), cria_str_make(y->name, y->len));
}

static int by_value(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->type != CRIA_FIELD_TEXT)
        return (x->is.number > y->is.number) - (x->is.number < y->is.number);
    return cria_str_compare(cria_str_make(x->is.text, x->len), cria_str_make(y->is.text, y->len));
}

/* Everything in order: the keys, the values, and each value's documents. */
struct order {
    uint32_t *rank;      /* of a key or a value by its id */
    size_t *starts;      /* of a value's documents, one more than values */
    uint32_t *documents; /* by value, ascending */
    uint32_t *seen;      /* by document: the last column it was seen in, from 1 */
    uint32_t document_count;
};

static bool sort_all(struct cria_fields_builder *b, struct order *order)
{
    size_t most = b->key_count > b->value_count ? b->key_count : b->value_count;
    if (cria_fault_fires(CRIA_FAULT_ALLOC)) return false;
    order->rank = calloc(most + 1, sizeof(*order->rank));
    order->starts = calloc(b->value_count + 2, sizeof(*order->starts));
    order->documents = calloc(b->entry_count + 1, sizeof(*order->documents));
    order->seen = calloc((size_t)order->document_count + 1, sizeof(*order->seen));
    if (!order->rank || !order->starts || !order->documents || !order->seen) return false;
    if (b->key_count) qsort(b->keys, b->key_count, sizeof(*b->keys), by_name);
    for (size_t i = 0; i < b->key_count; i++) order->rank[b->keys[i].id] = (uint32_t)i;
    for (size_t i = 0; i < b->value_count; i++) {
        struct value *value = &b->values[i];
        value->key = order->rank[value->key];
        if (value->type == CRIA_FIELD_TEXT) value->is.text = b->texts + value->is.at;
    }
    if (b->value_count) qsort(b->values, b->value_count, sizeof(*b->values), by_value);
    for (size_t i = 0; i < b->value_count; i++) order->rank[b->values[i].id] = (uint32_t)i;
    size_t *next = order->starts + 1; /* becomes starts as the documents come in */
    for (size_t i = 0; i < b->entry_count; i++) next[order->rank[b->entries[i].value] + 1]++;
    for (size_t i = 1; i <= b->value_count; i++) next[i] += next[i - 1];
    for (size_t i = 0; i < b->entry_count; i++)
        order->documents[next[order->rank[b->entries[i].value]]++] = b->entries[i].document;
    return true;
}

/* The runs of a value's documents; only counted when `put` is NULL. */
static size_t put_runs(const struct order *order, size_t v, struct cria_put *put)
{
    struct cria_runs_out runs = {0};
    uint8_t bytes[CRIA_RUN_BYTES];
    size_t len, sum = 0;
    for (size_t i = order->starts[v]; i < order->starts[v + 1]; i++) {
        if (i > order->starts[v] && order->documents[i] == order->documents[i - 1]) continue;
        sum += len = cria_runs_add(&runs, order->documents[i], bytes);
        if (put) cria_put(put, bytes, len);
    }
    sum += len = cria_runs_flush(&runs, bytes);
    if (put) cria_put(put, bytes, len);
    return sum;
}

static bool put_bitmap(const struct order *order, size_t v, struct cria_put *put)
{
    size_t words = cria_bitmap_words(order->document_count);
    uint64_t *bits = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : calloc(words, sizeof(*bits));
    if (!bits) return false;
    for (size_t i = order->starts[v]; i < order->starts[v + 1]; i++)
        cria_bitmap_set(bits, order->documents[i]);
    cria_put(put, bits, words * sizeof(*bits));
    free(bits);
    return true;
}

/* How the documents of the values [from, to) lie best; `column` counts from 1. */
static uint8_t flags_of(struct order *order, size_t from, size_t to, uint32_t column)
{
    uint8_t flags = CRIA_COLUMN_SINGLE;
    uint64_t sum = 0, count = 0;
    for (size_t v = from; v < to; v++) {
        sum += put_runs(order, v, NULL);
        for (size_t i = order->starts[v]; i < order->starts[v + 1]; i++) {
            uint32_t document = order->documents[i];
            if (i > order->starts[v] && document == order->documents[i - 1]) continue;
            if (order->seen[document] == column) flags = 0;
            order->seen[document] = column;
            count++;
        }
    }
    if (sum * 2 > count * 5 && count * sizeof(uint32_t) <= UINT32_MAX) flags |= CRIA_COLUMN_FLAT;
    return flags;
}

/* Writes the documents of the values [from, to) and where each value's begin. */
static enum cria_status put_documents(struct order *order, size_t from, size_t to, uint8_t flags,
                                      struct cria_put *put, uint32_t *starts)
{
    uint64_t at = put->written;
    size_t bitmap_len = cria_bitmap_words(order->document_count) * sizeof(uint64_t);
    for (size_t v = from; v < to; v++) {
        if (put->written - at > UINT32_MAX) return CRIA_E_TOO_LARGE;
        starts[v - from] = (uint32_t)(put->written - at);
        if (flags & CRIA_COLUMN_FLAT) {
            for (size_t i = order->starts[v]; i < order->starts[v + 1]; i++)
                if (i == order->starts[v] || order->documents[i] != order->documents[i - 1])
                    cria_put32(put, order->documents[i]);
        } else if (put_runs(order, v, NULL) < bitmap_len) {
            put_runs(order, v, put);
        } else if (!put_bitmap(order, v, put)) {
            return CRIA_E_NO_MEMORY;
        }
    }
    if (put->written - at > UINT32_MAX) return CRIA_E_TOO_LARGE;
    starts[to - from] = (uint32_t)(put->written - at);
    return CRIA_OK;
}

/* Writes the values [from, to); *texts_at becomes where texts begin, *text_len their bytes. */
static enum cria_status put_values(const struct cria_fields_builder *b, size_t from, size_t to,
                                   struct cria_put *put, uint64_t *texts_at, uint32_t *text_len)
{
    bool is_text = b->values[from].type == CRIA_FIELD_TEXT;
    uint64_t at = 0;
    for (size_t v = from; v < to; v++) {
        if (at > UINT32_MAX) return CRIA_E_TOO_LARGE;
        if (is_text)
            cria_put32(put, (uint32_t)at);
        else
            cria_put(put, &b->values[v].is.number, sizeof(double));
        at += b->values[v].len;
    }
    if (at > UINT32_MAX) return CRIA_E_TOO_LARGE;
    if (is_text) cria_put32(put, (uint32_t)at);
    *texts_at = put->written;
    *text_len = (uint32_t)at;
    for (size_t v = from; v < to && is_text; v++)
        cria_put(put, b->values[v].is.text, b->values[v].len);
    return CRIA_OK;
}

/* One column: the values [from, to) in order. */
static enum cria_status write_column(const struct cria_fields_builder *b, struct order *order,
                                     size_t from, size_t to, uint32_t column, struct cria_put *put,
                                     uint8_t row[CRIA_COLUMN_BYTES])
{
    const struct key *key = &b->keys[b->values[from].key];
    uint64_t at[5]; /* name, documents, starts, values, texts */
    uint32_t text_len = 0, *starts;
    starts = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : malloc((to - from + 1) * sizeof(*starts));
    if (!starts) return CRIA_E_NO_MEMORY;
    at[0] = put->written;
    cria_put(put, key->name, key->len);
    cria_put_align(put);
    at[1] = put->written;
    uint8_t flags = flags_of(order, from, to, column);
    enum cria_status st = put_documents(order, from, to, flags, put, starts);
    if (st != CRIA_OK) goto out;
    cria_put_align(put);
    at[2] = put->written;
    cria_put(put, starts, (to - from + 1) * sizeof(*starts));
    cria_put_align(put);
    at[3] = put->written;
    st = put_values(b, from, to, put, &at[4], &text_len);
    cria_put_align(put);
    const uint32_t numbers[3] = {key->len, (uint32_t)(to - from), starts[to - from]};
    memset(row, 0, CRIA_COLUMN_BYTES);
    row[0] = (uint8_t)key->space;
    row[1] = (uint8_t)b->values[from].type;
    row[2] = flags;
    memcpy(row + 4, numbers, sizeof(numbers));
    memcpy(row + 16, at, sizeof(at));
    memcpy(row + 56, &text_len, sizeof(text_len));
out:
    free(starts);
    return st;
}

static enum cria_status write_columns(struct cria_fields_builder *b, struct order *order,
                                      struct cria_put *put, struct cria_buf *rows)
{
    enum cria_status st = CRIA_OK;
    uint32_t column = 0;
    uint8_t row[CRIA_COLUMN_BYTES];
    for (size_t from = 0, to; from < b->value_count && st == CRIA_OK; from = to) {
        const struct value *first = &b->values[from];
        for (to = from + 1; to < b->value_count; to++)
            if (b->values[to].key != first->key || b->values[to].type != first->type) break;
        st = write_column(b, order, from, to, ++column, put, row);
        cria_buf_add(rows, cria_str_make((const char *)row, sizeof(row)));
    }
    return st == CRIA_OK ? cria_buf_status(rows) : st;
}

enum cria_status cria_fields_write(struct cria_fields_builder *b, uint32_t document_count,
                                   const struct cria_sink *sink)
{
    struct order order = {.document_count = document_count};
    struct cria_put put = {.sink = sink};
    struct cria_buf rows;
    uint8_t bytes[CRIA_RUN_BYTES];
    if (b->status == CRIA_OK && document_count < b->documents) b->status = CRIA_E_BAD_REQUEST;
    if (b->status != CRIA_OK) return b->status;
    cria_buf_init(&rows, SIZE_MAX);
    b->status = sort_all(b, &order) ? write_columns(b, &order, &put, &rows) : CRIA_E_NO_MEMORY;
    if (b->status == CRIA_OK) {
        size_t len = cria_runs_flush(&b->invalid_runs, bytes);
        uint64_t rows_at = put.written, invalid_at = rows_at + rows.len;
        cria_put(&put, rows.ptr, rows.len);
        cria_put(&put, b->invalid.ptr, b->invalid.len);
        cria_put(&put, bytes, len);
        cria_put_align(&put);
        cria_put64(&put, rows_at);
        cria_put32(&put, document_count);
        cria_put32(&put, (uint32_t)(rows.len / CRIA_COLUMN_BYTES));
        cria_put64(&put, b->invalid.len + len);
        cria_put64(&put, invalid_at);
        for (size_t i = 0; i < 3; i++) cria_put64(&put, 0);
        cria_put64(&put, CRIA_FIELDS_MAGIC);
        b->status = cria_put_flush(&put) ? CRIA_OK : CRIA_E_IO;
    }
    cria_buf_release(&rows);
    free(order.rank);
    free(order.starts);
    free(order.documents);
    free(order.seen);
    enum cria_status st = b->status;
    if (st == CRIA_OK) b->status = CRIA_E_CONFLICT; /* written: nothing more may be added */
    return st;
}
