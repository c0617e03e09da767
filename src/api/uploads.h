/* uploads.h - what the two routes that take a multipart form share: its text fields as a body, its
 * file as a stored blob and a row. Room: api. Workers. */
#ifndef CRIA_API_UPLOADS_H
#define CRIA_API_UPLOADS_H

#include "api/handler.h"
#include "store/records.h"

struct cria_upload {
    struct cria_exchange *ex;
    struct cria_part *part;
    struct cria_file row; /* all but the times, which cria_upload_keep sets */
};

/** Makes the form's text fields the body to read members from; empty ones count as absent. */
void cria_upload_form(struct cria_check *check);
/** Finds the file of the form and describes it; what is wrong becomes a problem at body.<field>. */
void cria_upload_read(struct cria_upload *upload, struct cria_check *check, const char *field);
/** The form's external_file_id; the text `null` means none. */
void cria_upload_external_id(struct cria_upload *upload, struct cria_check *check);
/** Makes the bytes durable; a row that names them may then be committed. */
CRIA_MUST_CHECK enum cria_status cria_upload_keep(struct cria_upload *upload);
/** After cria_upload_keep was good. is_named: the row was committed; else the bytes may go. */
void cria_upload_end(struct cria_upload *upload, bool is_named);

#endif
