/* json_out.h - writes JSON straight into a buffer: compact, one line, commas kept by the writer.
 * Room: base. Failure is the buffer's (check cria_buf_status at the end). At most 64 levels. */
#ifndef CRIA_BASE_JSON_OUT_H
#define CRIA_BASE_JSON_OUT_H

#include "base/buf.h"
#include "base/json.h"

struct cria_json_out {
    struct cria_buf *buf;
    uint64_t filled; /* bit per level: something was written there */
    uint64_t arrays; /* bit per level: an array */
    unsigned depth;
    bool after_name;
};

/** Starts one value at the end of buf. */
static inline struct cria_json_out cria_json_out_to(struct cria_buf *buf)
{
    return (struct cria_json_out){.buf = buf};
}

/* A value; inside an object cria_out_name comes before each. */
void cria_out_object(struct cria_json_out *out); /* { */
void cria_out_array(struct cria_json_out *out);  /* [ */
void cria_out_end(struct cria_json_out *out);    /* } or ] */
void cria_out_name(struct cria_json_out *out, const char *name);
void cria_out_name_str(struct cria_json_out *out, struct cria_str name);
void cria_out_str(struct cria_json_out *out, struct cria_str text); /* bad UTF-8 becomes U+FFFD */
void cria_out_z(struct cria_json_out *out, const char *text);       /* NULL writes null */
void cria_out_int(struct cria_json_out *out, int64_t value);
void cria_out_real(struct cria_json_out *out,
                   double value); /* shortest that reads back; NaN and infinities: null */
void cria_out_bool(struct cria_json_out *out, bool value);
void cria_out_null(struct cria_json_out *out);
/** Splices a JSON value that is known to be right, as the text it is. */
void cria_out_raw(struct cria_json_out *out, struct cria_str json);
/** Writes a parsed value again. */
void cria_out_json(struct cria_json_out *out, const struct cria_json *value);

/* A member: name and value. */
void cria_out_member_str(struct cria_json_out *out, const char *name, struct cria_str text);
void cria_out_member_z(struct cria_json_out *out, const char *name, const char *text);
/** null when ptr is NULL. */
void cria_out_member_opt(struct cria_json_out *out, const char *name, struct cria_str text);
void cria_out_member_int(struct cria_json_out *out, const char *name, int64_t value);
void cria_out_member_real(struct cria_json_out *out, const char *name, double value);
void cria_out_member_bool(struct cria_json_out *out, const char *name, bool value);
void cria_out_member_null(struct cria_json_out *out, const char *name);
void cria_out_member_raw(struct cria_json_out *out, const char *name, struct cria_str json);
/** A moment as the contract's date-time; 0 writes null. */
void cria_out_member_time(struct cria_json_out *out, const char *name, int64_t at_us);

#endif
