/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as head of a request, and what it asks for as target: never a path with `..` in it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "http_head.h"
#include "http_target.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct http_head head;
    struct http_target target = {0};
    struct bh_error error = {0};
    bh_autofree char *text = strndup((const char *)bytes, n_bytes);
    bh_autofree char *copy = n_bytes < HTTP_HEAD_BYTES_MAX ? malloc(n_bytes + 1) : NULL;
    if (!copy) {
        return 0;
    }
    memcpy(copy, bytes, n_bytes);
    copy[n_bytes] = '\0';
    if (http_head_parse(copy, n_bytes, &head, &error) == 0) {
        (void)http_host_check(http_head_field(&head, "Host"), &error);
        if (head.chunked && head.has_length) {
            fuzz_wrong();
        }
    }
    if (http_target_parse(text, &target, &error) == 0) {
        if (target.path[0] != '/' || strstr(target.path, "/../") || strstr(target.path, "//")) {
            fuzz_wrong();
        }
        http_target_free(&target);
    }
    return 0;
}
