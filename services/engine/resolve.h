/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client's word for a container or an image means, within its own tenant. Another tenant's objects are
 * NOT_FOUND, in the same words as what never existed.
 */
#pragma once

#include "common/reference.h"
#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* Whole id, then name (a leading slash is dropped), then an unambiguous prefix of an id. */
int resolve_container(struct job *job, const char *reference, struct container_row *ret_row, struct bh_error *error);

/* A name (tag "latest" if none), then an id or an unambiguous prefix of one, with or without "sha256:". *ret_name is
 * the whole reference if it was found by one, else "". */
int resolve_image(struct database *database, uint32_t tenant_uid, const char *reference, struct bh_digest *ret_id,
                  char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error);

/* The bounds of all 32-byte ids that start with these hex digits. False if it is no 1..64 lower-case hex digits. Pure.
 */
bool resolve_prefix(const char *text, uint8_t ret_low[static ENGINE_ID_BYTES],
                    uint8_t ret_high[static ENGINE_ID_BYTES]);

/* The whole form of a name that an image is to be given; INVALID_ARGUMENT for what could be read as an id. Pure. */
int resolve_new_name(const char *text, struct bh_reference *ret_reference,
                     char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error);

/* The whole form of a reference, tag "latest" if it has neither tag nor digest. Pure. */
int resolve_reference(const char *text, struct bh_reference *ret_reference,
                      char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error);
