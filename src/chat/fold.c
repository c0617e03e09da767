#include "chat/fold.h"

#include "base/utf8.h"

uint32_t cria_fold_char(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
    if (c >= 0x100 && c <= 0x17F) {
        bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
        if (c == 0x130 || c == 0x131) return 'i';
        if (c == 0x138 || c == 0x149 || c == 0x178 || c == 0x17F) return c;
        return (c & 1) == odd_upper ? c + 1 : c;
    }
    if (c >= 0x391 && c <= 0x3A9) return c + 32;
    if (c == 0x3C2) return 0x3C3; /* final sigma */
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    if (c == 0x2018 || c == 0x2019 || c == 0x201A || c == 0x2BC) return '\'';
    if (c >= 0x201C && c <= 0x201F) return '"';
    if (c == 0xAB || c == 0xBB) return '"';
    if (c >= 0x2010 && c <= 0x2015) return '-';
    if (c == 0x2212) return '-';
    if (c >= 0xFF01 && c <= 0xFF5E) return cria_fold_char(c - 0xFEE0); /* full-width ASCII */
    return c;
}

bool cria_is_unspaced(uint32_t c)
{
    return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||
           (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3040 && c <= 0x30FF) ||
           (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

bool cria_is_word_char(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
    if (c == 0xD7 || c == 0xF7) return false;
    if (c >= 0x2000 && c <= 0x206F) return c == 0x200C || c == 0x200D;
    if (c >= 0x2190 && c <= 0x2BFF) return false;
    if (c >= 0x3000 && c <= 0x303F) return c == 0x3005 || c == 0x3007;
    if (c == 0x060C || c == 0x061B || c == 0x061F || c == 0x06D4) return false;
    if (c == 0x0964 || c == 0x0965) return false;
    if (c >= 0xFE30 && c <= 0xFE4F) return false;
    if (c >= 0xFF00 && c <= 0xFF65) return cria_is_word_char(cria_fold_char(c)) && c < 0xFF5F;
    return c != CRIA_UTF8_BAD && c != 0xFFFD;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000 || c == 0xFEFF || c == 0xAD;
}

/* ---- folded text */

static const char *ligature(uint32_t c)
{
    switch (c) {
    case 0xFB00: return "ff";
    case 0xFB01: return "fi";
    case 0xFB02: return "fl";
    case 0xFB03: return "ffi";
    case 0xFB04: return "ffl";
    case 0xFB05:
    case 0xFB06: return "st";
    case 0x2026: return "...";
    default: return NULL;
    }
}

static void put(struct cria_folded *out, uint32_t c, size_t from)
{
    out->chars[out->count] = c;
    out->from[out->count++] = from;
}

/* "-" at a line end and the break behind it vanish: `at` is behind the hyphen. */
static bool skip_hyphenation(struct cria_str text, size_t *at)
{
    size_t next = *at;
    if (next < text.len && text.ptr[next] == '\r') next++;
    if (next >= text.len || text.ptr[next] != '\n') return false;
    next++;
    while (next < text.len && (text.ptr[next] == ' ' || text.ptr[next] == '\t')) next++;
    if (next >= text.len || text.ptr[next] < 'a' || text.ptr[next] > 'z') return false;
    *at = next;
    return true;
}

bool cria_fold(struct cria_arena *arena, struct cria_str text, struct cria_folded *out)
{
    size_t at = 0, room;
    *out = (struct cria_folded){0};
    /* The longest growth: a ligature's 3 bytes become 3 characters. */
    if (!cria_size_add(text.len, 4, &room)) return false;
    out->chars = CRIA_NEW_ARRAY(arena, room, uint32_t);
    out->from = CRIA_NEW_ARRAY(arena, room, size_t);
    if (!out->chars || !out->from) return false;
    while (at < text.len) {
        size_t from = at;
        uint32_t c = cria_utf8_next(text, &at);
        const char *spelt = ligature(c);
        if (is_blank(c)) {
            if (out->count && out->chars[out->count - 1] != ' ') put(out, ' ', from);
        } else if (spelt) {
            for (; *spelt; spelt++) put(out, (uint32_t)*spelt, from);
        } else if (c == '-' && skip_hyphenation(text, &at)) {
            continue;
        } else {
            put(out, cria_fold_char(c), from);
        }
    }
    while (out->count && out->chars[out->count - 1] == ' ') out->count--;
    out->from[out->count] = text.len;
    return true;
}

size_t cria_folded_find(const struct cria_folded *hay, const struct cria_folded *needle,
                        size_t start)
{
    if (needle->count == 0 || needle->count > hay->count) return SIZE_MAX;
    for (size_t at = start; at + needle->count <= hay->count; at++) {
        if (hay->chars[at] != needle->chars[0]) continue;
        if (memcmp(hay->chars + at, needle->chars, needle->count * sizeof(uint32_t)) == 0)
            return at;
    }
    return SIZE_MAX;
}

/* ---- words */

static uint64_t hash_add(uint64_t hash, uint32_t c)
{
    return (hash ^ c) * UINT64_C(1099511628211);
}

#define HASH_START UINT64_C(14695981039346656037)

/* One word of at most 64 letters; "1,200" is 1200, "3.5" keeps its point. */
static void take_word(const uint32_t *chars, size_t count, struct cria_word *word)
{
    *word = (struct cria_word){.hash = HASH_START, .length = (uint8_t)count};
    for (size_t i = 0; i < count; i++) {
        word->has_digit |= chars[i] >= '0' && chars[i] <= '9';
        word->hash = hash_add(word->hash, chars[i]);
        if (i == 3) word->first4 = word->hash;
        if (i == 4) word->first5 = word->hash;
    }
    word->weight = word->has_digit ? 2.0 : count >= 4 ? 1.0 : 0.3;
}

static void flush_word(struct cria_words *out, uint32_t *chars, size_t *count)
{
    while (*count && (chars[*count - 1] == '.' || chars[*count - 1] == ',')) --*count;
    if (*count) take_word(chars, *count, &out->items[out->count++]);
    *count = 0;
}

bool cria_words_of(struct cria_arena *arena, struct cria_str text, struct cria_words *out)
{
    uint32_t word[64], previous = 0;
    size_t at = 0, count = 0;
    *out = (struct cria_words){0};
    out->items = CRIA_NEW_ARRAY(arena, text.len + 1, struct cria_word);
    if (!out->items) return false;
    while (at < text.len) {
        uint32_t c = cria_fold_char(cria_utf8_next(text, &at));
        bool is_digit_before = count && word[count - 1] >= '0' && word[count - 1] <= '9';
        if (cria_is_unspaced(c)) {
            flush_word(out, word, &count);
            if (previous) {
                uint32_t pair[2] = {previous, c};
                take_word(pair, 2, &out->items[out->count++]);
                out->items[out->count - 1].weight = 1.0;
            }
            previous = c;
            continue;
        }
        previous = 0;
        if (cria_is_word_char(c)) {
            if (count < CRIA_COUNT(word)) word[count++] = c;
        } else if (is_digit_before && c == '.' && count < CRIA_COUNT(word)) {
            word[count++] = c; /* flush drops it at a sentence end */
        } else if (!(is_digit_before && c == ',' && at < text.len && text.ptr[at] >= '0' &&
                     text.ptr[at] <= '9')) {
            flush_word(out, word, &count);
        }
    }
    flush_word(out, word, &count);
    return true;
}

/* The same word, or one that begins alike: "month" and "monthly", "rent" and "rents". Numbers have
 * to be the same. */
static bool is_like(const struct cria_word *a, const struct cria_word *b)
{
    if (a->hash == b->hash) return true;
    if (a->has_digit || b->has_digit) return false;
    if (a->first5 && a->first5 == b->first5) return true;
    int apart = a->length > b->length ? a->length - b->length : b->length - a->length;
    return a->first4 && a->first4 == b->first4 && (a->length == 4 || b->length == 4) && apart <= 3;
}

static bool has_word(const struct cria_words *words, const struct cria_word *word)
{
    for (size_t i = 0; i < words->count; i++)
        if (is_like(&words->items[i], word)) return true;
    return false;
}

double cria_words_coverage(const struct cria_words *of, const struct cria_words *in)
{
    double all = 0, found = 0;
    for (size_t i = 0; i < of->count; i++) {
        all += of->items[i].weight;
        if (has_word(in, &of->items[i])) found += of->items[i].weight;
    }
    return all > 0 ? found / all : 0;
}

bool cria_words_numbers_in(const struct cria_words *of, const struct cria_words *in)
{
    for (size_t i = 0; i < of->count; i++)
        if (of->items[i].has_digit && !has_word(in, &of->items[i])) return false;
    return true;
}

/* ---- sentences */

/* Whether a full stop behind text[..at) ends a sentence: not after one letter or "1", "e.g", "No".
 */
static bool is_end(struct cria_str text, size_t start, size_t at)
{
    static const char *const short_forms[] = {"e.g", "i.e", "mr",  "mrs", "ms",  "dr",  "no",
                                              "vs",  "cf",  "st",  "fig", "art", "sec", "approx",
                                              "p",   "pp",  "bzw", "ca",  "nr",  "inc", "ltd"};
    size_t from = at;
    while (from > start && (unsigned char)text.ptr[from - 1] > ' ' && at - from < 8) from--;
    struct cria_str word = cria_str_sub(text, from, at - from);
    if (word.len && (word.ptr[0] == '(' || word.ptr[0] == '"')) word = cria_str_sub(word, 1, 8);
    if (word.len <= 1) return false;
    for (size_t i = 0; i < CRIA_COUNT(short_forms); i++)
        if (cria_str_equal_nocase(word, cria_str_from(short_forms[i]))) return false;
    return true;
}

bool cria_sentence_next(struct cria_str text, size_t *at, struct cria_str *sentence)
{
    size_t start = *at, pos;
    while (start < text.len && (unsigned char)text.ptr[start] <= ' ') start++;
    pos = start;
    if (start >= text.len) return false;
    while (pos < text.len) {
        size_t before = pos;
        uint32_t c = cria_utf8_next(text, &pos);
        if (c == '\n') break;
        bool is_stop = c == '!' || c == '?' || c == 0x061F || c == 0x06D4 ||
                       (c == '.' && is_end(text, start, before));
        bool is_wide = c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0x0964;
        if (!is_stop && !is_wide) continue;
        /* Closing quotes and brackets belong to it. */
        size_t end = pos;
        while (end < text.len) {
            size_t next = end;
            uint32_t d = cria_fold_char(cria_utf8_next(text, &next));
            if (d != '"' && d != '\'' && d != ')' && d != ']' && d != '.' && d != '!' && d != '?' &&
                d != 0x300D)
                break;
            end = next;
        }
        if (!is_wide && end < text.len && (unsigned char)text.ptr[end] > ' ') continue;
        pos = end;
        break;
    }
    *at = pos;
    *sentence = cria_str_trim(cria_str_sub(text, start, pos - start));
    return true;
}
