/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's files, for clients: `docker cp`, `export` and `diff`. Each function serves one message of
 * api_engine.proto.
 */
#pragma once

#include "services/engine/jobs.h"

int stat_path(struct job *job, struct bh_error *error);
int read_archive(struct job *job, struct bh_error *error);
int write_archive(struct job *job, struct bh_error *error);
int export_container(struct job *job, struct bh_error *error);
int list_changes(struct job *job, struct bh_error *error);
