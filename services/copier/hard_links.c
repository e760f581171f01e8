/* SPDX-License-Identifier: Apache-2.0
 *
 * See hard_links.h.
 */
#include "hard_links.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

/* The slot of an inode, or the free one where it belongs. */
static struct hard_link *find(struct hard_link *slots, size_t size, uint64_t device, uint64_t inode)
{
    uint64_t hash = (inode ^ (device << 32)) * 0x9e3779b97f4a7c15ULL;
    for (size_t i = (size_t)(hash >> 32);; i++) {
        struct hard_link *slot = &slots[i & (size - 1)];
        if (!slot->entry || (slot->inode == inode && slot->device == device)) {
            return slot;
        }
    }
}

static bool grow(struct hard_links *links)
{
    size_t size = links->size ? 2 * links->size : FIRST_SIZE;
    struct hard_link *slots = calloc(size, sizeof(*slots));
    for (size_t i = 0; slots && i < links->size; i++) {
        if (links->slots[i].entry) {
            *find(slots, size, links->slots[i].device, links->slots[i].inode) = links->slots[i];
        }
    }
    if (slots) {
        free(links->slots);
        links->slots = slots;
        links->size = size;
    }
    return slots != NULL;
}

const char *hard_links_meet(struct hard_links *links, const struct stat *status, const char *entry, bool *ret_failed)
{
    *ret_failed = 2 * links->n >= links->size && !grow(links);
    if (*ret_failed) {
        return NULL;
    }
    struct hard_link *slot = find(links->slots, links->size, status->st_dev, status->st_ino);
    if (slot->entry) {
        return slot->entry;
    }
    char *copy = strdup(entry);
    *ret_failed = !copy;
    if (copy) {
        *slot = (struct hard_link){.device = status->st_dev, .inode = status->st_ino, .entry = copy};
        links->n++;
    }
    return NULL;
}

void hard_links_free(struct hard_links *links)
{
    for (size_t i = 0; i < links->size; i++) {
        free(links->slots[i].entry);
    }
    free(links->slots);
    *links = (struct hard_links){0};
}
