/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions that are not about containers: asked of the container's own resolvers (--dns) from inside its network
 * namespace, or of the host's from the host's. The message goes on as it came, but for its id, and so does the answer.
 */
#pragma once

#include <event2/event.h>

#include "dns_worker.h"

/* Asks for the client, who gets the answer, or SERVFAIL once no resolver gave one. Returns -1 if nobody can be asked.
 */
int dns_forward(const struct dns_client *client, const struct dns_question *question, const uint8_t *asked,
                size_t n_asked);
/* Gives up what one connection waits for, or (NULL) all that the container does. */
void dns_forward_forget(struct dns_served *served, const struct dns_stream *stream);
/* On the loop: something came from the container's own resolvers. `argument` is its struct dns_served. */
void dns_forward_on_own(evutil_socket_t fd, short what, void *argument);
