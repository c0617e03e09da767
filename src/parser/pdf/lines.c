/* lines.c - a page's words in reading order. Columns are found by the white space between them:
 * a vertical gap that all but a few lines leave free, with prose on both sides. Lines that cross
 * the gap (titles, wide tables) part the page into bands, and each band is read column by column.
 */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "parser/pdf/layout.h"

enum { BINS = 512, MAX_DEPTH = 4, LINES_LEAST = 5 };
/* A gap that parts columns: this many points wide, and crossed by at most this share of lines. */
static const double GAP_LEAST = 7, CROSSED_MOST = 0.15;
/* Prose fills its column: words of a line on each side, and their share of the column's width. */
static const double WORDS_LEAST = 3.2, FILLED_LEAST = 0.55;

static int by_top(const void *a, const void *b)
{
    const struct cria_pdf_word *x = a, *y = b;
    double p = (x->y1 + x->y2) / 2, q = (y->y1 + y->y2) / 2;
    if (p != q) return p < q ? -1 : 1;
    return (x->x1 > y->x1) - (x->x1 < y->x1);
}

static int by_left(const void *a, const void *b)
{
    const struct cria_pdf_word *x = a, *y = b;
    if (x->x1 != y->x1) return x->x1 < y->x1 ? -1 : 1;
    return (x->y1 > y->y1) - (x->y1 < y->y1);
}

static struct cria_pdf_line *add_line(struct cria_arena *arena, struct cria_pdf_lines *lines)
{
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity ? lines->capacity * 2 : 64;
        struct cria_pdf_line *grown = CRIA_NEW_ARRAY(arena, capacity, struct cria_pdf_line);
        if (!grown) return NULL;
        if (lines->count) memcpy(grown, lines->items, lines->count * sizeof(*grown));
        lines->items = grown;
        lines->capacity = capacity;
    }
    return &lines->items[lines->count++];
}

static void measure(struct cria_pdf_line *line)
{
    size_t bold = 0, bytes = 0, best = 0;
    line->x1 = line->y1 = INFINITY;
    line->x2 = line->y2 = -INFINITY;
    for (size_t i = 0; i < line->word_count; i++) {
        const struct cria_pdf_word *word = &line->words[i];
        line->x1 = fmin(line->x1, word->x1);
        line->y1 = fmin(line->y1, word->y1);
        line->x2 = fmax(line->x2, word->x2);
        line->y2 = fmax(line->y2, word->y2);
        bytes += word->text.len;
        if (word->is_bold) bold += word->text.len;
        size_t same = 0;
        for (size_t k = 0; k < line->word_count; k++)
            if (fabs(line->words[k].size - word->size) < 0.3) same += line->words[k].text.len;
        if (same > best) {
            best = same;
            line->size = word->size;
        }
        if (i >= 64) break; /* enough to know a line by */
    }
    line->is_bold = bold * 10 >= bytes * 9;
    for (size_t i = 64; i < line->word_count; i++) {
        line->x2 = fmax(line->x2, line->words[i].x2);
        line->y2 = fmax(line->y2, line->words[i].y2);
    }
}

/* Hebrew, Arabic and their presentation forms. */
static bool is_right_to_left(struct cria_str text)
{
    size_t at = 0;
    if (text.len == 0) return false;
    uint32_t c = cria_utf8_next(text, &at);
    return (c >= 0x590 && c <= 0x8FF) || (c >= 0xFB1D && c <= 0xFDFF) ||
           (c >= 0xFE70 && c <= 0xFEFE);
}

static void reverse(struct cria_pdf_word *words, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct cria_pdf_word word = words[i];
        words[i] = words[count - 1 - i];
        words[count - 1 - i] = word;
    }
}

/* A line that is written from the right, with its Latin words and numbers from the left. */
static void turn(struct cria_pdf_line *line)
{
    size_t n = 0, i = 0;
    for (size_t k = 0; k < line->word_count; k++) n += is_right_to_left(line->words[k].text);
    if (n * 2 <= line->word_count) return;
    reverse(line->words, line->word_count);
    while (i < line->word_count) {
        size_t end = i;
        while (end < line->word_count && !is_right_to_left(line->words[end].text)) end++;
        reverse(line->words + i, end - i);
        i = end + 1;
    }
}

/* Words whose middles lie on one height are a line. They come sorted by height. */
static bool group(struct cria_arena *arena, struct cria_pdf_word *words, size_t count,
                  struct cria_pdf_lines *out)
{
    size_t i = 0;
    qsort(words, count, sizeof(*words), by_top);
    while (i < count) {
        double top = words[i].y1, bottom = words[i].y2;
        size_t from = i++;
        while (i < count) {
            double middle = (words[i].y1 + words[i].y2) / 2, height = bottom - top;
            double own = words[i].y2 - words[i].y1;
            bool inside = middle > top + height * 0.1 && middle < bottom - height * 0.1;
            bool around = (top + bottom) / 2 > words[i].y1 && (top + bottom) / 2 < words[i].y2 &&
                          own < 2.5 * height;
            if (!inside && !around) break;
            if (words[i].y1 < top) top = words[i].y1;
            if (own <= 1.6 * height && words[i].y2 > bottom) bottom = words[i].y2;
            i++;
        }
        struct cria_pdf_line *line = add_line(arena, out);
        if (!line) return false;
        *line = (struct cria_pdf_line){.words = words + from, .word_count = i - from};
        qsort(line->words, line->word_count, sizeof(*words), by_left);
        measure(line);
        turn(line);
    }
    return true;
}

/* ---- columns */

struct sides {
    size_t lines;       /* with words on both sides of the gap, none across it */
    size_t left, right; /* lines that have words there */
    size_t left_words, right_words;
    double left_width, right_width; /* sums over the lines */
    size_t crossed;
};

static bool crosses(const struct cria_pdf_line *line, double from, double to)
{
    for (size_t i = 0; i < line->word_count; i++) {
        const struct cria_pdf_word *word = &line->words[i];
        if (word->x1 < to - 0.5 && word->x2 > from + 0.5 && word->text.len > 2) return true;
    }
    return false;
}

static void look(const struct cria_pdf_lines *lines, double from, double to, struct sides *out)
{
    *out = (struct sides){0};
    for (size_t i = 0; i < lines->count; i++) {
        const struct cria_pdf_line *line = &lines->items[i];
        size_t left = 0, right = 0;
        double left_end = 0, right_start = INFINITY;
        if (crosses(line, from, to)) {
            out->crossed++;
            continue;
        }
        for (size_t k = 0; k < line->word_count; k++) {
            bool is_left = (line->words[k].x1 + line->words[k].x2) / 2 < (from + to) / 2;
            left += is_left;
            right += !is_left;
            if (is_left) left_end = fmax(left_end, line->words[k].x2);
            if (!is_left) right_start = fmin(right_start, line->words[k].x1);
        }
        out->lines += left && right;
        out->left += left > 0;
        out->right += right > 0;
        out->left_words += left;
        out->right_words += right;
        if (left) out->left_width += left_end - line->x1;
        if (right) out->right_width += line->x2 - right_start;
    }
}

/* The widest stretch of the x axis that few lines touch, away from the edges. */
static bool widest_gap(const struct cria_pdf_lines *lines, double x1, double x2, double *from,
                       double *to)
{
    unsigned touched[BINS] = {0};
    double bin = (x2 - x1) / BINS;
    size_t most = (size_t)((double)lines->count * CROSSED_MOST), best = 0, best_at = 0, run = 0;
    if (bin <= 0) return false;
    for (size_t i = 0; i < lines->count; i++) {
        bool seen[BINS] = {false};
        for (size_t k = 0; k < lines->items[i].word_count; k++) {
            const struct cria_pdf_word *word = &lines->items[i].words[k];
            double a = (word->x1 - x1) / bin, b = (word->x2 - x1) / bin;
            if (word->text.len <= 2) continue; /* line numbers stand in gaps */
            for (int n = a < 0 ? 0 : (int)a; n < BINS && n < b; n++) seen[n] = true;
        }
        for (int n = 0; n < BINS; n++) touched[n] += seen[n];
    }
    for (size_t n = BINS / 8; n < BINS - BINS / 8; n++) {
        run = touched[n] <= most ? run + 1 : 0;
        if (run > best) {
            best = run;
            best_at = n + 1 - run;
        }
    }
    *from = x1 + (double)best_at * bin;
    *to = *from + (double)best * bin;
    return (double)best * bin >= GAP_LEAST;
}

static bool is_prose(const struct sides *s, double left, double right)
{
    if (s->lines < LINES_LEAST || s->left < LINES_LEAST || s->right < LINES_LEAST) return false;
    if ((double)s->left_words < WORDS_LEAST * (double)s->left ||
        (double)s->right_words < WORDS_LEAST * (double)s->right)
        return false;
    return s->left_width / (double)s->left > FILLED_LEAST * left &&
           s->right_width / (double)s->right > FILLED_LEAST * right;
}

struct reader {
    struct cria_arena *arena;
    struct cria_pdf_lines *out;
};

static bool read_part(struct reader *reader, struct cria_pdf_word *words, size_t count,
                      unsigned depth);

/* The words of some lines, moved so that those left of the middle stand first. */
static bool read_columns(struct reader *reader, const struct cria_pdf_line *lines, size_t count,
                         double middle, unsigned depth)
{
    size_t total = 0, left = 0, right;
    for (size_t i = 0; i < count; i++) total += lines[i].word_count;
    struct cria_pdf_word *words = CRIA_NEW_ARRAY(reader->arena, total + 1, struct cria_pdf_word);
    if (!words) return false;
    right = total;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lines[i].word_count; k++) {
            const struct cria_pdf_word *word = &lines[i].words[k];
            if ((word->x1 + word->x2) / 2 < middle)
                words[left++] = *word;
            else
                words[--right] = *word;
        }
    return (left == 0 || read_part(reader, words, left, depth + 1)) &&
           (left == total || read_part(reader, words + left, total - left, depth + 1));
}

static bool read_part(struct reader *reader, struct cria_pdf_word *words, size_t count,
                      unsigned depth)
{
    struct cria_pdf_lines lines = {0};
    struct sides sides;
    double from, to, x1 = INFINITY, x2 = -INFINITY;
    size_t first = reader->out->count, i = 0;
    if (!group(reader->arena, words, count, &lines)) return false;
    for (size_t k = 0; k < lines.count; k++) {
        x1 = fmin(x1, lines.items[k].x1);
        x2 = fmax(x2, lines.items[k].x2);
    }
    bool parted =
        depth < MAX_DEPTH && lines.count >= LINES_LEAST && widest_gap(&lines, x1, x2, &from, &to);
    if (parted) {
        look(&lines, from, to, &sides);
        parted = is_prose(&sides, from - x1, x2 - to);
    }
    while (i < lines.count) {
        size_t end = i;
        if (parted) {
            while (end < lines.count && !crosses(&lines.items[end], from, to)) end++;
            if (end > i && !read_columns(reader, lines.items + i, end - i, (from + to) / 2, depth))
                return false;
            if (end > i) {
                i = end;
                continue;
            }
        }
        struct cria_pdf_line *line = add_line(reader->arena, reader->out);
        if (!line) return false;
        *line = lines.items[i++];
    }
    if (first < reader->out->count) reader->out->items[first].begins_block = true;
    return true;
}

/* ---- tables: lines next to each other whose words leave wide gaps at the same places */

static double gap_of_table(const struct cria_pdf_line *line)
{
    return fmax(line->size * 1.1, 8);
}

static size_t cell_starts(const struct cria_pdf_line *line, double *starts, size_t most)
{
    size_t n = 0;
    double end = -INFINITY;
    for (size_t i = 0; i < line->word_count; i++) {
        if (line->words[i].x1 - end > gap_of_table(line) && n < most)
            starts[n++] = line->words[i].x1;
        end = fmax(end, line->words[i].x2);
    }
    return n;
}

static bool cells_meet(const struct cria_pdf_line *a, const struct cria_pdf_line *b)
{
    double x[64], y[64];
    size_t n = cell_starts(a, x, 64), m = cell_starts(b, y, 64), same = 0;
    if (n < 2 || m < 2) return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            if (fabs(x[i] - y[k]) < 12) {
                same++;
                break;
            }
    return same >= 2 || (n == m && same >= 1);
}

static void mark_tables(struct cria_pdf_lines *lines)
{
    for (size_t i = 0; i + 1 < lines->count; i++) {
        struct cria_pdf_line *a = &lines->items[i], *b = &lines->items[i + 1];
        bool near = b->y1 - a->y2 < 3 * fmax(a->size, b->size) && b->y1 > a->y1;
        if (near && cells_meet(a, b)) a->is_table = b->is_table = true;
    }
}

bool cria_pdf_read_lines(struct cria_arena *arena, struct cria_pdf_page *page,
                         struct cria_pdf_lines *out)
{
    struct reader reader = {arena, out};
    *out = (struct cria_pdf_lines){0};
    if (page->word_count && !read_part(&reader, page->words, page->word_count, 0)) return false;
    mark_tables(out);
    return true;
}
