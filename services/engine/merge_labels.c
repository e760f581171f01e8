/* SPDX-License-Identifier: Apache-2.0
 *
 * The labels of an image and those of a request; see merge.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "services/engine/merge.h"

int merge_labels(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                 Bulkhead__KeyValue ***ret_labels, size_t *ret_n_labels, struct bh_error *error)
{
    size_t n_image = image ? image->n_labels : 0;
    Bulkhead__KeyValue **labels = calloc(n_image + request->n_labels + 1, sizeof *labels);
    if (!labels) {
        return bh_error_errno(error, ENOMEM, "merge labels");
    }
    size_t n_labels = 0;
    for (size_t i = 0; i < n_image; i++) {
        bool overridden = false;
        for (size_t j = 0; j < request->n_labels && !overridden; j++) {
            overridden = strcmp(request->labels[j]->key, image->labels[i]->key) == 0;
        }
        if (!overridden) {
            labels[n_labels++] = image->labels[i];
        }
    }
    for (size_t i = 0; i < request->n_labels; i++) {
        labels[n_labels++] = request->labels[i];
    }
    *ret_labels = labels;
    *ret_n_labels = n_labels;
    return 0;
}

int merge_labels_into(const Bulkhead__ImageConfig *image, Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    bh_autofree Bulkhead__KeyValue **merged = NULL;
    size_t n_merged = 0;
    if (merge_labels(image, request, &merged, &n_merged, error) < 0) {
        return -1;
    }
    const size_t n_image = n_merged - request->n_labels; /* these come first */
    for (size_t i = 0; i < n_image; i++) {
        ProtobufCMessage *copy = NULL;
        if (message_copy(&merged[i]->base, &copy, error) < 0) {
            while (i > 0) {
                bulkhead__key_value__free_unpacked(merged[--i], NULL);
            }
            return -1;
        }
        merged[i] = (Bulkhead__KeyValue *)copy;
    }
    free(request->labels);
    request->labels = bh_steal_pointer(&merged);
    request->n_labels = n_merged;
    return 0;
}
