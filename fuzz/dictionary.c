/* Any bytes as a dictionary, as an index of similar words over it, and as terms. The first two
 * bytes tell how many are the index; the rest is the dictionary. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "search/similar.h"

struct part {
    uint8_t *ptr;
    size_t len, room;
};

static bool keep(void *arg, const void *bytes, size_t len)
{
    struct part *part = arg;
    if (part->len + len > part->room) {
        part->room = (part->len + len) * 2;
        part->ptr = realloc(part->ptr, part->room);
        assert(part->ptr);
    }
    if (len) memcpy(part->ptr + part->len, bytes, len);
    part->len += len;
    return true;
}

/* Looks at everything; what is found must be within bounds. */
static void use(const struct cria_dictionary *d)
{
    struct cria_dictionary_cursor cursor;
    struct cria_str term;
    char out[CRIA_DICTIONARY_MAX_TERM + 1];
    cria_dictionary_cursor_init(&cursor, d);
    while (cria_dictionary_cursor_next(&cursor, &term)) {
        uint32_t ordinal = cria_dictionary_find(d, term);
        assert(ordinal == UINT32_MAX || ordinal < d->count);
        assert(cria_str_equal(cria_dictionary_term(d, cursor.next - 1, out), term));
    }
    assert(cursor.failed || cursor.next == d->count);
}

static void use_similar(struct cria_bytes bytes, const struct cria_dictionary *d,
                        struct cria_str word)
{
    struct cria_similar similar;
    struct cria_similar_term found[4];
    if (cria_similar_open(bytes, &similar) != CRIA_OK) return;
    size_t count = cria_similar_find(&similar, d, word, 0.2, 4, found);
    assert(count <= 4);
    for (size_t i = 0; i < count; i++) {
        assert(found[i].ordinal < d->count && found[i].similarity >= 0.2);
        assert(i == 0 || found[i].similarity <= found[i - 1].similarity);
    }
}

/* The lines in the order they come: those that are in order make a dictionary that has them. */
static void write_lines(struct cria_str text)
{
    struct part part = {0}, index = {0};
    const struct cria_sink sink = {keep, &part}, index_sink = {keep, &index};
    struct cria_dictionary_builder builder;
    struct cria_dictionary d;
    struct cria_str line, last = {0};
    uint32_t count = 0;
    cria_dictionary_begin(&builder, &sink);
    while (text.len) {
        cria_str_cut(&text, '\n', &line);
        if (line.len == 0 || line.len > CRIA_DICTIONARY_MAX_TERM) continue;
        if (count && cria_str_compare(line, last) <= 0) continue;
        assert(cria_dictionary_add(&builder, line) == CRIA_OK);
        last = line;
        count++;
    }
    assert(cria_dictionary_end(&builder) == CRIA_OK);
    cria_dictionary_release(&builder);
    assert(cria_dictionary_open((struct cria_bytes){.ptr = part.ptr, .len = part.len}, &d) ==
           CRIA_OK);
    assert(d.count == count);
    use(&d);
    if (count) assert(cria_dictionary_find(&d, last) == count - 1);
    if (count > 2) {
        assert(cria_similar_write(&d, &index_sink) == CRIA_OK);
        use_similar((struct cria_bytes){.ptr = index.ptr, .len = index.len}, &d, last);
    }
    free(part.ptr);
    free(index.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_dictionary d;
    if (size < 2 || size > 1 << 16) return 0;
    size_t index_len = (size_t)data[0] | (size_t)data[1] << 8;
    struct cria_bytes index = {.ptr = data + 2, .len = size - 2};
    if (index.len > index_len) index.len = index_len;
    struct cria_bytes bytes = {.ptr = index.ptr + index.len, .len = size - 2 - index.len};
    if (cria_dictionary_open(bytes, &d) == CRIA_OK) {
        use(&d);
        use_similar(index, &d, CRIA_STR("harbour"));
        use_similar(index, &d, CRIA_STR("aaaaaaaa"));
    }
    write_lines(cria_str_make((const char *)data, size));
    return 0;
}
