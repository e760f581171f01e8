/* SPDX-License-Identifier: Apache-2.0
 *
 * A sha256 digest is 32 bytes everywhere inside Bulkhead. The textual form `sha256:<64 lower-case hex>`
 * (OCI image-spec, descriptor.md "Digests") exists only at the edges; nothing else is accepted there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

#define BH_DIGEST_BYTES     32
#define BH_DIGEST_HEX_SIZE  (2 * BH_DIGEST_BYTES + 1)                    /* with NUL */
#define BH_DIGEST_TEXT_SIZE (sizeof("sha256:") - 1 + BH_DIGEST_HEX_SIZE) /* with NUL */

struct bh_digest {
    uint8_t bytes[BH_DIGEST_BYTES];
};

/* Parses "sha256:<hex>". Refuses other algorithms, upper case, short and long forms (INVALID_ARGUMENT). */
int bh_digest_parse(const char *text, struct bh_digest *ret_digest, struct bh_error *error);

/* Copies a digest out of a message field; anything but exactly 32 bytes is INVALID_ARGUMENT. */
int bh_digest_from_bytes(const void *bytes, size_t n_bytes, struct bh_digest *ret_digest, struct bh_error *error);

/* Write the 64 hex digits, or "sha256:" and the digits. Both return `buffer`. */
const char *bh_digest_hex(const struct bh_digest *digest, char buffer[static BH_DIGEST_HEX_SIZE]);
const char *bh_digest_text(const struct bh_digest *digest, char buffer[static BH_DIGEST_TEXT_SIZE]);

bool bh_digest_equal(const struct bh_digest *a, const struct bh_digest *b);

/* Incremental sha256 (libcrypto, SHA-NI where the processor has it). */
struct bh_hash;
int bh_hash_new(struct bh_hash **ret_hash, struct bh_error *error);
int bh_hash_update(struct bh_hash *hash, const void *bytes, size_t n_bytes, struct bh_error *error);
int bh_hash_finish(struct bh_hash *hash, struct bh_digest *ret_digest, struct bh_error *error);
void bh_hash_free(struct bh_hash *hash);
void bh_cleanup_hash(struct bh_hash **hash);
#define bh_autohash bh_cleanup(bh_cleanup_hash)

/* One shot. */
int bh_digest_of(const void *bytes, size_t n_bytes, struct bh_digest *ret_digest, struct bh_error *error);
