/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer_path.h. Input is hostile text of any bytes but NUL.
 */
#include "layer_path.h"

#include <string.h>

#include "common/erofs_format.h"

#define WHITEOUT_PREFIX ".wh."
#define PREFIX_BYTES    (sizeof(WHITEOUT_PREFIX) - 1)

static int add_component(struct layer_path *path, const char *name, const char *component, size_t n_bytes,
                         struct bh_error *error)
{
    if (n_bytes > BH_EROFS_NAME_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "entry \"%.*s\": a component of %zu bytes, Linux allows at most %u", LAYER_NAME_SHOWN, name,
                            n_bytes, BH_EROFS_NAME_MAX);
    }
    size_t slash = path->n_bytes > 0 ? 1 : 0;
    if (path->n_bytes + slash + n_bytes > BH_PATH_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "entry \"%.*s...\": its name is longer than %d bytes",
                            LAYER_NAME_SHOWN, name, BH_PATH_BYTES_MAX);
    }
    if (slash) {
        path->text[path->n_bytes++] = '/';
    }
    memcpy(path->text + path->n_bytes, component, n_bytes);
    path->n_bytes += n_bytes;
    return 0;
}

/* Where the last component begins. */
static size_t last_component(const struct layer_path *path)
{
    const char *slash = memrchr(path->text, '/', path->n_bytes);
    return slash ? (size_t)(slash - path->text) + 1 : 0;
}

/* Cuts the last component off. */
static void ascend(struct layer_path *path)
{
    size_t last = last_component(path);
    path->n_bytes = last > 0 ? last - 1 : 0;
}

int layer_path_clean(const char *name, struct layer_path *ret_path, struct bh_error *error)
{
    ret_path->n_bytes = 0;
    const char *at = name;
    while (*at) {
        size_t n_bytes = strcspn(at, "/");
        if (n_bytes == 2 && at[0] == '.' && at[1] == '.') {
            if (ret_path->n_bytes == 0 && name[0] != '/') {
                return bh_error_set(error, BH_INVALID_ARGUMENT,
                                    "entry \"%.*s\": its name leads out of the layer; names must stay below its root",
                                    LAYER_NAME_SHOWN, name);
            }
            ascend(ret_path);
        } else if (n_bytes > 0 && !(n_bytes == 1 && at[0] == '.')) {
            if (add_component(ret_path, name, at, n_bytes, error) < 0) {
                return -1;
            }
        }
        at += n_bytes;
        at += *at == '/' ? 1 : 0;
    }
    ret_path->text[ret_path->n_bytes] = '\0';
    return 0;
}

static bool is_aufs_bookkeeping(const char *component, size_t n_bytes)
{
    static const char *const names[] = {".wh..wh.aufs", ".wh..wh.orph", ".wh..wh.plnk"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == n_bytes && memcmp(names[i], component, n_bytes) == 0) {
            return true;
        }
    }
    return false;
}

static int refuse(const struct layer_path *path, const char *why, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "entry \"%.*s\": %s", LAYER_NAME_SHOWN, path->text, why);
}

/* Directories above the last component: AUFS' own are ignored with all they hold, others may not look like whiteouts.
 */
static int check_directories(const struct layer_path *path, size_t last, bool *ret_ignored, struct bh_error *error)
{
    *ret_ignored = false;
    for (size_t at = 0; at < last;) {
        size_t n_bytes = (size_t)((const char *)memchr(path->text + at, '/', path->n_bytes - at) - (path->text + at));
        if (is_aufs_bookkeeping(path->text + at, n_bytes)) {
            *ret_ignored = true;
            return 0;
        }
        if (n_bytes >= PREFIX_BYTES && memcmp(path->text + at, WHITEOUT_PREFIX, PREFIX_BYTES) == 0) {
            return refuse(path, "a directory may not be named like a whiteout", error);
        }
        at += n_bytes + 1;
    }
    return 0;
}

int layer_path_whiteout(struct layer_path *path, enum layer_whiteout *ret_kind, struct bh_error *error)
{
    size_t last = last_component(path);
    bool ignored;
    if (check_directories(path, last, &ignored, error) < 0) {
        return -1;
    }
    const char *component = path->text + last;
    size_t n_bytes = path->n_bytes - last;
    if (ignored || is_aufs_bookkeeping(component, n_bytes)) {
        *ret_kind = LAYER_WHITEOUT_IGNORED;
        return 0;
    }
    if (n_bytes < PREFIX_BYTES || memcmp(component, WHITEOUT_PREFIX, PREFIX_BYTES) != 0) {
        *ret_kind = LAYER_WHITEOUT_NONE;
        return 0;
    }
    if (strcmp(component, ".wh..wh..opq") == 0) {
        ascend(path);
        path->text[path->n_bytes] = '\0';
        *ret_kind = LAYER_WHITEOUT_OPAQUE;
        return 0;
    }
    const char *hidden = component + PREFIX_BYTES;
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0) {
        return refuse(path, "a whiteout must name what it hides, as in \".wh.name\"", error);
    }
    if (strncmp(hidden, WHITEOUT_PREFIX, PREFIX_BYTES) == 0) {
        return refuse(path, "a whiteout of a whiteout means nothing", error);
    }
    memmove(path->text + last, hidden, n_bytes - PREFIX_BYTES + 1);
    path->n_bytes -= PREFIX_BYTES;
    *ret_kind = LAYER_WHITEOUT_FILE;
    return 0;
}
