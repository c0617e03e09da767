/* formats.h - the document formats of cria-parse: one function each in format_<name>.c, one row
 * each in formats.c. Room: parser. To add one: its file, its row, samples, a fuzz run. */
#ifndef CRIA_PARSER_FORMATS_H
#define CRIA_PARSER_FORMATS_H

#include "parser/doc.h"

/** Reads one document of a known format; failures are told by cria_doc_fail. */
typedef void (*cria_format_read)(const struct cria_source *source, struct cria_doc *doc);

void cria_format_text(const struct cria_source *source, struct cria_doc *doc);
void cria_format_markdown(const struct cria_source *source, struct cria_doc *doc);
void cria_format_html(const struct cria_source *source, struct cria_doc *doc);
void cria_format_csv(const struct cria_source *source, struct cria_doc *doc);
void cria_format_json(const struct cria_source *source, struct cria_doc *doc);
void cria_format_docx(const struct cria_source *source, struct cria_doc *doc);

/** Finds out the format - by content, then by name and media type - and reads the document. */
void cria_formats_read(const struct cria_source *source, struct cria_doc *doc);

/** The document's bytes as UTF-8 with line ends as LF, in doc->arena or borrowed; false when the
 * document failed. declared: encoding or empty. */
bool cria_source_text(const struct cria_source *source, struct cria_doc *doc,
                      struct cria_str declared, struct cria_str *out);

/** "docx" of "Report.DOCX", in lower case, ASCII letters and digits alone; empty when there is
 * none. */
struct cria_str cria_source_extension(const struct cria_source *source, char out[12]);

#endif
