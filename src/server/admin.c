#include "server/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "account/account.h"
#include "base/json_out.h"
#include "base/time.h"
#include "platform/clock.h"
#include "server/control.h"

enum { ARENA_BYTES = 64 << 20, LIST_WINDOW = 1000, LINE_MAX_BYTES = 65536 };

/* What the command line asked for. */
struct wish {
    const char *data, *name, *project, *target;
    bool read_only, is_json;
    int64_t expires_at_us;
};

/* Where it is done: exactly one of the two. */
struct place {
    struct cria_call *call;
    const char *folder;
    bool is_running;          /* by the control socket */
    struct cria_store *store; /* else here */
    struct cria_account *account;
};

static const char usage[] =
    "usage: cria keys create --name NAME [--project ID] [--read-only] [--expires-days N] [--data "
    "DIR]\n"
    "       cria keys list [--data DIR]\n"
    "       cria keys revoke ID-OR-PREFIX [--data DIR]\n"
    "       cria projects create NAME [--data DIR]\n"
    "       cria projects list [--data DIR]\n"
    "\n"
    "They work on a data folder (--data, CRIA_DATA, else cria-data), whether its server runs or\n"
    "not. A key is shown once, on standard output, when it is made; only its hash is kept. A key\n"
    "with --project may use that project alone, one with --read-only changes nothing.\n"
    "--json prints one JSON object a line.\n";

/* Prints what was written as one line; false when memory is short. */
static bool print_line(struct cria_buf *buf)
{
    bool good = !buf->failed;
    if (good) printf("%.*s\n", CRIA_STR_ARG(cria_buf_str(buf)));
    cria_buf_release(buf);
    return good;
}

static enum cria_status place_open(struct place *place)
{
    const struct cria_json *ignored;
    int http;
    enum cria_status st = cria_control_ask(place->call, place->folder, "GET", "/health",
                                           (struct cria_str){0}, &http, &ignored);
    if (st == CRIA_OK) {
        place->is_running = true;
        return CRIA_OK;
    }
    st = cria_store_open(&(struct cria_store_options){.folder = place->folder}, place->call,
                         &place->store);
    if (st != CRIA_OK) return st;
    return cria_account_new(&(struct cria_account_options){.store = place->store}, place->call,
                            &place->account);
}

static void place_close(struct place *place)
{
    cria_account_free(place->account);
    cria_store_close(place->store);
}

/* Asks the running server and turns a refusal into a failure of the call. */
static enum cria_status ask(struct place *place, const char *method, const char *path,
                            struct cria_str body, const struct cria_json **out)
{
    int http;
    enum cria_status st =
        cria_control_ask(place->call, place->folder, method, path, body, &http, out);
    if (st != CRIA_OK || http < 300) return st;
    struct cria_str detail = cria_json_get_str(*out, "detail");
    if (!detail.ptr) detail = CRIA_STR("the server refused the request");
    return cria_fail(place->call, http == 404 ? CRIA_E_NOT_FOUND : CRIA_E_BAD_REQUEST, "%.*s",
                     CRIA_STR_ARG(detail));
}

static struct cria_str key_body(struct cria_call *call, const struct wish *wish)
{
    struct cria_buf buf;
    cria_buf_init(&buf, 65536);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_z(&out, "name", wish->name);
    cria_out_member_z(&out, "project_id", wish->project);
    cria_out_member_bool(&out, "read_only", wish->read_only);
    cria_out_member_time(&out, "expires_at", wish->expires_at_us);
    cria_out_end(&out);
    struct cria_str body =
        buf.failed ? (struct cria_str){0} : cria_arena_copy(call->arena, cria_buf_str(&buf));
    cria_buf_release(&buf);
    return body;
}

static enum cria_status key_create(struct place *place, const struct wish *wish)
{
    struct cria_str secret = {0}, id = {0};
    enum cria_status st;
    if (place->is_running) {
        const struct cria_json *answer;
        st = ask(place, "POST", "/admin/keys", key_body(place->call, wish), &answer);
        if (st != CRIA_OK) return st;
        secret = cria_json_get_str(answer, "key");
        id = cria_json_get_str(answer, "id");
    } else {
        struct cria_api_key key;
        struct cria_key_new params = {.name = cria_str_from(wish->name),
                                      .project_id = wish->project ? cria_str_from(wish->project)
                                                                  : (struct cria_str){0},
                                      .may_write = !wish->read_only,
                                      .expires_at_us = wish->expires_at_us};
        st = cria_account_key_create(place->account, place->call, &params, &key, &secret);
        if (st != CRIA_OK) return st;
        id = key.id;
    }
    if (wish->is_json) {
        struct cria_buf buf;
        cria_buf_init(&buf, LINE_MAX_BYTES);
        struct cria_json_out out = cria_json_out_to(&buf);
        cria_out_object(&out);
        cria_out_member_str(&out, "id", id);
        cria_out_member_str(&out, "key", secret);
        cria_out_end(&out);
        return print_line(&buf) ? CRIA_OK : cria_fail_memory(place->call);
    }
    fprintf(stderr, "Made key %.*s. It is shown this once:\n", CRIA_STR_ARG(id));
    printf("%.*s\n", CRIA_STR_ARG(secret));
    return CRIA_OK;
}

static void print_key(const struct wish *wish, struct cria_str id, struct cria_str prefix,
                      struct cria_str name, struct cria_str project, bool read_only,
                      const char *state)
{
    if (wish->is_json) {
        struct cria_buf buf;
        cria_buf_init(&buf, LINE_MAX_BYTES);
        struct cria_json_out out = cria_json_out_to(&buf);
        cria_out_object(&out);
        cria_out_member_str(&out, "id", id);
        cria_out_member_str(&out, "prefix", prefix);
        cria_out_member_str(&out, "name", name);
        if (project.len)
            cria_out_member_str(&out, "project_id", project);
        else
            cria_out_member_null(&out, "project_id");
        cria_out_member_bool(&out, "read_only", read_only);
        cria_out_member_bool(&out, "is_revoked", state[0] == 'r');
        cria_out_end(&out);
        (void)print_line(&buf);
        return;
    }
    if (!project.ptr) project = CRIA_STR("(all projects)");
    printf("%-42.*s %-14.*s %-8s %-10s %-38.*s %.*s\n", CRIA_STR_ARG(id), CRIA_STR_ARG(prefix),
           read_only ? "read" : "write", state, CRIA_STR_ARG(project), CRIA_STR_ARG(name));
}

static enum cria_status key_list(struct place *place, const struct wish *wish)
{
    if (!wish->is_json)
        printf("%-42s %-14s %-8s %-10s %-38s %s\n", "id", "begins with", "may", "state", "project",
               "name");
    if (place->is_running) {
        const struct cria_json *answer;
        enum cria_status st = ask(place, "GET", "/admin/keys", (struct cria_str){0}, &answer);
        const struct cria_json *items = st == CRIA_OK ? cria_json_get(answer, "items") : NULL;
        for (size_t i = 0; items && i < items->count; i++) {
            const struct cria_json *key = &items->items[i];
            bool is_revoked = !cria_json_is_null(cria_json_get(key, "revoked_at"));
            print_key(wish, cria_json_get_str(key, "id"), cria_json_get_str(key, "prefix"),
                      cria_json_get_str(key, "name"), cria_json_get_str(key, "project_id"),
                      cria_json_get_bool(key, "read_only", false), is_revoked ? "revoked" : "live");
        }
        return st;
    }
    struct cria_api_key_list list;
    enum cria_status st = cria_account_key_list(place->account, place->call, &list);
    for (size_t i = 0; st == CRIA_OK && i < list.count; i++) {
        const struct cria_api_key *key = &list.items[i];
        print_key(wish, key->id, key->prefix, key->name, key->project_id, !key->may_write,
                  key->revoked_at_us ? "revoked" : "live");
    }
    return st;
}

static enum cria_status key_revoke(struct place *place, const struct wish *wish)
{
    enum cria_status st;
    if (place->is_running) {
        const struct cria_json *ignored;
        struct cria_str path =
            cria_arena_printf(place->call->arena, "/admin/keys/%s", wish->target);
        if (!path.ptr) return cria_fail_memory(place->call);
        st = ask(place, "DELETE", path.ptr, (struct cria_str){0}, &ignored);
    } else {
        st = cria_account_key_revoke(place->account, place->call, cria_str_from(wish->target));
    }
    if (st == CRIA_OK && !wish->is_json) printf("revoked %s\n", wish->target);
    return st;
}

static void print_project(const struct wish *wish, struct cria_str id, struct cria_str name,
                          bool is_new)
{
    struct cria_buf buf;
    if (!wish->is_json) {
        printf("%.*s%s%.*s\n", CRIA_STR_ARG(id), is_new ? "" : "  ",
               CRIA_STR_ARG(is_new ? CRIA_STR("") : name));
        return;
    }
    cria_buf_init(&buf, LINE_MAX_BYTES);
    struct cria_json_out out = cria_json_out_to(&buf);
    cria_out_object(&out);
    cria_out_member_str(&out, "id", id);
    cria_out_member_str(&out, "name", name);
    cria_out_end(&out);
    (void)print_line(&buf);
}

static enum cria_status project_create(struct place *place, const struct wish *wish)
{
    struct cria_str id;
    enum cria_status st;
    if (place->is_running) {
        const struct cria_json *answer;
        struct cria_buf buf;
        cria_buf_init(&buf, 65536);
        struct cria_json_out out = cria_json_out_to(&buf);
        cria_out_object(&out);
        cria_out_member_z(&out, "name", wish->target);
        cria_out_end(&out);
        st = ask(place, "POST", "/admin/projects", cria_buf_str(&buf), &answer);
        cria_buf_release(&buf);
        id = st == CRIA_OK ? cria_json_get_str(answer, "id") : (struct cria_str){0};
    } else {
        struct cria_project project;
        st = cria_account_project_create(place->account, place->call, cria_str_from(wish->target),
                                         &project);
        id = st == CRIA_OK ? project.id : (struct cria_str){0};
    }
    if (st == CRIA_OK) print_project(wish, id, cria_str_from(wish->target), true);
    return st;
}

static enum cria_status project_list(struct place *place, const struct wish *wish)
{
    enum cria_status st;
    if (place->is_running) {
        const struct cria_json *answer;
        st = ask(place, "GET", "/admin/projects", (struct cria_str){0}, &answer);
        const struct cria_json *items = st == CRIA_OK ? cria_json_get(answer, "items") : NULL;
        for (size_t i = 0; items && i < items->count; i++) {
            print_project(wish, cria_json_get_str(&items->items[i], "id"),
                          cria_json_get_str(&items->items[i], "name"), false);
        }
        return st;
    }
    struct cria_tx *tx = NULL;
    struct cria_organization organization;
    struct cria_project_list list;
    struct cria_window window = {.limit = LIST_WINDOW};
    st = cria_store_read_begin(place->store, place->call, &tx);
    if (st == CRIA_OK) st = cria_tx_organization_first(tx, place->call, &organization);
    if (st == CRIA_OK)
        st = cria_tx_project_list(tx, place->call, organization.id, (struct cria_str){0}, &window,
                                  &list);
    cria_store_read_end(tx);
    for (size_t i = 0; st == CRIA_OK && i < list.count; i++)
        print_project(wish, list.items[i].id, list.items[i].name, false);
    return st;
}

/* Reads flags and the one plain word; false when something is off. */
static bool read_wish(int argc, char **argv, struct wish *wish)
{
    int64_t days;
    for (int i = 2; i < argc; i++) {
        const char *flag = argv[i];
        const char **text = strcmp(flag, "--data") == 0      ? &wish->data
                            : strcmp(flag, "--name") == 0    ? &wish->name
                            : strcmp(flag, "--project") == 0 ? &wish->project
                                                             : NULL;
        bool is_days = strcmp(flag, "--expires-days") == 0;
        if (strcmp(flag, "--read-only") == 0) {
            wish->read_only = true;
        } else if (strcmp(flag, "--json") == 0) {
            wish->is_json = true;
        } else if (text || is_days) {
            if (++i == argc) return false;
            if (text)
                *text = argv[i];
            else if (!cria_str_to_int64(cria_str_from(argv[i]), &days) || days < 1 || days > 36500)
                return false;
            else
                wish->expires_at_us = cria_wall_us() + days * INT64_C(86400000000);
        } else if (flag[0] != '-' && !wish->target) {
            wish->target = flag;
        } else {
            return false;
        }
    }
    return true;
}

static int exit_code(enum cria_status st)
{
    switch (st) {
    case CRIA_OK: return EX_OK;
    case CRIA_E_NOT_FOUND:
    case CRIA_E_BAD_REQUEST:
    case CRIA_E_INVALID: return EX_DATAERR;
    case CRIA_E_CONFLICT: return EX_CANTCREAT;
    case CRIA_E_FORBIDDEN:
    case CRIA_E_UNAUTHORIZED: return EX_NOPERM;
    case CRIA_E_TOO_LARGE:
    case CRIA_E_MEDIA_TYPE:
    case CRIA_E_LIMIT:
    case CRIA_E_UNAVAILABLE:
    case CRIA_E_TIMEOUT:
    case CRIA_E_CANCELLED: return EX_UNAVAILABLE;
    case CRIA_E_INTERNAL:
    case CRIA_E_NO_MEMORY: return EX_SOFTWARE;
    case CRIA_E_NO_SPACE:
    case CRIA_E_IO:
    case CRIA_E_CORRUPT: return EX_IOERR;
    }
    return EX_SOFTWARE;
}

int cria_admin_main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "", *data = getenv("CRIA_DATA");
    struct wish wish = {.data = data && data[0] ? data : "cria-data"};
    bool is_keys = strcmp(argv[0], "keys") == 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0) continue;
        fputs(usage, stdout);
        return EX_OK;
    }
    bool creates = strcmp(verb, "create") == 0, lists = strcmp(verb, "list") == 0;
    bool revokes = is_keys && strcmp(verb, "revoke") == 0;
    bool is_right = read_wish(argc, argv, &wish) && (creates || lists || revokes);
    if (is_keys && creates) is_right = is_right && wish.name && !wish.target;
    if (!is_keys && creates && !wish.target) wish.target = wish.name;
    if ((!is_keys && creates) || revokes) is_right = is_right && wish.target;
    if (!is_right) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    struct cria_arena arena;
    struct cria_call call;
    cria_arena_init(&arena, ARENA_BYTES);
    cria_call_init(&call, &arena);
    struct place place = {.call = &call, .folder = wish.data};
    enum cria_status st = place_open(&place);
    if (st == CRIA_OK && is_keys)
        st = creates ? key_create(&place, &wish)
             : lists ? key_list(&place, &wish)
                     : key_revoke(&place, &wish);
    else if (st == CRIA_OK)
        st = creates ? project_create(&place, &wish) : project_list(&place, &wish);
    place_close(&place);
    if (st != CRIA_OK)
        fprintf(stderr, "cria: %s\n", call.error[0] ? call.error : cria_status_name(st));
    cria_arena_release(&arena);
    return exit_code(st);
}
