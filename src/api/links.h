/* links.h - presigned links: whoever has one may fetch the bytes until it dies, without a key.
 * A blob id is base64url of what it names; the signature covers it and the expiry. Room: api. */
#ifndef CRIA_API_LINKS_H
#define CRIA_API_LINKS_H

#include "api/handler.h"
#include "platform/crypto.h"

enum { CRIA_LINK_SECONDS = 3600, CRIA_LINK_SECONDS_MAX = 604800 };

/** What links of one answer share. */
struct cria_links {
    struct cria_exchange *ex;
    int64_t expires_s;
};

/** Links that live so long from now. */
void cria_links_init(struct cria_links *links, struct cria_exchange *ex, int64_t seconds);
/** Writes a PresignedURL to a stored file of the call's project. */
void cria_link_write_file(const struct cria_links *links, struct cria_json_out *out,
                          struct cria_str file_id);
/** The same to an attachment of an output entry. */
void cria_link_write_attachment(const struct cria_links *links, struct cria_json_out *out,
                                struct cria_str entry_id, struct cria_str name);

struct cria_link_target {
    struct cria_str project;
    struct cria_str file_id;        /* a stored file, or {NULL,0} */
    struct cria_str entry_id, name; /* else an attachment */
};
/** Signs; {NULL,0} when memory is short. Pure. */
struct cria_str cria_link_sign(struct cria_arena *arena,
                               const unsigned char secret[CRIA_SECRET_BYTES],
                               struct cria_str blob_id, int64_t expires_s);
/** Whether the signature is ours and what it leads to. */
bool cria_link_open(struct cria_arena *arena, const unsigned char secret[CRIA_SECRET_BYTES],
                    struct cria_str blob_id, int64_t expires_s, struct cria_str signature,
                    struct cria_link_target *out);
/** The text that names a target in a link. */
struct cria_str cria_link_id(struct cria_arena *arena, const struct cria_link_target *target);
/** "http://host:port" by which the client reached us, or the configured URL. */
struct cria_str cria_link_base(struct cria_exchange *ex);

#endif
