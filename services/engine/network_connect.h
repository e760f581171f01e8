/* SPDX-License-Identifier: Apache-2.0
 *
 * Serves ConnectNetwork and DisconnectNetwork of api_engine.proto: a container, running or not, is linked to another
 * network, or is no longer.
 */
#pragma once

#include "services/engine/jobs.h"

int connect_network(struct job *job, struct bh_error *error);
int disconnect_network(struct job *job, struct bh_error *error);
