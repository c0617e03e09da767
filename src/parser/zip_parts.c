#include "parser/zip_parts.h"

#include <stdlib.h>
#include <zip.h>

/* What all parts that are read may unpack to, and how much larger than packed one may be: text
 * packs to a tenth, a bomb to a thousandth. */
static const uint64_t TOTAL_MAX = 256 << 20, SUSPECT_FROM = 16 << 20, RATIO_MAX = 150;

struct cria_zip {
    zip_t *archive;
    struct cria_doc *doc;
    uint64_t unpacked;
};

struct cria_zip *cria_zip_open(const struct cria_source *source, struct cria_doc *doc)
{
    zip_error_t error;
    struct cria_zip *zip = CRIA_NEW(&doc->arena, struct cria_zip);
    if (!zip) return NULL;
    zip_error_init(&error);
    zip_source_t *bytes = zip_source_buffer_create(source->bytes.ptr, source->bytes.len, 0, &error);
    zip->doc = doc;
    zip->archive = bytes ? zip_open_from_source(bytes, ZIP_RDONLY, &error) : NULL;
    if (!zip->archive) {
        if (bytes) zip_source_free(bytes);
        cria_doc_fail(doc, CRIA_DOC_UNREADABLE,
                      "not a readable %s: the archive is damaged or cut off", doc->format);
        zip = NULL;
    }
    zip_error_fini(&error);
    return zip;
}

void cria_zip_close(struct cria_zip *zip)
{
    if (zip) zip_discard(zip->archive);
}

bool cria_zip_has(const struct cria_zip *zip, const char *name)
{
    return zip_name_locate(zip->archive, name, 0) >= 0;
}

const char *cria_zip_name(const struct cria_zip *zip, size_t n)
{
    return zip_get_name(zip->archive, n, ZIP_FL_ENC_RAW);
}

static struct cria_str too_large(struct cria_zip *zip)
{
    cria_doc_fail(zip->doc, CRIA_DOC_TOO_LARGE,
                  "the archive unpacks to far more than it should: it looks like a zip bomb");
    return (struct cria_str){0};
}

static struct cria_str damaged(struct cria_zip *zip, const char *name)
{
    cria_doc_fail(zip->doc, CRIA_DOC_UNREADABLE, "not a readable %s: its part %.80s is damaged",
                  zip->doc->format, name);
    return (struct cria_str){0};
}

struct cria_str cria_zip_read(struct cria_zip *zip, const char *name)
{
    zip_stat_t stat;
    zip_int64_t at = zip_name_locate(zip->archive, name, 0);
    if (at < 0 || !cria_doc_ok(zip->doc)) return (struct cria_str){0};
    if (zip_stat_index(zip->archive, (zip_uint64_t)at, 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_SIZE) || !(stat.valid & ZIP_STAT_COMP_SIZE))
        return damaged(zip, name);
    if (stat.valid & ZIP_STAT_ENCRYPTION_METHOD && stat.encryption_method != ZIP_EM_NONE) {
        cria_doc_fail(zip->doc, CRIA_DOC_ENCRYPTED,
                      "the document is encrypted and cannot be read without its password");
        return (struct cria_str){0};
    }
    zip->unpacked += stat.size;
    if (zip->unpacked > TOTAL_MAX ||
        (stat.size > SUSPECT_FROM && stat.size / RATIO_MAX > stat.comp_size))
        return too_large(zip);
    char *bytes = cria_arena_alloc(&zip->doc->arena, (size_t)stat.size + 1);
    zip_file_t *file = bytes ? zip_fopen_index(zip->archive, (zip_uint64_t)at, 0) : NULL;
    zip_int64_t got = file ? zip_fread(file, bytes, stat.size) : -1;
    bool is_whole = got >= 0 && (zip_uint64_t)got == stat.size;
    if (file && zip_fclose(file) != 0) is_whole = false;
    if (!bytes) return (struct cria_str){0}; /* the arena remembers */
    return is_whole ? cria_str_make(bytes, (size_t)stat.size) : damaged(zip, name);
}
