/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file of several names was met first, and under which.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct hard_link {
    uint64_t device, inode;
    char *entry; /* NULL: a free slot */
};

struct hard_links {
    struct hard_link *slots; /* open addressing; a power of two, at most half full */
    size_t size, n;
};

/* The name under which this inode was met first; NULL if that is now, in which case `entry` is remembered. *ret_failed
 * if there is no memory for that. */
const char *hard_links_meet(struct hard_links *links, const struct stat *status, const char *entry, bool *ret_failed);
void hard_links_free(struct hard_links *links);
