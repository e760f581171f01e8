/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of the engine itself, and what is asked of others for the client: credentials, the audit log.
 */
#pragma once

#include "services/engine/jobs.h"

int get_info(struct job *job, struct bh_error *error);
int check_auth(struct job *job, struct bh_error *error);
int check_audit(struct job *job, struct bh_error *error);
