/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: resolve, judge every address, connect to the first that answers. Called by service.c for a fetcher's
 * worker, whose question is hostile once that worker has read a registry's bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "egress.h"

#define DIAL_TIMEOUT_MIN_MS    100U
#define DIAL_TIMEOUT_MAX_MS    60000U
#define DIAL_ADDRESS_TEXT_SIZE 64 /* "[" INET6_ADDRSTRLEN "]:65535" */

struct dial_question {
    char host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t port;
    uint32_t timeout_ms;
    char registry_host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t registry_port; /* 0: none was given */
};

struct dial_connection {
    int fd; /* connected, non-blocking, TCP_NODELAY; the caller owns it */
    bool insecure_allowed;
    char address[DIAL_ADDRESS_TEXT_SIZE];
};

/* Connects to the first address of the host that the rules allow and that answers. PERMISSION_DENIED if the rules allow
 * none, UNAVAILABLE if none answers, DEADLINE_EXCEEDED after `timeout_ms` (which looking the name up may overrun by a
 * few seconds). */
int dial(const struct egress_rules *rules, const struct dial_question *question, struct dial_connection *ret_connection,
         struct bh_error *error);
