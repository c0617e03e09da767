/* layout.c - from lines to Markdown: running headers go, headings are known by their font,
 * lines of a paragraph are joined, rows of tables keep their cells apart. */
#include "parser/pdf/layout.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { SIZES_MAX = 64, LEVELS = 4, HEADING_CHARS = 160, KEY_BYTES = 120, NEAR_PAGES = 8 };
static const double HEADING_FACTOR = 1.12, EDGE_SHARE = 0.12;

struct sized {
    double size;
    size_t bytes;
};

struct layout {
    struct cria_doc *doc;
    struct cria_pdf_page *pages;
    struct cria_pdf_lines *lines; /* of each page */
    size_t count, at;             /* at: the page that is written */
    double body;                  /* size of most of the text */
    double heading[LEVELS];       /* sizes above it, largest first */
    size_t heading_count;
    struct cria_buf line;  /* text of the line at hand */
    struct cria_buf block; /* the paragraph so far */
    bool in_table;
};

/* ---- what the fonts say */

static int largest_first(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    return (x->size < y->size) - (x->size > y->size);
}

static void measure_sizes(struct layout *layout)
{
    struct sized sizes[SIZES_MAX];
    size_t n = 0, best = 0, total = 0;
    for (size_t p = 0; p < layout->count; p++)
        for (size_t i = 0; i < layout->pages[p].word_count; i++) {
            const struct cria_pdf_word *word = &layout->pages[p].words[i];
            double size = round(word->size * 2) / 2;
            size_t k = 0;
            while (k < n && sizes[k].size != size) k++;
            if (k == n && n == SIZES_MAX) continue;
            if (k == n) sizes[n++] = (struct sized){size, 0};
            sizes[k].bytes += word->text.len;
            total += word->text.len;
        }
    for (size_t i = 0; i < n; i++)
        if (sizes[i].bytes > best) {
            best = sizes[i].bytes;
            layout->body = sizes[i].size;
        }
    qsort(sizes, n, sizeof(*sizes), largest_first);
    for (size_t i = 0; i < n && layout->heading_count < LEVELS; i++) {
        if (sizes[i].size < layout->body * HEADING_FACTOR) break;
        if (sizes[i].bytes * 4 > total) continue; /* a quarter of the text is no heading */
        layout->heading[layout->heading_count++] = sizes[i].size;
    }
}

static bool has_letter(struct cria_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    }
    return false;
}

/* 0: no heading. */
static unsigned heading_level(const struct layout *layout, const struct cria_pdf_line *line,
                              struct cria_str text)
{
    if (line->is_table || text.len > HEADING_CHARS * 2 || !has_letter(text)) return 0;
    if (cria_utf8_count(text) > HEADING_CHARS) return 0;
    double size = round(line->size * 2) / 2;
    for (size_t i = 0; i < layout->heading_count; i++)
        if (size >= layout->heading[i]) return (unsigned)i + 1;
    char last = text.ptr[text.len - 1];
    if (!line->is_bold || line->word_count > 12 || strchr(".,;:-", last)) return 0;
    return (unsigned)layout->heading_count + 1;
}

/* ---- running headers and footers: the same line at the edge of many pages, numbers aside */

static struct cria_str key_of(const struct cria_pdf_line *line, char out[KEY_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < line->word_count; i++)
        for (size_t k = 0; k < line->words[i].text.len && n < KEY_BYTES; k++) {
            char c = line->words[i].text.ptr[k];
            bool is_digit = c >= '0' && c <= '9';
            if (is_digit && n && out[n - 1] == '0') continue;
            out[n++] = is_digit ? '0' : c;
        }
    return cria_str_make(out, n);
}

static bool is_at_edge(const struct cria_pdf_page *page, const struct cria_pdf_line *line)
{
    return line->y2 < page->height * EDGE_SHARE || line->y1 > page->height * (1 - EDGE_SHARE);
}

static bool recurs(const struct layout *layout, size_t at, const struct cria_pdf_line *line)
{
    char mine[KEY_BYTES], other[KEY_BYTES];
    struct cria_str key = key_of(line, mine);
    size_t seen = 0, looked = 0;
    /* Pages around this one: books change their headers by chapter and by left and right. */
    size_t from = at > 6 ? at - 6 : 0, to = at + 7 < layout->count ? at + 7 : layout->count;
    for (size_t p = from; p < to; p++) {
        if (p == at) continue;
        looked++;
        const struct cria_pdf_lines *lines = &layout->lines[p];
        for (size_t i = 0; i < lines->count; i++) {
            const struct cria_pdf_line *that = &lines->items[i];
            if (fabs(that->y1 - line->y1) > 6 || !is_at_edge(&layout->pages[p], that)) continue;
            if (!cria_str_equal(key_of(that, other), key)) continue;
            seen++;
            break;
        }
    }
    return seen >= 2 || (layout->count == 2 && seen == 1 && looked == 1);
}

static bool is_running(const struct layout *layout, size_t page, const struct cria_pdf_line *line)
{
    if (layout->count < 2 || !is_at_edge(&layout->pages[page], line)) return false;
    return recurs(layout, page, line);
}

/* ---- text */

/* Scripts without blanks between words: their lines and words are joined without one. */
static bool is_unspaced(uint32_t c)
{
    return (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x20000 && c <= 0x3FFFF) ||
           (c >= 0x0E00 && c <= 0x0EFF);
}

static uint32_t first_char(struct cria_str text)
{
    size_t at = 0;
    return text.len ? cria_utf8_next(text, &at) : 0;
}

static uint32_t last_char(struct cria_str text)
{
    size_t at = text.len;
    if (at == 0) return 0;
    do at--;
    while (at > 0 && ((unsigned char)text.ptr[at] & 0xC0) == 0x80);
    return cria_utf8_next(text, &at);
}

static bool needs_blank(struct cria_str before, struct cria_str after)
{
    return !(is_unspaced(last_char(before)) && is_unspaced(first_char(after)));
}

static void write_line(struct layout *layout, const struct cria_pdf_line *line)
{
    double end = line->x1;
    cria_buf_clear(&layout->line);
    for (size_t i = 0; i < line->word_count; i++) {
        const struct cria_pdf_word *word = &line->words[i];
        double gap = word->x1 - end;
        if (i && line->is_table && gap > fmax(line->size * 1.1, 8))
            cria_buf_add_z(&layout->line, " | ");
        else if (i &&
                 (gap > line->size * 0.35 || needs_blank(cria_buf_str(&layout->line), word->text)))
            cria_buf_add_char(&layout->line, ' ');
        cria_buf_add(&layout->line, word->text);
        end = fmax(end, word->x2);
    }
}

static void flush(struct layout *layout)
{
    struct cria_str text = cria_str_trim(cria_buf_str(&layout->block));
    if (text.len) {
        cria_doc_add(layout->doc, text);
        cria_doc_blank_line(layout->doc);
    }
    cria_buf_clear(&layout->block);
    layout->in_table = false;
}

/* The last word of the block and the first of the line, as they stand in the text. */
static bool joins_hyphen(const struct layout *layout, struct cria_str before, struct cria_str after)
{
    size_t start = before.len, end = 0;
    while (start > 0 && before.ptr[start - 1] != ' ') start--;
    while (end < after.len && after.ptr[end] != ' ') end++;
    struct cria_str head = cria_str_sub(before, start, before.len - start - 1);
    struct cria_str tail = cria_str_sub(after, 0, end);
    char c = tail.len ? tail.ptr[0] : 0, d = head.len ? head.ptr[head.len - 1] : 0;
    bool is_word = (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
    if (!is_word || !((d >= 'a' && d <= 'z') || (unsigned char)d >= 0x80)) return false;
    /* A compound that is written with its hyphen on the pages around keeps it. */
    for (size_t p = layout->at > NEAR_PAGES ? layout->at - NEAR_PAGES : 0;
         p < layout->count && p <= layout->at + NEAR_PAGES; p++)
        for (size_t i = 0; i < layout->pages[p].word_count; i++) {
            struct cria_str word = layout->pages[p].words[i].text;
            if (word.len < head.len + 1 + tail.len || word.ptr[head.len] != '-') continue;
            if (cria_str_equal(cria_str_sub(word, 0, head.len), head) &&
                cria_str_equal(cria_str_sub(word, head.len + 1, tail.len), tail))
                return false;
        }
    return true;
}

static void append(struct layout *layout)
{
    struct cria_str text = cria_buf_str(&layout->line), block = cria_buf_str(&layout->block);
    if (block.len == 0) {
        cria_buf_add(&layout->block, text);
        return;
    }
    char last = block.ptr[block.len - 1];
    if (last == '-' && block.len > 1 && joins_hyphen(layout, block, text))
        layout->block.len--;
    else if (last != '-' && needs_blank(block, text))
        cria_buf_add_char(&layout->block, ' ');
    else if (last == '-' && block.len > 1 && block.ptr[block.len - 2] == ' ')
        cria_buf_add_char(&layout->block, ' ');
    cria_buf_add(&layout->block, text);
}

/* "- ", bullets, "3.", "(a)". */
static bool starts_item(struct cria_str text)
{
    static const char *const bullets[] = {
        "\xE2\x80\xA2", "\xE2\x96\xAA",  "\xE2\x97\x8F", "\xE2\x97\xA6",
        "\xC2\xB7",     "\xE2\x80\x93 ", "- ",           "* "};
    for (size_t i = 0; i < CRIA_COUNT(bullets); i++)
        if (cria_str_starts(text, bullets[i])) return true;
    size_t n = 0;
    bool open = text.len && text.ptr[0] == '(';
    if (open) n++;
    while (n < text.len && n < 4 && text.ptr[n] >= '0' && text.ptr[n] <= '9') n++;
    if (n == (open ? 1u : 0u) && n < text.len && text.ptr[n] >= 'a' && text.ptr[n] <= 'z') n++;
    if (n == (open ? 1u : 0u) || n + 1 >= text.len) return false;
    return (text.ptr[n] == '.' || text.ptr[n] == ')') && text.ptr[n + 1] == ' ';
}

static bool ends_sentence(struct cria_str text)
{
    return text.len && strchr(".!?:\"", text.ptr[text.len - 1]);
}

/* Whether a paragraph begins with `line`, which stands behind `before`. */
static bool begins_paragraph(const struct layout *layout, const struct cria_pdf_line *before,
                             const struct cria_pdf_line *line, double right, struct cria_str text)
{
    struct cria_str block = cria_buf_str(&layout->block);
    double gap = line->y1 - before->y2, height = fmax(before->y2 - before->y1, 1);
    if (starts_item(text)) return true;
    if (line->begins_block || line->y1 < before->y1) return ends_sentence(block); /* next column */
    if (fabs(line->size - before->size) > 1) return true;
    if (gap > height * 0.75) return true;
    if (!ends_sentence(block)) return false;
    if (line->x1 > before->x1 + line->size * 0.8) return true; /* indented */
    return before->x2 < right - (right - before->x1) * 0.25;   /* the line before is short */
}

static void take_line(struct layout *layout, const struct cria_pdf_line *before,
                      const struct cria_pdf_line *line, double right, unsigned *level)
{
    write_line(layout, line);
    struct cria_str text = cria_buf_str(&layout->line);
    unsigned now = heading_level(layout, line, text);
    if (now) {
        if (*level == 0) flush(layout); /* else it goes on: see write_page */
        *level = now;
        append(layout);
        return;
    }
    *level = 0;
    if (line->is_table) {
        if (!layout->in_table) flush(layout);
        if (layout->in_table) cria_buf_add_char(&layout->block, '\n');
        layout->in_table = true;
        cria_buf_add(&layout->block, text);
        return;
    }
    if (layout->in_table ||
        (layout->block.len && before && begins_paragraph(layout, before, line, right, text)))
        flush(layout);
    append(layout);
}

static void end_heading(struct layout *layout, unsigned level)
{
    if (!layout->block.len) return;
    cria_doc_heading(layout->doc, level, cria_buf_str(&layout->block));
    if (level == 1) cria_doc_set_title(layout->doc, cria_buf_str(&layout->block));
    cria_buf_clear(&layout->block);
}

static void write_page(struct layout *layout, size_t at)
{
    const struct cria_pdf_lines *lines = &layout->lines[at];
    const struct cria_pdf_line *before = NULL;
    unsigned level = 0;
    layout->at = at;
    for (size_t i = 0; i < lines->count && cria_doc_ok(layout->doc); i++) {
        const struct cria_pdf_line *line = &lines->items[i];
        if (is_running(layout, at, line)) continue;
        /* The right edge of the column: the furthest end of the lines around. */
        double right = line->x2;
        for (size_t k = i > 8 ? i - 8 : 0; k < i + 8 && k < lines->count; k++)
            if (lines->items[k].x1 < line->x2 && lines->items[k].x2 > line->x1)
                right = fmax(right, lines->items[k].x2);
        unsigned was = level;
        if (was) { /* a heading of two lines is one */
            write_line(layout, line);
            unsigned now = heading_level(layout, line, cria_buf_str(&layout->line));
            bool goes_on = now == was && line->y1 > before->y1 && !line->begins_block &&
                           line->y1 - before->y2 < (before->y2 - before->y1) * 0.9;
            if (!goes_on) {
                end_heading(layout, was);
                level = 0;
            }
        }
        take_line(layout, before, line, right, &level);
        before = line;
    }
    if (level)
        end_heading(layout, level);
    else
        flush(layout);
}

/* What is no place on a page (NaN, a point a mile away) is brought to one: the text stays. */
static double place(double value, double most)
{
    if (isnan(value)) return 0;
    return fmin(fmax(value, -most), 2 * most);
}

static void tame(struct cria_pdf_page *page)
{
    if (!(page->width > 0 && page->width < 1e5)) page->width = 600;
    if (!(page->height > 0 && page->height < 1e5)) page->height = 800;
    for (size_t i = 0; i < page->word_count; i++) {
        struct cria_pdf_word *word = &page->words[i];
        word->x1 = place(word->x1, page->width);
        word->y1 = place(word->y1, page->height);
        word->x2 = fmax(place(word->x2, page->width), word->x1);
        word->y2 = fmax(place(word->y2, page->height), word->y1);
        word->size = fmin(fmax(place(word->size, page->height), 1), page->height);
    }
}

void cria_pdf_layout(struct cria_pdf_page *pages, size_t count, struct cria_doc *doc)
{
    struct layout layout = {.doc = doc, .pages = pages, .count = count};
    layout.lines = CRIA_NEW_ARRAY(&doc->arena, count + 1, struct cria_pdf_lines);
    if (!layout.lines) return;
    cria_buf_init(&layout.line, CRIA_DOC_MAX_TEXT_BYTES);
    cria_buf_init(&layout.block, CRIA_DOC_MAX_TEXT_BYTES);
    for (size_t i = 0; i < count; i++) tame(&pages[i]);
    measure_sizes(&layout);
    for (size_t i = 0; i < count; i++)
        if (!cria_pdf_read_lines(&doc->arena, &pages[i], &layout.lines[i])) goto out;
    for (size_t i = 0; i < count && cria_doc_ok(doc); i++) {
        cria_doc_page(doc, pages[i].number, pages[i].label);
        write_page(&layout, i);
    }
out:
    cria_buf_release(&layout.line);
    cria_buf_release(&layout.block);
}
