/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's numbers in Docker's words. The network's come from a file of the kernel's in which the container chose
 * the interfaces' names.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

#define NETWORK_NAME_SIZE      16 /* IFNAMSIZ */
#define NETWORK_INTERFACES_MAX 64

struct network_numbers {
    char name[NETWORK_NAME_SIZE];
    uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/* /proc/PID/net/dev, without the loopback interface. Lines that are none are left out. Returns how many. */
size_t network_parse(const char *text, struct network_numbers *ret_numbers, size_t max);

/* `before` (may be NULL) is the sample before, for precpu_stats. `sample` is NULL for a container that does not run. */
void write_stats(struct json_writer *writer, const Bulkhead__Stats *stats, const Bulkhead__StatsRead *sample,
                 const Bulkhead__StatsRead *before, const struct network_numbers *networks, size_t n_networks);
