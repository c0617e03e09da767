/* render.h - resources as the contract's JSON. Room: api. */
#ifndef CRIA_API_RENDER_H
#define CRIA_API_RENDER_H

#include "api/reply.h"

void cria_render_file(struct cria_exchange *ex, struct cria_json_out *out,
                      const struct cria_file *row, bool link);
void cria_render_entry(struct cria_exchange *ex, struct cria_json_out *out,
                       const struct cria_entry *row, bool link);
void cria_render_session_members(struct cria_json_out *out, const struct cria_session *row);

/** A stored name from what a form sent: directory parts dropped, control characters gone, at most
 * 255 bytes; without one, "upload-" and the first 8 characters of the id. */
struct cria_str cria_clean_name(struct cria_arena *arena, struct cria_str sent, const char *id);
/** Lower-case extension of a name, else by media type, else {NULL,0}. */
struct cria_str cria_file_type(struct cria_arena *arena, struct cria_str name,
                               struct cria_str media_type);
/** Media type by extension, else what was sent, else application/octet-stream. */
struct cria_str cria_media_type(struct cria_str file_type, struct cria_str sent);

/** The bytes of an upload, durable, and the row that will name them. */
struct cria_upload {
    struct cria_file file;
    char id[CRIA_ID_SIZE];
};
CRIA_MUST_CHECK enum cria_status cria_upload_keep(struct cria_exchange *ex, struct cria_part *part,
                                                  struct cria_str external_id,
                                                  struct cria_str purpose, struct cria_upload *out);
/** A saved configuration, the built-in ones too (cfg-PARSE_FAST …). CRIA_E_NOT_FOUND without a
 * sentence. */
CRIA_MUST_CHECK enum cria_status cria_configuration_find(struct cria_tx *tx, struct cria_call *call,
                                                         struct cria_str project,
                                                         struct cria_str id,
                                                         struct cria_configuration *out);
/** The named part of the form; NULL when there is none. */
struct cria_part *cria_form_part(struct cria_exchange *ex, const char *name);
/** Text of a form field; {NULL,0} absent. Notes a problem when it is not UTF-8. */
struct cria_str cria_form_text(struct cria_check *check, const char *name);
/** The stored file that a path's file_id means: its own id, or that of an entry. CRIA_E_NOT_FOUND.
 */
CRIA_MUST_CHECK enum cria_status cria_file_of(struct cria_exchange *ex, struct cria_tx *tx,
                                              struct cria_str id, struct cria_file *out);

#endif
