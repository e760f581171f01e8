/* SPDX-License-Identifier: Apache-2.0
 *
 * Getting into a container by the namespaces of its first process: whether they are the ones that we made.
 */
#pragma once

#include "running.h"

/* Of a container that runs. What runs in it may have made namespaces of its own below, and its first process have gone
 * there: then nobody follows. FAILED_PRECONDITION: that, or it has ended. */
int entry_check(const struct running *running, struct bh_error *error);
