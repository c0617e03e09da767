/* keys.c - keys and projects are made, listed and taken back. Room: account. */
#include "account/account_internal.h"
#include "platform/clock.h"

enum { SECRET_BYTES = 32 };

static enum cria_status insert_key(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct cria_api_key *row = arg;
    struct cria_project project;
    if (row->project_id.ptr) {
        enum cria_status st = cria_tx_project_get(tx, call, row->project_id, &project);
        if (st == CRIA_E_NOT_FOUND) return cria_fail(call, st, "Project not found");
        if (st != CRIA_OK) return st;
    }
    return cria_tx_api_key_insert(tx, call, row);
}

static struct cria_str make_secret(struct cria_arena *arena)
{
    unsigned char bytes[SECRET_BYTES];
    cria_random_bytes(bytes, sizeof(bytes));
    struct cria_str text = cria_base64url(arena, cria_str_make((const char *)bytes, sizeof(bytes)));
    return text.ptr ? cria_arena_printf(arena, "cria_%.*s", CRIA_STR_ARG(text)) : text;
}

enum cria_status cria_account_key_create(struct cria_account *account, struct cria_call *call,
                                         const struct cria_key_new *params,
                                         struct cria_api_key *out, struct cria_str *secret)
{
    char id[CRIA_ID_SIZE], hash[CRIA_SHA256_HEX];
    struct cria_str text = make_secret(call->arena);
    if (!text.ptr) return cria_fail_memory(call);
    cria_id_new("key-", id);
    cria_sha256_hex(text, hash);
    struct cria_api_key row = {.id = cria_arena_copy(call->arena, cria_str_from(id)),
                               .organization_id = cria_str_from(account->organization_id),
                               .project_id = params->project_id,
                               .name = params->name,
                               .prefix = cria_str_sub(text, 0, CRIA_KEY_PREFIX),
                               .hash = cria_arena_copy(call->arena, cria_str_from(hash)),
                               .may_write = params->may_write,
                               .created_at_us = cria_wall_us(),
                               .expires_at_us = params->expires_at_us};
    if (!row.id.ptr || !row.hash.ptr) return cria_fail_memory(call);
    enum cria_status st = cria_store_write(account->store, call, insert_key, &row);
    if (st != CRIA_OK) return st;
    pthread_mutex_lock(&account->lock);
    bool added = cria_account_add_key(account, &row);
    pthread_mutex_unlock(&account->lock);
    if (!added) return cria_fail_memory(call); /* it is there after the next start */
    *out = row;
    *secret = text;
    return CRIA_OK;
}

enum cria_status cria_account_key_list(struct cria_account *account, struct cria_call *call,
                                       struct cria_api_key_list *out)
{
    struct cria_tx *tx = NULL;
    enum cria_status st = cria_store_read_begin(account->store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_api_key_list(tx, call, out);
    cria_store_read_end(tx);
    return st;
}

struct revocation {
    struct cria_str id;
    int64_t at_us;
};

static enum cria_status revoke(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    const struct revocation *revocation = arg;
    return cria_tx_api_key_revoke(tx, call, revocation->id, revocation->at_us);
}

/* A key that is not revoked, by id or visible prefix; several of one prefix are none. */
static struct cria_account_key *find_key(struct cria_account *account, struct cria_str id)
{
    struct cria_account_key *found = NULL;
    size_t at = 0;
    void *value;
    while (cria_map_next(&account->keys, &at, &(struct cria_str){0}, &value)) {
        struct cria_account_key *key = value;
        if (key->revoked_at_us) continue;
        if (cria_str_is(id, key->id)) return key;
        if (!cria_str_is(id, key->prefix)) continue;
        if (found) return NULL;
        found = key;
    }
    return found;
}

enum cria_status cria_account_key_revoke(struct cria_account *account, struct cria_call *call,
                                         struct cria_str id)
{
    char key_id[CRIA_ID_SIZE] = "";
    struct revocation revocation = {.at_us = cria_wall_us()};
    pthread_mutex_lock(&account->lock);
    struct cria_account_key *key = find_key(account, id);
    if (key) memcpy(key_id, key->id, sizeof(key_id));
    pthread_mutex_unlock(&account->lock);
    revocation.id = cria_str_from(key_id);
    enum cria_status st =
        key_id[0] ? cria_store_write(account->store, call, revoke, &revocation) : CRIA_E_NOT_FOUND;
    if (st == CRIA_E_NOT_FOUND) return cria_fail(call, st, "Key not found");
    if (st != CRIA_OK) return st;
    pthread_mutex_lock(&account->lock);
    key = find_key(account, revocation.id);
    if (key) key->revoked_at_us = revocation.at_us;
    pthread_mutex_unlock(&account->lock);
    return CRIA_OK;
}

static enum cria_status insert_project(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    return cria_tx_project_insert(tx, call, arg);
}

enum cria_status cria_account_project_create(struct cria_account *account, struct cria_call *call,
                                             struct cria_str name, struct cria_project *out)
{
    char id[CRIA_ID_SIZE];
    cria_id_new("", id);
    int64_t now_us = cria_wall_us();
    struct cria_project row = {.id = cria_arena_copy(call->arena, cria_str_from(id)),
                               .organization_id = cria_str_from(account->organization_id),
                               .name = name,
                               .created_at_us = now_us,
                               .updated_at_us = now_us};
    if (!row.id.ptr) return cria_fail_memory(call);
    enum cria_status st = cria_store_write(account->store, call, insert_project, &row);
    if (st == CRIA_OK) st = cria_account_project_adopt(account, call, &row);
    if (st == CRIA_OK) *out = row;
    return st;
}

enum cria_status cria_account_project_adopt(struct cria_account *account, struct cria_call *call,
                                            const struct cria_project *row)
{
    pthread_mutex_lock(&account->lock);
    bool added = cria_account_add_project(account, row);
    pthread_mutex_unlock(&account->lock);
    return added ? CRIA_OK : cria_fail_memory(call);
}
