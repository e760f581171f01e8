/* SPDX-License-Identifier: Apache-2.0
 *
 * The live table of processes: asked of the supervisor over the control channel, told to the root tenant alone.
 */
#pragma once

#include "services/engine/jobs.h"

struct privileges;

int privileges_new(struct privileges **ret_privileges, struct bh_error *error);
void privileges_free(struct privileges *privileges);

int get_privileges(struct job *job, struct bh_error *error);
/* On the loop: the supervisor's answer. Owns `fd`. */
void privileges_answered(struct privileges *privileges, int fd, uint64_t value);
