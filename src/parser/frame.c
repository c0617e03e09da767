#include "parser/frame.h"

#include "base/utf8.h"

static const char magic[4] = {'C', 'R', 'Q', '1'};

static void put_number(struct cria_buf *buf, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) cria_buf_add_char(buf, (char)(value >> (8 * i) & 0xFF));
}

static uint64_t get_number(const char *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return value;
}

void cria_request_write(struct cria_buf *buf, const struct cria_request *request)
{
    struct cria_str name = cria_str_sub(request->name, 0, CRIA_REQUEST_MAX_NAME_BYTES);
    struct cria_str type = request->media_type, options = request->options;
    if (type.len > CRIA_REQUEST_MAX_TYPE_BYTES) type = CRIA_STR("");
    if (options.len > CRIA_REQUEST_MAX_OPTIONS_BYTES) options = CRIA_STR("");
    cria_buf_add(buf, cria_str_make(magic, sizeof(magic)));
    put_number(buf, name.len, 4);
    put_number(buf, type.len, 4);
    put_number(buf, options.len, 4);
    put_number(buf, request->document_bytes, 8);
    put_number(buf, request->wants_pictures, 4);
    cria_buf_add(buf, name);
    cria_buf_add(buf, type);
    cria_buf_add(buf, options);
}

bool cria_request_read_head(const unsigned char head[CRIA_REQUEST_HEAD_BYTES],
                            struct cria_request_head *out)
{
    const char *at = (const char *)head;
    if (memcmp(at, magic, sizeof(magic)) != 0) return false;
    struct cria_request_head got = {
        (uint32_t)get_number(at + 4, 4), (uint32_t)get_number(at + 8, 4),
        (uint32_t)get_number(at + 12, 4), get_number(at + 16, 8), get_number(at + 24, 4) == 1};
    if (get_number(at + 24, 4) > 1 || got.name_bytes > CRIA_REQUEST_MAX_NAME_BYTES ||
        got.type_bytes > CRIA_REQUEST_MAX_TYPE_BYTES ||
        got.options_bytes > CRIA_REQUEST_MAX_OPTIONS_BYTES ||
        got.document_bytes > CRIA_REQUEST_MAX_DOCUMENT_BYTES)
        return false;
    *out = got;
    return true;
}

static void put_head(struct cria_buf *buf, enum cria_frame_kind kind, size_t length)
{
    cria_buf_add_char(buf, (char)kind);
    put_number(buf, length, 4);
}

void cria_frame_write_start(struct cria_buf *buf, struct cria_str format)
{
    format = cria_str_sub(format, 0, CRIA_FRAME_MAX_FORMAT_BYTES);
    put_head(buf, CRIA_FRAME_START, format.len + 1);
    put_number(buf, CRIA_FRAME_VERSION, 1);
    cria_buf_add(buf, format);
}

void cria_frame_write_text(struct cria_buf *buf, struct cria_str text)
{
    while (text.len) {
        struct cria_str piece = cria_utf8_cut(text, CRIA_FRAME_MAX_BYTES);
        put_head(buf, CRIA_FRAME_TEXT, piece.len);
        cria_buf_add(buf, piece);
        text = cria_str_sub(text, piece.len, text.len);
    }
}

void cria_frame_write_page(struct cria_buf *buf, uint32_t number, struct cria_str label)
{
    label = cria_utf8_cut(label, CRIA_FRAME_MAX_LABEL_BYTES);
    put_head(buf, CRIA_FRAME_PAGE, label.len + 4);
    put_number(buf, number, 4);
    cria_buf_add(buf, label);
}

void cria_frame_write_heading(struct cria_buf *buf, unsigned level, uint64_t start, uint64_t end)
{
    put_head(buf, CRIA_FRAME_HEADING, 17);
    put_number(buf, level, 1);
    put_number(buf, start, 8);
    put_number(buf, end, 8);
}

void cria_frame_write_title(struct cria_buf *buf, struct cria_str title)
{
    title = cria_utf8_cut(title, CRIA_FRAME_MAX_TITLE_BYTES);
    put_head(buf, CRIA_FRAME_TITLE, title.len);
    cria_buf_add(buf, title);
}

void cria_frame_write_picture(struct cria_buf *buf, uint32_t page, bool is_last,
                              struct cria_str piece)
{
    piece = cria_str_sub(piece, 0, CRIA_FRAME_MAX_PIECE_BYTES);
    put_head(buf, CRIA_FRAME_PICTURE, piece.len + 5);
    put_number(buf, page, 4);
    put_number(buf, is_last, 1);
    cria_buf_add(buf, piece);
}

void cria_frame_write_error(struct cria_buf *buf, struct cria_str word, struct cria_str sentence)
{
    word = cria_str_sub(word, 0, CRIA_FRAME_MAX_WORD_BYTES);
    sentence = cria_utf8_cut(sentence, CRIA_FRAME_MAX_SENTENCE_BYTES);
    put_head(buf, CRIA_FRAME_ERROR, word.len + 1 + sentence.len);
    cria_buf_add(buf, word);
    cria_buf_add_char(buf, '\0');
    cria_buf_add(buf, sentence);
}

void cria_frame_write_end(struct cria_buf *buf, uint64_t text_bytes)
{
    put_head(buf, CRIA_FRAME_END, 8);
    put_number(buf, text_bytes, 8);
}

/* Text without a NUL that fits its limit. */
static bool is_text(struct cria_str text, size_t limit)
{
    return text.len <= limit && cria_utf8_valid(text) &&
           (text.len == 0 || !memchr(text.ptr, '\0', text.len));
}

static bool take_apart(struct cria_str payload, struct cria_frame *out)
{
    out->text = payload;
    switch (out->kind) {
    case CRIA_FRAME_START:
        if (payload.len < 1) return false;
        out->number = (unsigned char)payload.ptr[0];
        out->text = cria_str_sub(payload, 1, payload.len);
        return is_text(out->text, CRIA_FRAME_MAX_FORMAT_BYTES);
    case CRIA_FRAME_TEXT: return payload.len > 0 && is_text(payload, CRIA_FRAME_MAX_BYTES);
    case CRIA_FRAME_PAGE:
        if (payload.len < 4) return false;
        out->number = (uint32_t)get_number(payload.ptr, 4);
        out->text = cria_str_sub(payload, 4, payload.len);
        return is_text(out->text, CRIA_FRAME_MAX_LABEL_BYTES);
    case CRIA_FRAME_HEADING:
        if (payload.len != 17) return false;
        out->number = (unsigned char)payload.ptr[0];
        out->start = get_number(payload.ptr + 1, 8);
        out->end = get_number(payload.ptr + 9, 8);
        out->text = CRIA_STR("");
        return true;
    case CRIA_FRAME_TITLE: return is_text(payload, CRIA_FRAME_MAX_TITLE_BYTES);
    case CRIA_FRAME_PICTURE:
        if (payload.len < 6 || (unsigned char)payload.ptr[4] > 1) return false;
        out->number = (uint32_t)get_number(payload.ptr, 4);
        out->is_last = payload.ptr[4] == 1;
        out->text = cria_str_sub(payload, 5, payload.len);
        return true;
    case CRIA_FRAME_ERROR:
        if (!cria_str_cut(&out->text, '\0', &out->word)) return false;
        return is_text(out->word, CRIA_FRAME_MAX_WORD_BYTES) &&
               is_text(out->text, CRIA_FRAME_MAX_SENTENCE_BYTES);
    case CRIA_FRAME_END:
        if (payload.len != 8) return false;
        out->start = get_number(payload.ptr, 8);
        out->text = CRIA_STR("");
        return true;
    }
    return false;
}

enum cria_frame_verdict cria_frame_read(struct cria_str *bytes, struct cria_frame *out)
{
    struct cria_frame frame = {.kind = CRIA_FRAME_START};
    if (bytes->len == 0) return CRIA_FRAME_MORE;
    unsigned kind = (unsigned char)bytes->ptr[0];
    if (kind < CRIA_FRAME_START || kind > CRIA_FRAME_END) return CRIA_FRAME_BAD;
    if (bytes->len < CRIA_FRAME_HEAD_BYTES) return CRIA_FRAME_MORE;
    uint64_t length = get_number(bytes->ptr + 1, 4);
    if (length > CRIA_FRAME_MAX_BYTES) return CRIA_FRAME_BAD;
    if (bytes->len - CRIA_FRAME_HEAD_BYTES < length) return CRIA_FRAME_MORE;
    frame.kind = (enum cria_frame_kind)kind;
    if (!take_apart(cria_str_sub(*bytes, CRIA_FRAME_HEAD_BYTES, (size_t)length), &frame))
        return CRIA_FRAME_BAD;
    *bytes = cria_str_sub(*bytes, CRIA_FRAME_HEAD_BYTES + (size_t)length, bytes->len);
    *out = frame;
    return CRIA_FRAME_WHOLE;
}
