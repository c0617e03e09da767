#include "parser/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/frame.h"
#include "platform/sandbox.h"

enum { EXIT_BAD = 1, EXIT_USAGE = 64, EXIT_PIPE = 74, EXIT_SANDBOX = 71, MIB = 1 << 20 };

struct settings {
    uint64_t memory_mib, cpu_seconds;
    const char *file; /* NULL: serve the pipes */
    bool wants_outline;
};

/* Reads exactly so many bytes; false at the end of the input or an error. */
static bool read_all(int fd, void *out, size_t bytes, size_t *got)
{
    *got = 0;
    while (*got < bytes) {
        ssize_t n = read(fd, (char *)out + *got, bytes - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        *got += (size_t)n;
    }
    return true;
}

static bool write_all(void *arg, struct cria_str bytes)
{
    (void)arg;
    while (bytes.len) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = cria_str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static size_t arena_bytes(const struct settings *settings)
{
    return (size_t)(settings->memory_mib ? settings->memory_mib * MIB : SIZE_MAX);
}

static void read_document(const struct cria_child *child, const struct cria_source *source,
                          struct cria_doc *doc)
{
    child->read(source, doc);
    if (cria_doc_ok(doc) && doc->arena.failed)
        cria_doc_fail(doc, CRIA_DOC_NO_MEMORY, "the document needs too much memory to read");
}

/* Reads a request and answers it. */
static int answer_one(const struct cria_child *child, const struct settings *settings)
{
    unsigned char head_bytes[CRIA_REQUEST_HEAD_BYTES];
    struct cria_request_head head;
    struct cria_doc doc;
    size_t got;
    if (!read_all(STDIN_FILENO, head_bytes, sizeof(head_bytes), &got))
        return got == 0 ? -1 : EXIT_PIPE;
    if (!cria_request_read_head(head_bytes, &head)) {
        fprintf(stderr, "%s: not a request\n", child->name);
        return EXIT_PIPE;
    }
    int code = 0;
    size_t labels = (size_t)head.name_bytes + head.type_bytes + head.options_bytes;
    size_t all = labels + (size_t)head.document_bytes;
    char *bytes = malloc(all ? all : 1);
    cria_doc_init(&doc, arena_bytes(settings));
    if (!bytes) {
        /* The document cannot be taken in, so nothing that follows it can. */
        cria_doc_fail(&doc, CRIA_DOC_TOO_LARGE, "the document needs too much memory to read");
        code = EXIT_BAD;
    } else if (read_all(STDIN_FILENO, bytes, all, &got)) {
        struct cria_source source = {
            .name = {bytes, head.name_bytes},
            .media_type = {bytes + head.name_bytes, head.type_bytes},
            .options = {bytes + head.name_bytes + head.type_bytes, head.options_bytes},
            .bytes = {bytes + labels, (size_t)head.document_bytes},
            .wants_pictures = head.wants_pictures,
        };
        read_document(child, &source, &doc);
    } else {
        code = EXIT_PIPE;
    }
    if (code != EXIT_PIPE && !cria_doc_write(&doc, write_all, NULL)) code = EXIT_PIPE;
    cria_doc_release(&doc);
    free(bytes);
    return code;
}

static char *read_file(const char *path, size_t *size)
{
    struct stat status;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        bytes = malloc((size_t)status.st_size + 1);
        if (bytes && !read_all(fd, bytes, (size_t)status.st_size, size) && *size == 0 &&
            status.st_size > 0) {
            free(bytes);
            bytes = NULL;
        }
    }
    close(fd);
    return bytes;
}

static void print_outline(const struct cria_doc *doc)
{
    printf("format: %s\ntitle: %.*s\nbytes: %zu\n", doc->format,
           CRIA_STR_ARG(cria_buf_str(&doc->title)), doc->text.len);
    for (size_t i = 0; i < doc->page_count; i++)
        printf("page %u [%s] at %zu\n", doc->pages[i].number, doc->pages[i].label,
               doc->pages[i].start);
    for (size_t i = 0; i < doc->heading_count; i++) {
        const struct cria_doc_heading *heading = &doc->headings[i];
        printf("heading %u at %zu: %.*s\n", heading->level, heading->start,
               (int)(heading->end - heading->start), doc->text.ptr + heading->start);
    }
}

/* For people: prints the text of one file. */
static int show(const struct cria_child *child, const struct settings *settings, const char *bytes,
                size_t size)
{
    struct cria_doc doc;
    const char *name = strrchr(settings->file, '/');
    struct cria_source source = {.name = cria_str_from(name ? name + 1 : settings->file),
                                 .bytes = {bytes, size}};
    cria_doc_init(&doc, arena_bytes(settings));
    read_document(child, &source, &doc);
    bool is_ok = cria_doc_ok(&doc);
    if (!is_ok)
        fprintf(stderr, "%s: %s (%s)\n", child->name, doc.sentence, cria_doc_error_word(doc.error));
    else if (settings->wants_outline)
        print_outline(&doc);
    else
        write_all(NULL, cria_buf_str(&doc.text));
    fflush(stdout);
    cria_doc_release(&doc);
    return is_ok ? 0 : EXIT_BAD;
}

static bool read_settings(int argc, char **argv, struct settings *out)
{
    for (int i = 1; i < argc; i++) {
        struct cria_str name = cria_str_from(argv[i]);
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        int64_t number = 0;
        bool is_number = value && cria_str_to_int64(cria_str_from(value), &number) && number >= 0;
        if (cria_str_is(name, "--memory-mib") && is_number)
            out->memory_mib = (uint64_t)number;
        else if (cria_str_is(name, "--cpu-seconds") && is_number)
            out->cpu_seconds = (uint64_t)number;
        else if (value && (cria_str_is(name, "--text") || cria_str_is(name, "--outline"))) {
            out->file = value;
            out->wants_outline = cria_str_is(name, "--outline");
        } else
            return false;
    }
    return true;
}

static bool lock_down(const struct cria_child *child, const struct settings *settings)
{
    struct stat status;
    struct cria_sandbox_options options = {
        .memory_bytes = settings->memory_mib * MIB,
        .cpu_seconds = (uint32_t)settings->cpu_seconds,
        .may_write_to_files =
            settings->file && fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode),
        .read_folder = child->read_folder,
    };
    if (child->prepare) child->prepare();
    return cria_sandbox_enter(&options) != 0;
}

int cria_child_main(int argc, char **argv, const struct cria_child *child)
{
    struct settings settings = {.memory_mib = 1024, .cpu_seconds = 60};
    char *bytes = NULL;
    size_t size = 0;
    int code = 0;
    if (!read_settings(argc, argv, &settings)) {
        fprintf(stderr,
                "usage: %s [--memory-mib N] [--cpu-seconds N] [--text FILE | --outline FILE]\n"
                "Without a file it answers requests on its standard input; see frame.h.\n",
                child->name);
        return EXIT_USAGE;
    }
    if (settings.file && !(bytes = read_file(settings.file, &size))) {
        fprintf(stderr, "%s: %s cannot be read\n", child->name, settings.file);
        return EXIT_USAGE;
    }
    if (!lock_down(child, &settings)) {
        fprintf(stderr, "%s: the sandbox cannot be entered\n", child->name);
        free(bytes);
        return EXIT_SANDBOX;
    }
    if (settings.file) {
        code = show(child, &settings, bytes, size);
        free(bytes);
    } else {
        for (unsigned n = 0; code == 0 && (child->max_documents == 0 || n < child->max_documents);
             n++)
            code = answer_one(child, &settings);
        if (code < 0) code = 0; /* the input ended between two requests */
    }
    /* No exit handlers: libraries would look for files that are out of reach now. */
    _exit(code);
}
