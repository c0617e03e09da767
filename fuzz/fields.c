/* Any bytes as columns of metadata, under filters that look at everything, and as metadata. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "search/fields.h"
#include "search/filter.h"

enum { MOST_DOCUMENTS = 1 << 16 };

struct part {
    uint8_t *ptr;
    size_t len, room;
};

static const char *const filters[] = {
    "{\"a\":{\"operator\":\"in\",\"value\":[1,\"x\",true,null]}}",
    "{\"a\":[{\"operator\":\"gt\",\"value\":-5},{\"operator\":\"lte\",\"value\":2.5}]}",
    "{\"a\":{\"operator\":\"gte\",\"value\":\"\"},\"b\":{\"operator\":\"ne\",\"value\":\"x\"}}",
    "{\"b\":{\"operator\":\"lt\",\"value\":\"y\"},\"c\":{\"operator\":\"nin\",\"value\":[2]}}",
    "{\"\":{\"operator\":\"eq\",\"value\":1}}"};
static const char file_filter[] =
    "{\"parsed_directory_file_id\":{\"operator\":\"gte\",\"value\":\"\"}}";

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

static const struct cria_json *json(struct cria_arena *arena, const char *text)
{
    const struct cria_json *value = NULL;
    const char *why;
    assert(cria_json_parse(arena, cria_str_from(text), &value, &why) == CRIA_OK);
    return value;
}

static void use(const struct cria_fields *fields)
{
    struct cria_arena arena;
    uint64_t *documents = malloc((MOST_DOCUMENTS / 64 + 1) * sizeof(*documents));
    assert(documents);
    cria_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < CRIA_COUNT(filters); i++) {
        memset(documents, 255, (MOST_DOCUMENTS / 64 + 1) * sizeof(*documents));
        enum cria_status st =
            cria_fields_filter(fields, fields->document_count, json(&arena, file_filter),
                               json(&arena, filters[i]), documents, &arena);
        assert(st == CRIA_OK || st == CRIA_E_CORRUPT);
        cria_arena_reset(&arena);
    }
    cria_arena_release(&arena);
    free(documents);
}

/* Each line is a document's metadata: columns and rows say the same. */
static void write_lines(struct cria_str text)
{
    struct part part = {0};
    const struct cria_sink sink = {keep, &part};
    struct cria_fields_builder *builder = cria_fields_builder_new();
    struct cria_fields fields;
    struct cria_arena arena;
    struct cria_str lines[64], id = CRIA_STR("x");
    uint32_t count = 0;
    assert(builder);
    for (; text.len && count < 64; count++) {
        cria_str_cut(&text, '\n', &lines[count]);
        assert(cria_fields_add(builder, count, id, lines[count]) == CRIA_OK);
    }
    assert(cria_fields_write(builder, count, &sink) == CRIA_OK);
    cria_fields_builder_free(builder);
    assert(cria_fields_open((struct cria_bytes){.ptr = part.ptr, .len = part.len}, &fields) ==
           CRIA_OK);
    cria_arena_init(&arena, 256 << 20);
    for (size_t i = 0; i < CRIA_COUNT(filters); i++) {
        uint64_t documents = UINT64_MAX;
        const struct cria_json *filter = json(&arena, filters[i]);
        assert(cria_fields_filter(&fields, count, NULL, filter, &documents, &arena) == CRIA_OK);
        for (uint32_t d = 0; d < count; d++)
            assert(cria_bit(&documents, d) == cria_filter_allows(&arena, id, id, lines[d], NULL,
                                                                 filter, (struct cria_str){0}));
        cria_arena_reset(&arena);
    }
    cria_arena_release(&arena);
    free(part.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_fields fields;
    if (size > 1 << 16) return 0;
    if (cria_fields_open((struct cria_bytes){.ptr = data, .len = size}, &fields) == CRIA_OK &&
        fields.document_count <= MOST_DOCUMENTS)
        use(&fields);
    write_lines(cria_str_make((const char *)data, size));
    return 0;
}
