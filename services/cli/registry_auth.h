/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials that `docker login` left in the user's configuration, for pulls.
 */
#pragma once

#include "common/error.h"

/* The X-Registry-Auth header line (with its CRLF) for the registry of image `reference`, owned by the caller; NULL if
 * there are no credentials for it. */
int registry_auth_header(const char *reference, char **ret_header, struct bh_error *error);

/* The line that says these credentials: base64url over the API's AuthConfig. Exported for the tests. */
int registry_auth_encode(const char *user, const char *password, const char *identity_token, const char *registry,
                         char **ret_header, struct bh_error *error);
