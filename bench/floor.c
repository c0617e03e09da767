/* floor PORT [DATABASE] - the least a server can do, to measure ours against: one thread, epoll, no
 * parsing to speak of, a 300-byte JSON answer. With a database each POST first stores a row in
 * SQLite (WAL, FULL), all requests of one epoll round in one transaction. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static sqlite3 *database;
static sqlite3_stmt *insert;

static void open_database(const char *path)
{
    if (sqlite3_open(path, &database) != SQLITE_OK) exit(1);
    sqlite3_exec(
        database,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=10000;"
        "CREATE TABLE IF NOT EXISTS sessions(id TEXT PRIMARY KEY, body TEXT)",
        NULL, NULL, NULL);
    if (sqlite3_prepare_v2(database, "INSERT INTO sessions VALUES(?,?)", -1, &insert, NULL) !=
        SQLITE_OK)
        exit(1);
}

static void store(const char *body)
{
    static unsigned long n;
    char id[64];
    int len = snprintf(id, sizeof(id), "ses-%08lx-0000-7000-8000-%012lx", n, n);
    n++;
    sqlite3_bind_text(insert, 1, id, len, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, 2, body, -1, SQLITE_STATIC);
    sqlite3_step(insert);
    sqlite3_reset(insert);
}

int main(int argc, char **argv)
{
    static char body[301], answer[512], request[65536];
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc < 2) return 64;
    at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    if (argc > 2) open_database(argv[2]);
    memset(body, 'x', 300);
    body[0] = '"', body[299] = '"';
    int len = snprintf(
        answer, sizeof(answer),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n%s", body);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(listener, 1024) != 0)
        return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(poll, events, 256, -1), ready[256], count = 0;
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                int fd = accept(listener, NULL, NULL);
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                event.data.fd = fd;
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            ssize_t got = read(events[i].data.fd, request, sizeof(request));
            if (got <= 0) {
                close(events[i].data.fd);
                continue;
            }
            if (database && request[0] == 'P') {
                if (sqlite3_get_autocommit(database))
                    sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
                store(body);
            }
            ready[count++] = events[i].data.fd;
        }
        if (database && !sqlite3_get_autocommit(database))
            sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
        for (int i = 0; i < count; i++)
            if (write(ready[i], answer, (size_t)len) != len) close(ready[i]);
    }
}
