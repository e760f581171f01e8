/* SPDX-License-Identifier: Apache-2.0
 *
 * ACLs that an archive carries as text (SCHILY.acl.*, written by `tar --acls`), in the form of the kernel's
 * attribute.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "common/error.h"

#define ACL_ENTRIES_MAX 1024
#define ACL_BYTES_MAX   (4 + 8 * ACL_ENTRIES_MAX)

/* Writes the value of system.posix_acl_access (`type` ARCHIVE_ENTRY_ACL_TYPE_ACCESS) or _default. *ret_bytes 0: the
 * entry has no such ACL, or one that names users which only the archive's own host knew. */
int acl_encode(struct archive_entry *entry, int type, uint8_t value[static ACL_BYTES_MAX], size_t *ret_bytes,
               struct bh_error *error);
