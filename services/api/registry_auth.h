/* SPDX-License-Identifier: Apache-2.0
 *
 * The X-Registry-Auth field: credentials as base64url JSON. Called by pull.c on the client's bytes.
 */
#pragma once

#include "common/error.h"
#include "types.pb-c.h"

/* Decodes base64, plain or URL-safe, padded or not. The result is NUL-terminated and the caller's. */
int base64_decode(const char *text, char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error);

/* *ret_credentials is NULL if the field says nothing ("", "{}", "null"); else the caller frees it with free_unpacked.
 */
int registry_auth_parse(const char *field, Bulkhead__Credentials **ret_credentials, struct bh_error *error);

/* The known fields of an auth object into `credentials`; *ret_address (may be NULL) is malloc'd or left alone. */
struct json_t;
int registry_auth_read(const struct json_t *object, Bulkhead__Credentials *credentials, char **ret_address,
                       struct bh_error *error);
