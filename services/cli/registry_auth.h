/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials for registries in the user's configuration, where docker keeps them too: for login, logout, pull and
 * push.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* The X-Registry-Auth header line (with its CRLF) for the registry of image `reference`, owned by the caller; NULL if
 * there are no credentials for it. */
int registry_auth_header(const char *reference, char **ret_header, struct bh_error *error);

/* The line that says these credentials: base64url over the API's AuthConfig. Exported for the tests. */
int registry_auth_encode(const char *user, const char *password, const char *identity_token, const char *registry,
                         char **ret_header, struct bh_error *error);

/* The name under which a server's credentials are kept: its host, or Docker Hub's own URL. Owned by the caller. */
int registry_auth_key(const char *server, char **ret_key, struct bh_error *error);
/* Writes or takes away what is kept under `key`. The file is replaced whole, and readable by the user alone. */
int registry_auth_store(const char *key, const char *user, const char *password, const char *identity_token,
                        struct bh_error *error);
int registry_auth_forget(const char *key, bool *ret_found, struct bh_error *error);
