/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of options, as the user writes them, into what the API takes. Each refuses with a message that says what would
 * have been right.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* "512m", "1.5g", "1073741824", "64kb": binary units, as Docker reads --memory. */
int value_bytes(const char *text, int64_t *ret_bytes, struct bh_error *error);

/* "0.5" -> 500000000: billionths of a processor, at most nine digits after the point. */
int value_nano_cpus(const char *text, int64_t *ret_nano_cpus, struct bh_error *error);

/* "nofile=1024:2048", "nofile=1024", "core=-1" -> {"Name", "Soft", "Hard"}. */
int value_ulimit(const char *text, json_t **ret_ulimit, struct bh_error *error);

/* A -v option: checks "SOURCE:TARGET[:MODE]" and makes a relative source absolute (below `folder`). *ret_bind is what
 * HostConfig.Binds takes. A bare "/target" is an anonymous volume: *ret_bind is NULL then. */
int value_bind(const char *text, const char *folder, char **ret_bind, struct bh_error *error);

/* A --tmpfs option: "/run" or "/run:size=64m,mode=1777" -> key and options, borrowed from a copy in *ret_path. */
int value_tmpfs(const char *text, char **ret_path, const char **ret_options, struct bh_error *error);

/* "on-failure:3" -> {"Name", "MaximumRetryCount"}. */
int value_restart_policy(const char *text, json_t **ret_policy, struct bh_error *error);

/* "NAME=VALUE" split at the first "=": the value is "" without one. */
void value_pair(const char *text, char **ret_name, const char **ret_value);
