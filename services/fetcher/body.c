/* SPDX-License-Identifier: Apache-2.0
 *
 * See body.h.
 */
#include "body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int body_take(struct body *body, const void *bytes, size_t n_bytes, size_t max_bytes, const char *what,
              struct bh_error *error)
{
    if (n_bytes > max_bytes - body->n_bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the registry's %s is longer than %zu bytes", what,
                            max_bytes);
    }
    char *grown = realloc(body->bytes, body->n_bytes + n_bytes + 1);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "hold the registry's %s", what);
    }
    memcpy(grown + body->n_bytes, bytes, n_bytes);
    body->bytes = grown;
    body->n_bytes += n_bytes;
    return 0;
}

void body_clear(struct body *body)
{
    free(body->bytes);
    *body = (struct body){0};
}
