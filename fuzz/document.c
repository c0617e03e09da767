/* Any bytes as a document, as cria-parse reads it; the first byte picks the ending of its name.
 * What comes out is valid UTF-8, and headings and pages lie in it. */
#include <assert.h>

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "parser/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.txt", "a.md",   "a.html", "a.csv",
                                        "a.tsv", "a.json", "a.docx", "a"};
    struct cria_doc doc;
    if (size == 0) return 0;
    const struct cria_source source = {.name = cria_str_from(names[data[0] % CRIA_COUNT(names)]),
                                       .bytes = {(const char *)data + 1, size - 1}};
    cria_doc_init(&doc, 256 << 20);
    cria_formats_read(&source, &doc);
    if (cria_doc_ok(&doc)) {
        struct cria_str text = cria_buf_str(&doc.text);
        assert(text.len > 0 && cria_utf8_valid(text) && !memchr(text.ptr, '\0', text.len));
        for (size_t i = 0; i < doc.heading_count; i++)
            assert(doc.headings[i].start < doc.headings[i].end && doc.headings[i].end <= text.len);
    } else {
        assert(doc.sentence[0]);
    }
    cria_doc_release(&doc);
    return 0;
}
