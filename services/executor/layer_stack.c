/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer_stack.h.
 */
#include "layer_stack.h"

#include <stdlib.h>

int layer_stack(struct executor *executor, const struct container_spec *spec, int **ret_layers, size_t *ret_n_layers,
                struct bh_error *error)
{
    size_t n = 0;
    int *layers = *ret_layers = calloc(spec->n_layers + 1, sizeof(*layers));
    if (!layers) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for %zu layers", spec->n_layers);
    }
    layers_sweep(&executor->layers);
    for (size_t i = 0; i < spec->n_layers; i++) {
        bool opaque = false;
        int mount;
        if (layers_get(&executor->layers, &executor->userns, executor->folders.layers,
                       executor->context->config->store_uid, &spec->layers[i], spec->id_base, spec->id_count, &mount,
                       &opaque, error) < 0) {
            return -1;
        }
        n = opaque ? 0 : n;
        layers[n++] = mount;
    }
    *ret_n_layers = n;
    return 0;
}
