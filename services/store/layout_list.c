/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the store's folders; see layout.h and layout_names.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "layout_names.h"

enum layout_entry layout_classify(const char *name, struct bh_digest *ret_digest)
{
    char text[BH_DIGEST_TEXT_SIZE];
    const size_t hex = BH_DIGEST_HEX_SIZE - 1;
    size_t length = strnlen(name, hex + sizeof(LAYOUT_RECORD_SUFFIX));
    bool record = length == hex + sizeof(LAYOUT_RECORD_SUFFIX) - 1 && strcmp(name + hex, LAYOUT_RECORD_SUFFIX) == 0;
    if (!record && length != hex) {
        return LAYOUT_ENTRY_FOREIGN;
    }
    (void)snprintf(text, sizeof(text), "sha256:%.64s", name);
    if (bh_digest_parse(text, ret_digest, NULL) < 0) {
        return LAYOUT_ENTRY_FOREIGN;
    }
    return record ? LAYOUT_ENTRY_RECORD : LAYOUT_ENTRY_DIGEST;
}

int layout_each(int folder, const char *what, layout_visit visit, void *argument, struct bh_error *error)
{
    /* Opened anew: a directory stream needs a position of its own. */
    bh_autoclose int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        return bh_error_errno(error, errno, "read %s", what);
    }
    (void)bh_steal_fd(&fd);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) {
            return errno == 0 ? 0 : bh_error_errno(error, errno, "read %s", what);
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (visit(entry->d_name, argument, error) < 0) {
            return -1;
        }
    }
}

struct list {
    struct bh_digest *digests;
    size_t count, room;
};

static int add(const char *name, void *argument, struct bh_error *error)
{
    struct list *list = argument;
    struct bh_digest digest;
    if (layout_classify(name, &digest) != LAYOUT_ENTRY_DIGEST) {
        return 0;
    }
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 256;
        struct bh_digest *larger = reallocarray(list->digests, room, sizeof(*larger));
        if (!larger) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list of %zu digests", room);
        }
        list->digests = larger;
        list->room = room;
    }
    list->digests[list->count++] = digest;
    return 0;
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct bh_digest));
}

int layout_list(const struct layout *layout, struct bh_digest **ret_digests, size_t *ret_count, struct bh_error *error)
{
    struct list list = {.count = 0};
    if (layout_each(layout->blobs, "blobs", add, &list, error) < 0 ||
        layout_each(layout->layers, "layers", add, &list, error) < 0) {
        free(list.digests);
        return -1;
    }
    size_t n_unique = 0;
    if (list.count > 0) {
        qsort(list.digests, list.count, sizeof(*list.digests), compare);
    }
    for (size_t i = 0; i < list.count; i++) {
        if (i == 0 || !bh_digest_equal(&list.digests[i], &list.digests[n_unique - 1])) {
            list.digests[n_unique++] = list.digests[i];
        }
    }
    *ret_digests = list.digests;
    *ret_count = n_unique;
    return 0;
}
