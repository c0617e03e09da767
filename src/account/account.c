/* account.c - what is in memory, who is let in, and where they may work. */
#include <stdlib.h>

#include "account/account_internal.h"
#include "platform/clock.h"

enum { LOAD_WINDOW = 500 };

/* ---- memory */

static void copy_id(struct cria_str from, char *to, size_t size)
{
    (void)cria_str_copy_z(from, to, size); /* ids are ours and fit; else empty, which fits nobody */
}

bool cria_account_add_key(struct cria_account *account, const struct cria_api_key *row)
{
    struct cria_account_key *key = calloc(1, sizeof(*key));
    if (!key) return false;
    copy_id(row->id, key->id, sizeof(key->id));
    copy_id(row->organization_id, key->organization_id, sizeof(key->organization_id));
    copy_id(row->project_id, key->project_id, sizeof(key->project_id));
    copy_id(row->hash, key->hash, sizeof(key->hash));
    copy_id(row->prefix, key->prefix, sizeof(key->prefix));
    key->may_write = row->may_write;
    key->expires_at_us = row->expires_at_us;
    key->revoked_at_us = row->revoked_at_us;
    if (!cria_map_put(&account->by_id, row->id, key)) goto fail;
    if (cria_map_put(&account->keys, row->hash, key)) return true;
    cria_map_remove(&account->by_id, row->id);
fail:
    free(key);
    return false;
}

bool cria_account_add_project(struct cria_account *account, const struct cria_project *row)
{
    struct cria_account_project *project = calloc(1, sizeof(*project));
    if (!project) return false;
    copy_id(row->id, project->id, sizeof(project->id));
    copy_id(row->organization_id, project->organization_id, sizeof(project->organization_id));
    project->is_default = row->is_default;
    if (cria_map_put(&account->projects, row->id, project)) return true;
    free(project);
    return false;
}

const char *cria_account_default_of(struct cria_account *account, const char *organization_id)
{
    size_t at = 0;
    void *value;
    if (strcmp(organization_id, account->organization_id) == 0) return account->default_project_id;
    while (cria_map_next(&account->projects, &at, &(struct cria_str){0}, &value)) {
        const struct cria_account_project *project = value;
        if (project->is_default && strcmp(project->organization_id, organization_id) == 0)
            return project->id;
    }
    return NULL;
}

/* ---- start */

static enum cria_status make_defaults(struct cria_tx *tx, struct cria_call *call, void *arg)
{
    char organization_id[CRIA_ID_SIZE], project_id[CRIA_ID_SIZE];
    struct cria_organization organization;
    (void)arg;
    enum cria_status st = cria_tx_organization_first(tx, call, &organization);
    if (st != CRIA_E_NOT_FOUND) return st;
    cria_id_new("", organization_id);
    cria_id_new("", project_id);
    int64_t now_us = cria_wall_us();
    organization = (struct cria_organization){
        .id = cria_str_from(organization_id), .name = CRIA_STR("Default"), .created_at_us = now_us};
    struct cria_project project = {.id = cria_str_from(project_id),
                                   .organization_id = organization.id,
                                   .name = CRIA_STR("Default"),
                                   .is_default = true,
                                   .created_at_us = now_us,
                                   .updated_at_us = now_us};
    st = cria_tx_organization_insert(tx, call, &organization);
    return st == CRIA_OK ? cria_tx_project_insert(tx, call, &project) : st;
}

static enum cria_status load_projects(struct cria_account *account, struct cria_call *call,
                                      struct cria_tx *tx)
{
    struct cria_window window = {.limit = LOAD_WINDOW};
    struct cria_project_list list;
    do {
        enum cria_status st =
            cria_tx_project_list(tx, call, cria_str_from(account->organization_id),
                                 (struct cria_str){0}, &window, &list);
        if (st != CRIA_OK) return st;
        for (size_t i = 0; i < list.count; i++)
            if (!cria_account_add_project(account, &list.items[i])) return cria_fail_memory(call);
        if (list.count)
            window.after = (struct cria_cursor){.is_set = true,
                                                .at_us = list.items[list.count - 1].created_at_us,
                                                .id = list.items[list.count - 1].id};
    } while (list.has_more);
    return CRIA_OK;
}

static enum cria_status load(struct cria_account *account, struct cria_call *call)
{
    struct cria_tx *tx = NULL;
    struct cria_organization organization;
    struct cria_project project;
    struct cria_api_key_list keys;
    enum cria_status st = cria_store_read_begin(account->store, call, &tx);
    if (st == CRIA_OK) st = cria_tx_organization_first(tx, call, &organization);
    if (st == CRIA_OK) st = cria_tx_project_default(tx, call, organization.id, &project);
    if (st != CRIA_OK) goto out;
    copy_id(organization.id, account->organization_id, sizeof(account->organization_id));
    copy_id(project.id, account->default_project_id, sizeof(account->default_project_id));
    st = load_projects(account, call, tx);
    if (st == CRIA_OK) st = cria_tx_api_key_list(tx, call, &keys);
    for (size_t i = 0; st == CRIA_OK && i < keys.count; i++)
        if (!cria_account_add_key(account, &keys.items[i])) st = cria_fail_memory(call);
out:
    cria_store_read_end(tx);
    return st;
}

enum cria_status cria_account_new(const struct cria_account_options *options,
                                  struct cria_call *call, struct cria_account **out)
{
    struct cria_account *account = calloc(1, sizeof(*account));
    if (!account) return cria_fail_memory(call);
    account->store = options->store;
    account->rate_per_minute = options->rate_per_minute;
    pthread_mutex_init(&account->lock, NULL);
    enum cria_status st = load(account, call);
    if (st == CRIA_E_NOT_FOUND) {
        st = cria_store_write(options->store, call, make_defaults, NULL);
        if (st == CRIA_OK) st = load(account, call);
    }
    if (st == CRIA_OK)
        *out = account;
    else
        cria_account_free(account);
    return st;
}

static void free_values(struct cria_map *map)
{
    size_t at = 0;
    void *value;
    while (cria_map_next(map, &at, &(struct cria_str){0}, &value)) free(value);
    cria_map_release(map);
}

void cria_account_free(struct cria_account *account)
{
    if (!account) return;
    cria_map_release(&account->by_id);
    free_values(&account->keys);
    free_values(&account->projects);
    pthread_mutex_destroy(&account->lock);
    free(account);
}

/* ---- who is let in */

static bool is_live(const struct cria_account_key *key, int64_t now_us)
{
    return key->revoked_at_us == 0 && (key->expires_at_us == 0 || key->expires_at_us > now_us);
}

bool cria_account_has_keys(struct cria_account *account)
{
    size_t at = 0;
    void *key;
    bool found = false;
    int64_t now_us = cria_wall_us();
    pthread_mutex_lock(&account->lock);
    while (!found && cria_map_next(&account->keys, &at, &(struct cria_str){0}, &key))
        found = is_live(key, now_us);
    pthread_mutex_unlock(&account->lock);
    return found;
}

static bool is_loopback(struct cria_str peer)
{
    return cria_str_starts(peer, "127.") || cria_str_starts(peer, "::ffff:127.") ||
           cria_str_is(peer, "::1") || cria_str_is(peer, "unix");
}

/* The key of "Bearer <key>"; {NULL,0} when the header is anything else. */
static struct cria_str bearer_of(struct cria_str authorization)
{
    struct cria_str scheme, rest = cria_str_trim(authorization);
    if (!cria_str_cut(&rest, ' ', &scheme) || !cria_str_equal_nocase(scheme, CRIA_STR("Bearer")))
        return (struct cria_str){0};
    rest = cria_str_trim(rest);
    if (rest.len == 0 || memchr(rest.ptr, ' ', rest.len)) return (struct cria_str){0};
    return rest;
}

static void fill(struct cria_account *account, struct cria_principal *principal,
                 const struct cria_account_key *key)
{
    const char *project = key->project_id;
    if (!project[0]) project = cria_account_default_of(account, key->organization_id);
    *principal = (struct cria_principal){.may_write = key->may_write};
    memcpy(principal->key_id, key->id, sizeof(key->id));
    memcpy(principal->organization_id, key->organization_id, sizeof(key->organization_id));
    copy_id(cria_str_from(project), principal->project_id, sizeof(principal->project_id));
}

static enum cria_status refuse(struct cria_account *account, struct cria_call *call,
                               const char *peer)
{
    /* Behind a proxy on this machine all peers look alike: one bad client must not shut out the
     * others. */
    uint32_t wait_ms =
        is_loopback(cria_str_from(peer)) ? 0 : cria_bad_peer_count(account, peer, cria_now_ns());
    if (!wait_ms) return cria_fail(call, CRIA_E_UNAUTHORIZED, "Invalid API key");
    call->retry_after_ms = wait_ms;
    return cria_fail(call, CRIA_E_LIMIT, "Too many wrong keys from this address");
}

static enum cria_status admit(struct cria_account *account, struct cria_call *call,
                              struct cria_str authorization, const char *peer)
{
    char hash[CRIA_SHA256_HEX];
    if (account->keys.count == 0 && is_loopback(cria_str_from(peer))) {
        call->principal = (struct cria_principal){.may_write = true};
        memcpy(call->principal.organization_id, account->organization_id, CRIA_ID_SIZE);
        memcpy(call->principal.project_id, account->default_project_id, CRIA_ID_SIZE);
        return CRIA_OK;
    }
    struct cria_str secret = bearer_of(authorization);
    if (!secret.ptr)
        return cria_fail(call, CRIA_E_UNAUTHORIZED,
                         authorization.ptr ? "Invalid API key" : "An API key is needed");
    cria_sha256_hex(secret, hash);
    struct cria_account_key *key = cria_map_get(&account->keys, cria_str_from(hash));
    if (!key || !cria_secret_equal(key->hash, hash, sizeof(hash)) || !is_live(key, cria_wall_us()))
        return refuse(account, call, peer);
    uint32_t wait_ms = cria_bucket_take(&key->bucket, account->rate_per_minute, cria_now_ns());
    if (wait_ms) {
        call->retry_after_ms = wait_ms;
        return cria_fail(call, CRIA_E_LIMIT, "Too many requests");
    }
    fill(account, &call->principal, key);
    return CRIA_OK;
}

enum cria_status cria_account_admit(struct cria_account *account, struct cria_call *call,
                                    struct cria_str authorization, const char *peer)
{
    pthread_mutex_lock(&account->lock);
    enum cria_status st = admit(account, call, authorization, peer);
    pthread_mutex_unlock(&account->lock);
    return st;
}

/* ---- where they may work */

/* The only project of the key that the call came with; empty: any of its organization. */
static const char *bound_project(struct cria_account *account, const struct cria_call *call)
{
    const struct cria_account_key *key =
        cria_map_get(&account->by_id, cria_str_from(call->principal.key_id));
    return key ? key->project_id : "";
}

static bool may_use(struct cria_account *account, const struct cria_call *call,
                    struct cria_str project_id)
{
    const char *bound = bound_project(account, call);
    const struct cria_account_project *project = cria_map_get(&account->projects, project_id);
    return project && strcmp(project->organization_id, call->principal.organization_id) == 0 &&
           (!bound[0] || cria_str_is(project_id, bound));
}

bool cria_account_may_use(struct cria_account *account, const struct cria_call *call,
                          struct cria_str project_id)
{
    pthread_mutex_lock(&account->lock);
    bool may = may_use(account, call, project_id);
    pthread_mutex_unlock(&account->lock);
    return may;
}

bool cria_account_is_wide(struct cria_account *account, const struct cria_call *call)
{
    pthread_mutex_lock(&account->lock);
    bool is_wide = bound_project(account, call)[0] == '\0';
    pthread_mutex_unlock(&account->lock);
    return is_wide;
}

enum cria_status cria_account_scope(struct cria_account *account, struct cria_call *call,
                                    struct cria_str project_id, struct cria_str organization_id)
{
    struct cria_principal *principal = &call->principal;
    if (organization_id.len && !cria_str_is(organization_id, principal->organization_id))
        return cria_fail(call, CRIA_E_FORBIDDEN, "Not allowed in this organization");
    if (project_id.len == 0) return CRIA_OK; /* admit has set the key's own */
    if (!cria_account_may_use(account, call, project_id) ||
        !cria_str_copy_z(project_id, principal->project_id, sizeof(principal->project_id)))
        return cria_fail(call, CRIA_E_FORBIDDEN, "Not allowed in this project");
    return CRIA_OK;
}
