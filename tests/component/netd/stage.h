/* SPDX-License-Identifier: Apache-2.0
 *
 * A real netd with the test as policyd, in a network namespace of the test's own that plays the host: what it makes is
 * gone with the test.
 */
#pragma once

#ifdef __clang__ /* messages in tests point at literals */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../harness.h"
#include "policyd_netd.pb-c.h"

#define STAGE_TENANT 1000U

extern struct harness stage;

/* For Criterion's .init and .fini. */
void stage_open(void);
void stage_close(void);
/* Ends netd with SIGKILL and starts another one. */
void stage_restart(void);

/* A command of the shell, in the host's namespace. Its output, without the last line end; aborts the test if it fails.
 */
const char *host(const char *command, ...) __attribute__((format(printf, 1, 2)));
/* The same, and whether it worked. */
bool host_can(const char *command, ...) __attribute__((format(printf, 1, 2)));
/* Waits (5 s) until a command's output is this. */
bool host_soon(const char *output, const char *command, ...) __attribute__((format(printf, 2, 3)));

/* ---- networks ---- */

/* A network as the engine would describe it. Number N: 172.16.N.0/24 with gateway .1, and fd00:N::/64 if `ipv6`. */
struct network {
    Bulkhead__NetworkSpec spec;
    Bulkhead__Subnet subnets[2];
    Bulkhead__Subnet *list[2];
    uint8_t id[32], addresses[2][16], gateways[2][16];
    uint8_t number;
    char link[16]; /* its bridge */
};
void network_init(struct network *network, uint8_t number, bool ipv6);
int network_make(struct network *network, struct bh_error *error);
/* The same, and aborts the test if it fails. */
void network_made(struct network *network);
int network_drop(struct network *network, struct bh_error *error);

/* One question without an answer but Done. */
int stage_ask(Bulkhead__PolicydToNetd *packet, const int *fds, size_t n_fds, uint32_t kind,
              struct bh_message **ret_answer, struct bh_error *error);
/* What CheckNetworks finds, a line each; "" if all is well. */
const char *stage_findings(void);
void stage_settle(void);
