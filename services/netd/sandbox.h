/* SPDX-License-Identifier: Apache-2.0
 *
 * What netd and its workers may touch.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox netd_sandbox;
extern const struct bh_worker_sandbox netd_dns_sandbox;
extern const struct bh_worker_sandbox netd_closer_sandbox;
