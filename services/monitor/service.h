/* SPDX-License-Identifier: Apache-2.0
 *
 * What a monitor can be asked: engine_monitor.proto as a const table. Called by monitor.c.
 */
#pragma once

#include "monitor.h"

/* Serves one request that has arrived, if one has. Closes the connection if its peer is gone or broke the rules. */
void monitor_serve(struct monitor *monitor, struct connection *connection);

/* Tells the connection what is new since: that the log grew, that the container ended. */
void monitor_tell(struct monitor *monitor, struct connection *connection);
