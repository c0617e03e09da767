/* Any bytes as the answer of an embedding and of a rerank endpoint; the first byte says how many
 * texts were sent and whether the dims are known. What is taken is whole: unit vectors of finite
 * numbers, scores in 0..1; what is not is refused in words. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "model/embeddings_answer.h"
#include "model/rerank_answer.h"

enum { MOST_TEXTS = 8 };

static void check_rows(const float *rows, size_t count, uint32_t dims)
{
    assert(dims > 0 && dims <= CRIA_EMBEDDING_MAX_DIMS);
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < dims; k++) {
            double x = rows[i * dims + k];
            assert(isfinite(x));
            sum += x * x;
        }
        assert(fabs(sum - 1) < 1e-3);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cria_arena arena;
    const float *rows = NULL;
    uint32_t dims = 0;
    double scores[MOST_TEXTS];
    char why[CRIA_ANSWER_WHY_SIZE] = "";
    if (size == 0) return 0;
    size_t count = data[0] % MOST_TEXTS + 1;
    uint32_t known = data[0] & 0x80 ? 2 : 0;
    struct cria_str body = cria_str_make((const char *)data + 1, size - 1);
    cria_arena_init(&arena, 64 << 20);
    enum cria_status st = cria_embeddings_read(&arena, body, count, known, &rows, &dims, why);
    if (st == CRIA_OK) {
        assert(!known || dims == known);
        check_rows(rows, count, dims);
    } else {
        assert(!rows && why[0]);
    }
    cria_arena_release(&arena);
    why[0] = '\0';
    st = cria_rerank_read(body, count, scores, why);
    for (size_t i = 0; i < count && st == CRIA_OK; i++) assert(scores[i] >= 0 && scores[i] <= 1);
    assert(st == CRIA_OK || why[0]);
    return 0;
}
