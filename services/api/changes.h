/* SPDX-License-Identifier: Apache-2.0
 *
 * The `changes` parameter of POST /images/create?fromSrc and POST /commit: Dockerfile instructions that alter an
 * image's config. CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR;
 * Docker's rules, that ENTRYPOINT takes an inherited CMD away among them. Pure; parses what a client wrote.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "http_target.h"
#include "types.pb-c.h"

/* Applies `text` (instructions, one a line) to `config`, whose fields are malloc'd as *_free_unpacked() wants them.
 * INVALID_ARGUMENT names the instruction and what would be right. `config` may be altered in part then. */
int changes_apply(const char *text, Bulkhead__ImageConfig *config, struct bh_error *error);

/* The same for all `changes` parameters of a request, in their order. */
int changes_apply_parameters(const struct http_target *target, Bulkhead__ImageConfig *config, struct bh_error *error);
