/* frame.h - what goes over the pipes between the server and the programs that read documents.
 * Room: parser; the one header of it that ingest/ includes. Uses base alone. Pure: slices in,
 * slices out; who reads and writes the pipes is not its business. All numbers are little-endian.
 *
 *   request:  "CRQ1"  u32 name, u32 media type, u32 options, u64 document (lengths in bytes), u32
 *             flags (1: pictures of pages), then these four, one behind the other. A child answers
 * it, then reads the next. answer:   frames: u8 kind, u32 length, payload. START first; ERROR or
 * END last.
 *
 * Neither side trusts the other: every length has a limit, and the server looks at every byte. */
#ifndef CRIA_PARSER_FRAME_H
#define CRIA_PARSER_FRAME_H

#include "base/buf.h"

enum {
    CRIA_FRAME_VERSION = 1,
    CRIA_FRAME_HEAD_BYTES = 5,      /* of an answer's frame */
    CRIA_FRAME_MAX_BYTES = 1 << 16, /* payload of a frame */
    CRIA_REQUEST_HEAD_BYTES = 28,
    CRIA_REQUEST_MAX_NAME_BYTES = 4096,
    CRIA_REQUEST_MAX_TYPE_BYTES = 512,
    CRIA_REQUEST_MAX_OPTIONS_BYTES = 1 << 20,
    CRIA_FRAME_MAX_TITLE_BYTES = 1024,
    CRIA_FRAME_MAX_FORMAT_BYTES = 32,
    CRIA_FRAME_MAX_LABEL_BYTES = 64,
    CRIA_FRAME_MAX_WORD_BYTES = 32,
    CRIA_FRAME_MAX_SENTENCE_BYTES = 300,
    CRIA_FRAME_MAX_PIECE_BYTES = CRIA_FRAME_MAX_BYTES - 5, /* of a picture in one frame */
};
#define CRIA_REQUEST_MAX_DOCUMENT_BYTES ((uint64_t)1 << 30)

/** One document to read. */
struct cria_request {
    struct cria_str name;       /* a label; at most 4,096 bytes; any bytes */
    struct cria_str media_type; /* as declared, or empty */
    struct cria_str options;    /* JSON of the parse parameters, or empty */
    uint64_t document_bytes;    /* they follow */
    bool wants_pictures;        /* of its pages, when its format has such */
};

/** The head and the three texts of a request; the document's bytes come behind it. Failure is the
 * buffer's; texts that are too long are cut (name) or left out (the others). */
void cria_request_write(struct cria_buf *buf, const struct cria_request *request);

/** Lengths out of a request's first CRIA_REQUEST_HEAD_BYTES. */
struct cria_request_head {
    uint32_t name_bytes, type_bytes, options_bytes;
    uint64_t document_bytes;
    bool wants_pictures;
};
/** False when the bytes are no such head or a length is beyond its limit. */
bool cria_request_read_head(const unsigned char head[CRIA_REQUEST_HEAD_BYTES],
                            struct cria_request_head *out);

enum cria_frame_kind {
    CRIA_FRAME_START = 1, /* u8 version, then the format's word ("pdf") */
    CRIA_FRAME_TEXT,      /* valid UTF-8, whole code points, no NUL; at most 64 KiB */
    CRIA_FRAME_PAGE, /* u32 number, then its label: a page begins at the end of the text so far */
    CRIA_FRAME_HEADING, /* u8 level, u64 start, u64 end: bytes of the text that was sent */
    CRIA_FRAME_TITLE,   /* of the document */
    CRIA_FRAME_PICTURE, /* u32 page, u8 1: its last piece, then bytes of a JPEG; behind all text */
    CRIA_FRAME_ERROR,   /* a word, a NUL, a sentence: the document is not readable */
    CRIA_FRAME_END      /* u64 bytes of text in all */
};

void cria_frame_write_start(struct cria_buf *buf, struct cria_str format);
/** As many frames as it takes; text must be valid UTF-8. */
void cria_frame_write_text(struct cria_buf *buf, struct cria_str text);
void cria_frame_write_page(struct cria_buf *buf, uint32_t number, struct cria_str label);
void cria_frame_write_heading(struct cria_buf *buf, unsigned level, uint64_t start, uint64_t end);
void cria_frame_write_title(struct cria_buf *buf, struct cria_str title);
void cria_frame_write_picture(struct cria_buf *buf, uint32_t page, bool is_last,
                              struct cria_str piece);
void cria_frame_write_error(struct cria_buf *buf, struct cria_str word, struct cria_str sentence);
void cria_frame_write_end(struct cria_buf *buf, uint64_t text_bytes);

/** One frame of an answer, taken apart; slices point into the bytes that were read. */
struct cria_frame {
    enum cria_frame_kind kind;
    struct cria_str text; /* START the format, TEXT, TITLE, PAGE its label, ERROR the sentence,
                             PICTURE its bytes */
    struct cria_str word; /* ERROR */
    uint32_t number;      /* START the version, PAGE, PICTURE its page, HEADING the level */
    uint64_t start, end;  /* HEADING; END: start holds the bytes of text */
    bool is_last;         /* PICTURE */
};

enum cria_frame_verdict { CRIA_FRAME_WHOLE, CRIA_FRAME_MORE, CRIA_FRAME_BAD };

/**
 * Takes the frame at the start of *bytes and moves *bytes behind it. Checks the form alone: kind,
 * lengths, UTF-8 of all texts. What a frame means at its place is the reader's to check.
 * @return WHOLE; MORE: not all of it is there yet; BAD: this is no such frame.
 */
enum cria_frame_verdict cria_frame_read(struct cria_str *bytes, struct cria_frame *out);

#endif
