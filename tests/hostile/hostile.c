/* hostile.c - stands in for cria-parse and cria-pdf and misbehaves as the document's text tells it:
 * "die", "hang", "talk", "lie start", … The tests of ingest/parser_host.c start it. With "escape"
 * it enters the sandbox first and tries what a taken-over parser would try; it names what it could
 * do. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/frame.h"
#include "platform/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static bool read_whole(void *out, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        ssize_t n = read(0, (char *)out + got, bytes - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

static void say(struct cria_buf *buf)
{
    struct cria_str rest = cria_buf_str(buf);
    while (rest.len) {
        ssize_t n = write(1, rest.ptr, rest.len);
        if (n <= 0) _exit(9);
        rest = cria_str_sub(rest, (size_t)n, rest.len);
    }
    cria_buf_clear(buf);
}

static void answer(struct cria_buf *out, const char *text)
{
    cria_frame_write_start(out, CRIA_STR("text"));
    cria_frame_write_text(out, cria_str_from(text));
    cria_frame_write_end(out, strlen(text));
    say(out);
}

static void *nothing(void *arg)
{
    return arg;
}

/* What got out is a line of the text; "locked in" when nothing did. */
static void escape(struct cria_buf *out, const char *folder)
{
    struct cria_sandbox_options options = {
        .memory_bytes = 256 << 20, .cpu_seconds = 5, .read_folder = folder};
    char found[600] = "";
    size_t n = 0;
    unsigned layers = cria_sandbox_enter(&options);
#define TRY(what, condition)                                                                    \
    do {                                                                                        \
        if (condition) n += (size_t)snprintf(found + n, sizeof(found) - n, "could " what "\n"); \
    } while (0)
    if (!layers) n += (size_t)snprintf(found, sizeof(found), "no layer\n");
    TRY("read /etc/passwd", open("/etc/passwd", O_RDONLY) >= 0);
    if (!folder) TRY("write a file", open("/tmp/cria-escaped", O_WRONLY | O_CREAT, 0600) >= 0);
    TRY("make a TCP socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    TRY("make a Unix socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    TRY("fork", fork() >= 0);
    pthread_t thread;
    TRY("start a thread", pthread_create(&thread, NULL, nothing, NULL) == 0);
#if !IS_SANITIZED /* their shadow memory needs more than any limit */
    TRY("take 1 GiB", malloc((size_t)1 << 30) != NULL);
#endif
    snprintf(found + n, sizeof(found) - n, "%s", n ? "" : "locked in");
    answer(out, found);
}

/* Calls that must end the process; the test looks at how it ended. */
static void deadly(const char *how)
{
    struct cria_sandbox_options options = {.memory_bytes = 256 << 20, .cpu_seconds = 2};
    if (strcmp(how, "write") == 0) options.read_folder = "/usr/share";
    pid_t parent = getppid();
    cria_sandbox_enter(&options);
    if (strcmp(how, "execve") == 0) execl("/bin/sh", "sh", "-c", "true", (char *)NULL);
    if (strcmp(how, "kill") == 0) kill(parent, SIGTERM);
    if (strcmp(how, "ptrace") == 0) ptrace(PTRACE_ATTACH, parent, NULL, NULL);
    if (strcmp(how, "code") == 0)
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (strcmp(how, "unlink") == 0) unlink("/tmp/cria-escaped");
    if (strcmp(how, "write") == 0) open("/usr/share/cria-escaped", O_WRONLY | O_CREAT, 0600);
    if (strcmp(how, "spin") == 0)
        for (volatile unsigned n = 0;; n++) {}
    _exit(0);
}

static void lie(struct cria_buf *out, const char *what)
{
    if (strcmp(what, "start") == 0) {
        cria_frame_write_text(out, CRIA_STR("no start"));
        cria_frame_write_end(out, 8);
    } else if (strcmp(what, "end") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_text(out, CRIA_STR("abc"));
        cria_frame_write_end(out, 4);
    } else if (strcmp(what, "utf8") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_buf_add(out, cria_str_make("\x02\x03\x00\x00\x00\xFF\xFE\xFD", 8));
        cria_frame_write_end(out, 3);
    } else if (strcmp(what, "heading") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_text(out, CRIA_STR("abc"));
        cria_frame_write_heading(out, 1, 1, 400);
        cria_frame_write_end(out, 3);
    } else if (strcmp(what, "border") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_text(out, CRIA_STR("\xC3\xA9\xC3\xA9"));
        cria_frame_write_heading(out, 1, 1, 3);
        cria_frame_write_end(out, 4);
    } else if (strcmp(what, "page") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_page(out, 2, CRIA_STR(""));
        cria_frame_write_page(out, 1, CRIA_STR(""));
        cria_frame_write_end(out, 0);
    } else if (strcmp(what, "version") == 0) {
        cria_buf_add(out, cria_str_make("\x01\x02\x00\x00\x00\x63t", 7));
    } else if (strcmp(what, "picture") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_picture(out, 1, true, CRIA_STR("no picture"));
        cria_frame_write_end(out, 0);
    } else if (strcmp(what, "after") == 0) {
        answer(out, "abc");
        cria_frame_write_text(out, CRIA_STR("more"));
    }
    say(out);
}

static void act(struct cria_buf *out, const char *order)
{
    if (strcmp(order, "die") == 0) {
        signal(SIGSEGV, SIG_DFL); /* sanitizers have one of their own */
        raise(SIGSEGV);
    }
    if (strcmp(order, "exit") == 0) _exit(3);
    if (strcmp(order, "hang") == 0)
        for (;;) pause();
    if (strcmp(order, "garble") == 0) {
        cria_buf_add_z(out, "HTTP/1.1 200 OK\r\n\r\n");
        say(out);
    }
    if (strcmp(order, "complain") == 0) {
        for (int i = 0; i < 100000; i++) fprintf(stderr, "a warning of a library, number %d\n", i);
        answer(out, "said enough");
    }
    if (strcmp(order, "talk") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        for (;;) {
            for (int i = 0; i < 1000; i++) cria_frame_write_text(out, CRIA_STR("and on and on "));
            say(out);
        }
    }
    if (strcmp(order, "refuse") == 0) {
        cria_frame_write_start(out, CRIA_STR("text"));
        cria_frame_write_error(out, CRIA_STR("unreadable"), CRIA_STR("it is upside down"));
        say(out);
    }
    if (strncmp(order, "lie ", 4) == 0) lie(out, order + 4);
    if (strncmp(order, "deadly ", 7) == 0) deadly(order + 7);
    if (strcmp(order, "escape") == 0) escape(out, NULL);
    if (strcmp(order, "escape with a folder") == 0) escape(out, "/usr/share");
    if (strncmp(order, "ok", 2) == 0) answer(out, order);
}

int main(void)
{
    unsigned char head_bytes[CRIA_REQUEST_HEAD_BYTES];
    struct cria_request_head head;
    struct cria_buf out;
    static unsigned served;
    cria_buf_init(&out, 1 << 26);
    while (read_whole(head_bytes, sizeof(head_bytes))) {
        if (!cria_request_read_head(head_bytes, &head)) return 8;
        size_t labels = (size_t)head.name_bytes + head.type_bytes + head.options_bytes;
        char *bytes = calloc(1, labels + (size_t)head.document_bytes + 1);
        if (!bytes || !read_whole(bytes, labels + (size_t)head.document_bytes)) return 7;
        const char *order = bytes + labels;
        if (strcmp(order, "die the second time") == 0) order = served ? "die" : "ok first";
        if (strcmp(order, "which") == 0) {
            char text[32];
            snprintf(text, sizeof(text), "ok %d", (int)getpid());
            act(&out, text);
        } else {
            act(&out, order);
        }
        served++;
        free(bytes);
    }
    cria_buf_release(&out);
    return 0;
}
