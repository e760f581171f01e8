/* SPDX-License-Identifier: Apache-2.0
 *
 * What this host's kernel can do for containers, asked of the executor once; and the warnings that follow from it, in
 * Docker's words. Called by create and update, and by info.
 */
#pragma once

#include "services/engine/jobs.h"

#define KERNEL_WARNINGS_MAX 16

/* Borrowed, for ever. Fails only while policyd or the executor cannot be reached. */
int kernel_describe(struct job *job, const Bulkhead__KernelDescribed **ret_kernel, struct bh_error *error);

/* Takes out of `resources` what the kernel cannot do, and says so: *ret_n constant texts. INVALID_ARGUMENT for
 * processors or memory nodes that are not there. */
int kernel_fit(struct job *job, Bulkhead__Resources *resources, char *ret_warnings[static KERNEL_WARNINGS_MAX],
               size_t *ret_n, struct bh_error *error);
/* The same, pure, for the tests. */
int kernel_fit_to(const Bulkhead__KernelDescribed *kernel, Bulkhead__Resources *resources,
                  char *ret_warnings[static KERNEL_WARNINGS_MAX], size_t *ret_n, struct bh_error *error);
