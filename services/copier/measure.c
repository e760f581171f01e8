/* SPDX-License-Identifier: Apache-2.0
 *
 * See measure.h.
 */
#include "measure.h"

#include "hard_links.h"
#include "tree.h"

struct measuring {
    uint64_t bytes, inodes;
    struct hard_links links;
};

static enum walk_step measure_entry(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    struct measuring *measuring = argument;
    bool no_memory = false;
    bool again = S_ISREG(entry->status.st_mode) && entry->status.st_nlink > 1 &&
                 hard_links_meet(&measuring->links, &entry->status, "", &no_memory);
    if (no_memory) {
        (void)bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the container has too many hard links");
        return WALK_FAILED;
    }
    if (!again) {
        measuring->inodes++;
        measuring->bytes += S_ISREG(entry->status.st_mode) ? (uint64_t)entry->status.st_size : 0;
    }
    return WALK_ON;
}

int measure_tree(int folder, uint64_t *ret_bytes, uint64_t *ret_inodes, struct bh_error *error)
{
    struct measuring measuring = {0};
    const struct walk walk = {.visit = measure_entry, .argument = &measuring};
    int result = walk_tree(folder, &walk, error);
    hard_links_free(&measuring.links);
    *ret_bytes = measuring.bytes;
    *ret_inodes = measuring.inodes;
    return result;
}
