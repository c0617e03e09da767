#include "search/vector/distance.h"

#include <stdbool.h>

#if defined(__x86_64__)
/* Every processor with AVX2 and FMA has F16C, which not all compilers know by name here. The names
 * are looked up in what was found at the start: asking the processor itself costs microseconds on a
 * virtual machine. */
static bool runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static bool runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vpopcntdq");
}
#else
static bool runs_avx2(void)
{
    return false;
}
static bool runs_avx512(void)
{
    return false;
}
#endif

const struct cria_distance *cria_distance_at(size_t n)
{
    const struct cria_distance *all[4] = {cria_distance_scalar()};
    size_t count = 1;
    if (cria_distance_neon()) all[count++] = cria_distance_neon();
    if (cria_distance_avx2() && runs_avx2()) all[count++] = cria_distance_avx2();
    if (cria_distance_avx512() && runs_avx512()) all[count++] = cria_distance_avx512();
    return n < count ? all[n] : NULL;
}

const struct cria_distance *cria_distance_best(void)
{
    const struct cria_distance *best = cria_distance_scalar(), *next;
    for (size_t n = 1; (next = cria_distance_at(n)) != NULL; n++) best = next;
    return best;
}
