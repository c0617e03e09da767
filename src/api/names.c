#include "api/names.h"

#include "base/buf.h"
#include "base/utf8.h"

enum { EXTENSION_BYTES = 16, DISPOSITION_BYTES = 8192, MEDIA_BYTES = 90 };

static const struct {
    const char *extension, *media;
} types[] = {
    /* The first row of a media type gives its usual ending. */
    {"txt", "text/plain"},
    {"md", "text/markdown"},
    {"markdown", "text/markdown"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"csv", "text/csv"},
    {"tsv", "text/tab-separated-values"},
    {"json", "application/json"},
    {"jsonl", "application/jsonl"},
    {"xml", "application/xml"},
    {"xml", "text/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"pdf", "application/pdf"},
    {"rtf", "application/rtf"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"epub", "application/epub+zip"},
    {"eml", "message/rfc822"},
    {"zip", "application/zip"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"tiff", "image/tiff"},
};

static struct cria_str last_part(struct cria_str name)
{
    for (size_t i = name.len; i-- > 0;)
        if (name.ptr[i] == '/' || name.ptr[i] == '\\') return cria_str_sub(name, i + 1, name.len);
    return name;
}

struct cria_str cria_name_label(struct cria_arena *arena, struct cria_str sent)
{
    struct cria_str part = last_part(sent);
    char *out = cria_arena_alloc(arena, part.len * 3 + 1); /* one bad byte becomes U+FFFD */
    size_t len = 0, at = 0;
    if (!out) return (struct cria_str){0};
    while (at < part.len) {
        uint32_t c = cria_utf8_next(part, &at);
        if (c == CRIA_UTF8_BAD) c = 0xFFFD;
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0)) continue;
        char bytes[4];
        size_t n = cria_utf8_put(bytes, c);
        memcpy(out + len, bytes, n);
        len += n;
    }
    struct cria_str label = cria_str_trim(cria_str_make(out, len));
    bool is_none = label.len == 0 || cria_str_is(label, ".") || cria_str_is(label, "..");
    return is_none ? (struct cria_str){0} : label;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct cria_str cria_name_extension(struct cria_arena *arena, struct cria_str name)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.') dot--;
    if (dot <= 1 || dot == name.len || name.len - dot > EXTENSION_BYTES)
        return (struct cria_str){0};
    char *out = cria_arena_z(arena, cria_str_sub(name, dot, name.len));
    if (!out) return (struct cria_str){0};
    for (size_t i = 0; out[i]; i++) {
        if (!is_alnum(out[i])) return (struct cria_str){0};
        if (out[i] >= 'A' && out[i] <= 'Z') out[i] = (char)(out[i] - 'A' + 'a');
    }
    return cria_str_from(out);
}

const char *cria_media_of(struct cria_str extension)
{
    for (size_t i = 0; i < CRIA_COUNT(types); i++)
        if (cria_str_is(extension, types[i].extension)) return types[i].media;
    return NULL;
}

static struct cria_str without_parameters(struct cria_str media_type)
{
    struct cria_str head;
    cria_str_cut(&media_type, ';', &head);
    return cria_str_trim(head);
}

const char *cria_media_extension(struct cria_str media_type)
{
    struct cria_str plain = without_parameters(media_type);
    for (size_t i = 0; i < CRIA_COUNT(types); i++)
        if (cria_str_equal_nocase(plain, cria_str_from(types[i].media))) return types[i].extension;
    return NULL;
}

bool cria_media_is_sane(struct cria_str media_type)
{
    size_t slashes = 0;
    for (size_t i = 0; i < media_type.len; i++) {
        char c = media_type.ptr[i];
        slashes += c == '/';
        if (!is_alnum(c) && c != '/' && c != '-' && c != '+' && c != '.' && c != '_') return false;
    }
    return slashes == 1 && media_type.len >= 3 && media_type.len < MEDIA_BYTES &&
           media_type.ptr[0] != '/' && media_type.ptr[media_type.len - 1] != '/';
}

/* attr-char of RFC 8187. */
static bool is_plain(char c)
{
    return is_alnum(c) || (c && strchr("!#$&+-.^_`|~", c) != NULL);
}

struct cria_str cria_name_disposition(struct cria_arena *arena, struct cria_str name)
{
    struct cria_buf buf;
    cria_buf_init(&buf, DISPOSITION_BYTES);
    cria_buf_add_z(&buf, "attachment; filename=\"");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_shown = c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%';
        cria_buf_add_char(&buf, is_shown ? c : '_');
    }
    cria_buf_add_z(&buf, "\"; filename*=UTF-8''");
    for (size_t i = 0; i < name.len; i++) {
        if (is_plain(name.ptr[i]))
            cria_buf_add_char(&buf, name.ptr[i]);
        else
            cria_buf_printf(&buf, "%%%02X", (unsigned char)name.ptr[i]);
    }
    struct cria_str text =
        buf.failed ? CRIA_STR("attachment") : cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}
