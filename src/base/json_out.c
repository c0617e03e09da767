#include "base/json_out.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "base/utf8.h"

enum { MAX_DEPTH = 64 };

static void before(struct cria_json_out *out)
{
    uint64_t level = UINT64_C(1) << (out->depth & 63);
    if (out->after_name) {
        out->after_name = false;
        return;
    }
    if (out->depth == 0) return;
    if (out->filled & level) cria_buf_add_char(out->buf, ',');
    out->filled |= level;
}

static void begin(struct cria_json_out *out, char open, bool is_array)
{
    before(out);
    assert(out->depth + 1 < MAX_DEPTH);
    cria_buf_add_char(out->buf, open);
    out->depth++;
    uint64_t level = UINT64_C(1) << out->depth;
    out->filled &= ~level;
    out->arrays = is_array ? out->arrays | level : out->arrays & ~level;
}

void cria_out_object(struct cria_json_out *out)
{
    begin(out, '{', false);
}

void cria_out_array(struct cria_json_out *out)
{
    begin(out, '[', true);
}

void cria_out_end(struct cria_json_out *out)
{
    assert(out->depth > 0 && !out->after_name);
    cria_buf_add_char(out->buf, out->arrays >> out->depth & 1 ? ']' : '}');
    out->depth--;
}

static void escape(struct cria_buf *buf, struct cria_str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0, at = 0;
    cria_buf_add_char(buf, '"');
    while (at < s.len) {
        unsigned char c = (unsigned char)s.ptr[at];
        if (c >= 0x20 && c != '"' && c != '\\' && c < 0x80) {
            at++;
            continue;
        }
        if (c >= 0x80) {
            size_t here = at;
            if (cria_utf8_next(s, &at) != CRIA_UTF8_BAD) continue;
            cria_buf_add(buf, cria_str_sub(s, from, here - from));
            cria_buf_add(buf, CRIA_STR("\xEF\xBF\xBD"));
            from = at;
            continue;
        }
        cria_buf_add(buf, cria_str_sub(s, from, at - from));
        char two[2] = {'\\', (char)c}, six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        switch (c) {
        case '\n': two[1] = 'n'; break;
        case '\r': two[1] = 'r'; break;
        case '\t': two[1] = 't'; break;
        case '"':
        case '\\': break;
        default: two[0] = '\0'; break;
        }
        cria_buf_add(buf, two[0] ? cria_str_make(two, 2) : cria_str_make(six, 6));
        from = ++at;
    }
    cria_buf_add(buf, cria_str_sub(s, from, s.len - from));
    cria_buf_add_char(buf, '"');
}

void cria_out_name_str(struct cria_json_out *out, struct cria_str name)
{
    assert(!out->after_name);
    before(out);
    escape(out->buf, name);
    cria_buf_add_char(out->buf, ':');
    out->after_name = true;
}

void cria_out_name(struct cria_json_out *out, const char *name)
{
    cria_out_name_str(out, cria_str_from(name));
}

void cria_out_str(struct cria_json_out *out, struct cria_str text)
{
    before(out);
    escape(out->buf, text);
}

void cria_out_raw(struct cria_json_out *out, struct cria_str json)
{
    before(out);
    cria_buf_add(out->buf, json);
}

void cria_out_null(struct cria_json_out *out)
{
    cria_out_raw(out, CRIA_STR("null"));
}

void cria_out_z(struct cria_json_out *out, const char *text)
{
    if (text)
        cria_out_str(out, cria_str_from(text));
    else
        cria_out_null(out);
}

void cria_out_int(struct cria_json_out *out, int64_t value)
{
    before(out);
    cria_buf_add_int(out->buf, value);
}

void cria_out_real(struct cria_json_out *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        cria_out_null(out);
        return;
    }
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, value);
        if (strtod(text, NULL) == value) break;
    }
    if (!strpbrk(text, ".eE")) strncat(text, ".0", sizeof(text) - strlen(text) - 1);
    cria_out_raw(out, cria_str_from(text));
}

void cria_out_bool(struct cria_json_out *out, bool value)
{
    cria_out_raw(out, value ? CRIA_STR("true") : CRIA_STR("false"));
}

void cria_out_json(struct cria_json_out *out, const struct cria_json *value)
{
    switch (value->kind) {
    case CRIA_JSON_NULL: cria_out_null(out); return;
    case CRIA_JSON_BOOL: cria_out_bool(out, value->truth); return;
    case CRIA_JSON_INT: cria_out_int(out, value->integer); return;
    case CRIA_JSON_REAL: cria_out_real(out, value->real); return;
    case CRIA_JSON_STRING: cria_out_str(out, value->text); return;
    case CRIA_JSON_ARRAY:
    case CRIA_JSON_OBJECT:
        if (value->kind == CRIA_JSON_ARRAY)
            cria_out_array(out);
        else
            cria_out_object(out);
        for (size_t i = 0; i < value->count; i++) {
            if (value->kind == CRIA_JSON_OBJECT) cria_out_name_str(out, value->items[i].name);
            cria_out_json(out, &value->items[i]);
        }
        cria_out_end(out);
        return;
    }
}

void cria_out_member_str(struct cria_json_out *out, const char *name, struct cria_str text)
{
    cria_out_name(out, name);
    cria_out_str(out, text);
}

void cria_out_member_z(struct cria_json_out *out, const char *name, const char *text)
{
    cria_out_name(out, name);
    cria_out_z(out, text);
}

void cria_out_member_opt(struct cria_json_out *out, const char *name, struct cria_str text)
{
    cria_out_name(out, name);
    if (text.ptr)
        cria_out_str(out, text);
    else
        cria_out_null(out);
}

void cria_out_member_int(struct cria_json_out *out, const char *name, int64_t value)
{
    cria_out_name(out, name);
    cria_out_int(out, value);
}

void cria_out_member_real(struct cria_json_out *out, const char *name, double value)
{
    cria_out_name(out, name);
    cria_out_real(out, value);
}

void cria_out_member_bool(struct cria_json_out *out, const char *name, bool value)
{
    cria_out_name(out, name);
    cria_out_bool(out, value);
}

void cria_out_member_null(struct cria_json_out *out, const char *name)
{
    cria_out_name(out, name);
    cria_out_null(out);
}

void cria_out_member_raw(struct cria_json_out *out, const char *name, struct cria_str json)
{
    cria_out_name(out, name);
    cria_out_raw(out, json);
}

void cria_out_member_time(struct cria_json_out *out, const char *name, int64_t at_us)
{
    char text[CRIA_TIME_SIZE];
    if (at_us == 0)
        cria_out_member_null(out, name);
    else
        cria_out_member_str(out, name, cria_time_format(at_us, text));
}
