/* SPDX-License-Identifier: Apache-2.0
 *
 * The WWW-Authenticate header (RFC 7235, 4.1) as registries send it: what to prove who we are with. Pure; the value is
 * hostile.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

#define CHALLENGE_HEADER_BYTES_MAX 8192
#define CHALLENGE_REALM_SIZE       2048
#define CHALLENGE_SERVICE_SIZE     512
#define CHALLENGE_SCOPE_SIZE       1024

struct challenge {
    bool basic;  /* "Basic" was offered */
    bool bearer; /* "Bearer" was offered; these are its parameters, empty where absent */
    char realm[CHALLENGE_REALM_SIZE];
    char service[CHALLENGE_SERVICE_SIZE];
    char scope[CHALLENGE_SCOPE_SIZE];
};

/* Reads all challenges of one header value and adds what it finds to *challenge (set to zero before the first). Unknown
 * schemes are skipped. Refuses what is outside the grammar, parameters named twice, a second Bearer, and what does not
 * fit. */
int challenge_parse(const char *value, struct challenge *challenge, struct bh_error *error);
