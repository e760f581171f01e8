/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of rule files; see rules_file.h. What is inside one is read by rules_parse.c.
 */
#include "rules_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"

struct names {
    size_t n;
    char items[RULES_FILES_MAX][RULES_NAME_SIZE];
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int list_files(int folder, struct names *names, struct bh_error *error)
{
    bh_autoclose int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        return bh_error_errno(error, errno, "open policy.d");
    }
    (void)bh_steal_fd(&fd);
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length <= 5 || strcmp(entry->d_name + length - 5, ".json") != 0 || entry->d_name[0] == '.') {
            continue;
        }
        if (length >= RULES_NAME_SIZE || names->n == RULES_FILES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "policy.d/%s: at most %u files with names of at most %d characters are read",
                                entry->d_name, RULES_FILES_MAX, RULES_NAME_SIZE - 1);
        }
        memcpy(names->items[names->n++], entry->d_name, length + 1);
    }
    qsort(names->items, names->n, sizeof(names->items[0]), compare_names);
    return 0;
}

static int read_one(int folder, const char *name, struct rules *ret_rules, struct bh_error *error)
{
    bh_autoclose int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "open policy.d/%s", name);
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH))) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "policy.d/%s must be a plain file that root owns and nobody else can write", name);
    }
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    if (bh_read_file(fd, RULES_FILE_BYTES_MAX, &text, &n_bytes, name, error) < 0) {
        return -1;
    }
    return rules_parse(name, text, n_bytes, ret_rules, error);
}

/* Two files about one tenant: neither would obviously win, so neither does. */
static int check_overlap(const struct rules *a, const struct rules *b, struct bh_error *error)
{
    bool overlap = (a->for_root && b->for_root) || (a->for_others && b->for_others);
    for (size_t i = 0; i < a->n_uids; i++) {
        for (size_t j = 0; j < b->n_uids; j++) {
            overlap = overlap || a->uids[i] == b->uids[j];
        }
    }
    return overlap ? bh_error_set(error, BH_INVALID_ARGUMENT,
                                  "policy.d/%s and policy.d/%s speak of the same tenant; each may stand in one file",
                                  a->file, b->file)
                   : 0;
}

static int load_all(int folder, const struct names *names, struct rules *rules, struct bh_error *error)
{
    for (size_t i = 0; i < names->n; i++) {
        if (read_one(folder, names->items[i], &rules[i], error) < 0) {
            return -1;
        }
        for (size_t j = 0; j < i; j++) {
            if (check_overlap(&rules[j], &rules[i], error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int rules_load(int folder, struct rule_book *ret_book, struct bh_error *error)
{
    bh_autofree struct names *names = calloc(1, sizeof(*names));
    if (!names) {
        return bh_error_errno(error, ENOMEM, "list policy.d");
    }
    if (folder >= 0 && list_files(folder, names, error) < 0) {
        return -1;
    }
    bh_autofree struct rules *rules = calloc(names->n + 1, sizeof(*rules));
    if (!rules) {
        return bh_error_errno(error, ENOMEM, "hold %zu rule files", names->n);
    }
    if (load_all(folder, names, rules, error) < 0) {
        return -1;
    }
    *ret_book = (struct rule_book){.n_files = names->n, .files = bh_steal_pointer(&rules)};
    return 0;
}
