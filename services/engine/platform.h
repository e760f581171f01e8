/* SPDX-License-Identifier: Apache-2.0
 *
 * Which image of an index fits (image-spec image-index.md, "platform"). Pure.
 */
#pragma once

#include "common/error.h"
#include "engine_extractor.pb-c.h"
#include "types.pb-c.h"

#define PLATFORM_TEXT_SIZE 96

/* What this engine runs: linux, and the processor's architecture by Go's name. Static strings. */
extern const Bulkhead__Platform platform_host;

/* "linux/arm64/v8". Returns `buffer`. */
const char *platform_format(const Bulkhead__Platform *platform, char buffer[static PLATFORM_TEXT_SIZE]);

/* Reads "linux", "linux/arm64", "linux/arm/v7", "arm64" as a client writes them in --platform; the result points into
 * `buffer`. */
int platform_parse(const char *text, char buffer[static PLATFORM_TEXT_SIZE], Bulkhead__Platform *ret_platform,
                   struct bh_error *error);

/* Would an image that says it is `offered` serve one who wants `wanted`? 0: no; a higher number is the better fit. */
int platform_fit(const Bulkhead__Platform *wanted, const Bulkhead__Platform *offered);

/* The best entry of an index; the first of equals. NOT_FOUND in Docker's words. */
int platform_choose(const Bulkhead__Platform *wanted, Bulkhead__IndexEntry *const *entries, size_t n_entries,
                    const Bulkhead__IndexEntry **ret_entry, struct bh_error *error);
