#include "parser/charset.h"

#include <uchardet.h>
#include <unicode/ucnv.h>
#include <unicode/utypes.h>

#include "base/utf8.h"

enum { LOOK_BYTES = 8192, GUESS_BYTES = 1 << 20, NAME_BYTES = 48 };

static bool convert(struct cria_arena *arena, const char *from, struct cria_str bytes,
                    struct cria_str *out)
{
    UErrorCode error = U_ZERO_ERROR;
    if (bytes.len > INT32_MAX / 4) return false;
    int32_t need = ucnv_convert("UTF-8", from, NULL, 0, bytes.ptr, (int32_t)bytes.len, &error);
    if (error != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(error)) return false;
    char *text = cria_arena_alloc(arena, (size_t)need + 1);
    if (!text) return false;
    error = U_ZERO_ERROR;
    ucnv_convert("UTF-8", from, text, need + 1, bytes.ptr, (int32_t)bytes.len, &error);
    if (U_FAILURE(error)) return false;
    *out = cria_str_make(text, (size_t)need);
    return true;
}

static bool by_mark(struct cria_str bytes, const char **name, size_t *mark_bytes)
{
    static const struct {
        const char *mark;
        size_t len;
        const char *name;
    } marks[] = {
        {"\xEF\xBB\xBF", 3, "UTF-8"},    {"\xFF\xFE\0\0", 4, "UTF-32LE"},
        {"\0\0\xFE\xFF", 4, "UTF-32BE"}, {"\xFF\xFE", 2, "UTF-16LE"},
        {"\xFE\xFF", 2, "UTF-16BE"},
    };
    for (size_t i = 0; i < CRIA_COUNT(marks); i++) {
        if (bytes.len < marks[i].len || memcmp(bytes.ptr, marks[i].mark, marks[i].len) != 0)
            continue;
        *name = marks[i].name;
        *mark_bytes = marks[i].len;
        return true;
    }
    return false;
}

/* UTF-16 and UTF-32 of most scripts have zeros at every second byte, or three of four. */
static const char *by_zeros(struct cria_str bytes)
{
    size_t zeros[4] = {0}, n = bytes.len < LOOK_BYTES ? bytes.len : LOOK_BYTES;
    n -= n % 4;
    if (n < 4) n = bytes.len == 2 ? 2 : 0;
    for (size_t i = 0; i < n; i++) zeros[i % 4] += bytes.ptr[i] == '\0';
    size_t each = n / 4;
    if (each == 0) return NULL;
    if (zeros[3] == each && zeros[2] > each * 9 / 10 && zeros[0] < each / 4) return "UTF-32LE";
    if (zeros[0] == each && zeros[1] > each * 9 / 10 && zeros[3] < each / 4) return "UTF-32BE";
    size_t even = zeros[0] + zeros[2], odd = zeros[1] + zeros[3];
    if (odd > each / 2 && even < each / 20 + 1) return "UTF-16LE";
    if (even > each / 2 && odd < each / 20 + 1) return "UTF-16BE";
    return NULL;
}

/* UTF-8 with some damage: far more good sequences of several bytes than bad bytes. */
static bool is_damaged_utf8(struct cria_str bytes)
{
    size_t good = 0, bad = 0, at = 0;
    while (at < bytes.len) {
        size_t before = at;
        if (cria_utf8_next(bytes, &at) == CRIA_UTF8_BAD)
            bad++;
        else if (at - before > 1)
            good++;
    }
    return good > 8 * bad;
}

static const char *usable(const char *name)
{
    static const struct {
        const char *said, *meant;
    } aliases[] = {/* what browsers take these names for */
                   {"ISO-8859-1", "windows-1252"},
                   {"latin1", "windows-1252"},
                   {"ASCII", "windows-1252"},
                   {"us-ascii", "windows-1252"},
                   {"SHIFT_JIS", "windows-31j"},
                   {"shift-jis", "windows-31j"},
                   {"x-sjis", "windows-31j"},
                   {"GB2312", "GB18030"},
                   {"GBK", "GB18030"},
                   {"EUC-KR", "windows-949"},
                   {"UHC", "windows-949"},
                   {"ISO-8859-9", "windows-1254"}};
    for (size_t i = 0; i < CRIA_COUNT(aliases); i++)
        if (cria_str_equal_nocase(cria_str_from(name), cria_str_from(aliases[i].said)))
            return aliases[i].meant;
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &error);
    if (U_FAILURE(error)) return NULL;
    UConverterType type = ucnv_getType(converter);
    ucnv_close(converter);
    /* UTF-7 and its like make text out of what a scanner saw as something else. */
    return type == UCNV_UTF7 || type == UCNV_SCSU || type == UCNV_BOCU1 || type == UCNV_IMAP_MAILBOX
               ? NULL
               : name;
}

static bool by_guess(struct cria_str bytes, char name[NAME_BYTES])
{
    uchardet_t detector = uchardet_new();
    bool found = false;
    if (!detector) return false;
    if (uchardet_handle_data(detector, bytes.ptr,
                             bytes.len < GUESS_BYTES ? bytes.len : GUESS_BYTES) == 0) {
        uchardet_data_end(detector);
        found = cria_str_copy_z(cria_str_from(uchardet_get_charset(detector)), name, NAME_BYTES) &&
                name[0];
    }
    uchardet_delete(detector);
    return found;
}

bool cria_charset_to_utf8(struct cria_arena *arena, struct cria_str bytes, struct cria_str declared,
                          struct cria_str *out)
{
    const char *name = NULL;
    char guess[NAME_BYTES], label[NAME_BYTES];
    size_t mark_bytes = 0;
    if (by_mark(bytes, &name, &mark_bytes)) {
        bytes = cria_str_sub(bytes, mark_bytes, bytes.len);
        if (mark_bytes != 3) return convert(arena, name, bytes, out);
        *out = bytes; /* what is damaged there is mended by cria_doc_add */
        return true;
    }
    name = by_zeros(bytes);
    if (!name && (cria_utf8_valid(bytes) || is_damaged_utf8(bytes))) {
        *out = bytes;
        return true;
    }
    if (name && convert(arena, name, bytes, out)) return true;
    if (declared.len && cria_str_copy_z(declared, label, sizeof(label)) &&
        !cria_str_equal_nocase(declared, CRIA_STR("utf-8")) && (name = usable(label)) &&
        convert(arena, name, bytes, out))
        return true;
    if (by_guess(bytes, guess) && (name = usable(guess)) && convert(arena, name, bytes, out))
        return true;
    return convert(arena, "windows-1252", bytes, out);
}

bool cria_charset_is_text(struct cria_str text)
{
    struct cria_str look = cria_utf8_cut(text, 64 << 10);
    size_t bad = 0, all = 0, at = 0;
    while (at < look.len) {
        uint32_t c = cria_utf8_next(look, &at);
        bool is_control =
            (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1B) ||
            (c >= 0x7F && c < 0xA0);
        bad += is_control || c == CRIA_UTF8_BAD || c == 0xFFFD;
        all++;
    }
    return bad * 20 <= all;
}

void cria_charset_prepare(void)
{
    static const char *const names[] = {"windows-1252", "windows-31j", "GB18030"};
    char guess[NAME_BYTES];
    for (size_t i = 0; i < CRIA_COUNT(names); i++) {
        UErrorCode error = U_ZERO_ERROR;
        UConverter *converter = ucnv_open(names[i], &error);
        if (U_SUCCESS(error)) ucnv_close(converter);
    }
    by_guess(CRIA_STR("\xC4hre"), guess);
}
