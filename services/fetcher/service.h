/* SPDX-License-Identifier: Apache-2.0
 *
 * The fetcher's channels and life, for main.c.
 */
#pragma once

#include "common/service.h"

extern const struct bh_peer fetcher_peers[];

/* Starts libcurl and OpenSSL, whose configuration lies outside the sandbox. */
int fetcher_init(struct bh_service_context *context, struct bh_error *error);
