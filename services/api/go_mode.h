/* SPDX-License-Identifier: Apache-2.0
 *
 * A file's mode as Go's os.FileMode has it, which is what Docker's API tells of files.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

static inline uint32_t go_mode(uint32_t mode)
{
    static const struct {
        uint32_t type, go;
    } types[] = {
        {S_IFDIR, 1U << 31}, {S_IFLNK, 1U << 27},  {S_IFBLK, 1U << 26},
        {S_IFIFO, 1U << 25}, {S_IFSOCK, 1U << 24}, {S_IFCHR, 1U << 26 | 1U << 21},
    };
    uint32_t result = mode & 0777;
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        result |= (mode & S_IFMT) == types[i].type ? types[i].go : 0;
    }
    result |= mode & S_ISUID ? 1U << 23 : 0;
    result |= mode & S_ISGID ? 1U << 22 : 0;
    return result | (mode & S_ISVTX ? 1U << 20 : 0);
}
