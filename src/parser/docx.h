/* docx.h - what the files of the DOCX format share: walking XML, styles, numbers of lists.
 * Room: parser. Names of elements come without their namespace; "m:" stands before those of
 * mathematics. ECMA-376 part 1 (WordprocessingML). */
#ifndef CRIA_PARSER_DOCX_H
#define CRIA_PARSER_DOCX_H

#include "base/map.h"
#include "parser/zip_parts.h"

/* ---- XML */

struct cria_xml_reader {
    void *arg;
    /** attributes: name, value, …, NULL; names likewise without their namespace. */
    void (*start)(void *arg, const char *name, const char **attributes);
    void (*end)(void *arg, const char *name);
    void (*text)(void *arg, struct cria_str text); /* may come in pieces */
};
/** Walks over a part; fails the document when it is no XML or declares entities. */
void cria_xml_walk(struct cria_doc *doc, struct cria_str part, const char *part_name,
                   const struct cria_xml_reader *reader);
/** The value of an attribute, or NULL. */
const char *cria_xml_attribute(const char **attributes, const char *name);
/** A whole number of 0 to `most`; `otherwise` when there is none. */
unsigned cria_xml_number(const char *value, unsigned otherwise, unsigned most);

/* ---- styles and lists */

enum { CRIA_DOCX_LEVELS = 9 };

struct cria_docx_style {
    unsigned heading; /* 1 to 6; 0: none */
    unsigned list, level;
    bool has_list;
    struct cria_str based_on;
};

struct cria_docx_level {
    char format[24]; /* decimal, bullet, … */
    char text[40];   /* "%1.%2" */
    unsigned start;
};
struct cria_docx_abstract {
    struct cria_docx_level levels[CRIA_DOCX_LEVELS];
    unsigned counters[CRIA_DOCX_LEVELS];
    bool is_begun[CRIA_DOCX_LEVELS];
};

struct cria_docx_lists {
    struct cria_map styles;    /* id -> struct cria_docx_style */
    struct cria_map abstracts; /* id -> struct cria_docx_abstract */
    struct cria_map lists;     /* id -> struct cria_docx_abstract */
    struct cria_arena *arena;
};

/** Reads styles.xml and numbering.xml; both may be missing. */
void cria_docx_lists_read(struct cria_docx_lists *lists, struct cria_zip *zip,
                          struct cria_doc *doc);
void cria_docx_lists_release(struct cria_docx_lists *lists);
/** The style with what it is based on; a zeroed one when it is not known. */
struct cria_docx_style cria_docx_style_of(const struct cria_docx_lists *lists, const char *id);
/** The next label of a list: "- ", "2.1 ", "c) "; empty when the list is not known. */
void cria_docx_label(struct cria_docx_lists *lists, unsigned list, unsigned level, char *out,
                     size_t size);

#endif
