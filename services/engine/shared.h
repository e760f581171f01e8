/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that share a namespace of another one: "container:X" of NetworkMode, PidMode and IpcMode. X is a container
 * of the same tenant; at create it must be there, at every start it must run. Called by create and start.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* At create: whom PidMode and IpcMode name is found now, and written down by id (Docker does the same; NetworkMode
 * keeps its name). INVALID_ARGUMENT "No such container". */
int shared_pin(struct job *job, Bulkhead__ContainerRequest *request, struct bh_error *error);

/* At start: fills in what `spec` shares. What the other container has of the host's becomes the host's here, to be
 * judged as that. NOT_FOUND, or FAILED_PRECONDITION if X does not run. */
int shared_fill(struct job *job, const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec,
                struct bh_error *error);
