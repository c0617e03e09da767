/* Read are [3] [3, 5] [3-5] [3 and 5] [[3]] [^3] [passage 3] and the same in 【】 and ［］, also
 * with a tail as in 【3†source】. Written is always [1][2]. */
#include "chat/markers.h"

#include "base/utf8.h"

enum { IDS_MAX = 12, RANGE_MAX = 8 };

void cria_markers_init(struct cria_markers *markers, const struct cria_evidence *evidence)
{
    *markers = (struct cria_markers){.evidence = evidence, .is_line_start = true};
    cria_buf_init(&markers->held, 16 << 20);
}

void cria_markers_release(struct cria_markers *markers)
{
    cria_buf_release(&markers->held);
}

/* ---- reading one marker */

enum verdict { NO, YES, MORE };

struct scan {
    struct cria_str text;
    size_t at;
    uint32_t ids[IDS_MAX];
    size_t count;
    bool is_short; /* no number has more than 3 digits and none is 0 */
};

static uint32_t closer_of(uint32_t opener)
{
    return opener == '[' ? ']' : opener == 0x3010 ? 0x3011 : opener == 0xFF3B ? 0xFF3D : 0;
}

/* The code point at scan->at, which is not moved; *len its bytes; 0 at the end or when it is cut.
 */
static uint32_t peek(const struct scan *scan, size_t *len)
{
    size_t at = scan->at;
    if (at >= scan->text.len) return 0;
    uint32_t c = cria_utf8_next(scan->text, &at);
    *len = at - scan->at;
    if (c != CRIA_UTF8_BAD) return c;
    return scan->text.len - scan->at < 4 ? 0 : '?';
}

static bool take(struct scan *scan, uint32_t c)
{
    size_t len = 0;
    if (peek(scan, &len) != c) return false;
    scan->at += len;
    return true;
}

/* Skips one of the words; MORE when the text ends inside one. */
static enum verdict take_word(struct scan *scan)
{
    static const char *const words[] = {"passages", "passage",  "sources", "source", "refs",
                                        "ref",      "citation", "cite",    "doc"};
    struct cria_str rest = cria_str_sub(scan->text, scan->at, SIZE_MAX);
    for (size_t i = 0; i < CRIA_COUNT(words); i++) {
        size_t len = strlen(words[i]), there = rest.len < len ? rest.len : len;
        if (!cria_str_equal_nocase(cria_str_sub(rest, 0, there), cria_str_make(words[i], there)))
            continue;
        if (there < len) return MORE;
        scan->at += len;
        while (take(scan, ' ') || take(scan, ':') || take(scan, '#')) {}
        return YES;
    }
    return YES; /* no word is fine as well */
}

static enum verdict take_number(struct scan *scan, uint32_t *out)
{
    size_t digits = 0;
    *out = 0;
    while (scan->at < scan->text.len) {
        char c = scan->text.ptr[scan->at];
        if (c < '0' || c > '9') break;
        if (++digits > 6) return NO;
        *out = *out * 10 + (uint32_t)(c - '0');
        scan->at++;
    }
    if (digits > 3 || *out == 0) scan->is_short = false;
    if (scan->at == scan->text.len) return MORE;
    return digits ? YES : NO;
}

static void add_id(struct scan *scan, uint32_t id)
{
    if (scan->count < IDS_MAX) scan->ids[scan->count++] = id;
}

static enum verdict take_list(struct scan *scan, uint32_t closer)
{
    uint32_t number = 0, first;
    size_t len = 0;
    bool is_range = false;
    for (;;) {
        enum verdict verdict = take_number(scan, &number);
        if (verdict != YES) return verdict;
        first = scan->count ? scan->ids[scan->count - 1] : 0;
        if (is_range && number > first && number - first <= RANGE_MAX)
            for (uint32_t id = first + 1; id < number; id++) add_id(scan, id);
        add_id(scan, number);
        while (take(scan, ' ')) {}
        uint32_t c = peek(scan, &len);
        if (c == 0) return MORE;
        if (c == closer) {
            scan->at += len;
            return YES;
        }
        if (c == 0x2020) { /* a dagger: the rest up to the closer is decoration */
            while ((c = peek(scan, &len)) != closer) {
                if (c == 0) return MORE;
                if (c == '\n') return NO;
                scan->at += len;
            }
            scan->at += len;
            return YES;
        }
        is_range = c == '-' || c == 0x2013;
        if (c != ',' && c != ';' && c != '&' && c != 'a' && !is_range) return NO;
        if (c == 'a') {
            struct cria_str rest = cria_str_sub(scan->text, scan->at, 3);
            if (rest.len < 3) return MORE;
            if (!cria_str_is(rest, "and")) return NO;
            len = 3;
        }
        scan->at += len;
        while (take(scan, ' ') || take(scan, '^')) {}
    }
}

/* Reads a marker at text[at]; YES: scan->at is behind it. */
static enum verdict read_marker(struct cria_str text, size_t at, struct scan *scan)
{
    size_t len = 0;
    *scan = (struct scan){.text = text, .at = at, .is_short = true};
    uint32_t opener = peek(scan, &len), closer = closer_of(opener);
    if (opener == 0) return MORE;
    if (!closer) return NO;
    scan->at += len;
    bool is_double = take(scan, opener);
    take(scan, '^');
    enum verdict verdict = take_word(scan);
    if (verdict == YES) verdict = take_list(scan, closer);
    if (verdict == YES && is_double && !take(scan, closer))
        return peek(scan, &len) == 0 ? MORE : NO;
    return verdict;
}

/* ---- code */

/* Back-ticks at text[at]: how many. */
static size_t ticks(struct cria_str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] == '`') n++;
    return n;
}

static void pass_ticks(unsigned *fence, unsigned *inline_ticks, size_t n, bool is_line_start)
{
    if (*fence) {
        if (is_line_start && n >= *fence) *fence = 0;
    } else if (*inline_ticks) {
        if (n == *inline_ticks) *inline_ticks = 0;
    } else if (n >= 3 && is_line_start) {
        *fence = (unsigned)n;
    } else {
        *inline_ticks = (unsigned)n;
    }
}

static void pass_char(struct cria_markers *markers, char c)
{
    if (c == '\n') {
        markers->is_line_start = true;
        markers->inline_ticks = 0; /* one that nobody closed ends with its line */
    } else if (c != ' ' && c != '\t') {
        markers->is_line_start = false;
    }
}

/* ---- the filter */

static uint32_t number_of(struct cria_markers *markers, uint32_t id)
{
    for (size_t i = 0; i < markers->count; i++)
        if (markers->ids[i] == id) return (uint32_t)(i + 1);
    if (markers->count == CRIA_MARKERS_MAX || !cria_evidence_find(markers->evidence, id)) return 0;
    markers->ids[markers->count++] = id;
    return (uint32_t)markers->count;
}

/* Writes what becomes of a marker; false: it stays as it is. */
static bool write_marker(struct cria_markers *markers, const struct scan *scan,
                         struct cria_buf *out, bool had_blank)
{
    uint32_t seen[IDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < scan->count; i++) {
        uint32_t n = number_of(markers, scan->ids[i]);
        bool is_known = n == 0;
        for (size_t k = 0; k < count; k++) is_known |= seen[k] == n;
        if (!is_known) seen[count++] = n;
    }
    if (count == 0) return scan->is_short;
    if (had_blank) cria_buf_add_char(out, ' ');
    for (size_t i = 0; i < count; i++) cria_buf_printf(out, "[%u]", seen[i]);
    return true;
}

static void work(struct cria_markers *markers, struct cria_buf *out, bool is_final)
{
    struct cria_str text = cria_buf_str(&markers->held);
    size_t at = 0;
    while (at < text.len) {
        char c = text.ptr[at];
        bool in_code = markers->fence || markers->inline_ticks;
        if (c == '`') {
            size_t n = ticks(text, at);
            if (at + n == text.len && !is_final && n < CRIA_MARKER_HOLD) break;
            pass_ticks(&markers->fence, &markers->inline_ticks, n, markers->is_line_start);
            cria_buf_add(out, cria_str_sub(text, at, n));
            markers->is_line_start = false;
            at += n;
            continue;
        }
        /* A blank goes with a marker that goes. */
        size_t open = c == ' ' ? at + 1 : at;
        bool may_open = c == ' ' || c == '[' || c == '\xE3' || c == '\xEF';
        if (may_open && !in_code) {
            struct scan scan;
            enum verdict verdict = read_marker(text, open, &scan);
            if (verdict == MORE && !is_final && text.len - open <= CRIA_MARKER_HOLD) break;
            if (verdict == YES && write_marker(markers, &scan, out, open > at)) {
                at = scan.at;
                markers->is_line_start = false;
                continue;
            }
        }
        cria_buf_add_char(out, c);
        pass_char(markers, c);
        at++;
    }
    cria_buf_drop(&markers->held, at);
}

void cria_markers_feed(struct cria_markers *markers, struct cria_str text, struct cria_buf *out)
{
    cria_buf_add(&markers->held, text);
    work(markers, out, false);
}

void cria_markers_flush(struct cria_markers *markers, struct cria_buf *out)
{
    work(markers, out, true);
    cria_buf_clear(&markers->held);
    markers->fence = markers->inline_ticks = 0;
    markers->is_line_start = true;
}

bool cria_marker_next(struct cria_str text, size_t *at, struct cria_marker *out)
{
    for (size_t pos = *at; pos + 2 < text.len; pos++) {
        struct scan scan;
        if (text.ptr[pos] != '[') continue;
        if (read_marker(text, pos, &scan) != YES || scan.count != 1) continue;
        *out = (struct cria_marker){.start = pos, .end = scan.at, .n = scan.ids[0]};
        *at = scan.at;
        return true;
    }
    return false;
}
