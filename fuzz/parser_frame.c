/* Any bytes as what a parser program answers, and as what it is asked. */
#include <assert.h>

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "parser/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_str rest = cria_str_make((const char *)data, size);
    struct cria_frame frame;
    struct cria_request_head head;
    if (size >= CRIA_REQUEST_HEAD_BYTES && cria_request_read_head(data, &head))
        assert(head.document_bytes <= CRIA_REQUEST_MAX_DOCUMENT_BYTES);
    for (;;) {
        size_t before = rest.len;
        if (cria_frame_read(&rest, &frame) != CRIA_FRAME_WHOLE) break;
        assert(rest.len < before);
        assert(frame.kind == CRIA_FRAME_PICTURE || cria_utf8_valid(frame.text));
    }
    return 0;
}
