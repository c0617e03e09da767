#include "search/manifest.h"

#include "base/buf.h"
#include "search/bitmap.h"

/* magic, generation, seq, parts; for each: names, identities, documents, dead, bitmap; at the end
 * the checksum of all before it, seeded with that of the scope. The row lies in the database, which
 * does not check its pages; and what a rotten seq hides would be missed for ever. */
static const char magic[4] = {'C', 'M', '0', '2'};

static uint64_t checksum_of(struct cria_str body, struct cria_str scope)
{
    return cria_checksum(body.ptr, body.len, cria_checksum(scope.ptr, scope.len, 0));
}

static void add_bytes(struct cria_buf *out, const void *bytes, size_t len)
{
    cria_buf_add(out, (struct cria_str){bytes, len});
}

static void add_name(struct cria_buf *out, const char *name)
{
    uint8_t len = (uint8_t)strlen(name);
    add_bytes(out, &len, 1);
    add_bytes(out, name, len);
}

bool cria_manifest_write(const struct cria_snapshot *snapshot, struct cria_str scope,
                         struct cria_buf *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < snapshot->parts.count; i++)
        count += snapshot->parts.items[i].piece->name[0] != '\0';
    add_bytes(out, magic, sizeof(magic));
    add_bytes(out, &snapshot->generation, 8);
    add_bytes(out, &snapshot->seq, 8);
    add_bytes(out, &count, 4);
    for (size_t i = 0; i < snapshot->parts.count; i++) {
        const struct cria_part *part = &snapshot->parts.items[i];
        uint32_t documents = part->piece->segment->meta.document_count;
        bool has_vectors = atomic_load(&part->piece->vectors) != NULL;
        if (!part->piece->name[0]) continue;
        const uint64_t identities[2] = {
            cria_segment_file_identity(part->piece->segment->file),
            has_vectors ? cria_segment_file_identity(part->piece->vector_file) : 0};
        add_name(out, part->piece->name);
        add_name(out, has_vectors ? part->piece->vectors_name : "");
        add_bytes(out, identities, sizeof(identities));
        add_bytes(out, &documents, 4);
        add_bytes(out, &part->dead_documents, 4);
        if (part->dead_documents)
            add_bytes(out, part->dead, cria_bitmap_words(documents) * sizeof(uint64_t));
    }
    if (out->failed) return false;
    uint64_t checksum = checksum_of(cria_buf_str(out), scope);
    add_bytes(out, &checksum, sizeof(checksum));
    return !out->failed;
}

static bool take(struct cria_str *rest, void *out, size_t len)
{
    if (rest->len < len) return false;
    memcpy(out, rest->ptr, len);
    *rest = cria_str_sub(*rest, len, rest->len - len);
    return true;
}

static bool take_name(struct cria_str *rest, char out[CRIA_ID_SIZE])
{
    uint8_t len = 0;
    if (!take(rest, &len, 1) || len >= CRIA_ID_SIZE || !take(rest, out, len)) return false;
    out[len] = '\0';
    for (uint8_t i = 0; i < len; i++) {
        char c = out[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    return true;
}

bool cria_manifest_open(struct cria_str body, struct cria_str scope,
                        struct cria_manifest_reader *out)
{
    char head[sizeof(magic)];
    uint64_t checksum;
    if (body.len < sizeof(checksum)) return false;
    body.len -= sizeof(checksum);
    memcpy(&checksum, body.ptr + body.len, sizeof(checksum));
    if (checksum != checksum_of(body, scope)) return false;
    *out = (struct cria_manifest_reader){.rest = body};
    return take(&out->rest, head, sizeof(head)) && memcmp(head, magic, sizeof(magic)) == 0 &&
           take(&out->rest, &out->generation, 8) && take(&out->rest, &out->seq, 8) &&
           take(&out->rest, &out->left, 4);
}

bool cria_manifest_next(struct cria_manifest_reader *reader, struct cria_manifest_part *out)
{
    struct cria_str rest = reader->rest;
    *out = (struct cria_manifest_part){0};
    if (reader->left == 0 || !take_name(&rest, out->name) || !out->name[0] ||
        !take_name(&rest, out->vectors_name) || !take(&rest, &out->identity, 8) ||
        !take(&rest, &out->vectors_identity, 8) || !take(&rest, &out->document_count, 4) ||
        !take(&rest, &out->dead_count, 4) || out->dead_count > out->document_count)
        return false;
    if (out->dead_count) {
        size_t len = cria_bitmap_words(out->document_count) * sizeof(uint64_t);
        if (rest.len < len) return false;
        out->dead = cria_str_sub(rest, 0, len);
        rest = cria_str_sub(rest, len, rest.len - len);
    }
    reader->rest = rest;
    reader->left--;
    return true;
}
