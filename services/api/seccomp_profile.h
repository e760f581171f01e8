/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's seccomp profile JSON (`--security-opt seccomp=FILE`) into types. Called by security.c on the client's bytes.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "container.pb-c.h"

/* Parses a profile for a host of `architecture` ("amd64") and `release` ("6.18.1"): rules for others are left out.
 * Unknown actions, operators and capabilities are refused. The caller frees with
 * bulkhead__seccomp_profile__free_unpacked(). */
int seccomp_profile_parse(const char *text, size_t n_bytes, const char *architecture, const char *release,
                          Bulkhead__SeccompProfile **ret_profile, struct bh_error *error);
