/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256 digests; see digest.h. Parsing is strict, hashing is libcrypto's.
 */
#include "common/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

int bh_digest_parse(const char *text, struct bh_digest *ret_digest, struct bh_error *error)
{
    static const char prefix[] = "sha256:";
    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "digest \"%.80s\" is not of the form sha256:<64 hex digits>",
                            text);
    }
    const char *hex = text + sizeof(prefix) - 1;
    if (strnlen(hex, BH_DIGEST_HEX_SIZE) != BH_DIGEST_HEX_SIZE - 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "digest \"%.80s\" does not have 64 hex digits", text);
    }
    struct bh_digest digest;
    for (size_t i = 0; i < BH_DIGEST_BYTES; i++) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "digest \"%.80s\" has a character that is not 0-9 or a-f",
                                text);
        }
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_digest = digest;
    return 0;
}

int bh_digest_from_bytes(const void *bytes, size_t n_bytes, struct bh_digest *ret_digest, struct bh_error *error)
{
    if (n_bytes != BH_DIGEST_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a digest of %zu bytes instead of %d", n_bytes,
                            BH_DIGEST_BYTES);
    }
    memcpy(ret_digest->bytes, bytes, BH_DIGEST_BYTES);
    return 0;
}

const char *bh_digest_hex(const struct bh_digest *digest, char buffer[static BH_DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < BH_DIGEST_BYTES; i++) {
        buffer[2 * i] = digits[digest->bytes[i] >> 4];
        buffer[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    buffer[BH_DIGEST_HEX_SIZE - 1] = '\0';
    return buffer;
}

const char *bh_digest_text(const struct bh_digest *digest, char buffer[static BH_DIGEST_TEXT_SIZE])
{
    memcpy(buffer, "sha256:", 7);
    (void)bh_digest_hex(digest, buffer + 7);
    return buffer;
}

bool bh_digest_equal(const struct bh_digest *a, const struct bh_digest *b)
{
    return memcmp(a->bytes, b->bytes, BH_DIGEST_BYTES) == 0;
}

/* An opaque handle: libcrypto's own context. */
static EVP_MD_CTX *context_of(struct bh_hash *hash)
{
    return (EVP_MD_CTX *)(void *)hash;
}

int bh_hash_new(struct bh_hash **ret_hash, struct bh_error *error)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "start a sha256");
    }
    *ret_hash = (struct bh_hash *)(void *)context;
    return 0;
}

int bh_hash_update(struct bh_hash *hash, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    if (EVP_DigestUpdate(context_of(hash), bytes, n_bytes) != 1) {
        return bh_error_set(error, BH_INTERNAL, "continue a sha256");
    }
    return 0;
}

int bh_hash_finish(struct bh_hash *hash, struct bh_digest *ret_digest, struct bh_error *error)
{
    unsigned int n_bytes = 0;
    if (EVP_DigestFinal_ex(context_of(hash), ret_digest->bytes, &n_bytes) != 1 || n_bytes != BH_DIGEST_BYTES) {
        return bh_error_set(error, BH_INTERNAL, "finish a sha256");
    }
    return 0;
}

void bh_hash_free(struct bh_hash *hash)
{
    EVP_MD_CTX_free(context_of(hash));
}

void bh_cleanup_hash(struct bh_hash **hash)
{
    bh_hash_free(*hash);
}

int bh_digest_of(const void *bytes, size_t n_bytes, struct bh_digest *ret_digest, struct bh_error *error)
{
    bh_autohash struct bh_hash *hash = NULL;
    if (bh_hash_new(&hash, error) < 0 || bh_hash_update(hash, bytes, n_bytes, error) < 0) {
        return -1;
    }
    return bh_hash_finish(hash, ret_digest, error);
}
