/* crypto.h - digests, message codes, random bytes and new ids. libsodium lives here.
 * Room: platform. Any thread after cria_crypto_init. */
#ifndef CRIA_PLATFORM_CRYPTO_H
#define CRIA_PLATFORM_CRYPTO_H

#include "base/call.h"

enum { CRIA_SHA256_BYTES = 32, CRIA_SHA256_HEX = 65, CRIA_MAC_BYTES = 32, CRIA_SECRET_BYTES = 32 };

/** Once, first thing in main; also seeds the hash of base/map.h. */
CRIA_MUST_CHECK enum cria_status cria_crypto_init(void);

void cria_random_bytes(void *out, size_t count);
/** Uniform in 0..bound-1; bound > 0. */
uint32_t cria_random_below(uint32_t bound);

/** Running SHA-256 (FIPS 180-4). */
struct cria_sha256 {
    _Alignas(16) unsigned char state[128]; /* libsodium's own, checked at compile time */
};
void cria_sha256_init(struct cria_sha256 *hash);
void cria_sha256_add(struct cria_sha256 *hash, struct cria_str bytes);
void cria_sha256_finish(struct cria_sha256 *hash, unsigned char out[CRIA_SHA256_BYTES]);
/** Writes 64 hex digits and a NUL. */
void cria_sha256_finish_hex(struct cria_sha256 *hash, char out[CRIA_SHA256_HEX]);
void cria_sha256_hex(struct cria_str bytes, char out[CRIA_SHA256_HEX]);

/** Keyed digest (BLAKE2b-256, RFC 7693) of the bytes. */
void cria_mac(const unsigned char key[CRIA_SECRET_BYTES], struct cria_str bytes,
              unsigned char out[CRIA_MAC_BYTES]);
/** Compares in constant time. */
bool cria_secret_equal(const void *a, const void *b, size_t count);

/** Base64 without padding, the URL alphabet (RFC 4648 section 5), into an arena; {NULL,0} on
 * failure. */
struct cria_str cria_base64url(struct cria_arena *arena, struct cria_str bytes);
/** The way back; false when it is not such text. */
bool cria_base64url_decode(struct cria_arena *arena, struct cria_str text, struct cria_str *out);

/** A prefix such as "ses-" (or "") and a time-ordered UUID (version 7, RFC 9562), NUL-terminated.
 */
void cria_id_new(const char *prefix, char out[CRIA_ID_SIZE]);
/** Whether the text has the form of a UUID, any version, any letter case. */
bool cria_is_uuid(struct cria_str text);

#endif
