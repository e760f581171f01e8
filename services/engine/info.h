/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of the engine itself, and what is asked of others for the client: credentials, the audit log.
 */
#pragma once

#include "services/engine/jobs.h"

/* The value of one key of os-release(5), without its quotes; "" if it is not there. Pure. */
char *os_release_value(const void *text, size_t n_bytes, const char *key, char *buffer, size_t buffer_bytes);

int get_info(struct job *job, struct bh_error *error);
int check_auth(struct job *job, struct bh_error *error);
int check_audit(struct job *job, struct bh_error *error);
