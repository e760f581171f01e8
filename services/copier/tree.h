/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of a container: opened by name once, and walked in order. The tree is hostile and may change under our feet:
 * everything found is looked at through the descriptor it was opened with, links are never followed but where the
 * caller says so, and nothing that could block (a FIFO) or act (a device) is opened.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "common/error.h"

/* Follows links; those that lead out stay at `root`. Returns a descriptor or -1 with errno. */
int tree_open(int root, const char *path, unsigned long long flags);
/* Follows links as any program in the container would: those that lead out of `folder` go on from this process's own
 * root. */
int tree_open_as_process(int folder, const char *path, unsigned long long flags);
/* One name in a folder; a link is not followed. */
int tree_open_name(int folder, const char *name, unsigned long long flags);
/* A regular file, to read; EINVAL if it is anything else. *ret_status is the opened file's. */
int tree_open_file(int folder, const char *name, struct stat *ret_status);

/* The kernel's own file systems (proc, sysfs, cgroups, terminals, queues): what they show is no content. */
bool tree_is_kernels(int fd);

/* Where a link leads, as Docker tells: an absolute path inside, whether there is something or not. `path` is clean and
 * absolute. */
int tree_follow(int root, const char *path, char *buffer, size_t buffer_bytes, struct bh_error *error);

/* Sorted names of a folder. Freed with names_free(). */
struct name_list {
    char **names;
    size_t n;
    char *text;
};
int names_read(int folder, struct name_list *ret_list, struct bh_error *error);
void names_free(struct name_list *list);
#define names_auto bh_cleanup(names_free)
/* bsearch() for a name. */
bool names_have(const struct name_list *list, const char *name);

/* One file on a walk: `name` in `folder`, `path` below the walk's beginning. */
struct walk_entry {
    int folder;
    const char *name;
    const char *path;
    struct stat status; /* of the file itself */
};

enum walk_step { WALK_FAILED = -1, WALK_ON = 0, WALK_SKIP = 1 /* not into this folder */ };

struct walk {
    enum walk_step (*visit)(void *argument, const struct walk_entry *entry, struct bh_error *error);
    /* A folder was left again; `name` in `folder`. May be NULL. */
    int (*leave)(void *argument, int folder, const char *name, struct bh_error *error);
    void *argument;
    bool skip_mounts_of_kernel; /* folders of the kernel's file systems, and /dev, are visited and not entered */
    int root;                   /* for that: where /dev is */
};

/* Visits everything below `folder` (itself not), a folder before what is in it, names in byte order. What vanishes
 * meanwhile is passed over. RESOURCE_EXHAUSTED where paths get longer than Linux takes. */
int walk_tree(int folder, const struct walk *walk, struct bh_error *error);
