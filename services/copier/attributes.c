/* SPDX-License-Identifier: Apache-2.0
 *
 * See attributes.h.
 */
#include "attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/cleanup.h"

#define LIST_BYTES  65536 /* XATTR_LIST_MAX */
#define VALUE_BYTES 65536 /* XATTR_SIZE_MAX */
#define NAMES_MAX   4096

bool attribute_travels(const char *name)
{
    return (strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0) ||
           strcmp(name, "security.capability") == 0 || strcmp(name, "system.posix_acl_access") == 0 ||
           strcmp(name, "system.posix_acl_default") == 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int attributes_read(int fd, void (*each)(void *argument, const char *name, const void *value, size_t n_bytes),
                    void *argument, struct bh_error *error)
{
    static char list[LIST_BYTES], value[VALUE_BYTES];
    static const char *names[NAMES_MAX];
    size_t n = 0;
    ssize_t n_list = flistxattr(fd, list, sizeof(list));
    if (n_list <= 0) {
        return n_list == 0 || errno == EOPNOTSUPP || errno == EACCES || errno == EPERM
                   ? 0
                   : bh_error_errno(error, errno, "list a file's attributes");
    }
    for (const char *name = list; name < list + n_list && n < NAMES_MAX; name += strlen(name) + 1) {
        if (attribute_travels(name)) {
            names[n++] = name;
        }
    }
    qsort((void *)names, n, sizeof(*names), by_bytes);
    for (size_t i = 0; i < n; i++) {
        ssize_t n_value = fgetxattr(fd, names[i], value, sizeof(value));
        if (n_value >= 0) { /* one that went meanwhile is none */
            each(argument, names[i], value, (size_t)n_value);
        }
    }
    return 0;
}

int attribute_set(int fd, const char *name, const void *value, size_t n_bytes, struct bh_error *error)
{
    return fsetxattr(fd, name, value, n_bytes, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM && errno != EINVAL
               ? bh_error_errno(error, errno, "set attribute %.100s", name)
               : 0;
}
