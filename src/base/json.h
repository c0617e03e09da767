/* json.h - JSON from outside, strictly: RFC 8259, valid UTF-8, no duplicate members, no NUL in
 * strings, no integers beyond 64 bits, at most 64 deep. The tree lies in an arena and never
 * changes. Room: base, over jansson (json.c alone includes it). Any thread. */
#ifndef CRIA_BASE_JSON_H
#define CRIA_BASE_JSON_H

#include "base/arena.h"

enum cria_json_kind {
    CRIA_JSON_NULL,
    CRIA_JSON_BOOL,
    CRIA_JSON_INT, /* written without fraction and exponent */
    CRIA_JSON_REAL,
    CRIA_JSON_STRING,
    CRIA_JSON_ARRAY,
    CRIA_JSON_OBJECT
};

struct cria_json {
    enum cria_json_kind kind;
    bool truth;           /* BOOL */
    int64_t integer;      /* INT */
    double real;          /* REAL, and the value of an INT */
    struct cria_str text; /* STRING, without escapes */
    struct cria_str name; /* of an object's member */
    size_t count;         /* ARRAY, OBJECT: members */
    const struct cria_json
        *items; /* ARRAY: its values; OBJECT: its values, each with a name, as they were written */
};

/**
 * Reads one JSON text; white space around it is allowed and nothing else.
 * @param[out] why   on failure a short static or arena text ("duplicate member", "line 3 column 7:
 * …").
 * @return CRIA_OK; CRIA_E_BAD_REQUEST not such JSON; CRIA_E_NO_MEMORY the arena.
 */
CRIA_MUST_CHECK enum cria_status cria_json_parse(struct cria_arena *arena, struct cria_str text,
                                                 const struct cria_json **out, const char **why);

/** The member of an object; NULL when there is none or `value` is NULL or no object. */
const struct cria_json *cria_json_get(const struct cria_json *value, const char *name);
/** The text of a string member, else {NULL, 0}. */
struct cria_str cria_json_get_str(const struct cria_json *value, const char *name);
/** An integer (3.0 counts as one) member, else `otherwise`. */
int64_t cria_json_get_int(const struct cria_json *value, const char *name, int64_t otherwise);
bool cria_json_get_bool(const struct cria_json *value, const char *name, bool otherwise);
/** Whether the value is a number without a fraction that fits 64 bits; 3.0 is one. */
bool cria_json_as_int(const struct cria_json *value, int64_t *out);
/** NULL or JSON null. */
static inline bool cria_json_is_null(const struct cria_json *value)
{
    return !value || value->kind == CRIA_JSON_NULL;
}

#endif
