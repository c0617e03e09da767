/* map.h - a hash map from byte strings to pointers. Keys are copied, values are the caller's.
 * Room: base. SipHash-1-3 under a key of the process (cria_map_seed), so that nobody outside can
 * make collisions. One thread at a time; the caller locks. */
#ifndef CRIA_BASE_MAP_H
#define CRIA_BASE_MAP_H

#include "base/status.h"
#include "base/str.h"

struct cria_map_slot;

struct cria_map {
    struct cria_map_slot *slots;
    size_t capacity, count;
};

/** Sets the process's hash key; call once at start with random bytes. */
void cria_map_seed(const unsigned char key[16]);
uint64_t cria_map_hash(struct cria_str key);

/** Frees keys and table, not the values. A zeroed map is an empty one. */
void cria_map_release(struct cria_map *map);
void *cria_map_get(const struct cria_map *map, struct cria_str key);
/** Replaces; false when memory is short (then nothing changed). value must not be NULL. */
CRIA_MUST_CHECK bool cria_map_put(struct cria_map *map, struct cria_str key, void *value);
/** Takes out and returns the value, NULL when it was not there. */
void *cria_map_remove(struct cria_map *map, struct cria_str key);
/** Walks: start with *at = 0; false at the end. No change of the map meanwhile. */
bool cria_map_next(const struct cria_map *map, size_t *at, struct cria_str *key, void **value);

#endif
