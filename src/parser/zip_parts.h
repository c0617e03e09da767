/* zip_parts.h - the parts of an Office document by name, with limits against archives that swell.
 * Room: parser; libzip lives behind it. */
#ifndef CRIA_PARSER_ZIP_PARTS_H
#define CRIA_PARSER_ZIP_PARTS_H

#include "parser/doc.h"

struct cria_zip;

/** Opens an archive that lies in memory; NULL when the document failed. */
struct cria_zip *cria_zip_open(const struct cria_source *source, struct cria_doc *doc);
void cria_zip_close(struct cria_zip *zip);
bool cria_zip_has(const struct cria_zip *zip, const char *name);
/** The whole of a part, in doc->arena; {NULL,0} when there is none. A part that is too large or
 * does not unpack fails the document. */
struct cria_str cria_zip_read(struct cria_zip *zip, const char *name);
/** Name of the n-th entry; NULL behind the last. Valid until the archive is closed. */
const char *cria_zip_name(const struct cria_zip *zip, size_t n);

#endif
