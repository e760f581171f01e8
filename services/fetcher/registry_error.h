/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a registry answers to what a user reads: the distribution specification's error JSON in Docker's own words,
 * since clients look for them. Pure; status and body are hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define REGISTRY_ERROR_BYTES_MAX (64 * 1024) /* of a body that says what went wrong; the rest is not read */

/* What was asked for. */
struct registry_subject {
    const char *host;       /* "registry-1.docker.io" */
    const char *repository; /* "library/busybox"; empty where none is involved */
    const char *manifest;   /* tag or digest text; NULL if it was no manifest */
    const char *blob;       /* digest text; NULL if it was no blob */
    bool push;              /* it was to be written */
};

/* Fills in the error that a response of `status` and `body` means. Always returns -1.
 * When pushing, DENIED and another 403 are PERMISSION_DENIED "denied: …", and a code speaks for itself. Else
 * MANIFEST_UNKNOWN, NAME_UNKNOWN, BLOB_UNKNOWN, DENIED and 404 are NOT_FOUND, 401 and UNAUTHORIZED are UNAUTHENTICATED,
 * another 403 is PERMISSION_DENIED, 429 is RESOURCE_EXHAUSTED, 5xx is UNAVAILABLE. */
int registry_error(const struct registry_subject *subject, unsigned status, const char *body, size_t body_bytes,
                   struct bh_error *error);
