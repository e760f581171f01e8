/* SPDX-License-Identifier: Apache-2.0
 *
 * See archive_index.h. libarchive reads the tar headers; names are cleaned as those of layers are.
 */
#include "archive_index.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "layer_path.h"
#include "bounds.h"

#define READ_BYTES (64 * BH_KIB)
#define TAR_BLOCK  512U
#define HOPS_MAX   16

struct member {
    char *name;
    char *link; /* cleaned name of what it links to; NULL: none */
    struct archive_range range;
    size_t order;
    bool is_file;
};

struct archive_index {
    int fd;
    uint64_t file_bytes, offset;
    uint8_t *buffer;
    struct member *members;
    size_t n_members, room;
};

void archive_index_free(struct archive_index **index)
{
    if (*index) {
        for (size_t i = 0; i < (*index)->n_members; i++) {
            free((*index)->members[i].name);
            free((*index)->members[i].link);
        }
        free((*index)->members);
        free((*index)->buffer);
        free(*index);
    }
}

/* ---- reading the headers ----------------------------------------------------------------------------- */

/* Where the archive ends for libarchive: as if the last member's padding and the blocks of zeros at the end were there.
 * umoci and others leave them out, and Docker does not mind; that no content is missing is checked member by member. */
static uint64_t padded_end(const struct archive_index *index)
{
    return (index->file_bytes + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK + 2 * TAR_BLOCK;
}

static la_ssize_t read_spool(struct archive *archive, void *argument, const void **ret_buffer)
{
    struct archive_index *index = argument;
    ssize_t got;
    do {
        got = pread(index->fd, index->buffer, READ_BYTES, (off_t)index->offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        archive_set_error(archive, errno, "cannot read the archive");
        return ARCHIVE_FATAL;
    }
    if (got == 0 && index->offset < padded_end(index)) {
        got = (ssize_t)(padded_end(index) - index->offset); /* three blocks at most */
        memset(index->buffer, 0, (size_t)got);
    }
    index->offset += (uint64_t)got;
    *ret_buffer = index->buffer;
    return got;
}

static la_int64_t skip_spool(struct archive *archive, void *argument, la_int64_t request)
{
    (void)archive;
    struct archive_index *index = argument;
    uint64_t left = index->file_bytes > index->offset ? index->file_bytes - index->offset : 0;
    uint64_t skipped = request < 0 ? 0 : (uint64_t)request < left ? (uint64_t)request : left;
    index->offset += skipped;
    return (la_int64_t)skipped;
}

static int archive_failure(struct archive *archive, struct bh_error *error)
{
    if (archive_errno(archive) == ENOMEM) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the archive needs more memory than a worker may have");
    }
    const char *text = archive_error_string(archive);
    return bh_error_set(error, BH_INVALID_ARGUMENT, "no valid tar archive: %s", text ? text : "unknown error");
}

static int room_for_one(struct archive_index *index, struct bh_error *error)
{
    if (index->n_members == EXTRACTOR_MEMBERS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the archive has more than %d members; no image archive does",
                            EXTRACTOR_MEMBERS_MAX);
    }
    if (index->n_members == index->room) {
        size_t room = index->room ? index->room * 2 : 256;
        void *members = realloc(index->members, room * sizeof(struct member));
        if (!members) {
            return bh_error_errno(error, ENOMEM, "list the archive's members");
        }
        index->members = members;
        index->room = room;
    }
    return 0;
}

/* The cleaned name of what a link means: hard links name members, symbolic ones start where they stand. */
static int clean_link(const struct layer_path *path, const char *target, bool symbolic, struct layer_path *ret_target,
                      struct bh_error *error)
{
    char joined[2 * (BH_PATH_BYTES_MAX + 1)];
    const char *slash = symbolic && target[0] != '/' ? memrchr(path->text, '/', path->n_bytes) : NULL;
    size_t directory = slash ? (size_t)(slash - path->text) + 1 : 0;
    size_t n_bytes = strlen(target);
    if (directory + n_bytes >= sizeof(joined)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%.200s\" links to a name that is too long",
                            path->text);
    }
    memcpy(joined, path->text, directory);
    memcpy(joined + directory, target, n_bytes + 1);
    return layer_path_clean(joined, ret_target, error);
}

static int add_member(struct archive_index *index, struct archive *archive, struct archive_entry *entry,
                      struct bh_error *error)
{
    const char *name = archive_entry_pathname(entry);
    struct layer_path path, target;
    if (!name || room_for_one(index, error) < 0 || layer_path_clean(name, &path, error) < 0) {
        return name ? -1 : bh_error_set(error, BH_INVALID_ARGUMENT, "the archive has a member without a name");
    }
    const char *hardlink = archive_entry_hardlink(entry), *symlink = archive_entry_symlink(entry);
    const char *link = hardlink ? hardlink : symlink;
    if (link && clean_link(&path, link, !hardlink, &target, error) < 0) {
        return -1;
    }
    la_int64_t size = archive_entry_size(entry), offset = archive_filter_bytes(archive, 0);
    bool is_file = !link && archive_entry_filetype(entry) == AE_IFREG;
    if (is_file && (size < 0 || offset < 0 || (uint64_t)offset > index->file_bytes ||
                    (uint64_t)size > index->file_bytes - (uint64_t)offset)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%.200s\" does not end inside the archive", name);
    }
    struct member *member = &index->members[index->n_members];
    *member = (struct member){.name = strdup(path.text),
                              .link = link ? strdup(target.text) : NULL,
                              .range = {is_file ? (uint64_t)offset : 0, is_file ? (uint64_t)size : 0},
                              .order = index->n_members,
                              .is_file = is_file && archive_entry_sparse_count(entry) == 0};
    index->n_members++;
    return member->name && (!link || member->link) ? 0 : bh_error_errno(error, ENOMEM, "list the archive's members");
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->order < y->order ? -1 : 1;
}

static int read_headers(struct archive_index *index, struct archive *archive, struct bh_error *error)
{
    if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_open2(archive, index, NULL, read_spool, skip_spool, NULL) != ARCHIVE_OK) {
        return archive_failure(archive, error);
    }
    struct archive_entry *entry;
    int result;
    while ((result = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
        bool conversion = result == ARCHIVE_WARN && archive_errno(archive) == EILSEQ;
        if (result != ARCHIVE_OK && !conversion) {
            return archive_failure(archive, error);
        }
        if (add_member(index, archive, entry, error) < 0) {
            return -1;
        }
    }
    if (index->n_members > 0) {
        qsort(index->members, index->n_members, sizeof(struct member), compare_members);
    }
    return 0;
}

int archive_index_build(int fd, struct archive_index **ret_index, struct bh_error *error)
{
    off_t file_bytes = lseek(fd, 0, SEEK_END);
    if (file_bytes < 0) {
        return bh_error_errno(error, errno, "look for the end of the archive");
    }
    bh_autoindex struct archive_index *index = calloc(1, sizeof(*index));
    if (!index || !(index->buffer = malloc(READ_BYTES))) {
        return bh_error_errno(error, ENOMEM, "allocate a table of contents");
    }
    index->fd = fd;
    index->file_bytes = (uint64_t)file_bytes;
    struct archive *archive = archive_read_new();
    if (!archive) {
        return bh_error_errno(error, ENOMEM, "allocate an archive reader");
    }
    int result = read_headers(index, archive, error);
    (void)archive_read_free(archive);
    if (result < 0) {
        return -1;
    }
    *ret_index = bh_steal_pointer(&index);
    return 0;
}

/* ---- looking up --------------------------------------------------------------------------------------- */

/* The last member of that name: where a name comes twice, the later one wins, as when unpacking. */
static const struct member *lookup(const struct archive_index *index, const char *name)
{
    size_t low = 0, high = index->n_members; /* members[low..] are the first ones greater than `name` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->members[middle].name, name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && strcmp(index->members[low - 1].name, name) == 0 ? &index->members[low - 1] : NULL;
}

bool archive_index_has(const struct archive_index *index, const char *name)
{
    return lookup(index, name);
}

int archive_index_find(const struct archive_index *index, const char *name, struct archive_range *ret_range,
                       struct bh_error *error)
{
    struct layer_path path;
    if (layer_path_clean(name, &path, error) < 0) {
        return -1;
    }
    const struct member *member = lookup(index, path.text);
    for (int hops = 0; member && member->link; hops++) {
        if (hops == HOPS_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%.200s\": too many links", name);
        }
        member = lookup(index, member->link);
    }
    if (!member) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the archive has no member \"%.200s\", or it links to none",
                            name);
    }
    if (!member->is_file) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%.200s\" is no plain file", name);
    }
    *ret_range = member->range;
    return 0;
}

int archive_index_read(const struct archive_index *index, const char *name, size_t max_bytes, char **ret_bytes,
                       size_t *ret_n_bytes, struct bh_error *error)
{
    struct archive_range range;
    if (archive_index_find(index, name, &range, error) < 0) {
        return -1;
    }
    if (range.size_bytes > max_bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "member \"%.200s\" has %llu bytes, at most %zu are possible",
                            name, (unsigned long long)range.size_bytes, max_bytes);
    }
    bh_autofree char *bytes = malloc(range.size_bytes + 1);
    if (!bytes) {
        return bh_error_errno(error, ENOMEM, "read member \"%.200s\"", name);
    }
    for (size_t filled = 0; filled < range.size_bytes;) {
        ssize_t got = pread(index->fd, bytes + filled, range.size_bytes - filled, (off_t)(range.offset + filled));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return bh_error_errno(error, got < 0 ? errno : EIO, "read member \"%.200s\"", name);
        }
        filled += (size_t)got;
    }
    bytes[range.size_bytes] = '\0';
    *ret_bytes = bh_steal_pointer(&bytes);
    *ret_n_bytes = range.size_bytes;
    return 0;
}

int archive_index_json(const struct archive_index *index, const char *name, size_t max_bytes, json_t **ret_json,
                       struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_bytes;
    return archive_index_read(index, name, max_bytes, &text, &n_bytes, error) < 0
               ? -1
               : json_parse(text, n_bytes, name, ret_json, error);
}
