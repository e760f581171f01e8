/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers of a tar archive (POSIX ustar) for names of our own making. The same members give the same bytes: no times,
 * no owners. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK_BYTES    512
#define TAR_NAME_BYTES_MAX 100
#define TAR_END_BYTES      (2 * TAR_BLOCK_BYTES) /* of zeros, at the end of an archive */

enum tar_kind { TAR_FILE, TAR_FOLDER };

/* `name` is shorter than TAR_NAME_BYTES_MAX; a folder's ends with a slash. Files of 8 GiB and more have their size in
 * base 256, as GNU tar, Go and libarchive write and read it. */
void tar_header(const char *name, enum tar_kind kind, uint64_t n_bytes, char ret_block[static TAR_BLOCK_BYTES]);

/* How many zeros follow content of `n_bytes`. */
size_t tar_padding(uint64_t n_bytes);
