#include "search/vector/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

uint64_t cria_vector_section_length(const struct cria_vector_trailer *about,
                                    enum cria_vector_section section)
{
    uint64_t blocks = cria_vector_blocks(about->count), bytes = about->width / 8;
    bool has_bytes = about->dims > CRIA_VECTOR_NARROW;
    switch (section) {
    case CRIA_SECTION_ROWS: return (uint64_t)about->count * about->dims * sizeof(uint16_t);
    case CRIA_SECTION_BYTES: return has_bytes ? (uint64_t)about->count * about->width : 0;
    case CRIA_SECTION_SCALES: return has_bytes ? (uint64_t)about->count * sizeof(float) : 0;
    case CRIA_SECTION_PRESENT: return ((uint64_t)about->count + 63) / 64 * sizeof(uint64_t);
    case CRIA_SECTION_CODES: return blocks * CRIA_BLOCK_ROWS * bytes;
    case CRIA_SECTION_FACTORS: return blocks * CRIA_BLOCK_ROWS * 2 * sizeof(float);
    case CRIA_SECTION_MEAN: return about->width * sizeof(float);
    case CRIA_SECTION_CENTRES: return (uint64_t)about->lists * about->width;
    case CRIA_SECTION_LISTS: return about->lists * sizeof(struct cria_vector_list);
    case CRIA_SECTION_LIST_CODES: return (uint64_t)about->list_blocks * CRIA_BLOCK_ROWS * bytes;
    case CRIA_SECTION_LIST_FACTORS:
        return (uint64_t)about->list_blocks * CRIA_BLOCK_ROWS * 2 * sizeof(float);
    case CRIA_SECTION_LIST_ROWS:
        return (uint64_t)about->list_blocks * CRIA_BLOCK_ROWS * sizeof(uint32_t);
    case CRIA_SECTIONS: break;
    }
    return 0;
}

enum cria_status cria_vector_rotten(struct cria_call *call)
{
    return cria_fail(call, CRIA_E_CORRUPT, "the vectors of an index are damaged");
}

static bool is_sound(const struct cria_vector_trailer *about, size_t len)
{
    const uint64_t end = len - sizeof(*about);
    if (memcmp(about->magic, CRIA_VECTOR_MAGIC, sizeof(about->magic)) != 0 ||
        about->version != CRIA_VECTOR_VERSION || about->dims < 1 ||
        about->dims > CRIA_VECTOR_MAX_DIMS || about->count > INT32_MAX ||
        about->present > about->count || about->width != cria_vector_width(about->dims) ||
        about->lists > CRIA_VECTOR_MAX_LISTS || about->list_blocks > UINT32_MAX / 16 ||
        !isfinite(about->margin))
        return false;
    for (int s = 0; s < CRIA_SECTIONS; s++) {
        uint64_t offset = about->sections[s].offset, length = about->sections[s].length;
        if (offset % CRIA_VECTOR_ALIGN || offset < sizeof(struct cria_vector_header) ||
            offset > end || length > end - offset ||
            length != cria_vector_section_length(about, (enum cria_vector_section)s))
            return false;
    }
    return true;
}

/* What every search reads: the mean and the table of lists. */
static bool check_tables(struct cria_vector_index *index)
{
    const struct cria_vector_trailer *about = &index->about;
    if (!cria_vector_readable(index, index->mean, about->width * sizeof(float)) ||
        (about->lists &&
         !cria_vector_readable(index, index->lists, about->lists * sizeof(*index->lists))))
        return false;
    index->mean_square = index->distance->dot_floats(index->mean, index->mean, about->width);
    if (!isfinite(index->mean_square)) return false;
    for (uint32_t i = 0; i < about->lists; i++) {
        const struct cria_vector_list *list = &index->lists[i];
        if (!isfinite(list->scale) || !isfinite(list->radius) ||
            list->first_block > about->list_blocks ||
            list->blocks > about->list_blocks - list->first_block)
            return false;
    }
    return true;
}

static void find_sections(struct cria_vector_index *index)
{
    const struct cria_vector_trailer *about = &index->about;
    const uint8_t *base = index->bytes.ptr;
#define AT(section) ((const void *)(base + about->sections[CRIA_SECTION_##section].offset))
    index->rows = AT(ROWS);
    index->row_bytes = AT(BYTES);
    index->scales = AT(SCALES);
    index->present = AT(PRESENT);
    index->codes = AT(CODES);
    index->factors = AT(FACTORS);
    index->mean = AT(MEAN);
    index->centres = AT(CENTRES);
    index->lists = AT(LISTS);
    index->list_codes = AT(LIST_CODES);
    index->list_factors = AT(LIST_FACTORS);
    index->list_rows = AT(LIST_ROWS);
#undef AT
}

enum cria_status cria_vector_open(struct cria_call *call, struct cria_bytes bytes,
                                  struct cria_vector_index **out)
{
    const size_t least = sizeof(struct cria_vector_header) + sizeof(struct cria_vector_trailer);
    struct cria_vector_index *index = NULL;
    struct cria_vector_header header;
    enum cria_status st = CRIA_E_CORRUPT;
    assert((uintptr_t)bytes.ptr % CRIA_VECTOR_ALIGN == 0);
    if (bytes.len < least || bytes.len % CRIA_VECTOR_ALIGN) return cria_vector_rotten(call);
    if (!cria_fault_fires(CRIA_FAULT_ALLOC)) index = calloc(1, sizeof(*index));
    if (!index) return cria_fail_memory(call);
    index->bytes = bytes;
    index->distance = cria_distance_best();
    const uint8_t *trailer = bytes.ptr + bytes.len - sizeof(index->about);
    if (!cria_vector_readable(index, bytes.ptr, sizeof(header)) ||
        !cria_vector_readable(index, trailer, sizeof(index->about)))
        goto out;
    memcpy(&header, bytes.ptr, sizeof(header));
    memcpy(&index->about, trailer, sizeof(index->about));
    if (memcmp(header.magic, CRIA_VECTOR_MAGIC, sizeof(header.magic)) != 0 ||
        header.version != CRIA_VECTOR_VERSION || !is_sound(&index->about, bytes.len))
        goto out;
    find_sections(index);
    index->has_bytes = index->about.dims > CRIA_VECTOR_NARROW;
    if (!check_tables(index)) goto out;
    st = cria_rotation_init(&index->rotation, index->about.width) ? CRIA_OK : CRIA_E_NO_MEMORY;
out:
    if (st == CRIA_OK) {
        *out = index;
        return CRIA_OK;
    }
    cria_vector_close(index);
    return st == CRIA_E_NO_MEMORY ? cria_fail_memory(call) : cria_vector_rotten(call);
}

void cria_vector_close(struct cria_vector_index *index)
{
    if (!index) return;
    cria_rotation_release(&index->rotation);
    free(index);
}

uint32_t cria_vector_dims(const struct cria_vector_index *index)
{
    return index->about.dims;
}
uint32_t cria_vector_count(const struct cria_vector_index *index)
{
    return index->about.count;
}
uint32_t cria_vector_present(const struct cria_vector_index *index)
{
    return index->about.present;
}
uint32_t cria_vector_lists(const struct cria_vector_index *index)
{
    return index->about.lists;
}

const uint16_t *cria_vector_row(const struct cria_vector_index *index, uint32_t row)
{
    if (row >= index->about.count ||
        !cria_vector_readable(index, index->present + row / 64, sizeof(*index->present)) ||
        !cria_vector_has(index, row))
        return NULL;
    const uint16_t *at = index->rows + (size_t)row * index->about.dims;
    return cria_vector_readable(index, at, index->about.dims * sizeof(*at)) ? at : NULL;
}

bool cria_vector_pack(const float *vector, uint32_t dims, uint16_t *out)
{
    const struct cria_distance *distance = cria_distance_best();
    float unit[256], most = 0;
    for (uint32_t i = 0; i < dims; i++) {
        if (!isfinite(vector[i])) return false;
        most = fabsf(vector[i]) > most ? fabsf(vector[i]) : most;
    }
    if (most == 0) return false;
    double square = 0; /* of the vector by its largest number, so that nothing overflows */
    for (uint32_t i = 0; i < dims; i++) {
        double v = (double)vector[i] / (double)most;
        square += v * v;
    }
    double times = 1.0 / ((double)most * sqrt(square));
    for (uint32_t from = 0; from < dims; from += CRIA_COUNT(unit)) {
        uint32_t n = dims - from < CRIA_COUNT(unit) ? dims - from : (uint32_t)CRIA_COUNT(unit);
        for (uint32_t i = 0; i < n; i++) unit[i] = (float)((double)vector[from + i] * times);
        distance->to_halves(unit, out + from, n);
    }
    return true;
}
