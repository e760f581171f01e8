/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a client asked for and what its container is to the process that an exec runs. Pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"

/* The container's environment, the exec's on top (NAME=value replaces, NAME alone removes), its user and folder where
 * the request names none. `attached`: a client reads and writes its streams. Owned by the caller:
 * bulkhead__process__free_unpacked(). */
int exec_process_make(const Bulkhead__ExecRequest *request, const Bulkhead__ContainerSpec *container, bool attached,
                      Bulkhead__Process **ret_process, struct bh_error *error);
