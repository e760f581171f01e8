/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a rule file: read, or refused with words.
 */
#include <stdlib.h>

#include "rules_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct rules rules;
    struct bh_error error = {0};
    if (rules_parse("fuzz.json", (const char *)bytes, n_bytes, &rules, &error) < 0 && error.message[0] == '\0') {
        fuzz_wrong();
    }
    return 0;
}
