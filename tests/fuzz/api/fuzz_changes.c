/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as `changes` of an image's config: refused with a reason, or a config that can be written down.
 */
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "services/engine/config_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct bh_error error = {0};
    char *text = malloc(n_bytes + 1);
    Bulkhead__ImageConfig *config = malloc(sizeof(*config));
    if (!text || !config) {
        fuzz_wrong();
    }
    memcpy(text, bytes, n_bytes);
    text[n_bytes] = '\0';
    bulkhead__image_config__init(config);
    if (changes_apply(text, config, &error) == 0) {
        char *json = NULL;
        size_t n_json;
        if (config_json_write(config, &json, &n_json, &error) < 0) {
            fuzz_wrong(); /* nothing is there twice: names are set, not added */
        }
        free(json);
    } else if (error.code == BH_OK) {
        fuzz_wrong();
    }
    bulkhead__image_config__free_unpacked(config, NULL);
    free(text);
    return 0;
}
