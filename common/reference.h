/* SPDX-License-Identifier: Apache-2.0
 *
 * Image references, as Docker's clients write them and the distribution specification names them:
 * `[domain/]repository[:tag][@digest]`. A parsed reference holds only characters of that grammar, so
 * it can stand in a URL; it is never used as a path. Called by api (what the client said), engine
 * (what api said) and extractor (what an archive says).
 */
#pragma once

#include <stdbool.h>

#include "common/digest.h"
#include "common/error.h"
#include "common/limits.h"

struct bh_reference {
    char domain[256];                             /* "docker.io", "localhost:5000"; never empty */
    char repository[BH_REPOSITORY_BYTES_MAX + 1]; /* "library/busybox" */
    char tag[BH_TAG_BYTES_MAX + 1];               /* "" if none was given */
    bool has_digest;
    struct bh_digest digest;
};

/* Parses and normalizes like Docker ("busybox" is docker.io/library/busybox; no default tag is added).
 * Refuses upper case in repositories, bare 64-digit hex names, and anything outside the grammar. */
int bh_reference_parse(const char *text, struct bh_reference *ret_reference, struct bh_error *error);

/* The whole name ("docker.io/library/busybox:latest", "…@sha256:…"), and the familiar one that Docker
 * prints ("busybox:latest"). Both return `buffer`. */
const char *bh_reference_format(const struct bh_reference *reference, char *buffer, size_t buffer_bytes);
const char *bh_reference_familiar(const struct bh_reference *reference, char *buffer, size_t buffer_bytes);

/* The host (and port) to speak to: "docker.io" is served by "registry-1.docker.io". */
const char *bh_reference_registry_host(const struct bh_reference *reference);
