/* SPDX-License-Identifier: Apache-2.0
 *
 * The other half of POST /images/create, for pull.c: a tarball instead of a name.
 */
#pragma once

#include "request.h"

/* `source` is the parameter fromSrc; `platform` may be NULL: the host's. */
int handle_image_import(struct request *request, const char *source, Bulkhead__Platform *platform,
                        struct bh_error *error);
