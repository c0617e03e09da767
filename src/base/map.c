#include "base/map.h"

#include <stdlib.h>

#include "base/fault.h"

struct cria_map_slot {
    uint64_t hash;
    char *key; /* NULL: free */
    size_t len;
    void *value;
};

static uint64_t key0 = UINT64_C(0x0706050403020100), key1 = UINT64_C(0x0f0e0d0c0b0a0908);

void cria_map_seed(const unsigned char key[16])
{
    memcpy(&key0, key, 8);
    memcpy(&key1, key + 8, 8);
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define ROUND              \
    do {                   \
        v0 += v1;          \
        v1 = ROTL(v1, 13); \
        v1 ^= v0;          \
        v0 = ROTL(v0, 32); \
        v2 += v3;          \
        v3 = ROTL(v3, 16); \
        v3 ^= v2;          \
        v0 += v3;          \
        v3 = ROTL(v3, 21); \
        v3 ^= v0;          \
        v2 += v1;          \
        v1 = ROTL(v1, 17); \
        v1 ^= v2;          \
        v2 = ROTL(v2, 32); \
    } while (0)

/* Aumasson, Bernstein: "SipHash: a fast short-input PRF", INDOCRYPT 2012; 1-3 rounds. */
uint64_t cria_map_hash(struct cria_str key)
{
    uint64_t v0 = key0 ^ UINT64_C(0x736f6d6570736575), v1 = key1 ^ UINT64_C(0x646f72616e646f6d);
    uint64_t v2 = key0 ^ UINT64_C(0x6c7967656e657261), v3 = key1 ^ UINT64_C(0x7465646279746573);
    size_t left = key.len;
    const char *p = key.ptr;
    uint64_t m;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&m, p, 8);
        v3 ^= m;
        ROUND;
        v0 ^= m;
    }
    m = (uint64_t)key.len << 56;
    for (size_t i = 0; i < left; i++) m |= (uint64_t)(unsigned char)p[i] << (8 * i);
    v3 ^= m;
    ROUND;
    v0 ^= m;
    v2 ^= 0xff;
    ROUND;
    ROUND;
    ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

void cria_map_release(struct cria_map *map)
{
    if (!map) return;
    for (size_t i = 0; i < map->capacity; i++) free(map->slots[i].key);
    free(map->slots);
    *map = (struct cria_map){0};
}

/* Linear probing; the table is never more than three quarters full. */
static struct cria_map_slot *find(struct cria_map_slot *slots, size_t capacity, uint64_t hash,
                                  struct cria_str key)
{
    size_t at = (size_t)hash & (capacity - 1);
    while (slots[at].key && !(slots[at].hash == hash && slots[at].len == key.len &&
                              memcmp(slots[at].key, key.ptr ? key.ptr : "", key.len) == 0))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

void *cria_map_get(const struct cria_map *map, struct cria_str key)
{
    if (!map->capacity) return NULL;
    struct cria_map_slot *slot = find(map->slots, map->capacity, cria_map_hash(key), key);
    return slot->key ? slot->value : NULL;
}

static bool grow(struct cria_map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 16;
    struct cria_map_slot *slots =
        cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : calloc(capacity, sizeof(*slots));
    if (!slots) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct cria_map_slot *old = &map->slots[i];
        if (old->key) *find(slots, capacity, old->hash, cria_str_make(old->key, old->len)) = *old;
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

bool cria_map_put(struct cria_map *map, struct cria_str key, void *value)
{
    if ((map->count + 1) * 4 > map->capacity * 3 && !grow(map)) return false;
    uint64_t hash = cria_map_hash(key);
    struct cria_map_slot *slot = find(map->slots, map->capacity, hash, key);
    if (!slot->key) {
        char *copy = cria_fault_fires(CRIA_FAULT_ALLOC) ? NULL : malloc(key.len + 1);
        if (!copy) return false;
        if (key.len) memcpy(copy, key.ptr, key.len);
        copy[key.len] = '\0';
        *slot = (struct cria_map_slot){.hash = hash, .key = copy, .len = key.len};
        map->count++;
    }
    slot->value = value;
    return true;
}

void *cria_map_remove(struct cria_map *map, struct cria_str key)
{
    if (!map->capacity) return NULL;
    struct cria_map_slot *slot = find(map->slots, map->capacity, cria_map_hash(key), key);
    if (!slot->key) return NULL;
    void *value = slot->value;
    free(slot->key);
    map->count--;
    /* Close the gap: move later members of the run back to where a look-up would meet them. */
    size_t mask = map->capacity - 1, gap = (size_t)(slot - map->slots), at = gap;
    for (;;) {
        at = (at + 1) & mask;
        struct cria_map_slot *next = &map->slots[at];
        if (!next->key) break;
        size_t home = (size_t)next->hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->slots[gap] = *next;
            gap = at;
        }
    }
    map->slots[gap] = (struct cria_map_slot){0};
    return value;
}

bool cria_map_next(const struct cria_map *map, size_t *at, struct cria_str *key, void **value)
{
    while (*at < map->capacity) {
        const struct cria_map_slot *slot = &map->slots[(*at)++];
        if (!slot->key) continue;
        *key = cria_str_make(slot->key, slot->len);
        *value = slot->value;
        return true;
    }
    return false;
}
