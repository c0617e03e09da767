/* validate.h - reads query parameters and body members by type, and gathers everything that is
 * wrong with a request, so that one 422 tells it all (in the shape FastAPI gives it).
 * Room: api. Pure but for cria_check_end; any thread, one at a time. Everything lies in
 * call->arena. A reader gives true when there is a value and it is good; then, and only then, *out
 * is written. Absent (and null, where allowed) gives false without a problem: set defaults before
 * reading. */
#ifndef CRIA_API_VALIDATE_H
#define CRIA_API_VALIDATE_H

#include "base/json.h"
#include "http/http.h"

enum { CRIA_OPTIONAL = 0, CRIA_REQUIRED = 1, CRIA_NULLABLE = 2 };
enum { CRIA_VALUE_DEPTH = 8, CRIA_PROBLEMS_MAX = 100 };

struct cria_check;

/** A value and where it stands. Lies on the stack of who reads; a child points at its parent. */
struct cria_value {
    struct cria_check *check;
    const struct cria_value *parent; /* NULL: a root */
    struct cria_str name;            /* of the member, or of the root: "body", "query", "header" */
    size_t position;                 /* among the parent's members; SIZE_MAX: absent */
    bool is_item;                    /* of a list: position is its name */
    const struct cria_json *json;    /* NULL: absent */
};

struct cria_problem {
    size_t order[CRIA_VALUE_DEPTH]; /* positions from the root down */
    size_t depth;
    struct cria_str json;
};

struct cria_check {
    struct cria_exchange *ex;
    struct cria_value query, header, body; /* the roots */
    enum cria_status status;               /* not CRIA_OK: nothing can be checked (no JSON) */
    struct cria_problem *problems;
    size_t count;
    struct cria_str project_id, organization_id; /* of the query; {NULL,0}: absent */
};

/** Begins; reads project_id and organization_id, which every route takes. */
void cria_check_init(struct cria_check *check, struct cria_exchange *ex);
/** Parses the JSON body into check->body. A missing one is a problem when it is required, else an
 * absent object. */
void cria_check_body(struct cria_check *check, bool is_required);
/** Takes a tree made otherwise (a form's fields) as the body. */
void cria_check_tree(struct cria_check *check, const struct cria_json *json);
/** Adds a problem at `at` (absent: shows the parent as input). msg is a sentence; ctx_json an
 * object's text, {NULL,0} none. */
void cria_check_problem(struct cria_check *check, const struct cria_value *at, const char *type,
                        struct cria_str msg, struct cria_str ctx_json);
/** The same of type value_error. */
void cria_check_error(struct cria_check *check, const struct cria_value *at, const char *sentence);
/** CRIA_E_INVALID with the 422's body in ex->body when there are problems; CRIA_E_BAD_REQUEST no
 * JSON; CRIA_E_NO_MEMORY. */
CRIA_MUST_CHECK enum cria_status cria_check_problems(struct cria_check *check);
/** The same, then the project: CRIA_E_FORBIDDEN. Afterwards principal.project_id is the one to work
 * in. */
CRIA_MUST_CHECK enum cria_status cria_check_end(struct cria_check *check);

/* Places. */
struct cria_value cria_value_member(const struct cria_value *object, const char *name);
struct cria_value cria_value_nth(const struct cria_value *container, size_t n);
/** The header as a string value; {NULL,0} json when absent or empty. */
struct cria_value cria_value_header(struct cria_check *check, const char *name);

/* Values that are there: each says its problem. */
bool cria_value_str(const struct cria_value *value, size_t min_chars, size_t max_chars,
                    struct cria_str *out);
bool cria_value_word(const struct cria_value *value, const char *const *words, size_t count,
                     size_t *out);
bool cria_value_uuid(const struct cria_value *value, struct cria_str *out);
bool cria_value_real(const struct cria_value *value, double min, double max, double *out);
bool cria_value_list(const struct cria_value *value, size_t max_items);
bool cria_value_object(const struct cria_value *value);

/* Members of an object (of check->body, mostly). Limits: SIZE_MAX, INT64_MIN, INT64_MAX, -HUGE_VAL
 * and HUGE_VAL are none. */
bool cria_member_any(const struct cria_value *object, const char *name, unsigned flags,
                     struct cria_value *out);
bool cria_member_str(const struct cria_value *object, const char *name, unsigned flags,
                     size_t min_chars, size_t max_chars, struct cria_str *out);
bool cria_member_int(const struct cria_value *object, const char *name, unsigned flags, int64_t min,
                     int64_t max, int64_t *out);
bool cria_member_real(const struct cria_value *object, const char *name, unsigned flags, double min,
                      double max, double *out);
bool cria_member_bool(const struct cria_value *object, const char *name, unsigned flags, bool *out);
bool cria_member_word(const struct cria_value *object, const char *name, unsigned flags,
                      const char *const *words, size_t count, size_t *out);
bool cria_member_uuid(const struct cria_value *object, const char *name, unsigned flags,
                      struct cria_str *out);
bool cria_member_list(const struct cria_value *object, const char *name, unsigned flags,
                      size_t max_items, struct cria_value *out);
bool cria_member_object(const struct cria_value *object, const char *name, unsigned flags,
                        struct cria_value *out);
/** A list of strings; with is_uuid each has to be one. */
bool cria_member_strs(const struct cria_value *object, const char *name, unsigned flags,
                      size_t max_items, bool is_uuid, const struct cria_str **out, size_t *count);

/* Query parameters: an empty value counts as absent; of repeated ones the first counts. */
bool cria_param_str(struct cria_check *check, const char *name, unsigned flags,
                    struct cria_str *out);
bool cria_param_int(struct cria_check *check, const char *name, unsigned flags, int64_t min,
                    int64_t max, int64_t *out);
bool cria_param_bool(struct cria_check *check, const char *name, bool *out);
bool cria_param_word(struct cria_check *check, const char *name, const char *const *words,
                     size_t count, size_t *out);
bool cria_param_uuid(struct cria_check *check, const char *name, struct cria_str *out);
bool cria_param_time(struct cria_check *check, const char *name, int64_t *out_us);
/** All values of a repeated parameter; each a UUID, or one of `words`, or (neither) any text. */
bool cria_param_list(struct cria_check *check, const char *name, bool is_uuid,
                     const char *const *words, size_t word_count, const struct cria_str **out,
                     size_t *count);

#endif
