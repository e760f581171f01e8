/* SPDX-License-Identifier: Apache-2.0
 *
 * The library is named by its soname: the interface that the header, at build time, described.
 */
#include "archive_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define SONAME "libarchive.so.13"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define ARCHIVE_LIBRARY_ROW(function) {#function, offsetof(struct archive_library, function)},
    ARCHIVE_LIBRARY_FUNCTIONS(ARCHIVE_LIBRARY_ROW)};

int archive_library_load(const struct archive_library **ret_library, struct bh_error *error)
{
    static struct archive_library library;
    static void *handle;
    if (!handle) {
        handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    }
    if (!handle) {
        return bh_error_set(error, BH_UNAVAILABLE, "load %s, which reads and writes archives: %s", SONAME, dlerror());
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        void *function = dlsym(handle, functions[i].name);
        if (!function) {
            return bh_error_set(error, BH_UNAVAILABLE, "%s has no %s", SONAME, functions[i].name);
        }
        memcpy((char *)&library + functions[i].offset, &function, sizeof(function));
    }
    *ret_library = &library;
    return 0;
}
