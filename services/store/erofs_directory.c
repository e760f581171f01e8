/* SPDX-License-Identifier: Apache-2.0
 *
 * Directory blocks of a layer image; see erofs_directory.h.
 */
#include "erofs_directory.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "common/erofs_format.h"

/* Where entry `index` begins its name. */
static size_t name_offset(const uint8_t *block, size_t index)
{
    struct bh_erofs_dirent entry;
    memcpy(&entry, block + index * sizeof(entry), sizeof(entry));
    return le16toh(entry.name_offset);
}

/* How many entries the block says it has, from where its first name begins. */
static int count_entries(const uint8_t *block, size_t n_bytes, size_t *ret_entries, struct bh_error *error)
{
    if (n_bytes <= sizeof(struct bh_erofs_dirent)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a block of %zu bytes holds no entry", n_bytes);
    }
    size_t first = name_offset(block, 0);
    if (first == 0 || first % sizeof(struct bh_erofs_dirent) != 0 || first >= n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "its first name begins at byte %zu, must be a multiple of 12 within %zu bytes", first,
                            n_bytes);
    }
    *ret_entries = first / sizeof(struct bh_erofs_dirent);
    return 0;
}

/* The last name's end: where the zeros begin. */
static size_t used_bytes(const uint8_t *block, size_t n_bytes)
{
    while (n_bytes > 0 && block[n_bytes - 1] == 0) {
        n_bytes--;
    }
    return n_bytes;
}

static int check_name(struct erofs_directory *directory, const struct erofs_name *name, struct bh_error *error)
{
    if (name->n_bytes < 1 || name->n_bytes > BH_EROFS_NAME_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a name of %zu bytes, must be 1 to 255", name->n_bytes);
    }
    if (memchr(name->bytes, '/', name->n_bytes) || memchr(name->bytes, '\0', name->n_bytes)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the name \"%.*s\" has a slash or a NUL in it",
                            (int)name->n_bytes, (const char *)name->bytes);
    }
    size_t shorter = name->n_bytes < directory->last_name_bytes ? name->n_bytes : directory->last_name_bytes;
    int order = memcmp(directory->last_name, name->bytes, shorter);
    if (order > 0 || (order == 0 && directory->last_name_bytes >= name->n_bytes)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the name \"%.*s\" is twice there or out of order",
                            (int)name->n_bytes, (const char *)name->bytes);
    }
    memcpy(directory->last_name, name->bytes, name->n_bytes);
    directory->last_name_bytes = name->n_bytes;
    return 0;
}

/* "." or "..": must name the directory itself, or its parent. */
static int check_dot(const struct erofs_name *name, uint64_t nid, bool *seen, struct bh_error *error)
{
    if (name->nid != nid || name->file_type != BH_EROFS_TYPE_DIRECTORY) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%.*s\" names inode %" PRIu64 " of type %u, must be directory %" PRIu64,
                            (int)name->n_bytes, (const char *)name->bytes, name->nid, name->file_type, nid);
    }
    *seen = true;
    return 0;
}

static int parse_name(const uint8_t *block, size_t used, size_t index, size_t n_entries, struct erofs_name *ret_name,
                      struct bh_error *error)
{
    struct bh_erofs_dirent entry;
    memcpy(&entry, block + index * sizeof(entry), sizeof(entry));
    size_t begin = le16toh(entry.name_offset);
    size_t end = index + 1 < n_entries ? name_offset(block, index + 1) : used;
    if (entry.reserved != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "entry %zu has a reserved byte that is not 0", index);
    }
    if (begin >= end || end > used) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the name of entry %zu reaches from byte %zu to %zu of %zu",
                            index, begin, end, used);
    }
    *ret_name = (struct erofs_name){
        .bytes = block + begin, .n_bytes = end - begin, .nid = le64toh(entry.nid), .file_type = entry.file_type};
    return 0;
}

int erofs_directory_check_block(struct erofs_directory *directory, const uint8_t *block, size_t n_bytes, bool last,
                                uint64_t nid, uint64_t parent_nid, erofs_name_visit visit, void *argument,
                                struct bh_error *error)
{
    size_t n_entries = 0;
    if (count_entries(block, n_bytes, &n_entries, error) < 0) {
        return -1;
    }
    size_t used = used_bytes(block, n_bytes);
    if (last && used != n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its last block ends with zeros");
    }
    for (size_t i = 0; i < n_entries; i++) {
        struct erofs_name name;
        if (parse_name(block, used, i, n_entries, &name, error) < 0 || check_name(directory, &name, error) < 0) {
            return -1;
        }
        if (i == 0 && directory->free_bytes >= sizeof(struct bh_erofs_dirent) + name.n_bytes) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a block begins with a name that fitted the one before");
        }
        int result = 0;
        if (name.n_bytes == 1 && name.bytes[0] == '.') {
            result = check_dot(&name, nid, &directory->dot, error);
        } else if (name.n_bytes == 2 && memcmp(name.bytes, "..", 2) == 0) {
            result = check_dot(&name, parent_nid, &directory->dot_dot, error);
        } else {
            result = visit(&name, argument, error);
        }
        if (result < 0) {
            return -1;
        }
    }
    directory->free_bytes = n_bytes - used;
    return 0;
}

int erofs_directory_check_end(const struct erofs_directory *directory, struct bh_error *error)
{
    if (!directory->dot || !directory->dot_dot) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\".\" or \"..\" is missing");
    }
    return 0;
}
