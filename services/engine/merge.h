/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way from what an image says and what a client asks for to what a container is: a pure function with Docker's
 * rules. The image's config is untrusted; whatever is copied from it (arguments, environment, user, working directory)
 * means something inside the container only. Nothing in a ContainerSpec is a default: every field that matters is set
 * here, except those that are policyd's.
 *
 * Where Docker's defaults and ours differ: no_new_privileges is on unless the container is privileged or
 * `--security-opt no-new-privileges=false` turns it off. Setuid programs still run then, without gaining their owner's
 * rights. An image's VOLUME paths are ordinary directories of the container's own layer.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/digest.h"
#include "common/error.h"

#define MERGE_ALL_CAPABILITIES ((1ULL << 41) - 1) /* up to CAP_CHECKPOINT_RESTORE, Linux 5.9 */

/* What the engine itself adds. Borrowed. */
struct merge_facts {
    const uint8_t *id; /* 32 bytes */
    uint32_t tenant_uid;
    const struct bh_digest *layers; /* base first */
    size_t n_layers;
    const struct bh_digest *image;
    const char *image_reference; /* whole reference, for rules and the audit log; may be "" */
    const char *host_name;       /* of the host, for --network host */
};

/* INVALID_ARGUMENT if there is nothing to run, or a value makes no sense. The result is freed with
 * bulkhead__container_spec__free_unpacked(). */
int merge_container(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                    const struct merge_facts *facts, Bulkhead__ContainerSpec **ret_spec, struct bh_error *error);

/* Docker's rule for --cap-add and --cap-drop; names are "CAP_X" or "ALL". */
int merge_capabilities(char *const *add, size_t n_add, char *const *drop, size_t n_drop, uint64_t *ret_mask,
                       struct bh_error *error);

/* Both sets of labels; the request's win. The keys and values are borrowed, the array is the caller's to free. */
int merge_labels(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                 Bulkhead__KeyValue ***ret_labels, size_t *ret_n_labels, struct bh_error *error);
/* The same, kept in the request: what a container is found by must not change with its image. */
int merge_labels_into(const Bulkhead__ImageConfig *image, Bulkhead__ContainerRequest *request, struct bh_error *error);
