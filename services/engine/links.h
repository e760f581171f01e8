/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's --link: names of other containers that one container alone knows. On the default network they are lines of
 * /etc/hosts and variables of the environment, written when it is started; on a user's network names that the embedded
 * DNS answers.
 */
#pragma once

#include "network.pb-c.h"
#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* At create: the containers that HostConfig.Links names must be there. INVALID_ARGUMENT. */
int links_check(struct job *job, const Bulkhead__ContainerRequest *request, struct bh_error *error);
/* Of the container, under its lock: the link goes, and what a running container knows of it stays until its next start.
 * NOT_FOUND. */
int links_remove(struct job *job, struct container_row *row, const char *alias, struct bh_error *error);
/* "linked/alias" of each link to `row` that one of `rows` has, added to a list whose strings the caller frees. */
int links_names(const struct container_row *rows, size_t n_rows, const struct container_row *row, char ***names,
                size_t *n_names, struct bh_error *error);
/* At start: their addresses on the default network and what they expose, into the row's spec. FAILED_PRECONDITION if
 * one does not run. */
int links_apply(struct job *job, struct container_row *row, struct bh_error *error);
/* For an exec: the variables of those that run now, into its environment, where it says nothing else. */
int links_describe(struct job *job, const struct container_row *row, Bulkhead__Process *process,
                   struct bh_error *error);
/* The links of one endpoint. INVALID_ARGUMENT if a container is not there. */
int links_of_endpoint(struct job *job, const Bulkhead__EndpointRequest *request, Bulkhead__Endpoint *endpoint,
                      struct bh_error *error);
