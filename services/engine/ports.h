/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of a container's ports are published, and on which of the host's: pure. Words come from a client, and the
 * exposed ports from an image, too.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"
#include "common/ip.h"

/* Ports that the host's own programs get without asking for one; published ports without a number are from here. */
#define PORT_RANDOM_FIRST 32768
#define PORT_RANDOM_LAST  60999

/* The bindings, and (publish_all_ports) every exposed port that has none. `host_binding` is the host address of those
 * that say none; may be none. The array and what it points to are the caller's: ports_free(). RESOURCE_EXHAUSTED beyond
 * BH_PORTS_MAX. */
int ports_read(const Bulkhead__ContainerRequest *request, char *const *image_exposed, size_t n_image_exposed,
               const struct ip *host_binding, Bulkhead__PublishedPort ***ret_ports, size_t *ret_n_ports,
               struct bh_error *error);
void ports_free(Bulkhead__PublishedPort **ports, size_t n_ports);

/* "80", "80/udp", "8000-8010/sctp"; the transport is TCP if none is named. */
bool ports_parse(const char *text, uint32_t *ret_first, uint32_t *ret_last, Bulkhead__Transport *ret_transport);
const char *ports_transport_word(Bulkhead__Transport transport);
