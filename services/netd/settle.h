/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the kernel has what netd was told, and making it so.
 */
#pragma once

#include <stddef.h>

#include "netd.h"

/* Tells what is amiss, a sentence each; the list is freed with settle_free_findings(). */
int settle_check(struct netd *netd, char ***ret_findings, size_t *ret_n_findings, struct bh_error *error);
void settle_free_findings(char **findings, size_t n_findings);

/* Puts everything back as it should be. Everything was told: what an earlier life has left besides goes. */
int settle(struct netd *netd, struct bh_error *error);
/* The same, while the rest is still to be told. */
int settle_restore(struct netd *netd, struct bh_error *error);
