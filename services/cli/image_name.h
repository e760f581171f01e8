/* SPDX-License-Identifier: Apache-2.0
 *
 * An image reference as a client needs it: split for the query of a pull or tag. Whether it is a good one is the
 * engine's to say.
 */
#pragma once

#include "common/error.h"

/* "host:5000/team/app:1.2" -> "host:5000/team/app" (owned by the caller) and "1.2"; "app@sha256:…" -> "app" and
 * "sha256:…". Without either, *ret_tag is NULL; it borrows `text`. */
int image_name_split(const char *text, char **ret_name, const char **ret_tag, struct bh_error *error);

/* The registry that a name belongs to: "host:5000", or "docker.io" where it names none. Owned by the caller. */
int image_name_registry(const char *text, char **ret_registry, struct bh_error *error);

/* What Docker prints after a pull: "docker.io/library/busybox:latest". Owned by the caller. */
int image_name_whole(const char *text, char **ret_whole, struct bh_error *error);
