/* SPDX-License-Identifier: Apache-2.0
 *
 * Which container (or network) belongs to which tenant, as the executor (or netd) told or as was made through here.
 * What is not known here is asked of them: policyd may have been restarted since.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNOWN_BUCKETS 1024

struct known_container {
    struct known_container *next;
    uint8_t id[32];
    uint32_t tenant_uid;
    bool running, starting;
};

struct known {
    struct known_container *buckets[KNOWN_BUCKETS];
    size_t n;
};

/* NULL if it is not known. */
struct known_container *known_find(const struct known *known, const uint8_t id[static 32]);
/* Remembers one; the tenant of one that is known already is not changed. NULL if there is no room or memory. */
struct known_container *known_add(struct known *known, const uint8_t id[static 32], uint32_t tenant_uid);
void known_remove(struct known *known, const uint8_t id[static 32]);
/* What a tenant has: without the one of that id. */
struct known_count {
    uint64_t running; /* or just starting */
    uint64_t all;
};
struct known_count known_count(const struct known *known, uint32_t tenant_uid, const uint8_t except[static 32]);
void known_clear(struct known *known);
