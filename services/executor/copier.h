/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting copiers: processes that read or write the files of one container from inside it (common/copier_start.h).
 * The executor makes mounts and namespaces for them and never looks into either. A copier talks to the engine, over a
 * channel that the executor only passes on; of what it says nothing comes back here but its exit status.
 *
 * For a volume's first fill call copier_fill() with the volume's own mount; see there.
 */
#pragma once

#include "launch.h"

/* OpenCopier. The channel's end is the request's descriptor. */
void copier_handle_open(struct bh_request *request);

/* Opens the program, at the executor's start. */
int copiers_prepare(struct executor *executor, int libexec, struct bh_error *error);

/* Copies what the image of `launch` has at `path` (a clean absolute path) into a volume that is empty: with owners,
 * modes, extended attributes and times, and the volume's own folder becomes like the image's. Nothing happens if the
 * volume has anything in it, or the image has no folder there. `volume` is a detached mount of the volume's folder,
 * shown with the container's shifted ids (what is to belong to the container's root belongs to id_base); borrowed.
 *
 * To be called in the job that starts (or creates) the container, before anything of it runs: it waits for the copier,
 * an hour at most. Needs launch->executor, spec, layers, n_layers and folder. */
int copier_fill(const struct launch *launch, const char *path, int volume, struct bh_error *error);
