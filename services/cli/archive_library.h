/* SPDX-License-Identifier: Apache-2.0
 *
 * libarchive, loaded when `cp` needs it and not before: with all that it brings along it would cost every other command
 * more time to start than that command takes.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "common/error.h"

#define ARCHIVE_LIBRARY_FUNCTIONS(X)                                                                                   \
    X(archive_errno)                                                                                                   \
    X(archive_error_string)                                                                                            \
    X(archive_read_new)                                                                                                \
    X(archive_read_support_format_tar)                                                                                 \
    X(archive_read_open)                                                                                               \
    X(archive_read_next_header)                                                                                        \
    X(archive_read_data)                                                                                               \
    X(archive_read_free)                                                                                               \
    X(archive_write_new)                                                                                               \
    X(archive_write_set_format_pax_restricted)                                                                         \
    X(archive_write_set_bytes_per_block)                                                                               \
    X(archive_write_set_bytes_in_last_block)                                                                           \
    X(archive_write_open)                                                                                              \
    X(archive_write_header)                                                                                            \
    X(archive_write_data)                                                                                              \
    X(archive_write_close)                                                                                             \
    X(archive_write_free)                                                                                              \
    X(archive_set_error)                                                                                               \
    X(archive_entry_new)                                                                                               \
    X(archive_entry_free)                                                                                              \
    X(archive_entry_copy_stat)                                                                                         \
    X(archive_entry_copy_pathname)                                                                                     \
    X(archive_entry_copy_symlink)                                                                                      \
    X(archive_entry_copy_hardlink)                                                                                     \
    X(archive_entry_set_size)                                                                                          \
    X(archive_entry_pathname)                                                                                          \
    X(archive_entry_symlink)                                                                                           \
    X(archive_entry_hardlink)                                                                                          \
    X(archive_entry_filetype)                                                                                          \
    X(archive_entry_perm)                                                                                              \
    X(archive_entry_mtime)                                                                                             \
    X(archive_entry_mtime_nsec)                                                                                        \
    X(archive_entry_uid)                                                                                               \
    X(archive_entry_gid)

#define ARCHIVE_LIBRARY_FIELD(function) __typeof__(&(function)) function;
struct archive_library {
    ARCHIVE_LIBRARY_FUNCTIONS(ARCHIVE_LIBRARY_FIELD)
};

/* Loads it once; *ret_library is never freed. */
int archive_library_load(const struct archive_library **ret_library, struct bh_error *error);
