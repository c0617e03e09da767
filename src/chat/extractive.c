#include "chat/extractive.h"

#include "base/json_out.h"
#include "base/utf8.h"
#include "chat/fold.h"
#include "chat/history.h"

enum { OVERVIEW_FILES = 20 };

/* ---- the question */

struct cria_str cria_extractive_query(struct cria_arena *arena, struct cria_str question,
                                      struct cria_str previous)
{
    if (previous.len == 0 || !cria_is_follow_up(question)) return cria_arena_copy(arena, question);
    return cria_arena_printf(arena, "%.*s %.*s", CRIA_STR_ARG(question), CRIA_STR_ARG(previous));
}

bool cria_wants_overview(struct cria_str question)
{
    static const char *const starts[] = {
        "summar",      "overview",   "compar",    "tl;dr",      "zusammenfass",
        "fasse",       "vergleich",  "überblick", "résum",      "resum",
        "riassum",     "confront",   "samenvat",  "difference", "differenc",
        "unterschied", "sammanfatt", "podsum",    "porówn",
    };
    struct cria_str rest = question, word;
    while (rest.len) {
        cria_str_cut(&rest, ' ', &word);
        for (size_t i = 0; i < CRIA_COUNT(starts); i++) {
            struct cria_str start = cria_str_from(starts[i]);
            if (cria_str_equal_nocase(cria_str_sub(word, 0, start.len), start)) return true;
        }
    }
    return false;
}

/* ---- on the worker */

static enum cria_status list_files(struct cria_extractive *work)
{
    const struct cria_tool_scope *scope = work->run.scope;
    struct cria_call *call = &work->run.call;
    struct cria_document *files = CRIA_NEW_ARRAY(call->arena, OVERVIEW_FILES, struct cria_document);
    struct cria_str none = {0};
    struct cria_tx *tx = NULL;
    size_t count = 0;
    if (!files) return cria_fail_memory(call);
    enum cria_status st = cria_store_read_begin(scope->store, call, &tx);
    for (size_t i = 0; i < scope->index_count && st == CRIA_OK && count < OVERVIEW_FILES; i++) {
        struct cria_document_list list;
        struct cria_window window = {.limit = (uint32_t)(OVERVIEW_FILES - count)};
        st = cria_tx_document_list(tx, call, scope->project, scope->indexes[i].id, none, none,
                                   &window, &list);
        for (size_t k = 0; st == CRIA_OK && k < list.count; k++) files[count++] = list.items[k];
    }
    cria_store_read_end(tx);
    work->run.files = (struct cria_document_list){.items = files, .count = count};
    return st;
}

/* A chunk may go over pages: each sentence that is quoted gets its own. */
static enum cria_status find_pages(struct cria_extractive *work)
{
    const struct cria_tool_scope *scope = work->run.scope;
    struct cria_call *call = &work->run.call;
    struct cria_sentence *items =
        CRIA_NEW_ARRAY(call->arena, work->sentences.count, struct cria_sentence);
    struct cria_tx *tx = NULL;
    if (!items) return cria_fail_memory(call);
    enum cria_status st = cria_store_read_begin(scope->store, call, &tx);
    for (size_t i = 0; i < work->sentences.count && st == CRIA_OK; i++) {
        struct cria_document document;
        items[i] = work->sentences.items[i];
        const struct cria_passage *passage = &work->run.passages[items[i].hit_n].passage;
        if (items[i].page_start == items[i].page_end) continue;
        st = cria_tx_document_get(tx, call, scope->project, passage->index_id, passage->file_id,
                                  false, &document);
        if (st == CRIA_OK && cria_str_equal(document.id, passage->document_id)) {
            items[i].page_start =
                cria_document_page_at(call->arena, &document, items[i].char_start);
            items[i].page_end =
                cria_document_page_at(call->arena, &document, items[i].char_end - 1);
        }
        if (st == CRIA_E_NOT_FOUND) st = CRIA_OK; /* it went since: the chunk's pages stay */
    }
    cria_store_read_end(tx);
    work->sentences.items = items;
    return st;
}

void cria_extractive_run(struct cria_extractive *work)
{
    struct cria_tool_run *run = &work->run;
    struct cria_search *search = run->scope->search;
    struct cria_search_request request = CRIA_SEARCH_REQUEST_DEFAULTS;
    struct cria_search_result result;
    request.project = run->scope->project;
    request.indexes = run->scope->indexes;
    request.index_count = run->scope->index_count;
    request.query = work->query;
    request.top_k = CRIA_QUOTE_HITS;
    request.drops_repeats = true;
    run->status = cria_search_retrieve(search, &run->call, &request, &result);
    if (run->status == CRIA_OK)
        run->status = cria_tool_take_hits(run, run->scope->indexes, &result);
    if (run->status == CRIA_OK)
        run->status = cria_search_sentences(search, &run->call, &request, &result, CRIA_QUOTES,
                                            &work->sentences);
    if (run->status == CRIA_OK) run->status = find_pages(work);
    if (run->status == CRIA_OK && work->wants_overview) run->status = list_files(work);
}

/* ---- the answer */

static void write_results(struct cria_extractive *work, struct cria_evidence *evidence,
                          struct cria_buf *json, uint32_t *ids)
{
    struct cria_json_out out = cria_json_out_to(json);
    cria_out_object(&out);
    cria_out_name(&out, "results");
    cria_out_array(&out);
    for (size_t i = 0; i < work->run.passage_count; i++) {
        const struct cria_passage *passage =
            cria_evidence_add(evidence, &work->run.passages[i].passage);
        if (!passage) {
            json->failed = true;
            return;
        }
        ids[i] = passage->id;
        cria_retrieved_write(&out, &work->run.passages[i], passage->id);
    }
    cria_out_end(&out);
    cria_out_end(&out);
}

/* At most CRIA_QUOTE_CHARS code points, cut at a blank. */
static struct cria_str cut_quote(struct cria_str text)
{
    struct cria_str cut = cria_str_sub(text, 0, cria_utf8_offset(text, CRIA_QUOTE_CHARS));
    size_t len = cut.len;
    if (len == text.len) return text;
    while (len > cut.len / 2 && cut.ptr[len - 1] != ' ' && cut.ptr[len - 1] != '\n') len--;
    return len > cut.len / 2 ? cria_str_trim(cria_str_sub(cut, 0, len)) : cut;
}

/* The order of telling: the best sentence first, whatever stands around it; then files by their
 * best sentence, the sentences of a file in its own order. */
static void arrange(const struct cria_extractive *work, size_t *order)
{
    const struct cria_sentence *items = work->sentences.items;
    const struct cria_tool_passage *hits = work->run.passages;
    for (size_t i = 0; i < work->sentences.count; i++) {
        size_t at = i, first = i;
        for (size_t k = 0; k < i; k++) {
            if (!cria_str_equal(hits[items[order[k]].hit_n].passage.file_id,
                                hits[items[i].hit_n].passage.file_id))
                continue;
            if (first == i) first = k ? k : 1;
            if (k && items[order[k]].char_start < items[i].char_start) first = k + 1;
        }
        for (; at > first; at--) order[at] = order[at - 1];
        order[at] = i;
    }
}

static void write_quote(struct cria_buf *text, const struct cria_citation *citation)
{
    struct cria_str rest = citation->quote, line;
    while (rest.len) {
        cria_str_cut(&rest, '\n', &line);
        cria_buf_add(text, CRIA_STR("> "));
        cria_buf_add(text, line);
        cria_buf_add_char(text, '\n');
    }
    cria_buf_printf(text, "\n[%u] ", citation->n);
    cria_text_sanitize(text, citation->file_name);
    if (citation->page_start) cria_buf_add_char(text, ',');
    cria_pages_write(text, citation->page_start, citation->page_end);
    cria_buf_add(text, CRIA_STR("\n\n"));
}

static void write_quotes(struct cria_extractive *work, const uint32_t *ids, struct cria_buf *text,
                         struct cria_citations *citations)
{
    size_t order[CRIA_QUOTES] = {0};
    arrange(work, order);
    for (size_t i = 0; i < work->sentences.count; i++) {
        const struct cria_sentence *sentence = &work->sentences.items[order[i]];
        const struct cria_passage *passage = &work->run.passages[sentence->hit_n].passage;
        struct cria_citation *citation = &citations->items[citations->count++];
        struct cria_str quote = cut_quote(sentence->text);
        *citation = (struct cria_citation){
            .n = (uint32_t)(i + 1),
            .passage_id = ids[sentence->hit_n],
            .index_id = passage->index_id,
            .file_id = passage->file_id,
            .file_name = passage->file_name,
            .page_start = sentence->page_start,
            .page_end = sentence->page_end,
            .char_start = sentence->char_start,
            .char_end = sentence->char_start + cria_utf8_count(quote),
            .quote = quote,
            .support = CRIA_SUPPORT_QUOTED,
        };
        write_quote(text, citation);
    }
}

static void write_overview(const struct cria_extractive *work, struct cria_buf *text)
{
    const struct cria_tool_run *run = &work->run;
    cria_buf_add_z(text, "No language model is set up, so no summary or comparison can be written. "
                         "These files are there, with the parts that the search found:\n\n");
    for (size_t i = 0; i < run->files.count; i++) {
        struct cria_str last = {0};
        cria_buf_add(text, CRIA_STR("- "));
        cria_text_sanitize(text, run->files.items[i].display_name);
        cria_buf_add_char(text, '\n');
        for (size_t k = 0; k < run->passage_count; k++) {
            const struct cria_tool_passage *found = &run->passages[k];
            if (!cria_str_equal(found->passage.file_id, run->files.items[i].entry_id) ||
                found->heading.len == 0 || cria_str_equal(found->heading, last))
                continue;
            last = found->heading;
            cria_buf_add(text, CRIA_STR("  - "));
            cria_text_sanitize(text, found->heading);
            if (found->passage.page_start) cria_buf_add_char(text, ',');
            cria_pages_write(text, found->passage.page_start, found->passage.page_end);
            cria_buf_add_char(text, '\n');
        }
    }
    cria_buf_add_char(text, '\n');
}

static void write_refusal(const struct cria_extractive *work, struct cria_buf *text)
{
    const struct cria_tool_run *run = &work->run;
    cria_buf_add_z(text, "The documents do not seem to hold an answer to this question.");
    for (size_t i = 0; i < run->unknown_count && i < 12; i++) {
        cria_buf_add_z(text, i ? ", “" : "\n\nWords found nowhere in them: “");
        cria_text_sanitize(text, run->unknown_words[i]);
        cria_buf_add_z(text, "”");
    }
    if (run->unknown_count) cria_buf_add_char(text, '.');
    cria_buf_add_z(text, "\n\nNo language model is set up: only passages can be quoted, word for "
                         "word.\n\n");
}

enum cria_status cria_extractive_tell(struct cria_extractive *work, struct cria_evidence *evidence,
                                      struct cria_buf *json, struct cria_buf *text,
                                      struct cria_citations *citations)
{
    struct cria_arena *arena = work->run.call.arena;
    uint32_t *ids = CRIA_NEW_ARRAY(arena, work->run.passage_count, uint32_t);
    enum cria_grade grade = work->sentences.grade;
    bool has_quotes = grade != CRIA_GRADE_NONE && work->sentences.count > 0;
    *citations = (struct cria_citations){.grounding = CRIA_NOT_FOUND};
    citations->items = CRIA_NEW_ARRAY(evidence->arena, CRIA_QUOTES, struct cria_citation);
    if (!ids || !citations->items) return CRIA_E_NO_MEMORY;
    if (work->sentences.count > CRIA_QUOTES) work->sentences.count = CRIA_QUOTES;
    write_results(work, evidence, json, ids);

    if (work->wants_overview) {
        write_overview(work, text);
        if (has_quotes) cria_buf_add_z(text, "Passages quoted word for word:\n\n");
    } else if (!has_quotes) {
        write_refusal(work, text);
    } else {
        cria_buf_add_z(text, "No language model is set up: these are passages quoted word for "
                             "word, not a written answer.\n\n");
        if (grade == CRIA_GRADE_WEAK)
            cria_buf_add_z(text, "They are the closest ones found and may not answer the "
                                 "question.\n\n");
    }
    if (has_quotes) {
        write_quotes(work, ids, text, citations);
        citations->grounding =
            grade == CRIA_GRADE_STRONG && !work->wants_overview ? CRIA_ANSWERED : CRIA_PARTIAL;
    }
    while (text->len && text->ptr[text->len - 1] == '\n') text->len--;
    return text->failed || json->failed ? CRIA_E_NO_MEMORY : CRIA_OK;
}
