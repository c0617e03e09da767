#include "search/analyse.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

enum { WORD_BYTES = 256, GUESS_BYTES = 4000 };

struct cria_analyser {
    struct sb_stemmer *stemmers[CRIA_LANG_COUNT];
    const UNormalizer2 *normalizer; /* NFKC and case folding in one */
};

static const char *stemmer_name(enum cria_language language)
{
    switch (language) {
    case CRIA_LANG_ENGLISH: return "english";
    case CRIA_LANG_GERMAN: return "german";
    case CRIA_LANG_SPANISH: return "spanish";
    case CRIA_LANG_FRENCH: return "french";
    case CRIA_LANG_ITALIAN: return "italian";
    case CRIA_LANG_PORTUGUESE: return "portuguese";
    case CRIA_LANG_DUTCH: return "dutch";
    case CRIA_LANG_RUSSIAN: return "russian";
    case CRIA_LANG_ARABIC: return "arabic";
    case CRIA_LANG_OTHER:
    case CRIA_LANG_COUNT: return NULL;
    }
    return NULL;
}

struct cria_analyser *cria_analyser_new(void)
{
    UErrorCode code = U_ZERO_ERROR;
    struct cria_analyser *analyser = calloc(1, sizeof(*analyser));
    if (!analyser) return NULL;
    analyser->normalizer = unorm2_getNFKCCasefoldInstance(&code);
    if (U_FAILURE(code)) analyser->normalizer = NULL; /* then words stay as they are written */
    return analyser;
}

void cria_analyser_free(struct cria_analyser *analyser)
{
    if (!analyser) return;
    for (int i = 0; i < CRIA_LANG_COUNT; i++)
        if (analyser->stemmers[i]) sb_stemmer_delete(analyser->stemmers[i]);
    free(analyser);
}

/* ---- language
 * ------------------------------------------------------------------------------------------- */

static const struct {
    enum cria_language language;
    const char *words; /* blanks around each */
} little_words[] = {
    {CRIA_LANG_ENGLISH, " the of and to in is was that for with as by on are from at which "},
    {CRIA_LANG_GERMAN,
     " der die das und den von zu mit ist des im f\xC3\xBCr auf eine einer dem wurde werden "},
    {CRIA_LANG_SPANISH, " de la que el en y los del las por con una para su se es "},
    {CRIA_LANG_FRENCH, " le la les des et en du une dans est que pour qui par au sur "},
    {CRIA_LANG_ITALIAN, " di che il la per del una della con non sono nel gli da dei "},
    {CRIA_LANG_PORTUGUESE, " de que do da em um para com uma os no na por dos as n\xC3\xA3o "},
    {CRIA_LANG_DUTCH, " de het een van en in is dat op te zijn met voor niet aan door "},
};

static enum cria_language by_script(const size_t counts[4], size_t letters)
{
    if (counts[0] * 3 > letters) return CRIA_LANG_RUSSIAN;
    if (counts[1] * 3 > letters) return CRIA_LANG_ARABIC;
    if (counts[2] * 3 > letters) return CRIA_LANG_OTHER;
    return CRIA_LANG_COUNT; /* Latin: the words tell */
}

enum cria_language cria_language_guess(struct cria_str text)
{
    size_t scores[CRIA_COUNT(little_words)] = {0}, counts[4] = {0}, letters = 0, n = 0, best = 0;
    char word[32] = " ";
    text = cria_utf8_cut(text, GUESS_BYTES);
    for (size_t at = 0; at <= text.len;) {
        size_t from = at;
        uint32_t c = at < text.len ? cria_utf8_next(text, &at) : (at++, ' ');
        if (c == CRIA_UTF8_BAD || !u_isalpha((UChar32)c)) {
            word[++n] = ' ', word[n + 1] = '\0';
            for (size_t i = 0; n > 1 && i < CRIA_COUNT(little_words); i++)
                scores[i] += strstr(little_words[i].words, word) != NULL;
            n = 0;
            continue;
        }
        letters++;
        if (c >= 0x0400 && c <= 0x04FF)
            counts[0]++;
        else if (c >= 0x0600 && c <= 0x06FF)
            counts[1]++;
        else if (c >= 0x0250)
            counts[2]++;
        for (; from < at && n < 24; from++) {
            char b = text.ptr[from];
            word[++n] = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
        }
    }
    enum cria_language script = by_script(counts, letters);
    if (script != CRIA_LANG_COUNT) return script;
    for (size_t i = 1; i < CRIA_COUNT(little_words); i++)
        if (scores[i] > scores[best]) best = i;
    return little_words[best].language;
}

/* ---- words
 * ---------------------------------------------------------------------------------------------- */

bool cria_has_no_blanks(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7AF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF) ||
           (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1780 && c <= 0x17FF) ||
           (c >= 0x1000 && c <= 0x109F);
}

static bool is_word_char(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == CRIA_UTF8_BAD) return false;
    int8_t type = u_charType((UChar32)c);
    return u_isalnum((UChar32)c) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK;
}

/* NFKC with case folding; gives the bytes back when ICU cannot. */
static size_t normalize(const struct cria_analyser *analyser, const char *word, size_t len,
                        char out[WORD_BYTES])
{
    UChar in16[WORD_BYTES], out16[WORD_BYTES * 2];
    UErrorCode code = U_ZERO_ERROR;
    int32_t n = 0, bytes = 0;
    u_strFromUTF8(in16, WORD_BYTES, &n, word, (int32_t)len, &code);
    if (analyser->normalizer)
        n = unorm2_normalize(analyser->normalizer, in16, n, out16, WORD_BYTES * 2, &code);
    if (U_SUCCESS(code)) u_strToUTF8(out, WORD_BYTES, &bytes, out16, n, &code);
    if (U_SUCCESS(code) && bytes <= WORD_BYTES) return (size_t)bytes;
    memcpy(out, word, len);
    return len;
}

static struct cria_str stem(struct cria_analyser *analyser, enum cria_language language,
                            struct cria_str word)
{
    const char *name = stemmer_name(language);
    if (!name) return word;
    if (!analyser->stemmers[language]) analyser->stemmers[language] = sb_stemmer_new(name, NULL);
    struct sb_stemmer *stemmer = analyser->stemmers[language];
    const sb_symbol *out =
        stemmer ? sb_stemmer_stem(stemmer, (const sb_symbol *)word.ptr, (int)word.len) : NULL;
    return out ? cria_str_make((const char *)out, (size_t)sb_stemmer_length(stemmer)) : word;
}

struct walk {
    struct cria_analyser *analyser;
    enum cria_language language;
    bool plain;
    cria_term_fn *fn;
    void *arg;
    uint32_t position;
    bool goes_on;
};

static void give_word(struct walk *walk, const char *word, size_t len, bool is_ascii)
{
    char buffer[WORD_BYTES];
    struct cria_str term = {word, len};
    if (!is_ascii) term = cria_str_make(buffer, normalize(walk->analyser, word, len, buffer));
    if (!walk->plain) term = stem(walk->analyser, walk->language, term);
    if (term.len) walk->goes_on = walk->fn(walk->arg, term, walk->position, true);
    walk->position++;
}

/* Adjacent characters of a run without blanks; a single character stands alone. */
static void give_pairs(struct walk *walk, struct cria_str run)
{
    size_t at = 0, previous = 0;
    cria_utf8_next(run, &at);
    if (at == run.len) walk->goes_on = walk->fn(walk->arg, run, walk->position++, false);
    while (at < run.len && walk->goes_on) {
        size_t start = at;
        cria_utf8_next(run, &at);
        walk->goes_on = walk->fn(walk->arg, cria_str_sub(run, previous, at - previous),
                                 walk->position++, false);
        previous = start;
    }
}

void cria_analyse(struct cria_analyser *analyser, struct cria_str text, enum cria_language language,
                  bool plain, cria_term_fn *fn, void *arg)
{
    struct walk walk = {analyser, language, plain, fn, arg, 0, true};
    char word[WORD_BYTES];
    for (size_t at = 0; at < text.len && walk.goes_on;) {
        size_t from = at, n = 0;
        bool is_ascii = true;
        uint32_t c = cria_utf8_next(text, &at);
        if (!is_word_char(c)) continue;
        if (cria_has_no_blanks(c)) {
            while (at < text.len) {
                size_t next = at;
                uint32_t d = cria_utf8_next(text, &next);
                if (!cria_has_no_blanks(d) || !is_word_char(d)) break;
                at = next;
            }
            give_pairs(&walk, cria_str_sub(text, from, at - from));
            continue;
        }
        at = from;
        while (at < text.len) {
            size_t start = at;
            c = cria_utf8_next(text, &at);
            if (!is_word_char(c) || cria_has_no_blanks(c)) {
                at = start;
                break;
            }
            if (n + (at - start) > 80) continue; /* nobody looks for longer words */
            is_ascii = is_ascii && c < 0x80;
            for (; start < at; start++) {
                char b = text.ptr[start];
                word[n++] = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
            }
        }
        give_word(&walk, word, n, is_ascii);
    }
}

/* Question words of other languages, beside their little words. */
static const char *question_words(enum cria_language language)
{
    switch (language) {
    case CRIA_LANG_GERMAN:
        return " was wer wie wo wann warum wieso welche welcher welches welchen welchem wem wen "
               "wessen woher wohin "
               "viele viel war waren hat haben hatte wird worden kann es an um aus nach bei durch "
               "sich sie er als am "
               "im zum zur oder auch nicht nur ein einen einem einer eines ";
    case CRIA_LANG_SPANISH:
        return " qu\xC3\xA9 qui\xC3\xA9n qui\xC3\xA9nes c\xC3\xB3mo cu\xC3\xA1ndo d\xC3\xB3nde "
               "cu\xC3\xA1l cu\xC3\xA1les "
               "cu\xC3\xA1nto cu\xC3\xA1nta cu\xC3\xA1ntos cu\xC3\xA1ntas por fue fueron era eran "
               "ha han al o a no sus un ";
    case CRIA_LANG_FRENCH:
        return " quel quelle quels quelles comment quand o\xC3\xB9 pourquoi combien quoi a "
               "\xC3\xA0 ce il elle ont "
               "d l s n qu \xC3\xA9t\xC3\xA9 \xC3\xA9tait ";
    case CRIA_LANG_ITALIAN:
        return " cosa chi come quando dove quale quali quanto quanti perch\xC3\xA9 a i un ha "
               "\xC3\xA8 ";
    case CRIA_LANG_PORTUGUESE:
        return " quem como quando onde qual quais quanto quantos porque a o e foi \xC3\xA9 ";
    case CRIA_LANG_DUTCH:
        return " wat wie hoe waar wanneer waarom welke hoeveel was waren heeft er ";
    case CRIA_LANG_ENGLISH:
    case CRIA_LANG_RUSSIAN:
    case CRIA_LANG_ARABIC:
    case CRIA_LANG_OTHER:
    case CRIA_LANG_COUNT: return "";
    }
    return "";
}

bool cria_is_query_word(struct cria_str word, enum cria_language language)
{
    static const char words[] =
        " a an and are as at be but by for if in into is it no not of on "
        "or such that the their then there these "
        "they this to was will with what which who whom whose when where "
        "why how do does did doing done has have "
        "had having can could would should may might must shall i me my we "
        "us our you your he him his she her its "
        "them am been being were so than too very from about above after "
        "before again all also any both each few "
        "more most other over own same some under until up down out off "
        "because between during while here just "
        "only through against further once nor s t don now please tell "
        "give explain describe consider according much many summarize summarise summary "
        "everything overview compare comparison difference list show find ";
    char padded[32];
    if (word.len == 0 || word.len > 28) return false;
    padded[0] = ' ';
    memcpy(padded + 1, word.ptr, word.len);
    memcpy(padded + 1 + word.len, " ", 2);
    if (language == CRIA_LANG_ENGLISH) return strstr(words, padded) != NULL;
    for (size_t i = 0; i < CRIA_COUNT(little_words); i++)
        if (little_words[i].language == language && strstr(little_words[i].words, padded))
            return true;
    return strstr(question_words(language), padded) != NULL;
}

void cria_fold_bytes(struct cria_buf *out, struct cria_str text)
{
    bool was_blank = true;
    cria_buf_reserve(out, text.len + 2);
    cria_buf_add_char(out, ' ');
    for (size_t at = 0; at < text.len;) {
        uint32_t c = cria_utf8_next(text, &at);
        if (!is_word_char(c)) {
            if (!was_blank) cria_buf_add_char(out, ' ');
            was_blank = true;
            continue;
        }
        was_blank = false;
        if (c >= 0x80) c = (uint32_t)u_tolower((UChar32)c);
        if (c >= 'A' && c <= 'Z') c += 32;
        cria_buf_add_char(out, (char)(c < 0x80 ? c : 128u | (c & 127u)));
    }
    if (!was_blank) cria_buf_add_char(out, ' ');
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

size_t cria_distinct_grams(struct cria_str folded, uint32_t *out)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i + 4 <= folded.len; i++) memcpy(&out[count++], folded.ptr + i, 4);
    if (count) qsort(out, count, sizeof(*out), by_value);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || out[i] != out[i - 1]) out[kept++] = out[i];
    return kept;
}

/* ---- sentences
 * ------------------------------------------------------------------------------------------- */

static bool ends_with_abbreviation(struct cria_str text, size_t dot)
{
    static const char abbreviations[] = " dr mr mrs ms prof st no vs etc inc ltd co corp jr sr fig "
                                        "al gen col lt sgt rev hon dept est approx ca cf "
                                        "eg ie e i p pp vol ed eds nr bzw usw ca abs art bd sog "
                                        "str z u d h jan feb mar apr jun jul aug sep sept oct "
                                        "nov dec ";
    char word[16] = " ";
    size_t start = dot, n = 1;
    while (start > 0 && ((text.ptr[start - 1] | 32) >= 'a' && (text.ptr[start - 1] | 32) <= 'z'))
        start--;
    if (dot == start || dot - start > 10) return false;
    if (dot - start == 1) return true; /* an initial, "e.g.", "U.S." */
    for (size_t i = start; i < dot; i++) word[n++] = (char)(text.ptr[i] | 32);
    word[n++] = ' ';
    word[n] = '\0';
    return strstr(abbreviations, word) != NULL;
}

/* "7." at the start of a line, behind the marks of a heading or a list. */
static bool is_item_number(struct cria_str text, size_t stop)
{
    size_t at = stop;
    while (at > 0 && text.ptr[at - 1] >= '0' && text.ptr[at - 1] <= '9') at--;
    if (at == stop) return false;
    while (at > 0 && strchr(" \t#*->", text.ptr[at - 1])) at--;
    return at == 0 || text.ptr[at - 1] == '\n';
}

/* Where the sentence that holds `at` ends, if it ends behind `at`: a stop with what may follow it.
 */
static bool is_stop(struct cria_str text, size_t at, size_t *end)
{
    size_t next = at;
    uint32_t c = cria_utf8_next(text, &next);
    if (c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61) { /* 。！？｡ */
        *end = next;
        return true;
    }
    if (c != '.' && c != '!' && c != '?' && c != 0x061F && c != 0x06D4 && c != 0x0964) return false;
    while (next < text.len) { /* quotes and brackets that close behind it */
        struct cria_str rest = cria_str_sub(text, next, 3);
        if (rest.ptr[0] && strchr("\"')]", rest.ptr[0]))
            next++;
        else if (cria_str_is(rest, "\xE2\x80\x9D") || cria_str_is(rest, "\xE2\x80\x99"))
            next += 3;
        else
            break;
    }
    if (next < text.len && text.ptr[next] == '[') { /* a reference mark: "word.[12]" */
        size_t close = next;
        while (close < text.len && close - next < 8 && text.ptr[close] != ']') close++;
        if (close < text.len && text.ptr[close] == ']') next = close + 1;
    }
    if (next < text.len && text.ptr[next] != ' ' && text.ptr[next] != '\n' &&
        text.ptr[next] != '\t')
        return false;
    if (c == '.' && (ends_with_abbreviation(text, at) || is_item_number(text, at))) return false;
    size_t peek = next;
    while (peek < text.len && (text.ptr[peek] == ' ' || text.ptr[peek] == '\n')) peek++;
    if (c == '.' && peek < text.len && text.ptr[peek] >= 'a' && text.ptr[peek] <= 'z') return false;
    *end = next;
    return true;
}

/* A line end parts sentences when a block ends there: an empty line, a list item, a heading, a
 * table row. */
static bool is_break(struct cria_str text, size_t newline)
{
    size_t next = newline + 1;
    while (next < text.len && (text.ptr[next] == ' ' || text.ptr[next] == '\t')) next++;
    if (next >= text.len) return true;
    char c = text.ptr[next];
    if (c == '\n' || c == '#' || c == '|' || c == '>') return true;
    if ((c == '-' || c == '*' || c == '+') && next + 1 < text.len && text.ptr[next + 1] == ' ')
        return true;
    size_t digits = next;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
    if (digits > next && digits + 1 < text.len &&
        (text.ptr[digits] == '.' || text.ptr[digits] == ')') && text.ptr[digits + 1] == ' ')
        return true;
    size_t line = newline;
    while (line > 0 && text.ptr[line - 1] != '\n') line--;
    return text.ptr[line] == '#' || text.ptr[line] == '|';
}

static bool add_span(struct cria_arena *arena, struct cria_str text, size_t start, size_t end,
                     struct cria_span **items, size_t *count, size_t *capacity)
{
    while (start < end &&
           (text.ptr[start] == ' ' || (text.ptr[start] >= '\t' && text.ptr[start] <= '\r')))
        start++;
    while (end > start &&
           (text.ptr[end - 1] == ' ' || (text.ptr[end - 1] >= '\t' && text.ptr[end - 1] <= '\r')))
        end--;
    if (start == end) return true;
    if (*count == *capacity) {
        size_t grown_to = *capacity ? *capacity * 2 : 16;
        struct cria_span *grown = CRIA_NEW_ARRAY(arena, grown_to, struct cria_span);
        if (!grown) return false;
        if (*count) memcpy(grown, *items, *count * sizeof(*grown));
        *items = grown;
        *capacity = grown_to;
    }
    (*items)[(*count)++] = (struct cria_span){start, end};
    return true;
}

bool cria_sentence_spans(struct cria_arena *arena, struct cria_str text, struct cria_span **out,
                         size_t *count)
{
    size_t start = 0, at = 0, capacity = 0, end;
    bool good = true;
    *out = NULL;
    *count = 0;
    while (at < text.len && good) {
        bool cuts = text.ptr[at] == '\n' && is_break(text, at);
        end = at + 1;
        if (!cuts && ((unsigned char)text.ptr[at] >= 0x80 || strchr(".!?", text.ptr[at])) &&
            text.ptr[at])
            cuts = is_stop(text, at, &end);
        if (cuts) {
            good = add_span(arena, text, start, end, out, count, &capacity);
            start = at = end;
            continue;
        }
        do at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80);
    }
    return good && add_span(arena, text, start, text.len, out, count, &capacity);
}
