/* SPDX-License-Identifier: Apache-2.0
 *
 * What links a container to its networks, from its start to its end: addresses, interfaces, names and ports are chosen
 * and written down before it is started, and free again once it has ended.
 */
#pragma once

#include "network.pb-c.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/jobs.h"

/* Describes the attachment in the row's spec as far as it is known before a start, for policy to judge; networks that
 * are not there yet are left out. `image` may be NULL. To be undone with attachment_forget() before the row is stored.
 */
int attachment_describe(struct job *job, struct container_row *row, const Bulkhead__ImageConfig *image,
                        struct bh_error *error);
void attachment_forget(Bulkhead__ContainerSpec *spec);

/* Before a start, under the container's lock: gives the container its endpoints and fills in its spec, the hosts it is
 * told of among it. On failure nothing is left. NOT_FOUND "network X not found". */
int attachment_begin(struct job *job, struct container_row *row, struct bh_error *error);
/* A port that is taken: in Docker's words. Other errors stay as they are. */
void attachment_word_failure(const struct container_row *row, struct bh_error *error);
/* The ports as netd took them: kept for `inspect`, and for whoever has to make the links again. */
void attachment_started(struct job *job, const struct container_row *row, Bulkhead__PublishedPort **ports,
                        size_t n_ports);
/* Has the links of a running container made again: netd or the engine was started anew. */
int attachment_renew(struct job *job, const struct container_row *row, struct bh_error *error);
/* It has ended: takes its links away, and its addresses are free. Whoever comes twice does no harm. */
void attachment_end(struct job *job, const struct container_row *row);

/* A running container is linked to other networks than before, or called otherwise: which endpoints have the default
 * routes and what they are called is decided anew, written down, and told netd. */
int attachment_settle(struct job *job, const struct container_row *row, struct bh_error *error);
