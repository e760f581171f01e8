/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's spec that is right in every field, for tests to break one at a time.
 */
#pragma once

/* Messages in tests point at literals. */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include "container.pb-c.h"

struct example {
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process process;
    Bulkhead__Resources resources;
    Bulkhead__LogOptions log;
};

#define EXAMPLE_CGROUP_PARENT "bulkhead-test"

/* Fills it in; it points into itself and must stay where it is. */
void example_init(struct example *example);
