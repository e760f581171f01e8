/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread a connection: reads a request, finds its route, calls the handler, answers for it when it fails.
 */
#pragma once

#include "api.h"
#include "connection.h"

#define SERVER_CONNECTIONS_MAX 1000 /* of one tenant; `docker run` holds three */

/* Owns `fd` from here on: it is served until the client closes it, or answered 503 if there are too many. Never blocks.
 */
void server_adopt(struct api *api, int fd);

/* Serves one connection to its end, on this thread. The connection stays the caller's. */
void server_serve(struct api *api, struct connection *connection);
