#include <stdlib.h>

#include "parser/formats.h"

enum {
    SMALL_BYTES = 1600, /* fits one chunk, so its header stands beside its values anyway */
    SNIFF_ROWS = 60,
    MAX_HEADER_COLUMNS = 256, /* beyond, repeating the header would bury the values */
    MAX_HEADER_BYTES = 4096,
    MAX_COLUMNS = 1 << 20
};

/* Reads fields as RFC 4180 has them, with any separator; a quote that opens inside a field is
 * text. */
struct reader {
    struct cria_str text;
    size_t at;
    char separator;
};

/* One field, white space folded, appended to `out` (may be NULL). Returns what stood behind it: the
 * separator, '\n' or '\0' at the end. */
static char read_field(struct reader *r, struct cria_buf *out)
{
    const char *p = r->text.ptr;
    size_t n = r->text.len, i = r->at, start = i;
    struct cria_buf raw;
    cria_buf_init(&raw, n + 1);
    if (i < n && p[i] == '"') {
        start = ++i;
        while (i < n) {
            if (p[i] != '"') {
                i++;
                continue;
            }
            if (out) cria_buf_add(&raw, cria_str_make(p + start, i - start));
            if (i + 1 < n && p[i + 1] == '"') {
                if (out) cria_buf_add_char(&raw, '"');
                i += 2;
                start = i;
                continue;
            }
            start = ++i;
            break;
        }
        if (out && start < i) cria_buf_add(&raw, cria_str_make(p + start, i - start));
        start = i;
    }
    while (i < n && p[i] != r->separator && p[i] != '\n') i++;
    if (out) {
        cria_buf_add(&raw, cria_str_make(p + start, i - start));
        cria_fold_space(out, cria_buf_str(&raw));
    }
    cria_buf_release(&raw);
    char behind = i < n ? p[i] : '\0';
    r->at = i < n ? i + 1 : n;
    return behind;
}

static size_t skip_row(struct reader *r)
{
    size_t fields = 1;
    char behind;
    while ((behind = read_field(r, NULL)) != '\n' && behind != '\0') fields++;
    return fields;
}

/* The separator whose rows have the same, largest number of fields most often. */
static char sniff(struct cria_str text)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t best = 0;
    char separator = ',';
    for (size_t i = 0; i < sizeof(candidates); i++) {
        struct reader r = {.text = text, .separator = candidates[i]};
        size_t rows = 0, same = 0, first = 0;
        while (r.at < text.len && rows < SNIFF_ROWS) {
            size_t fields = skip_row(&r);
            if (rows == 0) first = fields;
            same += fields == first;
            rows++;
        }
        size_t score = first < 2 ? 0 : same * 1000 / (rows ? rows : 1) + (first < 50 ? first : 50);
        if (score > best) {
            best = score;
            separator = candidates[i];
        }
    }
    return separator;
}

struct header {
    struct cria_buf names; /* one behind the other */
    size_t ends[MAX_HEADER_COLUMNS];
    size_t count;
};

static bool is_number(struct cria_str field)
{
    size_t digits = 0, others = 0;
    for (size_t i = 0; i < field.len; i++) {
        char c = field.ptr[i];
        digits += c >= '0' && c <= '9';
        others += !(c >= '0' && c <= '9') && !strchr("+-.,:/%$ ", c);
    }
    return digits && !others;
}

static struct cria_str name_of(const struct header *header, size_t column)
{
    size_t start = column ? header->ends[column - 1] : 0;
    return cria_str_sub(cria_buf_str(&header->names), start, header->ends[column] - start);
}

/* A header: two or more names, all different, none empty or a number. */
static bool read_header(struct reader *r, struct header *header)
{
    char behind;
    do {
        size_t before = header->names.len;
        if (header->count == MAX_HEADER_COLUMNS) return false;
        behind = read_field(r, &header->names);
        header->ends[header->count++] = header->names.len;
        struct cria_str name = name_of(header, header->count - 1);
        if (header->names.len == before || header->names.failed || is_number(name)) return false;
        for (size_t i = 0; i + 1 < header->count; i++)
            if (cria_str_equal(name_of(header, i), name)) return false;
    } while (behind == r->separator);
    return header->count >= 2 && r->at < r->text.len;
}

/* A row as lines `name: value`, a blank line behind it. */
static void write_row(struct reader *r, const struct header *header, struct cria_doc *doc)
{
    struct cria_buf field;
    char behind;
    size_t column = 0;
    cria_buf_init(&field, CRIA_DOC_MAX_TEXT_BYTES);
    do {
        cria_buf_clear(&field);
        behind = read_field(r, &field);
        if (field.len && column < header->count) {
            cria_doc_add(doc, name_of(header, column));
            cria_doc_add_z(doc, ": ");
        }
        if (field.len) {
            cria_doc_add(doc, cria_buf_str(&field));
            cria_doc_add_z(doc, "\n");
        }
        if (column < MAX_COLUMNS) column++;
    } while (behind == r->separator);
    cria_doc_blank_line(doc);
    cria_buf_release(&field);
}

/* A small table stays as it was written; of a longer one each row carries the names of its columns,
 * so that a chunk from its middle can be understood. Without a header it stays as it is. */
void cria_format_csv(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_str text;
    if (!cria_source_text(source, doc, CRIA_STR(""), &text)) return;
    struct reader reader = {.text = text, .separator = sniff(text)};
    struct header *header = cria_arena_alloc(&doc->arena, sizeof(*header));
    if (!header) return;
    cria_buf_init(&header->names, MAX_HEADER_BYTES);
    if (text.len > SMALL_BYTES && read_header(&reader, header)) {
        while (reader.at < text.len && cria_doc_ok(doc)) write_row(&reader, header, doc);
    } else {
        cria_doc_add(doc, text);
    }
    cria_buf_release(&header->names);
}
