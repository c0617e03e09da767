/* limits.c - how often a key may ask, and how often an address may try wrong keys. Room: account.
 * Pure but for the tables; under account->lock. */
#include "account/account_internal.h"

static const uint64_t minute_ns = UINT64_C(60000000000);

uint32_t cria_bucket_take(struct cria_bucket *bucket, uint32_t per_minute, uint64_t now_ns)
{
    if (per_minute == 0) return 0;
    double full = per_minute, per_ns = full / (double)minute_ns;
    if (bucket->filled_ns == 0) bucket->tokens = full;
    if (bucket->filled_ns && now_ns > bucket->filled_ns)
        bucket->tokens += (double)(now_ns - bucket->filled_ns) * per_ns;
    if (bucket->tokens > full) bucket->tokens = full;
    bucket->filled_ns = now_ns ? now_ns : 1;
    if (bucket->tokens >= 1) {
        bucket->tokens -= 1;
        return 0;
    }
    return 1 + (uint32_t)((1 - bucket->tokens) / per_ns / 1e6);
}

uint32_t cria_bad_peer_count(struct cria_account *account, const char *peer, uint64_t now_ns)
{
    uint64_t hash = cria_map_hash(cria_str_from(peer));
    struct cria_bad_peer *slot = &account->bad_peers[hash % CRIA_BAD_PEERS];
    if (slot->peer_hash != hash || now_ns - slot->since_ns > minute_ns)
        *slot = (struct cria_bad_peer){.peer_hash = hash, .since_ns = now_ns};
    if (slot->count < CRIA_BAD_KEYS_PER_MINUTE) {
        slot->count++;
        return 0;
    }
    return 1 + (uint32_t)((minute_ns - (now_ns - slot->since_ns)) / 1000000);
}
