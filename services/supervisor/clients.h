/* SPDX-License-Identifier: Apache-2.0
 *
 * Who connects: the kernel says which uid, and that uid's api process gets the connection. Not a byte of it is read
 * here.
 */
#pragma once

#include "supervisor_internal.h"

/* The api process of a tenant, started if there is none. NULL if there are too many. */
struct helper *clients_api_for(struct supervisor *supervisor, uint32_t tenant_uid);

/* An event callback on the listening socket; its argument is the supervisor. */
void clients_accept(evutil_socket_t listener, short what, void *argument);
