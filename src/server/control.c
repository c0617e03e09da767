#include "server/control.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

enum { ANSWER_BYTES = 16 << 20, WAIT_S = 30 };

static enum cria_status connect_to(struct cria_call *call, const char *folder, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = WAIT_S};
    struct cria_str path = cria_arena_printf(call->arena, "%s/control.sock", folder);
    if (!path.ptr || !cria_str_copy_z(path, address.sun_path, sizeof(address.sun_path)))
        return cria_fail(call, CRIA_E_UNAVAILABLE, "The path of the control socket is too long");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return cria_fail(call, CRIA_E_IO, "No socket could be made");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return cria_fail(call, CRIA_E_UNAVAILABLE, "No server answers on %.*s", CRIA_STR_ARG(path));
    }
    *out = fd;
    return CRIA_OK;
}

static bool send_all(int fd, struct cria_str bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes = cria_str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static bool read_all(int fd, struct cria_buf *answer)
{
    for (;;) {
        if (!cria_buf_reserve(answer, 4096)) return false;
        ssize_t n = recv(fd, answer->ptr + answer->len, answer->capacity - answer->len, 0);
        if (n < 0) return false;
        if (n == 0) return true;
        answer->len += (size_t)n;
    }
}

/* The server closes after the answer, so the body is what follows the blank line. */
static enum cria_status take_apart(struct cria_call *call, struct cria_str answer, int *http,
                                   const struct cria_json **out)
{
    int64_t status;
    const char *why;
    size_t blank = cria_str_find(answer, CRIA_STR("\r\n\r\n"));
    if (blank == SIZE_MAX || !cria_str_starts(answer, "HTTP/1.1 ") ||
        !cria_str_to_int64(cria_str_sub(answer, 9, 3), &status))
        return cria_fail(call, CRIA_E_IO, "The server's answer is no HTTP");
    *http = (int)status;
    *out = NULL;
    struct cria_str body =
        cria_arena_copy(call->arena, cria_str_sub(answer, blank + 4, answer.len));
    if (body.len && cria_json_parse(call->arena, body, out, &why) != CRIA_OK)
        return cria_fail(call, CRIA_E_IO, "The server's answer is no JSON");
    return CRIA_OK;
}

enum cria_status cria_control_ask(struct cria_call *call, const char *folder, const char *method,
                                  const char *path, struct cria_str body, int *http,
                                  const struct cria_json **out)
{
    int fd = -1;
    struct cria_buf text;
    enum cria_status st = connect_to(call, folder, &fd);
    if (st != CRIA_OK) return st;
    cria_buf_init(&text, ANSWER_BYTES);
    cria_buf_printf(&text, "%s %s HTTP/1.1\r\nHost: control\r\nConnection: close\r\n", method,
                    path);
    if (body.ptr)
        cria_buf_printf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                        body.len);
    cria_buf_add(&text, CRIA_STR("\r\n"));
    cria_buf_add(&text, body);
    bool sent = !text.failed && send_all(fd, cria_buf_str(&text));
    cria_buf_clear(&text);
    if (sent && read_all(fd, &text))
        st = take_apart(call, cria_buf_str(&text), http, out);
    else
        st = cria_fail(call, CRIA_E_IO, "The server did not answer on its control socket");
    cria_buf_release(&text);
    close(fd);
    return st;
}
