#include "cli/markdown.h"

#include <string.h>

enum { HEAD_MAX = 16 };

struct styles {
    const char *on, *off;
};
static const struct styles bold = {"\033[1m", "\033[22m"}, italic = {"\033[3m", "\033[23m"},
                           code = {"\033[36m", "\033[39m"}, dim = {"\033[2m", "\033[22m"};

void cli_markdown_init(struct cli_markdown *md, FILE *out, bool is_plain, unsigned width)
{
    *md = (struct cli_markdown){
        .out = out, .is_plain = is_plain, .is_head = true, .before = ' ', .width = width};
}

/* ---- words and lines */

static void start_line(struct cli_markdown *md)
{
    md->column = md->indent;
    if (md->is_quote)
        fprintf(md->out, "%s│ %s", dim.on, dim.off);
    else
        fprintf(md->out, "%*s", (int)md->indent, "");
}

/* The word in hand goes to this line if it fits, else to the next. */
static void flush_word(struct cli_markdown *md)
{
    if (md->width && md->word_columns && md->column > md->indent && !md->is_fenced &&
        md->column + md->blanks + md->word_columns > md->width) {
        fputc('\n', md->out);
        start_line(md);
        md->blanks = 0;
    }
    if (md->word_columns) {
        fprintf(md->out, "%*s", (int)md->blanks, "");
        md->column += md->blanks + md->word_columns;
        md->blanks = 0;
    }
    fwrite(md->word, 1, md->word_len, md->out);
    md->word_len = 0;
    md->word_columns = 0;
}

static void put(struct cli_markdown *md, const char *bytes, size_t len, unsigned columns)
{
    if (md->word_len + len > sizeof(md->word)) flush_word(md);
    memcpy(md->word + md->word_len, bytes, len);
    md->word_len += len;
    md->word_columns += columns;
}

/* Columns that a byte adds: the first of a character counts for it, two for the wide ones of East
 * Asia and for signs beyond the first plane. */
static unsigned columns_of(unsigned char c)
{
    return (c & 0xC0) == 0x80 ? 0 : (c >= 0xE3 && c <= 0xED) || c >= 0xF0 ? 2 : 1;
}

static void text(struct cli_markdown *md, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == ' ') {
            flush_word(md);
            md->blanks++;
        } else if (bytes[i] == '\n') {
            flush_word(md);
            fputc('\n', md->out);
            md->blanks = md->column = 0;
        } else {
            put(md, bytes + i, 1, columns_of((unsigned char)bytes[i]));
        }
    }
    if (len) md->before = bytes[len - 1];
}

static void set(struct cli_markdown *md, bool *is_on, const struct styles *style, bool wanted)
{
    const char *escape = wanted ? style->on : style->off;
    if (*is_on != wanted) put(md, escape, strlen(escape), 0);
    *is_on = wanted;
}

/* ---- within a line */

static bool is_blank(int c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == 0;
}

/* The stars that were held back, now that what follows is known. */
static void settle_stars(struct cli_markdown *md, int next)
{
    unsigned stars = md->stars;
    md->stars = 0;
    if (stars == 0) return;
    bool opens = !is_blank(next), closes = !is_blank(md->before);
    if (stars >= 2 && (md->is_bold ? closes : opens)) {
        set(md, &md->is_bold, &bold, !md->is_bold);
        stars -= 2;
    }
    if (stars == 1 && (md->is_italic ? closes : opens && is_blank(md->before))) {
        set(md, &md->is_italic, &italic, !md->is_italic);
        stars = 0;
    }
    while (stars--) text(md, "*", 1);
}

static void end_line(struct cli_markdown *md)
{
    settle_stars(md, '\n');
    set(md, &md->is_code, &code, false);
    set(md, &md->is_italic, &italic, false);
    set(md, &md->is_bold, &bold, false);
    set(md, &md->is_heading, &bold, false);
    text(md, "\n", 1);
    md->is_head = true;
    md->is_quote = false;
    md->indent = 0;
}

static void inline_char(struct cli_markdown *md, char c)
{
    if (c == '\n') {
        end_line(md);
    } else if (md->is_fenced) {
        text(md, &c, 1);
    } else if (c == '`') {
        settle_stars(md, c);
        set(md, &md->is_code, &code, !md->is_code);
        md->before = c;
    } else if (c == '*' && !md->is_code) {
        md->stars++;
    } else {
        settle_stars(md, c);
        text(md, &c, 1);
    }
}

/* ---- how a line begins */

static void give_head(struct cli_markdown *md)
{
    size_t len = md->head_len;
    md->is_head = false;
    md->head_len = 0;
    for (size_t i = 0; i < len; i++) inline_char(md, md->head[i]);
}

/* What the beginning of a line says, once it says it; more bytes are waited for until then. */
static void look_at_head(struct cli_markdown *md)
{
    const char *head = md->head;
    size_t blanks = 0, len = md->head_len;
    while (blanks < len && head[blanks] == ' ') blanks++;
    const char *mark = head + blanks;
    size_t size = len - blanks;
    if (size == 0) {
        if (len == HEAD_MAX) give_head(md);
        return;
    }
    size_t run = 0;
    while (run < size && mark[run] == mark[0]) run++;
    char last = mark[size - 1];
    if (mark[0] == '`' && run <= 3) {
        if (size < 3 && run == size) return;
        if (run == 3 && last != '\n') return; /* the name of a language; up to HEAD_MAX of it */
        if (run == 3) {
            md->is_fenced = !md->is_fenced;
            set(md, &md->is_dim, &dim, md->is_fenced);
            md->head_len = 0;
            return;
        }
    } else if (!md->is_fenced && mark[0] == '#' && run <= 6) {
        if (run == size) return;
        if (last == ' ') {
            set(md, &md->is_heading, &bold, true);
            md->head_len = 0;
            md->is_head = false;
            return;
        }
    } else if (!md->is_fenced && mark[0] == '>') {
        if (size == 1) return;
        md->is_quote = true;
        md->indent = 2;
        start_line(md);
        md->head_len = 0;
        if (last == ' ') return; /* a line of its own follows the mark */
        md->head[md->head_len++] = last;
        look_at_head(md);
        return;
    } else if (!md->is_fenced && (mark[0] == '-' || mark[0] == '*' || mark[0] == '+')) {
        if (size == 1) return;
        if (run == 1 && last == ' ') {
            text(md, head, blanks);
            text(md, "• ", strlen("• "));
            md->indent = (unsigned)blanks + 2;
            md->head_len = 0;
            md->is_head = false;
            return;
        }
    }
    give_head(md);
}

static void take(struct cli_markdown *md, char c)
{
    if (!md->is_head) {
        inline_char(md, c);
        return;
    }
    if (md->head_len == HEAD_MAX) {
        /* Only the language of a fence is that long: it does not matter. */
        if (c != '\n') return;
        md->head_len--;
    }
    md->head[md->head_len++] = c;
    look_at_head(md);
}

void cli_markdown_add(struct cli_markdown *md, const char *bytes)
{
    for (; bytes && *bytes; bytes++) {
        unsigned char c = (unsigned char)*bytes;
        bool is_lead = md->is_c2;
        md->is_c2 = c == 0xC2;
        if (md->is_c2) continue; /* of a control character of eight bits, or of a Latin letter */
        if (is_lead && c < 0xA0) continue;
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F) continue;
        if (md->is_plain) {
            if (is_lead) fputc(0xC2, md->out);
            fputc(c, md->out);
        } else {
            if (is_lead) take(md, (char)0xC2);
            take(md, (char)c);
        }
    }
}

void cli_markdown_end(struct cli_markdown *md)
{
    if (md->is_plain) return;
    /* A fence may be the last line, without an end. */
    if (md->is_head && md->is_fenced && md->head_len < HEAD_MAX) take(md, '\n');
    if (md->is_head && md->head_len) give_head(md);
    settle_stars(md, '\n');
    flush_word(md);
    if (md->is_bold || md->is_italic || md->is_code || md->is_heading || md->is_dim)
        fputs("\033[0m", md->out);
    cli_markdown_init(md, md->out, false, md->width);
}
