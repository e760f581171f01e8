/* SPDX-License-Identifier: Apache-2.0
 *
 * See image_quota.h. The engine counts, policyd decides.
 */
#include "services/engine/image_quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "services/engine/policy.h"

static int by_digest(const void *a, const void *b)
{
    const struct image_layer *one = a, *other = b;
    return memcmp(one->digest.bytes, other->digest.bytes, sizeof one->digest.bytes);
}

/* Of those that the tenant does not have, each once. `layers` is sorted. */
static int add_up_new(struct job *job, const struct image_layer *layers, size_t n_layers, uint64_t *ret_bytes,
                      struct bh_error *error)
{
    *ret_bytes = 0;
    for (size_t i = 0; i < n_layers; i++) {
        if (i > 0 && bh_digest_equal(&layers[i - 1].digest, &layers[i].digest)) {
            continue;
        }
        int has = database_tenant_has_content(job->engine->database, job->tenant_uid, &layers[i].digest, error);
        if (has < 0) {
            return -1;
        }
        if (!has && __builtin_add_overflow(*ret_bytes, layers[i].size_bytes, ret_bytes)) {
            *ret_bytes = UINT64_MAX;
            return 0;
        }
    }
    return 0;
}

int image_quota_admit(struct job *job, const struct image_layer *layers, size_t n_layers, struct bh_error *error)
{
    uint64_t held_bytes, more_bytes;
    bh_autofree struct image_layer *sorted = calloc(n_layers + 1, sizeof *sorted);
    if (!sorted) {
        return bh_error_errno(error, ENOMEM, "add up %zu layers", n_layers);
    }
    for (size_t i = 0; i < n_layers; i++) {
        sorted[i] = layers[i];
    }
    qsort(sorted, n_layers, sizeof *sorted, by_digest);
    return add_up_new(job, sorted, n_layers, &more_bytes, error) < 0 ||
                   database_image_bytes(job->engine->database, job->tenant_uid, &held_bytes, error) < 0
               ? -1
               : policy_admit_layers(job, held_bytes, more_bytes, error);
}

int image_quota_admit_rows(struct job *job, const struct image_row *rows, size_t n_rows, struct bh_error *error)
{
    size_t n_all = 0, n_layers = 0;
    for (size_t i = 0; i < n_rows; i++) {
        n_all += rows[i].n_layers;
    }
    bh_autofree struct image_layer *all = calloc(n_all + 1, sizeof *all);
    if (!all) {
        return bh_error_errno(error, ENOMEM, "list %zu layers", n_all);
    }
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t j = 0; j < rows[i].n_layers; j++) {
            all[n_layers++] = rows[i].layers[j];
        }
    }
    return image_quota_admit(job, all, n_layers, error);
}
