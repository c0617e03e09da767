#include "http/multipart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "platform/crypto.h"

enum {
    BOUNDARY_BYTES = 200,
    BLANK_BYTES = 64, /* that may follow a boundary */
    PART_HEADER_BYTES = 8192,
    FORM_MEMORY = 4 << 20
};

enum state { PREAMBLE, HEADERS, DATA, AFTER_BOUNDARY, EPILOGUE };

struct cria_multipart {
    struct cria_arena *arena;
    const char *spool_dir;
    enum state state;
    char delimiter[BOUNDARY_BYTES + 8]; /* CRLF -- boundary */
    size_t delimiter_len;
    struct cria_buf window; /* bytes not yet understood */
    struct cria_part parts[CRIA_PART_COUNT];
    struct cria_buf memory[CRIA_PART_COUNT]; /* of a part, what is not (yet) in its file */
    struct cria_sha256 hashes[CRIA_PART_COUNT];
    size_t count;
    size_t in_memory;
};

struct cria_str cria_multipart_boundary(struct cria_str content_type, bool *is_multipart)
{
    struct cria_str type, parameter, name;
    bool more = cria_str_cut(&content_type, ';', &type);
    *is_multipart = cria_str_equal_nocase(cria_str_trim(type), CRIA_STR("multipart/form-data"));
    while (*is_multipart && more) {
        more = cria_str_cut(&content_type, ';', &parameter);
        cria_str_cut(&parameter, '=', &name);
        if (!cria_str_equal_nocase(cria_str_trim(name), CRIA_STR("boundary"))) continue;
        parameter = cria_str_trim(parameter);
        if (parameter.len >= 2 && parameter.ptr[0] == '"' &&
            parameter.ptr[parameter.len - 1] == '"')
            parameter = cria_str_sub(parameter, 1, parameter.len - 2);
        if (parameter.len == 0 || parameter.len > BOUNDARY_BYTES) break;
        return parameter;
    }
    return (struct cria_str){0};
}

struct cria_multipart *cria_multipart_new(struct cria_arena *arena, struct cria_str boundary,
                                          const char *spool_dir)
{
    struct cria_multipart *form = calloc(1, sizeof(*form));
    if (!form) return NULL;
    form->arena = arena;
    form->spool_dir = spool_dir;
    memcpy(form->delimiter, "\r\n--", 4);
    memcpy(form->delimiter + 4, boundary.ptr, boundary.len);
    form->delimiter_len = 4 + boundary.len;
    cria_buf_init(&form->window, SIZE_MAX);
    cria_buf_add(&form->window,
                 CRIA_STR("\r\n")); /* so that the first boundary looks like the others */
    return form;
}

void cria_multipart_free(struct cria_multipart *form)
{
    if (!form) return;
    for (size_t i = 0; i < form->count; i++) {
        struct cria_part *part = &form->parts[i];
        if (part->spool_fd >= 0) close(part->spool_fd);
        if (part->spool_path && !part->spool_taken) unlink(part->spool_path);
        cria_buf_release(&form->memory[i]);
    }
    cria_buf_release(&form->window);
    free(form);
}

/* A token, or a quoted string in which a backslash escapes quotes and backslashes alone: browsers
 * send it raw before anything else. False: the closing quote is missing, or memory. */
static bool take_value(struct cria_arena *arena, struct cria_str *rest, struct cria_str *out)
{
    char *value = cria_arena_alloc(arena, rest->len + 1);
    bool is_quoted = rest->len && rest->ptr[0] == '"', is_closed = !is_quoted;
    size_t i = is_quoted, n = 0;
    if (!value) return false;
    for (; i < rest->len && !(is_quoted && is_closed); i++) {
        char c = rest->ptr[i];
        if (!is_quoted && c == ';') break;
        is_closed = !is_quoted || c == '"';
        if (is_quoted && is_closed) continue;
        if (is_quoted && c == '\\' && i + 1 < rest->len && strchr("\"\\", rest->ptr[i + 1]))
            c = rest->ptr[++i];
        value[n++] = c;
    }
    *out = cria_str_make(value, n);
    if (!is_quoted) *out = cria_str_trim(*out);
    *rest = cria_str_trim(cria_str_sub(*rest, i, rest->len));
    return is_closed;
}

/* form-data; name="…"; filename="…". Values are raw UTF-8. A parameter that comes twice is refused:
 * another reader might take the other one. */
static bool read_disposition(struct cria_arena *arena, struct cria_str line, struct cria_part *part)
{
    struct cria_str name, value;
    cria_str_cut(&line, ';', &name);
    while (line.len) {
        cria_str_cut(&line, '=', &name);
        name = cria_str_trim(name);
        line = cria_str_trim(line);
        if (!take_value(arena, &line, &value)) return false;
        if (line.len && line.ptr[0] != ';') return false;
        line = cria_str_sub(line, 1, line.len);
        struct cria_str *slot = cria_str_equal_nocase(name, CRIA_STR("name")) ? &part->name
                                : cria_str_equal_nocase(name, CRIA_STR("filename"))
                                    ? &part->file_name
                                    : NULL;
        if (slot && slot->ptr) return false;
        if (slot) *slot = value;
    }
    return true;
}

/* A NUL or a bare CR would end the value early for some later reader. */
static bool has_control(struct cria_str line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) return true;
    }
    return false;
}

static enum cria_status read_part_headers(struct cria_multipart *form, struct cria_call *call,
                                          struct cria_str headers)
{
    struct cria_part *part = &form->parts[form->count - 1];
    bool is_good = true;
    while (headers.len && is_good) {
        struct cria_str line, name;
        cria_str_cut(&headers, '\n', &line);
        line = cria_str_trim(line);
        if (line.len == 0) continue;
        if (has_control(line) || !cria_str_cut(&line, ':', &name))
            return cria_fail(call, CRIA_E_BAD_REQUEST, "A part of the form has a broken header");
        if (cria_str_equal_nocase(name, CRIA_STR("content-type"))) {
            part->content_type = cria_arena_copy(form->arena, cria_str_trim(line));
        } else if (cria_str_equal_nocase(name, CRIA_STR("content-disposition"))) {
            is_good = read_disposition(form->arena, line, part);
        }
    }
    if (form->arena->failed) return cria_fail_memory(call);
    if (!is_good)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "A part of the form has a broken header");
    if (!part->name.ptr)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "A part of the form has no name");
    return CRIA_OK;
}

static enum cria_status begin_part(struct cria_multipart *form, struct cria_call *call)
{
    if (form->count == CRIA_PART_COUNT)
        return cria_fail(call, CRIA_E_BAD_REQUEST, "A form has at most %d parts", CRIA_PART_COUNT);
    form->parts[form->count] = (struct cria_part){.spool_fd = -1};
    cria_sha256_init(&form->hashes[form->count]);
    cria_buf_init(&form->memory[form->count], SIZE_MAX);
    form->count++;
    return CRIA_OK;
}

static enum cria_status take_data(struct cria_multipart *form, struct cria_call *call,
                                  struct cria_str bytes)
{
    struct cria_part *part = &form->parts[form->count - 1];
    struct cria_buf *memory = &form->memory[form->count - 1];
    part->size_bytes += bytes.len;
    form->in_memory += bytes.len;
    cria_buf_add(memory, bytes);
    if (memory->failed) return cria_fail_memory(call);
    if (form->in_memory > FORM_MEMORY)
        return cria_fail(call, CRIA_E_TOO_LARGE, "The fields of the form are too large");
    return CRIA_OK;
}

/* Looks at the window once; *progress tells whether it is worth looking again. */
static enum cria_status step(struct cria_multipart *form, struct cria_call *call, bool *progress)
{
    struct cria_str window = cria_buf_str(&form->window),
                    delimiter = cria_str_make(form->delimiter, form->delimiter_len);
    size_t at;
    *progress = false;
    switch (form->state) {
    case PREAMBLE:
    case DATA:
        at = cria_str_find(window, delimiter);
        size_t keep = form->delimiter_len - 1;
        size_t have = at != SIZE_MAX ? at : window.len > keep ? window.len - keep : 0;
        enum cria_status st =
            form->state == DATA ? take_data(form, call, cria_str_sub(window, 0, have)) : CRIA_OK;
        if (st != CRIA_OK) return st;
        cria_buf_drop(&form->window, at != SIZE_MAX ? at + form->delimiter_len : have);
        if (at == SIZE_MAX) return CRIA_OK;
        form->state = AFTER_BOUNDARY;
        *progress = true;
        return CRIA_OK;
    case AFTER_BOUNDARY:
        if (window.len < 2) return CRIA_OK;
        *progress = true;
        if (cria_str_starts(window, "--")) {
            form->state = EPILOGUE;
            return CRIA_OK;
        }
        at = cria_str_find(window, CRIA_STR("\r\n"));
        if (at <= BLANK_BYTES && cria_str_trim(cria_str_sub(window, 0, at)).len == 0) {
            cria_buf_drop(
                &form->window,
                at); /* the CRLF stays: headers end with an empty line, even the first one */
            form->state = HEADERS;
            return begin_part(form, call);
        }
        *progress = false;
        if (at != SIZE_MAX || window.len > BLANK_BYTES + 1)
            return cria_fail(call, CRIA_E_BAD_REQUEST,
                             "The form's boundary is followed by something else");
        return CRIA_OK;
    case HEADERS:
        at = cria_str_find(window, CRIA_STR("\r\n\r\n"));
        if (at == SIZE_MAX && window.len <= PART_HEADER_BYTES + 3) return CRIA_OK;
        if (at > PART_HEADER_BYTES)
            return cria_fail(call, CRIA_E_BAD_REQUEST, "A part of the form has too long a header");
        st = read_part_headers(form, call, cria_str_sub(window, 0, at));
        if (st != CRIA_OK) return st;
        cria_buf_drop(&form->window, at + 4);
        form->state = DATA;
        *progress = true;
        return CRIA_OK;
    case EPILOGUE: cria_buf_clear(&form->window); return CRIA_OK;
    }
    return CRIA_OK;
}

enum cria_status cria_multipart_add(struct cria_multipart *form, struct cria_call *call,
                                    struct cria_str bytes)
{
    bool progress = true;
    cria_buf_add(&form->window, bytes);
    if (form->window.failed) return cria_fail_memory(call);
    while (progress) {
        enum cria_status st = step(form, call, &progress);
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}

bool cria_multipart_wants_flush(const struct cria_multipart *form)
{
    return form->count && form->memory[form->count - 1].len >= CRIA_PART_MEMORY;
}

static enum cria_status open_spool(struct cria_multipart *form, struct cria_call *call,
                                   struct cria_part *part)
{
    char id[CRIA_ID_SIZE];
    cria_id_new("upload-", id);
    struct cria_str path = cria_arena_printf(form->arena, "%s/%s", form->spool_dir, id);
    if (!path.ptr) return cria_fail_memory(call);
    part->spool_fd = open(path.ptr, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (part->spool_fd < 0)
        return errno == ENOSPC
                   ? cria_fail(call, CRIA_E_NO_SPACE, "The disk is full: the upload was not taken")
                   : cria_fail(call, CRIA_E_IO, "The upload could not be stored");
    part->spool_path = path.ptr;
    return CRIA_OK;
}

static enum cria_status write_part(struct cria_multipart *form, struct cria_call *call, size_t n)
{
    struct cria_part *part = &form->parts[n];
    struct cria_str bytes = cria_buf_str(&form->memory[n]);
    enum cria_status st = part->spool_fd < 0 ? open_spool(form, call, part) : CRIA_OK;
    if (st != CRIA_OK) return st;
    cria_sha256_add(&form->hashes[n], bytes);
    form->in_memory -= bytes.len;
    while (bytes.len) {
        ssize_t done =
            cria_fault_fires(CRIA_FAULT_FILE) ? -1 : write(part->spool_fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0)
            return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                       ? cria_fail(call, CRIA_E_NO_SPACE,
                                   "The disk is full: the upload was not taken")
                       : cria_fail(call, CRIA_E_IO, "The upload could not be stored");
        bytes = cria_str_sub(bytes, (size_t)done, bytes.len);
    }
    cria_buf_clear(&form->memory[n]);
    return CRIA_OK;
}

enum cria_status cria_multipart_flush(struct cria_multipart *form, struct cria_call *call)
{
    for (size_t i = 0; i < form->count; i++) {
        bool is_large = form->memory[i].len >= CRIA_PART_MEMORY ||
                        (form->parts[i].spool_fd >= 0 && form->memory[i].len);
        enum cria_status st = is_large ? write_part(form, call, i) : CRIA_OK;
        if (st != CRIA_OK) return st;
    }
    return CRIA_OK;
}

enum cria_status cria_multipart_finish(struct cria_multipart *form, struct cria_call *call,
                                       struct cria_part **parts, size_t *count)
{
    if (form->state != EPILOGUE)
        return cria_fail(call, CRIA_E_BAD_REQUEST,
                         "The form is cut off: its last boundary is missing");
    enum cria_status st = cria_multipart_flush(form, call);
    if (st != CRIA_OK) return st;
    for (size_t i = 0; i < form->count; i++) {
        struct cria_part *part = &form->parts[i];
        if (part->spool_fd >= 0) {
            lseek(part->spool_fd, 0, SEEK_SET);
        } else {
            part->value = cria_buf_str(&form->memory[i]);
            if (!part->value.ptr) part->value = CRIA_STR("");
            cria_sha256_add(&form->hashes[i], part->value);
        }
        cria_sha256_finish_hex(&form->hashes[i], part->sha256);
    }
    *parts = form->parts;
    *count = form->count;
    return CRIA_OK;
}
