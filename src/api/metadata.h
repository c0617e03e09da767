/* metadata.h - user metadata: a flat object of scalars and lists of texts. Room: api. Pure. */
#ifndef CRIA_API_METADATA_H
#define CRIA_API_METADATA_H

#include "api/validate.h"

/** Checks an object's members; the text of it goes to *json. What is wrong becomes a problem. */
void cria_metadata_read(const struct cria_value *object, struct cria_str *json);
/** The same of a JSON body's `metadata`: true when the member is there, null too ("{}"). */
bool cria_metadata_member(struct cria_check *check, struct cria_str *json);
/** The same of a form's text field. */
void cria_metadata_form(struct cria_check *check, struct cria_str *json);

#endif
