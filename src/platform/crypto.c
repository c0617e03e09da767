#include "platform/crypto.h"

#include <sodium.h>

#include "base/map.h"
#include "platform/clock.h"

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct cria_sha256),
               "room for the state");

enum cria_status cria_crypto_init(void)
{
    unsigned char key[16];
    if (sodium_init() < 0) return CRIA_E_INTERNAL;
    randombytes_buf(key, sizeof(key));
    cria_map_seed(key);
    return CRIA_OK;
}

void cria_random_bytes(void *out, size_t count)
{
    randombytes_buf(out, count);
}

uint32_t cria_random_below(uint32_t bound)
{
    return randombytes_uniform(bound);
}

static crypto_hash_sha256_state *state_of(struct cria_sha256 *hash)
{
    return (crypto_hash_sha256_state *)(void *)hash->state;
}

void cria_sha256_init(struct cria_sha256 *hash)
{
    crypto_hash_sha256_init(state_of(hash));
}

void cria_sha256_add(struct cria_sha256 *hash, struct cria_str bytes)
{
    crypto_hash_sha256_update(state_of(hash), (const unsigned char *)bytes.ptr, bytes.len);
}

void cria_sha256_finish(struct cria_sha256 *hash, unsigned char out[CRIA_SHA256_BYTES])
{
    crypto_hash_sha256_final(state_of(hash), out);
}

void cria_sha256_finish_hex(struct cria_sha256 *hash, char out[CRIA_SHA256_HEX])
{
    unsigned char digest[CRIA_SHA256_BYTES];
    cria_sha256_finish(hash, digest);
    sodium_bin2hex(out, CRIA_SHA256_HEX, digest, sizeof(digest));
}

void cria_sha256_hex(struct cria_str bytes, char out[CRIA_SHA256_HEX])
{
    struct cria_sha256 hash;
    cria_sha256_init(&hash);
    cria_sha256_add(&hash, bytes);
    cria_sha256_finish_hex(&hash, out);
}

void cria_mac(const unsigned char key[CRIA_SECRET_BYTES], struct cria_str bytes,
              unsigned char out[CRIA_MAC_BYTES])
{
    crypto_generichash(out, CRIA_MAC_BYTES, (const unsigned char *)bytes.ptr, bytes.len, key,
                       CRIA_SECRET_BYTES);
}

bool cria_secret_equal(const void *a, const void *b, size_t count)
{
    return sodium_memcmp(a, b, count) == 0;
}

struct cria_str cria_base64url(struct cria_arena *arena, struct cria_str bytes)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    if (bytes.len > SIZE_MAX / 2) return (struct cria_str){0};
    size_t size = sodium_base64_encoded_len(bytes.len, variant);
    char *text = cria_arena_alloc(arena, size);
    if (!text) return (struct cria_str){0};
    sodium_bin2base64(text, size, (const unsigned char *)bytes.ptr, bytes.len, variant);
    return cria_str_from(text);
}

bool cria_base64url_decode(struct cria_arena *arena, struct cria_str text, struct cria_str *out)
{
    size_t len;
    const char *end;
    unsigned char *bytes = cria_arena_alloc(arena, text.len + 1);
    if (!bytes || text.len == 0) return false;
    if (sodium_base642bin(bytes, text.len, text.ptr, text.len, NULL, &len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        end != text.ptr + text.len)
        return false;
    *out = cria_str_make((const char *)bytes, len);
    return true;
}

void cria_id_new(const char *prefix, char out[CRIA_ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    uint64_t us = (uint64_t)cria_wall_us(), ms = us / 1000;
    randombytes_buf(bytes, sizeof(bytes));
    for (int i = 0; i < 6; i++) bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    /* RFC 9562 section 6.2, method 3: the twelve bits behind the version order ids within a
     * millisecond. */
    unsigned fraction = (unsigned)(us % 1000 * 4096 / 1000);
    bytes[6] = (unsigned char)(0x70 | fraction >> 8);
    bytes[7] = (unsigned char)fraction;
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    size_t at = strlen(prefix);
    memcpy(out, prefix, at);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
        out[at++] = hex[bytes[i] >> 4];
        out[at++] = hex[bytes[i] & 15];
    }
    out[at] = '\0';
}

bool cria_is_uuid(struct cria_str text)
{
    if (text.len != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !digit) return false;
    }
    return true;
}
