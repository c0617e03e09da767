/* stub_embeddings PORT [WORDS] - an OpenAI-compatible POST /v1/embeddings that thinks in no time: a
 * text's vector is the sum of its words', 384 numbers, the same for the same text, near for texts
 * that share words. WORDS.txt and WORDS.f32 are what bench/search/lsa makes of a corpus; without
 * them a word's numbers are what its hash says, which lie in no few dimensions, as those of no
 * model do. One thread, epoll, keep-alive. Trusts the server it serves. */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DIMENSIONS = 384,
    WORD_PLACES = 24,
    LITTLE_WORD = 3,
    MAX_WORDS = 1 << 17,
    MAX_FDS = 4096,
    STEPS = 10000
};

struct bytes {
    char *ptr;
    size_t len, capacity;
};

static struct bytes conns[MAX_FDS], answer;
static char numbers[STEPS][8]; /* "0.0123" and so on */

static void reserve(struct bytes *b, size_t more)
{
    if (b->capacity - b->len >= more) return;
    b->capacity = (b->len + more) * 2;
    b->ptr = realloc(b->ptr, b->capacity);
    if (!b->ptr) abort();
}

static void put(struct bytes *b, const char *text, size_t len)
{
    reserve(b, len);
    memcpy(b->ptr + b->len, text, len);
    b->len += len;
}

static void put_z(struct bytes *b, const char *text)
{
    put(b, text, strlen(text));
}

/* ---- words that were learned */

static float *learned; /* DIMENSIONS a word; NULL: none were */
static uint32_t word_count;
static uint64_t keys[2 * MAX_WORDS]; /* hashes; the place says which word */
static uint32_t places[2 * MAX_WORDS], times[MAX_WORDS], met[MAX_WORDS], met_count;

/* As letters are taken in read_text(). */
static uint64_t hash_of(const char *word)
{
    uint64_t hash = 14695981039346656037U;
    for (; *word; word++) hash = (hash ^ ((unsigned char)*word | 32U)) * 1099511628211U;
    return hash;
}

static uint32_t slot_of(uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 40) % (2 * MAX_WORDS);
    while (keys[at] && keys[at] != hash) at = (at + 1) % (2 * MAX_WORDS);
    return at;
}

static void learn(const char *prefix)
{
    char path[4200], line[512];
    snprintf(path, sizeof(path), "%s.txt", prefix);
    FILE *words = fopen(path, "r");
    snprintf(path, sizeof(path), "%s.f32", prefix);
    FILE *rows = fopen(path, "rb");
    if (!words || !rows) {
        fprintf(stderr, "stub_embeddings: there is no %s\n", path);
        exit(1);
    }
    for (; fgets(line, sizeof(line), words) && word_count < MAX_WORDS; word_count++) {
        line[strcspn(line, "\n")] = '\0';
        uint32_t at = slot_of(hash_of(line));
        keys[at] = hash_of(line);
        places[at] = word_count;
    }
    learned = malloc((size_t)word_count * DIMENSIONS * sizeof(float));
    if (!learned || fread(learned, DIMENSIONS * sizeof(float), word_count, rows) != word_count)
        abort();
    fclose(words);
    fclose(rows);
}

/* Adds up the words that were met: 1 + ln of how often. */
static void add_met(float *v)
{
    for (uint32_t i = 0; i < met_count; i++) {
        const float *row = learned + (size_t)met[i] * DIMENSIONS;
        float weight = 1 + logf((float)times[met[i]]);
        for (int k = 0; k < DIMENSIONS; k++) v[k] += weight * row[k];
        times[met[i]] = 0;
    }
    met_count = 0;
}

/* ---- texts */

static void add_word(float *v, uint64_t hash, size_t len)
{
    if (learned) {
        uint32_t at = slot_of(hash);
        if (keys[at] && times[places[at]]++ == 0) met[met_count++] = places[at];
        return;
    }
    float weight = len <= LITTLE_WORD ? .1F : 1.F;
    for (int i = 0; i < WORD_PLACES; i++) {
        hash = hash * 6364136223846793005U + 1442695040888963407U;
        v[(hash >> 33) % DIMENSIONS] += hash >> 63 ? weight : -weight;
    }
}

static bool is_of_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* Adds the words of the JSON string that begins at `at` (behind its quote); returns its end. Words
 * that are written with escapes are others, which matters to nobody here. */
static const char *read_text(const char *at, const char *end, float *v)
{
    while (at < end && *at != '"') {
        uint64_t hash = 14695981039346656037U;
        size_t len = 0;
        for (; at < end && is_of_word((unsigned char)*at); at++, len++)
            hash = (hash ^ ((unsigned char)*at | 32U)) * 1099511628211U;
        if (len)
            add_word(v, hash, len);
        else if (*at == '\\' && end - at > 1)
            at += 2; /* nor is a quote behind it the end */
        else
            at++;
    }
    return at;
}

static void write_vector(const float *v, size_t index)
{
    char head[96];
    float square = 0;
    for (int i = 0; i < DIMENSIONS; i++) square += v[i] * v[i];
    float scale = square > 0 ? (float)STEPS / sqrtf(square) : 0;
    snprintf(head, sizeof(head), "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":[",
             index ? "," : "", index);
    put_z(&answer, head);
    reserve(&answer, (size_t)DIMENSIONS * 9);
    char *to = answer.ptr + answer.len;
    for (int i = 0; i < DIMENSIONS; i++) {
        float number = square > 0 ? v[i] * scale : (i == 0 ? STEPS - 1 : 0);
        int step = (int)fabsf(number);
        if (i) *to++ = ',';
        if (number < 0) *to++ = '-';
        memcpy(to, numbers[step < STEPS ? step : STEPS - 1], 6);
        to += 6;
    }
    answer.len = (size_t)(to - answer.ptr);
    put_z(&answer, "]}");
}

/* Answers one request; its "input" is a string or a list of strings. */
static void embed(const char *body, size_t len)
{
    const char *end = body + len, *at = memmem(body, len, "\"input\"", 7);
    size_t count = 0;
    answer.len = 0;
    put_z(&answer, "{\"object\":\"list\",\"data\":[");
    if (at) at = memchr(at, ':', (size_t)(end - at));
    for (bool is_list = false; at && ++at < end && *at != ']';) {
        float v[DIMENSIONS] = {0};
        if (*at == '[') is_list = true;
        if (*at != '"') continue;
        at = read_text(at + 1, end, v);
        add_met(v);
        write_vector(v, count++);
        if (!is_list) break;
    }
    put_z(&answer, "],\"model\":\"stub\",\"usage\":{\"prompt_tokens\":1,\"total_tokens\":1}}");
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Answers the first request when it is whole; how long it was, or 0. */
static size_t answer_one(int fd, const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t body = 0, header = (size_t)(end - bytes) + 4;
    bool waits = false;
    for (const char *line = bytes; line && line < end;
         line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2)) {
        if (*line == '\r') line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoull(line + 15, NULL, 10);
        waits = waits || strncasecmp(line, "expect:", 7) == 0;
    }
    if (waits && len == header) send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    if (len < header + body) return 0;
    char head[128];
    embed(bytes + header, body);
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     answer.len);
    if (!send_all(fd, head, (size_t)n) || !send_all(fd, answer.ptr, answer.len)) return 0;
    return header + body;
}

static void serve(int fd)
{
    struct bytes *c = &conns[fd];
    reserve(c, 1 << 17);
    ssize_t n = read(fd, c->ptr + c->len, c->capacity - c->len);
    if (n <= 0) {
        close(fd);
        c->len = 0;
        return;
    }
    c->len += (size_t)n;
    for (size_t len; c->len && (len = answer_one(fd, c->ptr, c->len)) != 0;) {
        memmove(c->ptr, c->ptr + len, c->len - len);
        c->len -= len;
    }
}

int main(int argc, char **argv)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc < 2) return 64;
    if (argc > 2) learn(argv[2]);
    for (int i = 0; i < STEPS; i++) snprintf(numbers[i], sizeof(numbers[i]), "0.%04d", i);
    at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(listener, 1024) != 0)
        return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd < 0 || fd >= MAX_FDS) continue;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            event.data.fd = fd;
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
