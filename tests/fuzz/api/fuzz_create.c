/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as body of POST /containers/create: refused, or a message that the engine's end of the channel understands.
 */
#include <stdlib.h>

#include "common/channel.h"
#include "create.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static const struct api api = {0};
    struct bh_error error = {0};
    auto_json *body = NULL;
    if (json_parse_object((const char *)bytes, n_bytes, "body", &body, &error) < 0) {
        return 0;
    }
    Bulkhead__ContainerRequest *request = calloc(1, sizeof(*request));
    bulkhead__container_request__init(request);
    request->resources = calloc(1, sizeof(*request->resources));
    bulkhead__resources__init(request->resources);
    request->log = calloc(1, sizeof(*request->log));
    bulkhead__log_options__init(request->log);
    struct create create = {.api = &api, .version = 47, .request = request};
    if (create_read(&create, body, &error) == 0) {
        free(malloc(bulkhead__container_request__get_packed_size(request) + 1));
    } else if (error.code == BH_OK) {
        fuzz_wrong();
    }
    bulkhead__container_request__free_unpacked(request, NULL);
    return 0;
}
