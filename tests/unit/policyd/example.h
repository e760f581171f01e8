/* SPDX-License-Identifier: Apache-2.0
 *
 * An honest container's spec, for tests to spoil in one place.
 */
#pragma once

#include "container.pb-c.h"

struct example {
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process process;
    Bulkhead__Resources resources;
    Bulkhead__LogOptions log;
    Bulkhead__Mount mount;
    Bulkhead__KeyValue sysctl;
    Bulkhead__ResourceLimit limit;
    Bulkhead__Attachment attachment;
    Bulkhead__Endpoint endpoint, second;
    Bulkhead__PublishedPort port;
    Bulkhead__Endpoint *endpoints[2];
    Bulkhead__PublishedPort *ports[1];
    uint8_t ids[4][32], macs[2][6], address4[2][4], address6[2][16], host_address[16];
    Bulkhead__Mount *mounts[1];
    Bulkhead__KeyValue *sysctls[1];
    Bulkhead__ResourceLimit *limits[2];
    char *args[1], *list[1];
    uint8_t id[32];
};

/* Tenant 1000's; allowed by the built-in rules. */
void example_init(struct example *example);
void example_bind(struct example *example, const char *source);
/* Links it to one network by IPv4, and publishes port 8080 on all addresses of the host. */
void example_link(struct example *example);
/* And to another, by IPv6 as well. */
void example_link_twice(struct example *example);
void example_sysctl(struct example *example, const char *key);
/* protobuf-c's strings are not const. */
char *example_text(const char *text);
