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
    Bulkhead__Mount *mounts[1];
    Bulkhead__KeyValue *sysctls[1];
    Bulkhead__ResourceLimit *limits[2];
    char *args[1], *list[1];
    uint8_t id[32];
};

/* Tenant 1000's; allowed by the built-in rules. */
void example_init(struct example *example);
void example_bind(struct example *example, const char *source);
void example_sysctl(struct example *example, const char *key);
/* protobuf-c's strings are not const. */
char *example_text(const char *text);
