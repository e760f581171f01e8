/* SPDX-License-Identifier: Apache-2.0
 *
 * The target of a request: `/v1.47/containers/json?all=1`. Decoded once, here; what is left of `%` after that is a
 * character. Called by server.c on the client's bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define HTTP_PARAMETERS_MAX 64

#define API_VERSION_MINOR_MAX 47 /* what /version claims */
#define API_VERSION_MINOR_MIN 24

struct http_parameter {
    const char *name;
    const char *value;
};

struct http_target {
    char *memory;     /* owned: what everything below points into */
    const char *path; /* "/containers/json": decoded, without the version */
    bool has_version;
    unsigned version; /* minor of 1.x; API_VERSION_MINOR_MAX if none was given */
    struct http_parameter parameters[HTTP_PARAMETERS_MAX];
    size_t n_parameters;
};

/* Refuses (INVALID_ARGUMENT) `.`, `..` and empty segments, bad escapes, NUL and other control characters, versions that
 * are not served (in Docker's words). The caller frees with http_target_free(). */
int http_target_parse(const char *text, struct http_target *ret_target, struct bh_error *error);
void http_target_free(struct http_target *target);

/* The value of the first parameter of that name; NULL if there is none. */
const char *http_parameter(const struct http_target *target, const char *name);
/* Docker's boolean: absent gives `fallback`; "", "0", "no", "false" and "none" are false, all else is true. */
bool http_parameter_bool(const struct http_target *target, const char *name, bool fallback);
/* A whole number within bounds; absent or empty leaves *ret_value alone and returns 0. */
int http_parameter_int(const struct http_target *target, const char *name, int64_t min, int64_t max, int64_t *ret_value,
                       struct bh_error *error);
