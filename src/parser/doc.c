#include "parser/doc.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "parser/frame.h"

void cria_doc_init(struct cria_doc *doc, size_t memory_bytes)
{
    *doc = (struct cria_doc){.format = "unknown"};
    cria_arena_init(&doc->arena, memory_bytes);
    cria_buf_init(&doc->text, CRIA_DOC_MAX_TEXT_BYTES);
    cria_buf_init(&doc->picture_bytes, CRIA_DOC_MAX_PICTURE_BYTES);
    cria_buf_init(&doc->title, CRIA_FRAME_MAX_TITLE_BYTES);
}

void cria_doc_release(struct cria_doc *doc)
{
    cria_arena_release(&doc->arena);
    cria_buf_release(&doc->text);
    cria_buf_release(&doc->title);
    cria_buf_release(&doc->picture_bytes);
    free(doc->pictures);
    doc->pictures = NULL;
    free(doc->headings);
    free(doc->pages);
    doc->headings = NULL;
    doc->pages = NULL;
}

bool cria_doc_fail(struct cria_doc *doc, enum cria_doc_error error, const char *format, ...)
{
    va_list args;
    if (doc->error != CRIA_DOC_FINE) return false;
    doc->error = error;
    va_start(args, format);
    vsnprintf(doc->sentence, sizeof(doc->sentence), format, args);
    va_end(args);
    return false;
}

const char *cria_doc_error_word(enum cria_doc_error error)
{
    switch (error) {
    case CRIA_DOC_FINE: return "fine";
    case CRIA_DOC_UNSUPPORTED: return "unsupported";
    case CRIA_DOC_UNREADABLE: return "unreadable";
    case CRIA_DOC_ENCRYPTED: return "encrypted";
    case CRIA_DOC_NO_TEXT: return "no_text";
    case CRIA_DOC_TOO_LARGE: return "too_large";
    case CRIA_DOC_NO_MEMORY: return "no_memory";
    }
    return "unreadable";
}

static void check_room(struct cria_doc *doc)
{
    if (!doc->text.failed) return;
    if (doc->text.len > CRIA_DOC_MAX_TEXT_BYTES / 2)
        cria_doc_fail(doc, CRIA_DOC_TOO_LARGE, "the document has more than %d MiB of text",
                      CRIA_DOC_MAX_TEXT_BYTES >> 20);
    else
        cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
}

void cria_doc_add(struct cria_doc *doc, struct cria_str text)
{
    while (text.len) {
        size_t good = cria_utf8_valid_len(text);
        const char *nul = good ? memchr(text.ptr, '\0', good) : NULL;
        if (nul) good = (size_t)(nul - text.ptr);
        cria_buf_add(&doc->text, cria_str_sub(text, 0, good));
        if (good == text.len) break;
        cria_buf_add(&doc->text, CRIA_STR("\xEF\xBF\xBD"));
        text = cria_str_sub(text, good + 1, text.len);
    }
    check_room(doc);
}

void cria_doc_add_z(struct cria_doc *doc, const char *text)
{
    cria_doc_add(doc, cria_str_from(text));
}

void cria_doc_end_line(struct cria_doc *doc)
{
    struct cria_buf *buf = &doc->text;
    /* Blanks at the end of a line carry nothing, and page starts must not fall behind them. */
    size_t floor = doc->page_count ? doc->pages[doc->page_count - 1].start : 0;
    while (buf->len > floor && buf->ptr[buf->len - 1] == ' ') buf->len--;
    if (buf->len && buf->ptr[buf->len - 1] != '\n') cria_buf_add_char(buf, '\n');
    check_room(doc);
}

void cria_doc_blank_line(struct cria_doc *doc)
{
    struct cria_buf *buf = &doc->text;
    cria_doc_end_line(doc);
    if (buf->len && !(buf->len >= 2 && buf->ptr[buf->len - 2] == '\n'))
        cria_buf_add_char(buf, '\n');
    check_room(doc);
}

void cria_doc_note_heading(struct cria_doc *doc, unsigned level, size_t start, size_t end)
{
    if (start >= end || end > doc->text.len || !cria_doc_ok(doc)) return;
    if (doc->heading_count && start < doc->headings[doc->heading_count - 1].end) return;
    if (doc->heading_count == doc->heading_capacity) {
        size_t capacity = doc->heading_capacity ? doc->heading_capacity * 2 : 32;
        struct cria_doc_heading *grown = capacity <= CRIA_DOC_MAX_HEADINGS
                                             ? realloc(doc->headings, capacity * sizeof(*grown))
                                             : NULL;
        if (!grown) return; /* the text is whole without it */
        doc->headings = grown;
        doc->heading_capacity = capacity;
    }
    doc->headings[doc->heading_count++] = (struct cria_doc_heading){level < 1   ? 1
                                                                    : level > 6 ? 6
                                                                                : level,
                                                                    start, end};
}

void cria_doc_heading(struct cria_doc *doc, unsigned level, struct cria_str text)
{
    struct cria_buf folded;
    if (level < 1) level = 1;
    if (level > 6) level = 6;
    cria_buf_init(&folded, text.len + 1);
    cria_fold_space(&folded, text);
    if (folded.len) {
        cria_doc_blank_line(doc);
        size_t start = doc->text.len;
        for (unsigned i = 0; i < level; i++) cria_buf_add_char(&doc->text, '#');
        cria_buf_add_char(&doc->text, ' ');
        cria_doc_add(doc, cria_buf_str(&folded));
        cria_doc_note_heading(doc, level, start, doc->text.len);
        cria_doc_blank_line(doc);
    }
    cria_buf_release(&folded);
}

void cria_doc_page(struct cria_doc *doc, uint32_t number, struct cria_str label)
{
    if (!cria_doc_ok(doc)) return;
    if (doc->page_count == doc->page_capacity) {
        size_t capacity = doc->page_capacity ? doc->page_capacity * 2 : 32;
        struct cria_doc_page *grown = realloc(doc->pages, capacity * sizeof(*grown));
        if (!grown) {
            cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
            return;
        }
        doc->pages = grown;
        doc->page_capacity = capacity;
    }
    struct cria_doc_page *page = &doc->pages[doc->page_count++];
    *page = (struct cria_doc_page){.number = number, .start = doc->text.len};
    label = cria_utf8_cut(label, sizeof(page->label) - 1);
    if (cria_utf8_valid(label)) cria_str_copy_z(label, page->label, sizeof(page->label));
}

void cria_doc_picture(struct cria_doc *doc, uint32_t number, struct cria_str jpeg)
{
    struct cria_buf *bytes = &doc->picture_bytes;
    size_t start = bytes->len;
    if (bytes->failed || jpeg.len == 0) return;
    if (doc->picture_count == doc->picture_capacity) {
        size_t capacity = doc->picture_capacity ? doc->picture_capacity * 2 : 32;
        struct cria_doc_picture *grown = realloc(doc->pictures, capacity * sizeof(*grown));
        if (!grown) return;
        doc->pictures = grown;
        doc->picture_capacity = capacity;
    }
    cria_buf_add(bytes, jpeg);
    if (!bytes->failed)
        doc->pictures[doc->picture_count++] = (struct cria_doc_picture){number, start, jpeg.len};
}

void cria_doc_set_title(struct cria_doc *doc, struct cria_str title)
{
    struct cria_buf folded;
    if (doc->title.len || !cria_utf8_valid(title)) return;
    title = cria_utf8_cut(title, CRIA_FRAME_MAX_TITLE_BYTES);
    cria_buf_init(&folded, CRIA_FRAME_MAX_TITLE_BYTES);
    cria_fold_space(&folded, title);
    if (folded.len && !folded.failed && !memchr(folded.ptr, '\0', folded.len))
        cria_buf_add(&doc->title, cria_buf_str(&folded));
    cria_buf_release(&folded);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

void cria_fold_space(struct cria_buf *buf, struct cria_str text)
{
    bool any = false, gap = false;
    size_t i = 0;
    while (i < text.len) {
        size_t run = i;
        while (run < text.len && !is_space(text.ptr[run])) run++;
        if (run > i) {
            if (any && gap) cria_buf_add_char(buf, ' ');
            cria_buf_add(buf, cria_str_sub(text, i, run - i));
            any = true;
            gap = false;
        }
        i = run;
        while (i < text.len && is_space(text.ptr[i])) {
            gap = true;
            i++;
        }
    }
}

struct writer {
    struct cria_buf buf;
    cria_doc_put put;
    void *arg;
    bool is_open;
};

static void flush(struct writer *writer, size_t at_least)
{
    if (writer->buf.len < at_least) return;
    if (writer->buf.failed) writer->is_open = false;
    if (writer->is_open) writer->is_open = writer->put(writer->arg, cria_buf_str(&writer->buf));
    cria_buf_clear(&writer->buf);
}

static void write_text(struct writer *writer, struct cria_str text)
{
    while (text.len && writer->is_open) {
        struct cria_str piece = cria_utf8_cut(text, CRIA_FRAME_MAX_BYTES);
        cria_frame_write_text(&writer->buf, piece);
        text = cria_str_sub(text, piece.len, text.len);
        flush(writer, CRIA_FRAME_MAX_BYTES);
    }
}

static void write_picture(struct writer *writer, uint32_t number, struct cria_str bytes)
{
    while (bytes.len && writer->is_open) {
        struct cria_str piece = cria_str_sub(bytes, 0, CRIA_FRAME_MAX_PIECE_BYTES);
        bytes = cria_str_sub(bytes, piece.len, bytes.len);
        cria_frame_write_picture(&writer->buf, number, bytes.len == 0, piece);
        flush(writer, CRIA_FRAME_MAX_BYTES);
    }
}

static void write_good(const struct cria_doc *doc, struct writer *writer)
{
    struct cria_str text = cria_buf_str(&doc->text);
    size_t at = 0;
    if (doc->title.len) cria_frame_write_title(&writer->buf, cria_buf_str(&doc->title));
    for (size_t i = 0; i < doc->page_count; i++) {
        const struct cria_doc_page *page = &doc->pages[i];
        write_text(writer, cria_str_sub(text, at, page->start - at));
        cria_frame_write_page(&writer->buf, page->number, cria_str_from(page->label));
        at = page->start;
    }
    write_text(writer, cria_str_sub(text, at, text.len));
    for (size_t i = 0; i < doc->heading_count; i++) {
        cria_frame_write_heading(&writer->buf, doc->headings[i].level, doc->headings[i].start,
                                 doc->headings[i].end);
        flush(writer, CRIA_FRAME_MAX_BYTES);
    }
    for (size_t i = 0; i < doc->picture_count; i++) {
        const struct cria_doc_picture *picture = &doc->pictures[i];
        write_picture(
            writer, picture->number,
            cria_str_sub(cria_buf_str(&doc->picture_bytes), picture->start, picture->len));
    }
    cria_frame_write_end(&writer->buf, text.len);
}

bool cria_doc_write(const struct cria_doc *doc, cria_doc_put put, void *arg)
{
    struct writer writer = {.put = put, .arg = arg, .is_open = true};
    cria_buf_init(&writer.buf, 4 * CRIA_FRAME_MAX_BYTES);
    cria_frame_write_start(&writer.buf, cria_str_from(doc->format));
    if (cria_doc_ok(doc)) {
        write_good(doc, &writer);
    } else {
        struct cria_str sentence = cria_str_from(doc->sentence);
        cria_frame_write_error(&writer.buf, cria_str_from(cria_doc_error_word(doc->error)),
                               cria_str_sub(sentence, 0, cria_utf8_valid_len(sentence)));
    }
    flush(&writer, 1);
    cria_buf_release(&writer.buf);
    return writer.is_open;
}
