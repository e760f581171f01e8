/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as image reference and as digest: refused, or written out and read again to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/reference.h"
#include "fuzz.h"

static void reference_round_trip(const char *text)
{
    struct bh_reference reference, again;
    struct bh_error error = {0};
    char whole[2048], second[2048], familiar[2048];
    if (bh_reference_parse(text, &reference, &error) < 0) {
        return;
    }
    bh_reference_format(&reference, whole, sizeof(whole));
    bh_reference_familiar(&reference, familiar, sizeof(familiar));
    if (strstr(reference.domain, "..") || strstr(reference.repository, "..") ||
        bh_reference_parse(whole, &again, &error) < 0 ||
        strcmp(bh_reference_format(&again, second, sizeof(second)), whole) != 0 ||
        bh_reference_parse(familiar, &again, &error) < 0 ||
        strcmp(bh_reference_format(&again, second, sizeof(second)), whole) != 0) {
        fuzz_wrong();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autofree char *text = strndup((const char *)bytes, n_bytes);
    struct bh_digest digest;
    struct bh_error error = {0};
    char buffer[BH_DIGEST_TEXT_SIZE];
    if (bh_digest_parse(text, &digest, &error) == 0 && strcmp(bh_digest_text(&digest, buffer), text) != 0) {
        fuzz_wrong();
    }
    reference_round_trip(text);
    return 0;
}
