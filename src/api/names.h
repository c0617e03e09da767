/* names.h - names that clients send for their files, as harmless labels, and what their endings
 * mean. Room: api. Pure. */
#ifndef CRIA_API_NAMES_H
#define CRIA_API_NAMES_H

#include "base/arena.h"

enum { CRIA_NAME_CHARS = 255 };

/** The last part of a path of any system, as valid UTF-8 without control characters; {NULL,0} when
 * nothing is left (".", "..", ""). */
struct cria_str cria_name_label(struct cria_arena *arena, struct cria_str sent);
/** The ending without its dot in lower case; {NULL,0} when there is none that looks like one. */
struct cria_str cria_name_extension(struct cria_arena *arena, struct cria_str name);
/** The media type of an ending, NULL when it is not known. */
const char *cria_media_of(struct cria_str extension);
/** The usual ending of a media type (parameters aside), NULL when it is not known. */
const char *cria_media_extension(struct cria_str media_type);
/** Whether the text can be sent back as a Content-Type. */
bool cria_media_is_sane(struct cria_str media_type);
/** A Content-Disposition that makes browsers save, with the name in both spellings of RFC 6266. */
struct cria_str cria_name_disposition(struct cria_arena *arena, struct cria_str name);

#endif
