/* SPDX-License-Identifier: Apache-2.0
 *
 * What every journal entry of a container says beside its message: "NAME=value\n" lines (systemd.io, "Native Journal
 * Protocol"), named as Docker's journald driver names them. Pure; called by spec.c. The values are the tenant's, so
 * none may hold a control character: a newline would begin a field of its own.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "container.pb-c.h"

/* INVALID_ARGUMENT for a value with control characters, a name that leaves nothing of itself, or more than
 * BH_JOURNAL_FIELDS_MAX bytes in all. *ret_fields is the caller's. */
int journal_fields_make(const Bulkhead__ContainerSpec *spec, char **ret_fields, size_t *ret_n_fields,
                        struct bh_error *error);
