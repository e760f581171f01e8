/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of merge.c: the parts of a spec that have a file of their own. Each fills in its fields, with Docker's rules.
 */
#pragma once

#include "services/engine/merge.h"

/* merge_process.c: what runs. Needs the spec's host name. */
int merge_process(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                  Bulkhead__ContainerSpec *spec, struct bh_error *error);
/* merge_rights.c: what it may do. */
int merge_rights(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error);
