/* doc.h - a document while it is read: what goes in, and the text, headings and pages that come
 * out. Room: parser. Memory lies in the document; each format function writes text through here,
 * so that the text is valid UTF-8 whatever the format function was given. */
#ifndef CRIA_PARSER_DOC_H
#define CRIA_PARSER_DOC_H

#include "base/arena.h"
#include "base/buf.h"

enum { CRIA_DOC_MAX_TEXT_BYTES = 256 << 20, CRIA_DOC_MAX_HEADINGS = 1 << 20 };
enum { CRIA_DOC_MAX_PICTURE_BYTES = 512 << 20 };

/** What is known before reading; borrowed. */
struct cria_source {
    struct cria_str name;       /* file name: a label */
    struct cria_str media_type; /* as declared, or empty */
    struct cria_str options;    /* JSON of the parse parameters, or empty */
    struct cria_str bytes;
    bool wants_pictures; /* of its pages */
};

struct cria_doc_heading {
    unsigned level;    /* 1 to 6 */
    size_t start, end; /* bytes of the text, with the marks of Markdown, without the line end */
};

struct cria_doc_page {
    uint32_t number;
    size_t start;
    char label[20]; /* "iv"; empty: none */
};

/** A picture of a page. */
struct cria_doc_picture {
    uint32_t number;   /* of the page */
    size_t start, len; /* in picture_bytes */
};

/** What made a document unreadable; the host turns it into a status. */
enum cria_doc_error {
    CRIA_DOC_FINE,
    CRIA_DOC_UNSUPPORTED, /* no such format is known here */
    CRIA_DOC_UNREADABLE,  /* damaged, or not what it says it is */
    CRIA_DOC_ENCRYPTED,
    CRIA_DOC_NO_TEXT,
    CRIA_DOC_TOO_LARGE,
    CRIA_DOC_NO_MEMORY
};

struct cria_doc {
    struct cria_arena arena; /* for the format function; dies with the document */
    struct cria_buf text;
    struct cria_doc_heading *headings; /* by start */
    size_t heading_count, heading_capacity;
    struct cria_doc_page *pages;
    size_t page_count, page_capacity;
    struct cria_buf picture_bytes; /* JPEG, one behind the other */
    struct cria_doc_picture *pictures;
    size_t picture_count, picture_capacity;
    struct cria_buf title;
    const char *format; /* static word */
    enum cria_doc_error error;
    char sentence[300]; /* of the error */
};

/** memory_bytes: limit of its arena. */
void cria_doc_init(struct cria_doc *doc, size_t memory_bytes);
void cria_doc_release(struct cria_doc *doc);

/** Says why the document cannot be read; the first one stays. Returns false, for returning. */
bool cria_doc_fail(struct cria_doc *doc, enum cria_doc_error error, const char *format, ...)
    CRIA_PRINTF(3, 4);
static inline bool cria_doc_ok(const struct cria_doc *doc)
{
    return doc->error == CRIA_DOC_FINE;
}
/** The word of an error on the wire. */
const char *cria_doc_error_word(enum cria_doc_error error);

/** Adds text; bytes that are no UTF-8, and NULs, become U+FFFD. */
void cria_doc_add(struct cria_doc *doc, struct cria_str text);
void cria_doc_add_z(struct cria_doc *doc, const char *text);
/** Ends the last line and leaves one blank line behind it, unless the text is empty. */
void cria_doc_blank_line(struct cria_doc *doc);
/** Ends the last line unless it is ended already. */
void cria_doc_end_line(struct cria_doc *doc);
/** A heading in Markdown with blank lines around it: marks, text, and its place is noted. White
 * space in the text is folded; an empty one adds nothing. */
void cria_doc_heading(struct cria_doc *doc, unsigned level, struct cria_str text);
/** Notes a heading that is in the text already. */
void cria_doc_note_heading(struct cria_doc *doc, unsigned level, size_t start, size_t end);
/** A page begins at the end of the text. */
void cria_doc_page(struct cria_doc *doc, uint32_t number, struct cria_str label);
/** Keeps a picture (JPEG) of a page; rising numbers. One too many is left out. */
void cria_doc_picture(struct cria_doc *doc, uint32_t number, struct cria_str jpeg);
/** Sets the title if there is none yet; white space is folded. */
void cria_doc_set_title(struct cria_doc *doc, struct cria_str title);

/** Adds `text` with each run of white space as one blank, none at the ends; to a buffer. */
void cria_fold_space(struct cria_buf *buf, struct cria_str text);

/** Takes some bytes of an answer; false stops the writing. */
typedef bool (*cria_doc_put)(void *arg, struct cria_str bytes);
/** Writes the document as answer frames. @return false when put refused or memory was short. */
bool cria_doc_write(const struct cria_doc *doc, cria_doc_put put, void *arg);

#endif
