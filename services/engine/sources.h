/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a reference is looked for: Docker Hub's names at the configured mirrors first, in their order, and then where
 * they belong. A mirror never hears Docker Hub's credentials. What it says a tag means is believed, as everybody who
 * configures one does; what it sends is verified like everything else.
 */
#pragma once

#include "common/reference.h"
#include "services/engine/jobs.h"
#include "types.pb-c.h"

/* A registry to ask, opened for the reference's repository. */
struct source {
    struct bh_channel *registry;
    const char *host; /* that is spoken to */
    bool mirror; /* another follows if it fails */
    bool final;  /* set by the visitor: its failure is the answer, whoever else could be asked */
};
typedef int (*source_visit)(struct source *source, void *argument, struct bh_error *error);

/* Calls `visit` with one source after another until it succeeds. */
int sources_visit(struct job *job, const struct bh_reference *reference, Bulkhead__Credentials *credentials,
                  source_visit visit, void *argument, struct bh_error *error);

/* "https://mirror.example/" to the host (and port) that is asked. Pure; -1 if it is no such URL. */
int source_mirror_host(const char *url, char *ret_host, size_t host_size);
