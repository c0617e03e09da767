#include "server/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/embedder.h"

enum kind { TEXT, COUNT, BYTES, MILLISECONDS, SWITCH, SECRET_FILE };

struct option {
    const char *name; /* the flag without its dashes; CRIA_… has it in capitals with underscores */
    enum kind kind;
    size_t field;
    const char *initial;
    int64_t least, most;
    const char *help;
};

#define FIELD(name) offsetof(struct cria_config, name)
#define KIB INT64_C(1024)
#define MIB (INT64_C(1024) * KIB)
#define GIB (INT64_C(1024) * MIB)

static const struct option options[] = {
    {"data", TEXT, FIELD(data), "cria-data", 0, 0, "folder of everything that is kept"},
    {"listen", TEXT, FIELD(listen), "127.0.0.1:8484", 0, 0,
     "address:port to serve; other than loopback needs a key"},
    {"public-url", TEXT, FIELD(public_url), "", 0, 0,
     "base of links handed out; empty: scheme and Host of the request"},
    {"llm-url", TEXT, FIELD(llm_url), "", 0, 0,
     "base URL of an OpenAI-compatible API (…/v1); empty: answers are exact quotes"},
    {"llm-model", TEXT, FIELD(llm_model), "", 0, 0, "name of the model there"},
    {"llm-key-file", SECRET_FILE, FIELD(llm_key), "", 0, 0,
     "file with the key for it; or CRIA_LLM_KEY holds the key itself"},
    {"embed-url", TEXT, FIELD(embed_url), "", 0, 0,
     "base URL of an OpenAI-compatible API (…/v1) that gives vectors; empty: search by words "
     "alone"},
    {"embed-model", TEXT, FIELD(embed_model), "", 0, 0,
     "name of the embedding model there; an index keeps to the one it was built with"},
    {"embed-key-file", SECRET_FILE, FIELD(embed_key), "", 0, 0,
     "file with the key for it; or CRIA_EMBED_KEY holds the key itself"},
    {"embed-query-prefix", TEXT, FIELD(embed_query_prefix), "", 0, 0,
     "text that the model wants before a question, as `query:`; a blank follows"},
    {"embed-document-prefix", TEXT, FIELD(embed_document_prefix), "", 0, 0,
     "text that the model wants before a document, as `passage:`; a blank follows"},
    {"embed-batch", COUNT, FIELD(embed_batch), "64", 1, 512, "texts of one request for vectors"},
    {"rerank-url", TEXT, FIELD(rerank_url), "", 0, 0,
     "base URL of an API (…/v1) with /rerank, as of Cohere, Jina or llama.cpp; empty: none"},
    {"rerank-model", TEXT, FIELD(rerank_model), "", 0, 0, "name of the re-ranking model there"},
    {"rerank-key-file", SECRET_FILE, FIELD(rerank_key), "", 0, 0,
     "file with the key for it; or CRIA_RERANK_KEY holds the key itself"},
    {"max-turns", COUNT, FIELD(max_turns), "64", 1, 100000,
     "chat turns that run at once; 429 beyond"},
    {"turn-deadline-ms", MILLISECONDS, FIELD(turn_deadline_ms), "180000", 1000, 3600000,
     "longest time of a turn"},
    {"cancel-on-disconnect", SWITCH, FIELD(cancel_on_disconnect), "false", 0, 1,
     "a reader that leaves cancels the turn"},
    {"rate-per-minute", COUNT, FIELD(rate_per_minute), "0", 0, 100000000,
     "requests a key may make in a minute; 0: any number"},
    {"cors-origins", TEXT, FIELD(cors_origins), "", 0, 0,
     "origins of web pages that may call, comma between"},
    {"loops", COUNT, FIELD(loops), "0", 0, 64, "event loops; 0: one per core"},
    {"workers", COUNT, FIELD(workers), "16", 1, 1024, "threads for requests that block"},
    {"ingest-workers", COUNT, FIELD(ingest_workers), "0", 0, 256,
     "threads that parse and index; 0: one per core"},
    {"max-connections", COUNT, FIELD(max_connections), "10000", 1, 1000000,
     "open connections of one loop"},
    {"max-header-bytes", BYTES, FIELD(max_header_bytes), "16384", 1024, MIB,
     "largest request header"},
    {"max-json-bytes", BYTES, FIELD(max_json_bytes), "1048576", 1024, GIB, "largest JSON body"},
    {"max-upload-bytes", BYTES, FIELD(max_upload_bytes), "536870912", 1024, 64 * GIB,
     "largest upload"},
    {"max-request-memory-bytes", BYTES, FIELD(max_request_memory_bytes), "268435456", MIB, 64 * GIB,
     "memory one request may take"},
    {"header-timeout-ms", MILLISECONDS, FIELD(header_timeout_ms), "10000", 10, 600000,
     "time for a whole request header"},
    {"idle-timeout-ms", MILLISECONDS, FIELD(idle_timeout_ms), "75000", 10, 3600000,
     "time a connection may wait between requests"},
    {"body-min-bytes-per-s", BYTES, FIELD(body_min_bytes_per_s), "1024", 0, MIB,
     "slowest upload, after ten seconds"},
    {"write-stall-ms", MILLISECONDS, FIELD(write_stall_ms), "30000", 10, 3600000,
     "time a reader may take nothing"},
    {"keep-alive-ms", MILLISECONDS, FIELD(keep_alive_ms), "15000", 10, 60000,
     "silence in a stream before a comment line"},
    {"shutdown-grace-ms", MILLISECONDS, FIELD(shutdown_grace_ms), "10000", 0, 600000,
     "time running turns get when the server stops"},
    {"search-memory-bytes", BYTES, FIELD(search_memory_bytes), "1073741824", MIB, 1024 * GIB,
     "memory for loaded indexes"},
    {"parser-folder", TEXT, FIELD(parser_folder), "", 0, 0,
     "where cria-parse and cria-pdf lie; empty: beside cria"},
    {"parse-timeout-ms", MILLISECONDS, FIELD(parse_timeout_ms), "120000", 100, 3600000,
     "longest time one document may take"},
    {"parse-memory-bytes", BYTES, FIELD(parse_memory_bytes), "1073741824", 64 * MIB, 64 * GIB,
     "memory of a parser"},
    {"parse-output-bytes", BYTES, FIELD(parse_output_bytes), "268435456", KIB, 4 * GIB,
     "text one document may give"},
    {"log-level", TEXT, FIELD(log_level), "info", 0, 0, "debug, info, warn, error or off"},
};

static char *keep(struct cria_config *config, struct cria_str text)
{
    char *copy = config->owned_count < CRIA_COUNT(config->owned) ? malloc(text.len + 1) : NULL;
    if (!copy) return NULL;
    if (text.len) memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    config->owned[config->owned_count++] = copy;
    return copy;
}

void cria_config_release(struct cria_config *config)
{
    for (size_t i = 0; i < config->owned_count; i++) free(config->owned[i]);
    config->owned_count = 0;
}

/* The whole of a small file; {NULL,0} when it cannot be read. */
static struct cria_str read_file(struct cria_config *config, const char *path)
{
    char text[65536];
    FILE *file = fopen(path, "re");
    if (!file) return (struct cria_str){0};
    size_t n = fread(text, 1, sizeof(text), file);
    bool bad = ferror(file) || !feof(file);
    fclose(file);
    char *copy = bad ? NULL : keep(config, cria_str_make(text, n));
    return (struct cria_str){copy, copy ? n : 0};
}

/* 512MiB, 64k, 1GB are fine for bytes. */
static bool number(const struct option *option, struct cria_str text, int64_t *out)
{
    int64_t unit = 1;
    if (option->kind == BYTES) {
        static const struct {
            const char *suffix;
            int64_t unit;
        } units[] = {{"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB}, {"k", KIB}, {"M", MIB}, {"G", GIB}};
        for (size_t i = 0; i < CRIA_COUNT(units) && unit == 1; i++) {
            if (!cria_str_ends(text, units[i].suffix)) continue;
            text.len -= strlen(units[i].suffix);
            unit = units[i].unit;
        }
    }
    if (!cria_str_to_int64(cria_str_trim(text), out)) return false;
    if (*out > option->most / unit) return false;
    *out *= unit;
    return *out >= option->least;
}

static void set(struct cria_config *config, const struct option *option, struct cria_str value,
                const char *from, struct cria_buf *errors)
{
    void *field = (char *)config + option->field;
    int64_t n;
    switch (option->kind) {
    case TEXT: {
        char *copy = keep(config, value);
        if (copy)
            *(const char **)field = copy;
        else
            cria_buf_printf(errors, "%s: out of memory\n", from);
        return;
    }
    case SECRET_FILE: {
        char *path = value.len ? keep(config, value) : NULL;
        struct cria_str secret = path ? read_file(config, path) : CRIA_STR("");
        if (!secret.ptr) {
            cria_buf_printf(errors, "%s: %s cannot be read from '%.*s'\n", from, option->name,
                            CRIA_STR_ARG(value));
            return;
        }
        *(const char **)field = keep(config, cria_str_trim(secret));
        return;
    }
    case SWITCH:
        if (cria_str_is(value, "true") || cria_str_is(value, "1") || cria_str_is(value, "yes"))
            *(int64_t *)field = 1;
        else if (cria_str_is(value, "false") || cria_str_is(value, "0") || cria_str_is(value, "no"))
            *(int64_t *)field = 0;
        else
            cria_buf_printf(errors, "%s: %s wants true or false, not '%.*s'\n", from, option->name,
                            CRIA_STR_ARG(value));
        return;
    case COUNT:
    case BYTES:
    case MILLISECONDS:
        if (number(option, value, &n))
            *(int64_t *)field = n;
        else
            cria_buf_printf(errors, "%s: %s wants a whole number from %lld to %lld, not '%.*s'\n",
                            from, option->name, (long long)option->least, (long long)option->most,
                            CRIA_STR_ARG(value));
        return;
    }
}

static const struct option *find(struct cria_str name)
{
    for (size_t i = 0; i < CRIA_COUNT(options); i++)
        if (cria_str_is(name, options[i].name)) return &options[i];
    return NULL;
}

static void environment_name(const struct option *option, char out[64])
{
    size_t n = 5;
    memcpy(out, "CRIA_", 6);
    for (const char *c = option->name; *c && n + 1 < 64; c++)
        out[n++] = *c == '-' ? '_' : (char)(*c - ('a' - 'A') * (*c >= 'a' && *c <= 'z'));
    out[n] = '\0';
}

static void read_config_file(struct cria_config *config, const char *path, struct cria_buf *errors)
{
    struct cria_str rest = read_file(config, path), line, name;
    unsigned number = 0;
    char from[256];
    if (!rest.ptr) {
        cria_buf_printf(errors, "%s: the configuration file cannot be read\n", path);
        return;
    }
    while (rest.len) {
        cria_str_cut(&rest, '\n', &line);
        line = cria_str_trim(line);
        number++;
        if (line.len == 0 || line.ptr[0] == '#') continue;
        snprintf(from, sizeof(from), "%s:%u", path, number);
        bool has_value = cria_str_cut(&line, '=', &name);
        const struct option *option = find(cria_str_trim(name));
        if (!option || !has_value)
            cria_buf_printf(errors, "%s: no option '%.*s'\n", from, CRIA_STR_ARG(name));
        else
            set(config, option, cria_str_trim(line), from, errors);
    }
}

static bool is_truth(struct cria_str text)
{
    return cria_str_is(text, "true") || cria_str_is(text, "false");
}

static void read_flags(struct cria_config *config, int argc, char **argv, bool config_file_only,
                       const char **config_file, struct cria_buf *errors)
{
    for (int i = 0; i < argc; i++) {
        struct cria_str rest = cria_str_from(argv[i]), name;
        if (!cria_str_starts(rest, "--")) {
            if (!config_file_only) cria_buf_printf(errors, "'%s' is no option\n", argv[i]);
            continue;
        }
        rest = cria_str_sub(rest, 2, rest.len);
        bool has_value = cria_str_cut(&rest, '=', &name);
        bool is_file = cria_str_is(name, "config");
        const struct option *option = find(name);
        if (option && option->kind == SWITCH && !has_value) {
            bool is_said = i + 1 < argc && is_truth(cria_str_from(argv[i + 1]));
            rest = is_said ? cria_str_from(argv[++i]) : CRIA_STR("true");
        } else if (!has_value && (option || is_file)) {
            if (i + 1 == argc) {
                if (!config_file_only)
                    cria_buf_printf(errors, "--%.*s wants a value\n", CRIA_STR_ARG(name));
                continue;
            }
            rest = cria_str_from(argv[++i]);
        }
        if (is_file)
            *config_file = rest.ptr;
        else if (config_file_only)
            continue;
        else if (!option)
            cria_buf_printf(errors, "no option --%.*s; cria serve --help lists them\n",
                            CRIA_STR_ARG(name));
        else
            set(config, option, rest, "command line", errors);
    }
}

static void check_url(const char *name, const char *url, struct cria_buf *errors)
{
    struct cria_str text = cria_str_from(url);
    if (text.len && !cria_str_starts(text, "http://") && !cria_str_starts(text, "https://"))
        cria_buf_printf(errors, "%s wants an http:// or https:// address\n", name);
}

static void check_length(const char *name, const char *text, size_t most, struct cria_buf *errors)
{
    if (strlen(text) > most) cria_buf_printf(errors, "%s has at most %zu bytes\n", name, most);
}

/* "HOST:PORT" or a port alone; whether the host is one is seen when it is listened on. */
static void check_listen(const char *listen, struct cria_buf *errors)
{
    const char *colon = strrchr(listen, ':');
    int64_t port;
    if (!cria_str_to_int64(cria_str_from(colon ? colon + 1 : listen), &port) || port < 0 ||
        port > 65535)
        cria_buf_printf(errors, "listen wants an address and a port, as in 127.0.0.1:8484\n");
}

static void check(const struct cria_config *config, struct cria_buf *errors)
{
    if (!cria_str_starts(cria_str_from(config->listen), "unix:"))
        check_listen(config->listen, errors);
    check_url("llm-url", config->llm_url, errors);
    check_url("embed-url", config->embed_url, errors);
    check_url("rerank-url", config->rerank_url, errors);
    if (config->llm_url[0] && !config->llm_model[0])
        cria_buf_printf(errors, "llm-url is given, llm-model is not\n");
    if (config->embed_url[0] && !config->embed_model[0])
        cria_buf_printf(errors, "embed-url is given, embed-model is not\n");
    check_length("embed-model", config->embed_model, CRIA_EMBEDDER_MODEL_MAX, errors);
    /* A blank may be put behind a prefix. */
    check_length("embed-query-prefix", config->embed_query_prefix, CRIA_EMBEDDER_PREFIX_MAX - 1,
                 errors);
    check_length("embed-document-prefix", config->embed_document_prefix,
                 CRIA_EMBEDDER_PREFIX_MAX - 1, errors);
    if (config->data[0] == '\0') cria_buf_printf(errors, "data wants a folder\n");
}

/* Keys that stand in the environment themselves; a file named there wins. */
static void read_keys(struct cria_config *config)
{
    const struct {
        const char *name;
        const char **field;
    } keys[] = {{"CRIA_LLM_KEY", &config->llm_key},
                {"CRIA_EMBED_KEY", &config->embed_key},
                {"CRIA_RERANK_KEY", &config->rerank_key}};
    for (size_t i = 0; i < CRIA_COUNT(keys); i++) {
        const char *key = getenv(keys[i].name);
        if (key) *keys[i].field = keep(config, cria_str_from(key));
    }
}

bool cria_config_read(struct cria_config *config, int argc, char **argv, struct cria_buf *errors)
{
    const char *config_file = getenv("CRIA_CONFIG");
    char name[64];
    *config = (struct cria_config){0};
    for (size_t i = 0; i < CRIA_COUNT(options); i++)
        set(config, &options[i], cria_str_from(options[i].initial), "default", errors);
    read_flags(config, argc, argv, true, &config_file, errors);
    if (config_file && config_file[0]) read_config_file(config, config_file, errors);
    read_keys(config);
    for (size_t i = 0; i < CRIA_COUNT(options); i++) {
        environment_name(&options[i], name);
        const char *value = getenv(name);
        if (value) set(config, &options[i], cria_str_from(value), name, errors);
    }
    read_flags(config, argc, argv, false, &config_file, errors);
    if (errors->len == 0) check(config, errors);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) cores = 1;
    if (config->loops == 0) config->loops = cores < 64 ? cores : 64;
    if (config->ingest_workers == 0) config->ingest_workers = cores < 256 ? cores : 256;
    return errors->len == 0 && !errors->failed;
}

static const char *unit(enum kind kind)
{
    switch (kind) {
    case TEXT: return "text";
    case COUNT: return "number";
    case BYTES: return "bytes";
    case MILLISECONDS: return "ms";
    case SWITCH: return "true/false";
    case SECRET_FILE: return "file";
    }
    cria_unreachable();
}

void cria_config_help(FILE *out)
{
    for (size_t i = 0; i < CRIA_COUNT(options); i++)
        fprintf(out, "  --%-26s %s [%s]\n", options[i].name, options[i].help, options[i].initial);
    fprintf(out, "  --%-26s %s\n", "config", "file of `name = value` lines");
    fprintf(
        out,
        "Each is also an environment variable: --max-turns is CRIA_MAX_TURNS. Flags win over the\n"
        "environment, the environment over the file.\n");
}

void cria_config_markdown(FILE *out)
{
    char name[64];
    fprintf(out, "| flag | environment | kind | default | what it is |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < CRIA_COUNT(options); i++) {
        environment_name(&options[i], name);
        fprintf(out, "| `--%s` | `%s` | %s | %s | %s |\n", options[i].name, name,
                unit(options[i].kind), options[i].initial[0] ? options[i].initial : "(none)",
                options[i].help);
    }
}
