#include "search/files.h"

#include "base/utf8.h"
#include "platform/clock.h"
#include "search/re2_shim.h"

enum { BUDGET_MS = 2000, MAX_PATTERN_BYTES = 4096, ERROR_BYTES = 200 };

/* The live document whose entry, source entry or stored file has this id. */
static enum cria_status by_other_id(struct cria_tx *tx, struct cria_call *call,
                                    struct cria_str project, struct cria_str index_id,
                                    struct cria_str file_id, struct cria_document *out)
{
    struct cria_window window = {.limit = 1000};
    struct cria_document_list page = {.has_more = true};
    while (page.has_more) {
        enum cria_status st =
            cria_tx_document_list(tx, call, project, index_id, (struct cria_str){0},
                                  (struct cria_str){0}, &window, &page);
        if (st != CRIA_OK) return st;
        for (size_t i = 0; i < page.count; i++) {
            const struct cria_document *document = &page.items[i];
            if (!cria_str_equal(document->source_entry_id, file_id) &&
                !cria_str_equal(document->file_id, file_id))
                continue;
            *out = *document;
            return CRIA_OK;
        }
        if (page.count == 0) break;
        window.after = (struct cria_cursor){.is_set = true,
                                            .name = page.items[page.count - 1].display_name,
                                            .id = page.items[page.count - 1].entry_id};
    }
    return CRIA_E_NOT_FOUND;
}

enum cria_status cria_file_resolve(struct cria_store *store, struct cria_call *call,
                                   struct cria_str project, struct cria_str index_id,
                                   struct cria_str file_id, struct cria_document *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(store, call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_document_get(tx, call, project, index_id, file_id, false, out);
    if (st == CRIA_E_NOT_FOUND) st = by_other_id(tx, call, project, index_id, file_id, out);
    cria_store_read_end(tx);
    return st == CRIA_E_NOT_FOUND ? cria_fail(call, st, "File not found in this index") : st;
}

static enum cria_status read_text(struct cria_store *store, struct cria_call *call,
                                  struct cria_str project, struct cria_str document_id,
                                  struct cria_str *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(store, call, &tx);
    if (st != CRIA_OK) return st;
    st = cria_tx_document_text(tx, call, project, document_id, out);
    cria_store_read_end(tx);
    return st == CRIA_E_NOT_FOUND ? cria_fail(call, st, "File not found in this index") : st;
}

enum cria_status cria_file_read(struct cria_store *store, struct cria_call *call,
                                struct cria_str project, struct cria_str document_id,
                                uint64_t offset, uint64_t max_length, struct cria_str *out)
{
    struct cria_str text;
    enum cria_status st = read_text(store, call, project, document_id, &text);
    if (st != CRIA_OK) return st;
    size_t from = offset >= text.len ? text.len : cria_utf8_offset(text, (size_t)offset);
    text = cria_str_sub(text, from, text.len);
    if (max_length && max_length < text.len) text.len = cria_utf8_offset(text, (size_t)max_length);
    *out = text;
    return CRIA_OK;
}

/* Bytes of up to n code points before `at`. */
static size_t back(struct cria_str text, size_t at, uint32_t n)
{
    while (n-- && at > 0) {
        do at--;
        while (at > 0 && ((unsigned char)text.ptr[at] & 0xC0) == 0x80);
    }
    return at;
}

static enum cria_status search(struct cria_call *call, const struct cria_grep_request *request,
                               const struct cria_re2 *re, struct cria_str text,
                               struct cria_grep_result *out)
{
    struct cria_grep_match *items =
        CRIA_NEW_ARRAY(call->arena, request->limit, struct cria_grep_match);
    size_t at = request->after_char >= text.len
                    ? text.len
                    : cria_utf8_offset(text, (size_t)request->after_char);
    size_t counted_to = 0, chars = 0, start, end; /* code points before counted_to */
    uint64_t until = cria_now_ns() + (uint64_t)BUDGET_MS * 1000000;
    if (!items) return cria_fail_memory(call);
    *out = (struct cria_grep_result){.items = items};
    while (at <= text.len && cria_re2_find(re, text.ptr, text.len, at, &start, &end)) {
        if (cria_now_ns() > until || cria_call_stopped(call, cria_now_ns()))
            return cria_fail(call, CRIA_E_BAD_REQUEST,
                             "The search took too long: make the pattern simpler");
        if (start == end) { /* empty matches are skipped */
            at = end + 1;
            while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80) at++;
            continue;
        }
        chars += cria_utf8_count(cria_str_sub(text, counted_to, start - counted_to));
        counted_to = start;
        if (out->count == request->limit) {
            out->has_more = true;
            out->next_char = chars;
            return CRIA_OK;
        }
        struct cria_str match = cria_str_sub(text, start, end - start);
        size_t from = back(text, start, request->context_chars);
        struct cria_str behind = cria_str_sub(text, end, text.len);
        size_t to = end + cria_utf8_offset(behind, request->context_chars);
        items[out->count++] =
            (struct cria_grep_match){.content = cria_str_sub(text, from, to - from),
                                     .start_char = chars,
                                     .end_char = chars + cria_utf8_count(match)};
        at = end;
    }
    return CRIA_OK;
}

enum cria_status cria_file_grep(struct cria_store *store, struct cria_call *call,
                                const struct cria_grep_request *request,
                                struct cria_grep_result *out)
{
    char error[ERROR_BYTES] = "";
    struct cria_str text;
    if (request->pattern.len > MAX_PATTERN_BYTES || !cria_utf8_valid(request->pattern))
        return cria_fail(call, CRIA_E_INVALID, "The pattern is too long or not UTF-8");
    struct cria_re2 *re = cria_re2_new(request->pattern.ptr, request->pattern.len,
                                       request->is_literal, error, sizeof(error));
    if (!re) return cria_fail(call, CRIA_E_INVALID, "The pattern does not compile: %s", error);
    enum cria_status st = read_text(store, call, request->project, request->document_id, &text);
    if (st == CRIA_OK) st = search(call, request, re, text, out);
    cria_re2_free(re);
    return st;
}
