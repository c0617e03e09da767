/* account_internal.h - what lies in memory of keys and projects. Room: account. Everything in here
 * is under account->lock. */
#ifndef CRIA_ACCOUNT_ACCOUNT_INTERNAL_H
#define CRIA_ACCOUNT_ACCOUNT_INTERNAL_H

#include <pthread.h>

#include "account/account.h"
#include "base/map.h"
#include "platform/crypto.h"

enum { CRIA_KEY_PREFIX = 12, CRIA_BAD_PEERS = 1024, CRIA_BAD_KEYS_PER_MINUTE = 20 };

/** Tokens that come back with time; one is taken per request. */
struct cria_bucket {
    double tokens;
    uint64_t filled_ns;
};

struct cria_account_key {
    char id[CRIA_ID_SIZE], organization_id[CRIA_ID_SIZE];
    char project_id[CRIA_ID_SIZE]; /* empty: the whole organization */
    char hash[CRIA_SHA256_HEX], prefix[CRIA_KEY_PREFIX + 1];
    bool may_write;
    int64_t expires_at_us, revoked_at_us; /* 0: never */
    struct cria_bucket bucket;
};

struct cria_account_project {
    char id[CRIA_ID_SIZE], organization_id[CRIA_ID_SIZE];
    bool is_default;
};

/** Wrong keys of one peer within a minute; a slot is taken over by whoever comes to it next. */
struct cria_bad_peer {
    uint64_t peer_hash, since_ns;
    uint32_t count;
};

struct cria_account {
    struct cria_store *store;
    uint32_t rate_per_minute;
    pthread_mutex_t lock;
    struct cria_map keys;     /* hash -> cria_account_key, every key ever made */
    struct cria_map by_id;    /* id -> the same keys */
    struct cria_map projects; /* id -> cria_account_project */
    char organization_id[CRIA_ID_SIZE], default_project_id[CRIA_ID_SIZE];
    struct cria_bad_peer bad_peers[CRIA_BAD_PEERS];
};

/** Remembers a row; false when memory is short. */
bool cria_account_add_key(struct cria_account *account, const struct cria_api_key *row);
bool cria_account_add_project(struct cria_account *account, const struct cria_project *row);
/** The id of an organization's default project; NULL when it has none. */
const char *cria_account_default_of(struct cria_account *account, const char *organization_id);

/* limits.c */
/** Takes a token; 0, or how long to wait for one. */
uint32_t cria_bucket_take(struct cria_bucket *bucket, uint32_t per_minute, uint64_t now_ns);
/** Counts a wrong key of the peer; 0, or how long it has to wait by now. */
uint32_t cria_bad_peer_count(struct cria_account *account, const char *peer, uint64_t now_ns);

#endif
