/* SPDX-License-Identifier: Apache-2.0
 *
 * See tar_write.h; the fields are those of POSIX.1-2017, "ustar Interchange Format".
 */
#include "services/engine/tar_write.h"

#include <stdio.h>
#include <string.h>

#define SIZE_AT     124
#define SIZE_BYTES  12
#define CHECKSUM_AT 148
#define KIND_AT     156
#define MAGIC_AT    257
#define OCTAL_MAX   077777777777ULL /* eleven digits */

/* Base 256, big-endian, marked by the top bit. */
static void write_large_size(char *field, uint64_t n_bytes)
{
    memset(field, 0, SIZE_BYTES);
    field[0] = (char)0x80;
    for (int i = SIZE_BYTES - 1; n_bytes > 0; i--, n_bytes >>= 8) {
        field[i] = (char)(n_bytes & 0xff);
    }
}

void tar_header(const char *name, enum tar_kind kind, uint64_t n_bytes, char ret_block[static TAR_BLOCK_BYTES])
{
    memset(ret_block, 0, TAR_BLOCK_BYTES);
    (void)snprintf(ret_block, TAR_NAME_BYTES_MAX, "%s", name);
    (void)snprintf(ret_block + 100, 8, "%07o", kind == TAR_FOLDER ? 0755U : 0644U);
    (void)snprintf(ret_block + 108, 8, "%07o", 0U); /* uid */
    (void)snprintf(ret_block + 116, 8, "%07o", 0U); /* gid */
    if (n_bytes > OCTAL_MAX) {
        write_large_size(ret_block + SIZE_AT, n_bytes);
    } else {
        (void)snprintf(ret_block + SIZE_AT, SIZE_BYTES, "%011llo", (unsigned long long)n_bytes);
    }
    (void)snprintf(ret_block + 136, 12, "%011o", 0U); /* mtime */
    ret_block[KIND_AT] = kind == TAR_FOLDER ? '5' : '0';
    memcpy(ret_block + MAGIC_AT, "ustar\00000", 8);
    (void)snprintf(ret_block + 329, 8, "%07o", 0U); /* device numbers */
    (void)snprintf(ret_block + 337, 8, "%07o", 0U);
    memset(ret_block + CHECKSUM_AT, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
        sum += (unsigned char)ret_block[i];
    }
    (void)snprintf(ret_block + CHECKSUM_AT, 7, "%06o", sum & 0777777U);
}

size_t tar_padding(uint64_t n_bytes)
{
    return (size_t)((TAR_BLOCK_BYTES - n_bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES);
}
