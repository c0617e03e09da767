/* scenario.h - one recorded exchange: lines "@status 200" and "@header Name: value", the body's
 * bytes, and behind a line "@expect" what is to come out of it. */
#ifndef CRIA_TESTS_SUPPORT_SCENARIO_H
#define CRIA_TESTS_SUPPORT_SCENARIO_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/support/test.h"

struct scenario {
    struct cria_str name, body, expect;
    int status;
};

static inline struct cria_str scenario_file(struct cria_arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct cria_buf buf;
    char bytes[4096];
    size_t n;
    if (!file) fail_msg("no file %s", path);
    cria_buf_init(&buf, 64 << 20);
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        cria_buf_add(&buf, cria_str_make(bytes, n));
    fclose(file);
    struct cria_str text = cria_arena_copy(arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return text;
}

static inline struct scenario scenario_parse(struct cria_str text)
{
    struct scenario out = {.status = 200};
    const struct cria_str mark = CRIA_STR("\n@expect\n");
    size_t at = cria_str_find(text, mark);
    assert_true(at != SIZE_MAX);
    out.expect = cria_str_sub(text, at + mark.len, SIZE_MAX);
    text = cria_str_sub(text, 0, at);
    while (cria_str_starts(text, "@")) {
        struct cria_str line;
        int64_t status;
        cria_str_cut(&text, '\n', &line);
        if (cria_str_starts(line, "@status ") &&
            cria_str_to_int64(cria_str_sub(line, 8, SIZE_MAX), &status))
            out.status = (int)status;
    }
    out.body = text;
    return out;
}

/** Calls fn with each *.sse file of the folder; the number of them. */
static inline size_t scenario_each(const char *folder, void (*fn)(const struct scenario *scenario))
{
    struct dirent **names = NULL;
    int found = scandir(folder, &names, NULL, alphasort);
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        struct cria_arena arena;
        char path[512];
        if (cria_str_ends(cria_str_from(names[i]->d_name), ".sse")) {
            cria_arena_init(&arena, 64 << 20);
            snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
            struct scenario scenario = scenario_parse(scenario_file(&arena, path));
            scenario.name = cria_str_from(names[i]->d_name);
            fn(&scenario);
            cria_arena_release(&arena);
            count++;
        }
        free(names[i]);
    }
    free(names);
    return count;
}

#endif
