#include "ingest/parser_host.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "parser/frame.h"
#include "platform/clock.h"
#include "platform/process.h"

enum {
    TIMEOUT_MS = 120000,
    POLL_MS = 100, /* how often a cancel is looked at */
    MIB = 1 << 20,
    IDLE_MAX = 16,
    /* A child is replaced after so much work: what leaks in a library stays small. */
    CHILD_MAX_DOCUMENTS = 256,
    CHILD_MAX_BYTES = 64 * MIB,
    CHUNK_BYTES = 1 << 16,
    HEAD_BYTES = 1024,
    MESSAGE_BYTES = 400,
    MARKS_MAX = 1 << 20, /* pages, headings */
    END_GRACE_MS = 200
};
#define OUTPUT_BYTES ((uint64_t)256 * MIB)
#define PICTURES_BYTES ((uint64_t)512 * MIB)
#define MEMORY_BYTES ((uint64_t)1024 * MIB)

enum program { PARSE, PDF };
static const char *const program_names[] = {"cria-parse", "cria-pdf"};

struct child {
    struct cria_process process;
    unsigned documents;
    uint64_t bytes;
};

struct cria_parser_host {
    char *paths[2];
    char memory_mib[24], cpu_seconds[24];
    uint32_t timeout_ms;
    uint64_t output_bytes;
    pthread_mutex_t lock;
    struct child idle[IDLE_MAX]; /* of cria-parse; cria-pdf reads one document and ends */
    size_t idle_count;
};

/* ---- the host */

enum cria_status cria_parser_host_new(const struct cria_parser_host_options *options,
                                      struct cria_call *call, struct cria_parser_host **out)
{
    struct cria_parser_host *host = calloc(1, sizeof(*host));
    struct cria_str folder = cria_str_from(options->folder);
    if (!host) return cria_fail_memory(call);
    pthread_mutex_init(&host->lock, NULL);
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/') folder.len--;
    for (int i = 0; i < 2; i++) {
        struct cria_str path =
            cria_arena_printf(call->arena, "%.*s/%s", CRIA_STR_ARG(folder), program_names[i]);
        host->paths[i] = path.ptr ? strdup(path.ptr) : NULL;
        if (!host->paths[i]) {
            cria_parser_host_free(host);
            return cria_fail_memory(call);
        }
    }
    host->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    host->output_bytes = options->output_bytes ? options->output_bytes : OUTPUT_BYTES;
    uint64_t memory = options->memory_bytes ? options->memory_bytes : MEMORY_BYTES;
    snprintf(host->memory_mib, sizeof(host->memory_mib), "%llu",
             (unsigned long long)(memory / MIB ? memory / MIB : 1));
    /* The wall clock is the limit; that of the processor only ends what has escaped us. */
    snprintf(host->cpu_seconds, sizeof(host->cpu_seconds), "%u", 2 * (host->timeout_ms / 1000 + 1));
    *out = host;
    return CRIA_OK;
}

void cria_parser_host_free(struct cria_parser_host *host)
{
    if (!host) return;
    for (size_t i = 0; i < host->idle_count; i++)
        cria_process_end(&host->idle[i].process, END_GRACE_MS);
    for (int i = 0; i < 2; i++) free(host->paths[i]);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

static bool take_idle(struct cria_parser_host *host, struct child *out)
{
    pthread_mutex_lock(&host->lock);
    bool found = host->idle_count > 0;
    if (found) *out = host->idle[--host->idle_count];
    pthread_mutex_unlock(&host->lock);
    return found;
}

static void give_back(struct cria_parser_host *host, struct child *child)
{
    bool kept = false;
    pthread_mutex_lock(&host->lock);
    if (child->documents < CHILD_MAX_DOCUMENTS && child->bytes < CHILD_MAX_BYTES &&
        host->idle_count < IDLE_MAX) {
        host->idle[host->idle_count++] = *child;
        kept = true;
    }
    pthread_mutex_unlock(&host->lock);
    if (!kept) cria_process_end(&child->process, END_GRACE_MS);
}

static enum cria_status start_child(struct cria_parser_host *host, struct cria_call *call,
                                    enum program program, struct child *out)
{
    const char *const argv[] = {program_names[program], "--memory-mib",    host->memory_mib,
                                "--cpu-seconds",        host->cpu_seconds, NULL};
    static const char *const env[] = {"LC_ALL=C.UTF-8", NULL};
    *out = (struct child){.process = CRIA_PROCESS_NONE};
    enum cria_status st = cria_process_start(call, host->paths[program], argv, env, &out->process);
    if (st == CRIA_E_NOT_FOUND)
        return cria_fail(call, CRIA_E_UNAVAILABLE, "The program %s is not installed",
                         program_names[program]);
    return st;
}

/* ---- one conversation */

struct talk {
    struct cria_parser_host *host;
    struct cria_call *call;
    const struct cria_parser_input *input;
    struct child *child;
    uint64_t deadline_ns;

    /* What goes out: the labels, then the document in chunks. */
    struct cria_buf outgoing;
    size_t sent;
    uint64_t document_at;

    /* What comes in. */
    struct cria_buf incoming, text, picture;
    uint32_t picture_page; /* 0: none is open */
    uint64_t picture_bytes;
    struct cria_parsed_page *pages;
    struct cria_parsed_heading *headings;
    size_t page_count, page_capacity, heading_count, heading_capacity;
    struct cria_str title, format;
    bool is_started, is_done, is_gone; /* gone: the child closed its output */
    enum cria_status verdict;          /* of an ERROR frame */

    char messages[MESSAGE_BYTES];
    size_t message_len;
};

static enum cria_status fail_nonsense(struct talk *talk)
{
    return cria_fail(talk->call, CRIA_E_IO, "The parser gave an answer that makes no sense");
}

/* Fills `outgoing` again once it is sent; nothing is left when it stays empty. */
static enum cria_status refill(struct talk *talk)
{
    const struct cria_parser_input *input = talk->input;
    uint64_t left = input->size_bytes - talk->document_at;
    size_t want = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    talk->sent = 0;
    cria_buf_clear(&talk->outgoing);
    if (want == 0) return CRIA_OK;
    if (input->fd < 0) {
        cria_buf_add(&talk->outgoing, cria_str_sub(input->bytes, (size_t)talk->document_at, want));
    } else if (cria_buf_reserve(&talk->outgoing, want)) {
        ssize_t got;
        do got = pread(input->fd, talk->outgoing.ptr, want, (off_t)talk->document_at);
        while (got < 0 && errno == EINTR);
        if (got <= 0) return cria_fail(talk->call, CRIA_E_IO, "The stored file could not be read");
        talk->outgoing.len = want = (size_t)got;
    }
    talk->document_at += want;
    return talk->outgoing.failed ? cria_fail_memory(talk->call) : CRIA_OK;
}

static enum cria_status send_some(struct talk *talk)
{
    while (talk->sent < talk->outgoing.len) {
        ssize_t n = write(talk->child->process.input, talk->outgoing.ptr + talk->sent,
                          talk->outgoing.len - talk->sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return CRIA_OK;
        if (n < 0) {
            /* It may have answered already and ended; what it wrote tells. */
            cria_buf_clear(&talk->outgoing);
            talk->sent = 0;
            talk->document_at = talk->input->size_bytes;
            return CRIA_OK;
        }
        talk->sent += (size_t)n;
        if (talk->sent == talk->outgoing.len) {
            enum cria_status st = refill(talk);
            if (st != CRIA_OK) return st;
        }
    }
    return CRIA_OK;
}

static void *grown(void *items, size_t count, size_t *capacity, size_t each)
{
    if (count < *capacity) return items;
    size_t want = *capacity ? *capacity * 2 : 32;
    void *more = want <= MARKS_MAX ? realloc(items, want * each) : NULL;
    if (more) *capacity = want;
    return more;
}

static enum cria_status take_page(struct talk *talk, const struct cria_frame *frame)
{
    if (frame->number == 0 ||
        (talk->page_count && frame->number <= talk->pages[talk->page_count - 1].number) ||
        talk->heading_count)
        return fail_nonsense(talk);
    struct cria_parsed_page *pages =
        grown(talk->pages, talk->page_count, &talk->page_capacity, sizeof(*pages));
    if (!pages) return cria_fail_memory(talk->call);
    talk->pages = pages;
    pages[talk->page_count++] =
        (struct cria_parsed_page){.number = frame->number, .byte_start = talk->text.len};
    return CRIA_OK;
}

static bool is_border(struct cria_str text, uint64_t at)
{
    return at == text.len || (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) != 0x80);
}

static enum cria_status take_heading(struct talk *talk, const struct cria_frame *frame)
{
    struct cria_str text = cria_buf_str(&talk->text);
    uint64_t floor = talk->heading_count ? talk->headings[talk->heading_count - 1].byte_end : 0;
    if (frame->number < 1 || frame->number > 6 || frame->start >= frame->end ||
        frame->start < floor || !is_border(text, frame->start) || !is_border(text, frame->end))
        return fail_nonsense(talk);
    struct cria_parsed_heading *headings =
        grown(talk->headings, talk->heading_count, &talk->heading_capacity, sizeof(*headings));
    if (!headings) return cria_fail_memory(talk->call);
    talk->headings = headings;
    headings[talk->heading_count++] = (struct cria_parsed_heading){
        .level = frame->number, .byte_start = (size_t)frame->start, .byte_end = (size_t)frame->end};
    return CRIA_OK;
}

static enum cria_status take_text(struct talk *talk, struct cria_str text)
{
    if (talk->heading_count) return fail_nonsense(talk);
    if (talk->text.len + text.len > talk->host->output_bytes)
        return cria_fail(talk->call, CRIA_E_BAD_REQUEST,
                         "the document has more than %llu bytes of text",
                         (unsigned long long)talk->host->output_bytes);
    cria_buf_add(&talk->text, text);
    return talk->text.failed ? cria_fail_memory(talk->call) : CRIA_OK;
}

static enum cria_status take_picture(struct talk *talk, const struct cria_frame *frame)
{
    const struct cria_parser_input *input = talk->input;
    talk->picture_bytes += frame->text.len;
    if (!input->take_picture || frame->number == 0 ||
        (talk->picture_page && talk->picture_page != frame->number) ||
        talk->picture_bytes > PICTURES_BYTES)
        return fail_nonsense(talk);
    talk->picture_page = frame->number;
    cria_buf_add(&talk->picture, frame->text);
    if (talk->picture.failed) return fail_nonsense(talk);
    if (!frame->is_last) return CRIA_OK;
    struct cria_str jpeg = cria_buf_str(&talk->picture);
    if (!cria_str_starts(jpeg, "\xFF\xD8\xFF")) return fail_nonsense(talk);
    enum cria_status st = input->take_picture(input->take_arg, talk->call, frame->number, jpeg);
    talk->picture_page = 0;
    cria_buf_clear(&talk->picture);
    return st;
}

static enum cria_status take_frame(struct talk *talk, const struct cria_frame *frame)
{
    if (talk->is_done || talk->is_started != (frame->kind != CRIA_FRAME_START))
        return fail_nonsense(talk);
    switch (frame->kind) {
    case CRIA_FRAME_START:
        talk->is_started = true;
        if (frame->number != CRIA_FRAME_VERSION)
            return cria_fail(talk->call, CRIA_E_UNAVAILABLE,
                             "The parser programs are of another version than the server");
        talk->format = cria_arena_copy(talk->call->arena, frame->text);
        return talk->format.ptr ? CRIA_OK : cria_fail_memory(talk->call);
    case CRIA_FRAME_TEXT: return take_text(talk, frame->text);
    case CRIA_FRAME_PAGE: return take_page(talk, frame);
    case CRIA_FRAME_HEADING: return take_heading(talk, frame);
    case CRIA_FRAME_TITLE:
        if (talk->title.ptr) return fail_nonsense(talk);
        talk->title = cria_arena_copy(talk->call->arena, frame->text);
        return talk->title.ptr ? CRIA_OK : cria_fail_memory(talk->call);
    case CRIA_FRAME_PICTURE: return take_picture(talk, frame);
    case CRIA_FRAME_ERROR:
        talk->is_done = true;
        talk->verdict =
            cria_fail(talk->call, CRIA_E_BAD_REQUEST, "%.*s",
                      CRIA_STR_ARG(frame->text.len ? frame->text : CRIA_STR("it cannot be read")));
        return CRIA_OK;
    case CRIA_FRAME_END:
        talk->is_done = true;
        return frame->start == talk->text.len ? CRIA_OK : fail_nonsense(talk);
    }
    return fail_nonsense(talk);
}

static enum cria_status take_frames(struct talk *talk)
{
    struct cria_str bytes = cria_buf_str(&talk->incoming);
    struct cria_frame frame;
    enum cria_status st = CRIA_OK;
    enum cria_frame_verdict verdict = CRIA_FRAME_MORE;
    while (st == CRIA_OK && (verdict = cria_frame_read(&bytes, &frame)) == CRIA_FRAME_WHOLE)
        st = take_frame(talk, &frame);
    if (st != CRIA_OK) return st;
    if (verdict == CRIA_FRAME_BAD || (talk->is_done && bytes.len)) return fail_nonsense(talk);
    cria_buf_drop(&talk->incoming, talk->incoming.len - bytes.len);
    return CRIA_OK;
}

static enum cria_status receive_some(struct talk *talk)
{
    for (;;) {
        if (!cria_buf_reserve(&talk->incoming, CHUNK_BYTES)) return cria_fail_memory(talk->call);
        ssize_t n =
            read(talk->child->process.output, talk->incoming.ptr + talk->incoming.len, CHUNK_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return CRIA_OK;
        if (n <= 0) {
            talk->is_gone = true;
            return CRIA_OK;
        }
        talk->incoming.len += (size_t)n;
        enum cria_status st = take_frames(talk);
        if (st != CRIA_OK || talk->is_done) return st;
    }
}

/* What it says on its standard error is for our log; all of it is read so that it never waits. */
static bool hear_messages(struct talk *talk)
{
    char bytes[512];
    ssize_t n;
    while ((n = read(talk->child->process.messages, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n && talk->message_len < MESSAGE_BYTES - 1; i++) {
            unsigned char c = (unsigned char)bytes[i];
            talk->messages[talk->message_len++] = c >= ' ' && c < 0x7F ? bytes[i] : ' ';
        }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static enum cria_status check_time(struct talk *talk)
{
    uint64_t now = cria_now_ns();
    if (talk->call->cancelled && atomic_load(talk->call->cancelled))
        return cria_fail(talk->call, CRIA_E_CANCELLED, "The work was cancelled");
    if (now >= talk->deadline_ns || cria_call_stopped(talk->call, now))
        return cria_fail(talk->call, CRIA_E_TIMEOUT,
                         "the document took longer than %u seconds to read",
                         talk->host->timeout_ms / 1000);
    return CRIA_OK;
}

static enum cria_status exchange(struct talk *talk)
{
    struct cria_process *process = &talk->child->process;
    bool hears = true;
    enum cria_status st = CRIA_OK;
    while (st == CRIA_OK && !talk->is_done && !talk->is_gone) {
        struct pollfd fds[3] = {
            {.fd = process->output, .events = POLLIN},
            {.fd = talk->outgoing.len ? process->input : -1, .events = POLLOUT},
            {.fd = hears ? process->messages : -1, .events = POLLIN},
        };
        st = check_time(talk);
        if (st != CRIA_OK) break;
        if (poll(fds, 3, POLL_MS) <= 0) continue;
        if (fds[2].revents) hears = hear_messages(talk);
        if (fds[1].revents) st = send_some(talk);
        if (st == CRIA_OK && fds[0].revents) st = receive_some(talk);
    }
    if (hears) hear_messages(talk);
    return st;
}

/* ---- the result */

/* Code point offsets, one walk over the text for each list. */
static void count_chars(struct talk *talk, struct cria_parsed *out)
{
    struct cria_str text = cria_buf_str(&talk->text);
    size_t at = 0, chars = 0;
    for (size_t i = 0; i < talk->page_count; i++) {
        struct cria_parsed_page *page = &talk->pages[i];
        chars += cria_utf8_count(cria_str_sub(text, at, page->byte_start - at));
        at = page->byte_start;
        page->char_start = chars;
    }
    out->char_count = chars + cria_utf8_count(cria_str_sub(text, at, text.len));
    at = chars = 0;
    for (size_t i = 0; i < talk->heading_count; i++) {
        struct cria_parsed_heading *heading = &talk->headings[i];
        chars += cria_utf8_count(cria_str_sub(text, at, heading->byte_start - at));
        heading->char_start = chars;
        chars += cria_utf8_count(
            cria_str_sub(text, heading->byte_start, heading->byte_end - heading->byte_start));
        heading->char_end = chars;
        at = heading->byte_end;
    }
}

static enum cria_status keep(struct talk *talk, struct cria_parsed *out)
{
    struct cria_arena *arena = talk->call->arena;
    count_chars(talk, out);
    out->text = cria_arena_copy(arena, cria_buf_str(&talk->text));
    out->title = talk->title;
    out->format = talk->format;
    out->has_pages = talk->page_count > 0;
    out->page_count = talk->page_count;
    out->heading_count = talk->heading_count;
    struct cria_parsed_page *pages =
        CRIA_NEW_ARRAY(arena, talk->page_count + 1, struct cria_parsed_page);
    struct cria_parsed_heading *headings =
        CRIA_NEW_ARRAY(arena, talk->heading_count + 1, struct cria_parsed_heading);
    if (!out->text.ptr || !pages || !headings)
        return cria_fail(talk->call, CRIA_E_BAD_REQUEST, "the document is too large to be indexed");
    if (talk->page_count) memcpy(pages, talk->pages, talk->page_count * sizeof(*pages));
    if (talk->heading_count)
        memcpy(headings, talk->headings, talk->heading_count * sizeof(*headings));
    out->pages = pages;
    out->headings = headings;
    return CRIA_OK;
}

static enum cria_status tell_death(struct talk *talk, struct cria_process_end end)
{
    if (talk->message_len)
        cria_log(CRIA_LOG_WARN, "parser.stopped", "signal=%d code=%d said=\"%.*s\"", end.signal,
                 end.code, (int)talk->message_len, talk->messages);
    if (end.signal == SIGXCPU)
        return cria_fail(talk->call, CRIA_E_TIMEOUT, "the document takes too much time to read");
    if (end.signal)
        return cria_fail(talk->call, CRIA_E_IO, "the parser stopped unexpectedly (signal %d)",
                         end.signal);
    return cria_fail(talk->call, CRIA_E_IO, "the parser stopped unexpectedly (exit code %d)",
                     end.code);
}

/* One document, one child. *is_dead: the child broke off before it said anything whole. */
static enum cria_status talk_with(struct cria_parser_host *host, struct cria_call *call,
                                  const struct cria_parser_input *input, enum program program,
                                  struct child *child, struct cria_parsed *out, bool *is_dead)
{
    struct talk talk = {.host = host,
                        .call = call,
                        .input = input,
                        .child = child,
                        .deadline_ns = cria_now_ns() + (uint64_t)host->timeout_ms * 1000000,
                        .verdict = CRIA_OK};
    const struct cria_request request = {input->file_name, input->media_type, input->options_json,
                                         input->size_bytes, input->take_picture != NULL};
    cria_buf_init(&talk.outgoing, 2 * MIB);
    cria_buf_init(&talk.incoming, 8 * CRIA_FRAME_MAX_BYTES);
    cria_buf_init(&talk.picture, 32 * MIB);
    cria_buf_init(&talk.text, (size_t)host->output_bytes + 1);
    cria_request_write(&talk.outgoing, &request);
    enum cria_status st = talk.outgoing.failed ? cria_fail_memory(call) : exchange(&talk);
    *is_dead = st == CRIA_OK && !talk.is_done;
    child->documents++;
    child->bytes += input->size_bytes;
    if (*is_dead) {
        st = tell_death(&talk, cria_process_end(&child->process, END_GRACE_MS));
    } else if (st == CRIA_OK && program == PARSE && talk.document_at == input->size_bytes &&
               talk.outgoing.len == 0) {
        give_back(host, child);
    } else {
        cria_process_end(&child->process, st == CRIA_OK ? END_GRACE_MS : 0);
    }
    if (st == CRIA_OK) st = talk.verdict;
    if (st == CRIA_OK) st = keep(&talk, out);
    cria_buf_release(&talk.outgoing);
    cria_buf_release(&talk.incoming);
    cria_buf_release(&talk.text);
    cria_buf_release(&talk.picture);
    free(talk.pages);
    free(talk.headings);
    return st;
}

/* By content: readers of PDF allow rubbish before the header, which only a file that is called a
 * PDF is believed to have. */
static enum program program_of(const struct cria_parser_input *input)
{
    char buffer[HEAD_BYTES];
    struct cria_str head = cria_str_sub(input->bytes, 0, HEAD_BYTES);
    if (input->fd >= 0) {
        ssize_t got = pread(input->fd, buffer, sizeof(buffer), 0);
        head = cria_str_make(buffer, got > 0 ? (size_t)got : 0);
    }
    if (cria_str_starts(head, "%PDF-")) return PDF;
    struct cria_str name = input->file_name;
    struct cria_str ending = cria_str_sub(name, name.len > 4 ? name.len - 4 : 0, 4);
    bool is_called_pdf = cria_str_equal_nocase(ending, CRIA_STR(".pdf")) ||
                         cria_str_starts(input->media_type, "application/pdf");
    return is_called_pdf && cria_str_find(head, CRIA_STR("%PDF-")) != SIZE_MAX ? PDF : PARSE;
}

enum cria_status cria_parser_host_parse(struct cria_parser_host *host, struct cria_call *call,
                                        const struct cria_parser_input *given,
                                        struct cria_parsed *out)
{
    struct cria_parser_input input = *given;
    struct child child;
    bool is_dead = false;
    if (input.fd < 0) input.size_bytes = input.bytes.len;
    enum program program = program_of(&input);
    enum cria_status st = CRIA_OK;
    *out = (struct cria_parsed){0};
    if (input.size_bytes > CRIA_REQUEST_MAX_DOCUMENT_BYTES)
        st = cria_fail(call, CRIA_E_BAD_REQUEST, "the file is too large to be indexed");
    bool is_reused = st == CRIA_OK && program == PARSE && take_idle(host, &child);
    if (st == CRIA_OK && !is_reused) st = start_child(host, call, program, &child);
    if (st == CRIA_OK) st = talk_with(host, call, &input, program, &child, out, &is_dead);
    /* What broke may be of the documents before this one: it gets a child of its own. */
    if (is_dead && is_reused) {
        st = start_child(host, call, program, &child);
        if (st == CRIA_OK) st = talk_with(host, call, &input, program, &child, out, &is_dead);
    }
    if (input.fd >= 0) close(input.fd);
    return st;
}
