/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "common/digest.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

Test(digest, text_and_bytes_round_trip)
{
    struct bh_digest parsed, computed;
    char text[BH_DIGEST_TEXT_SIZE];
    struct bh_error error;
    cr_assert_eq(bh_digest_parse(EMPTY, &parsed, &error), 0);
    cr_assert_eq(bh_digest_of("", 0, &computed, &error), 0);
    cr_assert(bh_digest_equal(&parsed, &computed));
    cr_assert_str_eq(bh_digest_text(&computed, text), EMPTY);
}

Test(digest, pieces_hash_like_the_whole)
{
    struct bh_digest whole, pieces;
    struct bh_error error;
    bh_autohash struct bh_hash *hash = NULL;
    cr_assert_eq(bh_digest_of("abcdef", 6, &whole, &error), 0);
    cr_assert_eq(bh_hash_new(&hash, &error), 0);
    cr_assert_eq(bh_hash_update(hash, "abc", 3, &error), 0);
    cr_assert_eq(bh_hash_update(hash, "def", 3, &error), 0);
    cr_assert_eq(bh_hash_finish(hash, &pieces, &error), 0);
    cr_assert(bh_digest_equal(&whole, &pieces));
}

Test(digest, anything_else_is_refused)
{
    static const char *const bad[] = {
        "",
        "sha256:",
        "sha256:../../x",
        "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85g",
    };
    struct bh_error error;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bh_digest digest;
        memset(&digest, 0x55, sizeof(digest));
        cr_assert_eq(bh_digest_parse(bad[i], &digest, &error), -1, "%s", bad[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
        cr_assert_eq(digest.bytes[0], 0x55, "the result of a refused digest is untouched");
    }
    cr_assert_eq(bh_digest_from_bytes("x", 1, &(struct bh_digest){0}, &error), -1);
}
