/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as manifest, index or configuration: parsed or refused, never more.
 */
#include "config.h"
#include "manifest.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autojson json_t *json = NULL;
    struct bh_error error = {0};
    if (json_parse((const char *)bytes, n_bytes, "input", &json, &error) < 0) {
        return 0;
    }
    bh_autodocument struct manifest_document document = {0};
    bh_autoconfig struct config_document config = {0};
    (void)manifest_parse(json, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED, &document, &error);
    (void)config_parse(json, &config, &error);
    return 0;
}
