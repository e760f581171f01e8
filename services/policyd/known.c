/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table of containers; see known.h. Ids are random bytes of the engine's, so their first two are hash enough.
 */
#include "known.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

static size_t bucket_of(const uint8_t *id)
{
    return ((size_t)id[0] << 8 | id[1]) % KNOWN_BUCKETS;
}

struct known_container *known_find(const struct known *known, const uint8_t id[static 32])
{
    struct known_container *found = known->buckets[bucket_of(id)];
    while (found && memcmp(found->id, id, sizeof(found->id)) != 0) {
        found = found->next;
    }
    return found;
}

struct known_container *known_add(struct known *known, const uint8_t id[static 32], uint32_t tenant_uid)
{
    struct known_container *found = known_find(known, id);
    if (found) {
        return found;
    }
    struct known_container *added = known->n < 2 * BH_CONTAINERS_MAX ? calloc(1, sizeof(*added)) : NULL;
    if (!added) {
        return NULL;
    }
    memcpy(added->id, id, sizeof(added->id));
    added->tenant_uid = tenant_uid;
    added->next = known->buckets[bucket_of(id)];
    known->buckets[bucket_of(id)] = added;
    known->n++;
    return added;
}

void known_remove(struct known *known, const uint8_t id[static 32])
{
    for (struct known_container **at = &known->buckets[bucket_of(id)]; *at; at = &(*at)->next) {
        if (memcmp((*at)->id, id, sizeof((*at)->id)) == 0) {
            struct known_container *removed = *at;
            *at = removed->next;
            free(removed);
            known->n--;
            return;
        }
    }
}

struct known_count known_count(const struct known *known, uint32_t tenant_uid, const uint8_t except[static 32])
{
    struct known_count count = {0};
    for (size_t i = 0; i < KNOWN_BUCKETS; i++) {
        for (const struct known_container *at = known->buckets[i]; at; at = at->next) {
            bool counts = at->tenant_uid == tenant_uid && memcmp(at->id, except, sizeof(at->id)) != 0;
            count.running += counts && (at->running || at->starting);
            count.all += counts;
        }
    }
    return count;
}

void known_clear(struct known *known)
{
    for (size_t i = 0; i < KNOWN_BUCKETS; i++) {
        while (known->buckets[i]) {
            struct known_container *next = known->buckets[i]->next;
            free(known->buckets[i]);
            known->buckets[i] = next;
        }
    }
    known->n = 0;
}
