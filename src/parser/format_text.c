#include "parser/formats.h"

/* Plain text stays as it is, but for its encoding and its line ends. */
void cria_format_text(const struct cria_source *source, struct cria_doc *doc)
{
    struct cria_str text;
    if (cria_source_text(source, doc, CRIA_STR(""), &text)) cria_doc_add(doc, text);
}
