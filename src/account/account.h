/* account.h - organizations, projects, keys, rates: who may do what, where.
 * Room: account; may use store, platform, base. Keys lie in memory (hashed) so that admitting a
 * request costs no read; any thread, short lock. Keys are "cria_" and 43 characters of base64url
 * (256 random bits), stored as SHA-256. */
#ifndef CRIA_ACCOUNT_ACCOUNT_H
#define CRIA_ACCOUNT_ACCOUNT_H

#include "store/records.h"

struct cria_account;

struct cria_account_options {
    struct cria_store *store;
    uint32_t rate_per_minute; /* requests a key may make in a minute; 0: no limit */
};

/** Makes the default organization and project when the store has none; loads keys and projects. */
CRIA_MUST_CHECK enum cria_status cria_account_new(const struct cria_account_options *options,
                                                  struct cria_call *call,
                                                  struct cria_account **out);
void cria_account_free(struct cria_account *account);
/** Whether any key that is neither revoked nor expired exists. */
bool cria_account_has_keys(struct cria_account *account);

/** By the Authorization header ({NULL,0}: none): fills call->principal. Without any key made,
 * everybody on loopback is let in. CRIA_E_UNAUTHORIZED, CRIA_E_LIMIT (retry_after_ms set) with
 * sentences. Loop-safe. */
CRIA_MUST_CHECK enum cria_status cria_account_admit(struct cria_account *account,
                                                    struct cria_call *call,
                                                    struct cria_str authorization,
                                                    const char *peer);
/** Sets call->principal.project_id from the query's project_id / organization_id ({NULL,0}:
 * absent), else the key's project or its organization's default one. CRIA_E_FORBIDDEN for what the
 * key may not use, existing or not. Loop-safe. */
CRIA_MUST_CHECK enum cria_status cria_account_scope(struct cria_account *account,
                                                    struct cria_call *call,
                                                    struct cria_str project_id,
                                                    struct cria_str organization_id);

/** Whether the call's key may work in this project (asked for lists of projects). Loop-safe. */
bool cria_account_may_use(struct cria_account *account, const struct cria_call *call,
                          struct cria_str project_id);

/** Whether the call may see all projects: its key is bound to none, or none was needed. Loop-safe.
 */
bool cria_account_is_wide(struct cria_account *account, const struct cria_call *call);

struct cria_key_new {
    struct cria_str name;
    struct cria_str project_id; /* null: the whole organization */
    bool may_write;
    int64_t expires_at_us; /* 0: never */
};
/** @param[out] secret the key itself, shown once; arena. */
CRIA_MUST_CHECK enum cria_status cria_account_key_create(struct cria_account *account,
                                                         struct cria_call *call,
                                                         const struct cria_key_new *params,
                                                         struct cria_api_key *out,
                                                         struct cria_str *secret);
CRIA_MUST_CHECK enum cria_status cria_account_key_list(struct cria_account *account,
                                                       struct cria_call *call,
                                                       struct cria_api_key_list *out);
/** By id or visible prefix; at once in force. */
CRIA_MUST_CHECK enum cria_status cria_account_key_revoke(struct cria_account *account,
                                                         struct cria_call *call,
                                                         struct cria_str id);
CRIA_MUST_CHECK enum cria_status cria_account_project_create(struct cria_account *account,
                                                             struct cria_call *call,
                                                             struct cria_str name,
                                                             struct cria_project *out);
/** Makes known a project whose row is there already (it was imported). */
CRIA_MUST_CHECK enum cria_status cria_account_project_adopt(struct cria_account *account,
                                                            struct cria_call *call,
                                                            const struct cria_project *row);

#endif
