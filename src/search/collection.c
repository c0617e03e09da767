#include "search/collection.h"

#include <stdlib.h>

enum { GRAM_SAMPLE_ABOVE = 8000, GRAM_SAMPLE = 16, DOCUMENT_ARENA = 1 << 30, TITLE_BYTES = 400 };

/* ---- vocabulary
 * ------------------------------------------------------------------------------------------ */

struct cria_vocabulary *cria_vocabulary_new(void)
{
    struct cria_vocabulary *vocabulary = calloc(1, sizeof(*vocabulary));
    if (vocabulary) pthread_rwlock_init(&vocabulary->lock, NULL);
    return vocabulary;
}

void cria_vocabulary_free(struct cria_vocabulary *vocabulary)
{
    if (!vocabulary) return;
    for (size_t i = 0; i < vocabulary->count; i++) free(vocabulary->terms[i]);
    free(vocabulary->terms);
    cria_map_release(&vocabulary->ids);
    pthread_rwlock_destroy(&vocabulary->lock);
    free(vocabulary);
}

uint32_t cria_vocabulary_find(struct cria_vocabulary *vocabulary, struct cria_str term)
{
    pthread_rwlock_rdlock(&vocabulary->lock);
    uintptr_t id = (uintptr_t)cria_map_get(&vocabulary->ids, term);
    pthread_rwlock_unlock(&vocabulary->lock);
    return id ? (uint32_t)(id - 1) : UINT32_MAX;
}

static uint32_t add_term(struct cria_vocabulary *vocabulary, struct cria_str term)
{
    uint32_t id = cria_vocabulary_find(vocabulary, term);
    if (id != UINT32_MAX) return id;
    pthread_rwlock_wrlock(&vocabulary->lock);
    uintptr_t there = (uintptr_t)cria_map_get(&vocabulary->ids, term);
    if (there) {
        id = (uint32_t)(there - 1);
    } else {
        if (vocabulary->count == vocabulary->capacity) {
            size_t capacity = vocabulary->capacity ? vocabulary->capacity * 2 : 1024;
            char **grown = realloc(vocabulary->terms, capacity * sizeof(*grown));
            if (grown) {
                vocabulary->terms = grown;
                vocabulary->capacity = capacity;
            }
        }
        char *copy = vocabulary->count < vocabulary->capacity ? malloc(term.len + 1) : NULL;
        if (copy) {
            memcpy(copy, term.ptr, term.len);
            copy[term.len] = '\0';
            if (cria_map_put(&vocabulary->ids, term, (void *)(uintptr_t)(vocabulary->count + 1))) {
                id = (uint32_t)vocabulary->count;
                vocabulary->terms[vocabulary->count++] = copy;
            } else {
                free(copy);
            }
        }
    }
    pthread_rwlock_unlock(&vocabulary->lock);
    return id;
}

/* ---- documents
 * ------------------------------------------------------------------------------------------- */

void cria_indexed_document_unref(struct cria_indexed_document *document)
{
    if (!document || atomic_fetch_sub(&document->refs, 1) != 1) return;
    cria_arena_release(&document->arena);
    free(document);
}

struct sequence {
    struct cria_vocabulary *vocabulary;
    uint32_t *ids;
    size_t count, capacity;
    bool failed;
};

static bool take_term(void *arg, struct cria_str term, uint32_t position, bool is_word)
{
    struct sequence *sequence = arg;
    (void)position, (void)is_word;
    if (sequence->count == sequence->capacity) {
        size_t capacity = sequence->capacity ? sequence->capacity * 2 : 512;
        uint32_t *grown = realloc(sequence->ids, capacity * sizeof(*grown));
        if (!grown) {
            sequence->failed = true;
            return false;
        }
        sequence->ids = grown;
        sequence->capacity = capacity;
    }
    uint32_t id = add_term(sequence->vocabulary, term);
    if (id == UINT32_MAX) sequence->failed = true;
    sequence->ids[sequence->count++] = id;
    return !sequence->failed;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Counts the terms of a sequence (which gets sorted). */
static struct cria_posting *count_terms(struct cria_arena *arena, uint32_t *ids, size_t count,
                                        uint32_t *distinct)
{
    struct cria_posting *terms = CRIA_NEW_ARRAY(arena, count, struct cria_posting);
    *distinct = 0;
    if (!terms) return NULL;
    if (count) qsort(ids, count, sizeof(*ids), by_id);
    for (size_t i = 0; i < count; i++) {
        if (*distinct && terms[*distinct - 1].id == ids[i])
            terms[*distinct - 1].tf++;
        else
            terms[(*distinct)++] = (struct cria_posting){ids[i], 1};
    }
    return terms;
}

static bool index_chunk(struct cria_indexed_document *document, struct sequence *sequence,
                        struct cria_analyser *analyser, struct cria_str text,
                        const struct cria_chunk *place, struct cria_indexed_chunk *out)
{
    struct cria_arena *arena = &document->arena;
    struct cria_buf folded;
    struct cria_str content =
        cria_str_sub(text, place->byte_start, place->byte_end - place->byte_start);
    sequence->count = 0;
    cria_analyse(analyser, content, document->language, false, take_term, sequence);
    if (sequence->failed) return false;
    out->place = *place;
    out->place.heading =
        place->heading.ptr ? cria_arena_copy(arena, place->heading) : (struct cria_str){0};
    out->length = (uint32_t)sequence->count;
    out->sequence = CRIA_NEW_ARRAY(arena, sequence->count, uint32_t);
    if (!out->sequence) return false;
    if (sequence->count) memcpy(out->sequence, sequence->ids, sequence->count * sizeof(uint32_t));
    out->terms = count_terms(arena, sequence->ids, sequence->count, &out->term_count);
    cria_buf_init(&folded, SIZE_MAX);
    cria_fold_bytes(&folded, content);
    out->folded = folded.failed ? NULL : cria_arena_z(arena, cria_buf_str(&folded));
    out->folded_len = (uint32_t)folded.len;
    cria_buf_release(&folded);
    return out->terms && out->folded;
}

static bool index_title(struct cria_indexed_document *document, struct sequence *sequence,
                        struct cria_analyser *analyser, const struct cria_document *row)
{
    sequence->count = 0;
    struct cria_str title = row->title.len ? row->title : row->display_name;
    cria_analyse(analyser, cria_str_sub(title, 0, TITLE_BYTES), document->language, false,
                 take_term, sequence);
    if (sequence->failed) return false;
    document->title_length = (uint32_t)sequence->count;
    document->title_terms =
        count_terms(&document->arena, sequence->ids, sequence->count, &document->title_count);
    return document->title_terms != NULL;
}

struct cria_indexed_document *cria_document_index(struct cria_vocabulary *vocabulary,
                                                  struct cria_analyser *analyser,
                                                  const struct cria_document *row,
                                                  struct cria_str text,
                                                  const struct cria_chunk *chunks, size_t count)
{
    struct cria_indexed_document *document = calloc(1, sizeof(*document));
    struct sequence sequence = {.vocabulary = vocabulary};
    if (!document) return NULL;
    struct cria_arena *arena = &document->arena;
    atomic_init(&document->refs, 1);
    cria_arena_init(arena, DOCUMENT_ARENA);
    document->id = cria_arena_copy(arena, row->id);
    document->entry_id = cria_arena_copy(arena, row->entry_id);
    document->source_entry_id = cria_arena_copy(arena, row->source_entry_id);
    document->display_name = cria_arena_copy(arena, row->display_name);
    document->metadata_json = cria_arena_copy(arena, row->metadata_json);
    document->language = cria_language_guess(text);
    document->chunks = CRIA_NEW_ARRAY(arena, count, struct cria_indexed_chunk);
    bool good = document->chunks && index_title(document, &sequence, analyser, row);
    for (size_t i = 0; i < count && good; i++) {
        if (chunks[i].byte_end > text.len || chunks[i].byte_start > chunks[i].byte_end)
            continue; /* rotten row */
        good = index_chunk(document, &sequence, analyser, text, &chunks[i],
                           &document->chunks[document->chunk_count++]);
    }
    free(sequence.ids);
    document->bytes = arena->used_bytes;
    if (good && !arena->failed) return document;
    cria_indexed_document_unref(document);
    return NULL;
}

/* ---- snapshots
 * -------------------------------------------------------------------------------------------- */

struct cria_snapshot *cria_snapshot_ref(struct cria_snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->refs, 1);
    return snapshot;
}

void cria_snapshot_unref(struct cria_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) != 1) return;
    for (size_t i = 0; i < snapshot->document_count; i++)
        cria_indexed_document_unref(snapshot->documents[i]);
    free(snapshot->documents);
    free(snapshot->chunks);
    free(snapshot->lengths);
    free(snapshot->starts);
    free(snapshot->postings);
    free(snapshot->title_df);
    free(snapshot->gram_keys);
    free(snapshot->gram_df);
    free(snapshot);
}

static bool list_chunks(struct cria_snapshot *s)
{
    size_t languages[CRIA_LANG_COUNT] = {0}, n = 0;
    for (size_t d = 0; d < s->document_count; d++) s->chunk_count += s->documents[d]->chunk_count;
    s->chunks = calloc(s->chunk_count + 1, sizeof(*s->chunks));
    s->lengths = calloc(s->chunk_count + 1, sizeof(*s->lengths));
    if (!s->chunks || !s->lengths) return false;
    for (size_t d = 0; d < s->document_count; d++) {
        const struct cria_indexed_document *document = s->documents[d];
        languages[document->language] += document->chunk_count;
        s->bytes += document->bytes;
        for (uint32_t c = 0; c < document->chunk_count; c++) {
            s->chunks[n] = (struct cria_chunk_ref){(uint32_t)d, c};
            s->lengths[n++] = document->chunks[c].length;
            s->total_length += document->chunks[c].length;
            s->total_folded += document->chunks[c].folded_len;
            s->total_title += document->title_length;
        }
    }
    for (size_t i = 1; i < CRIA_LANG_COUNT; i++)
        if (languages[i] > languages[s->language]) s->language = (enum cria_language)i;
    return true;
}

/* Postings of all terms one behind the other, by counting first. */
static bool invert(struct cria_snapshot *s)
{
    pthread_rwlock_rdlock(&s->vocabulary->lock);
    s->term_count = s->vocabulary->count;
    pthread_rwlock_unlock(&s->vocabulary->lock);
    s->starts = calloc(s->term_count + 2, sizeof(*s->starts));
    s->title_df = calloc(s->term_count + 1, sizeof(*s->title_df));
    if (!s->starts || !s->title_df) return false;
    for (size_t n = 0; n < s->chunk_count; n++) {
        const struct cria_indexed_chunk *chunk = cria_snapshot_chunk(s, (uint32_t)n);
        for (uint32_t t = 0; t < chunk->term_count; t++) s->starts[chunk->terms[t].id + 2]++;
    }
    for (size_t t = 2; t < s->term_count + 2; t++) s->starts[t] += s->starts[t - 1];
    s->postings = calloc((size_t)s->starts[s->term_count + 1] + 1, sizeof(*s->postings));
    if (!s->postings) return false;
    for (size_t n = 0; n < s->chunk_count;
         n++) { /* starts[id + 1] runs from the term's start to its end */
        const struct cria_indexed_chunk *chunk = cria_snapshot_chunk(s, (uint32_t)n);
        for (uint32_t t = 0; t < chunk->term_count; t++)
            s->postings[s->starts[chunk->terms[t].id + 1]++] =
                (struct cria_posting){(uint32_t)n, chunk->terms[t].tf};
    }
    for (size_t d = 0; d < s->document_count; d++)
        for (uint32_t t = 0; t < s->documents[d]->title_count; t++)
            s->title_df[s->documents[d]->title_terms[t].id] += s->documents[d]->chunk_count;
    s->bytes += (size_t)s->starts[s->term_count] * sizeof(*s->postings) + s->term_count * 12;
    return true;
}

static size_t gram_slot(const struct cria_snapshot *s, uint32_t gram)
{
    size_t at = (gram * 2654435761u) & (s->gram_capacity - 1);
    while (s->gram_keys[at] && s->gram_keys[at] != gram) at = (at + 1) & (s->gram_capacity - 1);
    return at;
}

static bool grow_grams(struct cria_snapshot *s)
{
    struct cria_snapshot old = *s;
    s->gram_capacity = old.gram_capacity ? old.gram_capacity * 2 : 1 << 14;
    s->gram_keys = calloc(s->gram_capacity, sizeof(uint32_t));
    s->gram_df = calloc(s->gram_capacity, sizeof(uint32_t));
    bool good = s->gram_keys && s->gram_df;
    for (size_t i = 0; good && i < old.gram_capacity; i++) {
        if (!old.gram_keys[i]) continue;
        size_t at = gram_slot(s, old.gram_keys[i]);
        s->gram_keys[at] = old.gram_keys[i];
        s->gram_df[at] = old.gram_df[i];
    }
    free(old.gram_keys);
    free(old.gram_df);
    return good;
}

static uint32_t gram_at(const char *text)
{
    uint32_t gram;
    memcpy(&gram, text, 4);
    return gram;
}

/* How many chunks hold each 4-gram; of a large collection, one chunk in 16 is counted. */
static bool count_grams(struct cria_snapshot *s)
{
    uint32_t *grams = NULL;
    size_t capacity = 0, used = 0;
    bool good = grow_grams(s);
    s->gram_sample = s->chunk_count > GRAM_SAMPLE_ABOVE ? GRAM_SAMPLE : 1;
    for (size_t n = 0; n < s->chunk_count && good; n += s->gram_sample) {
        const struct cria_indexed_chunk *chunk = cria_snapshot_chunk(s, (uint32_t)n);
        if (chunk->folded_len < 4) continue;
        size_t count = chunk->folded_len - 3;
        if (count > capacity) {
            uint32_t *grown = realloc(grams, count * sizeof(*grown));
            if (!grown) good = false;
            if (!grown) break;
            grams = grown;
            capacity = count;
        }
        for (size_t i = 0; i < count; i++) grams[i] = gram_at(chunk->folded + i);
        qsort(grams, count, sizeof(*grams), by_id);
        for (size_t i = 0; i < count && good; i++) {
            if (i && grams[i] == grams[i - 1]) continue;
            if ((used + 1) * 2 > s->gram_capacity) good = grow_grams(s);
            if (!good) break;
            size_t at = gram_slot(s, grams[i]);
            used += s->gram_keys[at] == 0;
            s->gram_keys[at] = grams[i];
            s->gram_df[at]++;
        }
    }
    free(grams);
    s->bytes += s->gram_capacity * 8;
    return good;
}

uint32_t cria_snapshot_gram_df(const struct cria_snapshot *s, uint32_t gram)
{
    return (uint32_t)(s->gram_df[gram_slot(s, gram)] * s->gram_sample);
}

struct cria_snapshot *cria_snapshot_new(struct cria_vocabulary *vocabulary,
                                        struct cria_indexed_document **documents, size_t count,
                                        int64_t generation)
{
    struct cria_snapshot *s = calloc(1, sizeof(*s));
    if (!s) {
        for (size_t i = 0; i < count; i++) cria_indexed_document_unref(documents[i]);
        free(documents);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->generation = generation;
    s->vocabulary = vocabulary;
    s->documents = documents;
    s->document_count = count;
    if (list_chunks(s) && invert(s) && count_grams(s)) return s;
    cria_snapshot_unref(s);
    return NULL;
}
