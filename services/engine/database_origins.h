/* SPDX-License-Identifier: Apache-2.0
 *
 * Which registries have shown that they have a blob: its bytes came from there, or went there. Only the word of such a
 * one counts when it says that a tenant may read content that another tenant brought in; any other could say so of what
 * it has never seen. Losing a row costs a download, nothing else.
 */
#pragma once

#include "services/engine/database.h"

/* `registry` is the host (and port) that was spoken to. */
int database_add_origin(struct database *database, const struct bh_digest *digest, const char *registry,
                        struct bh_error *error);
/* 1 or 0. */
int database_is_origin(struct database *database, const struct bh_digest *digest, const char *registry,
                       struct bh_error *error);
/* The content is about to be deleted. */
int database_forget_origins(struct database *database, const struct bh_digest *digest, struct bh_error *error);
