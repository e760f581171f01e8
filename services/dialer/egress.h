/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses this host's engine may be made to connect to. Pure: names and addresses in, a verdict out. Called by
 * connect.c for every resolved address before the kernel hears of it. Host, port and address come from registries and
 * DNS and are hostile; only the rules come from the configuration.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

#define EGRESS_HOST_BYTES_MAX 253 /* RFC 1035, 2.3.4 without the final dot */
#define EGRESS_RULES_MAX      256

/* An address of either family as 16 bytes; IPv4 as ::ffff:a.b.c.d, so that one prefix compare serves both. */
struct egress_address {
    uint8_t bytes[16];
};

/* What kind of address it is (IANA's special-purpose registries, RFC 6890). */
enum egress_class {
    EGRESS_PUBLIC,
    EGRESS_LOOPBACK,
    EGRESS_PRIVATE, /* RFC 1918, unique local, shared (RFC 6598), benchmarking, documentation, tunnels */
    EGRESS_LINK_LOCAL,
    EGRESS_METADATA, /* the clouds' instance metadata services: never */
    EGRESS_UNUSABLE, /* unspecified, multicast, broadcast, reserved: never */
};

enum egress_rule_kind { EGRESS_RULE_HOST, EGRESS_RULE_HOST_PORT, EGRESS_RULE_NETWORK };

/* One entry of insecure_registries or private_registries. */
struct egress_rule {
    enum egress_rule_kind kind;
    bool insecure; /* plain HTTP and unknown CAs are fine, too */
    char host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t port;
    struct egress_address network;
    unsigned prefix_bits; /* of the 128 */
};

struct egress_rules {
    struct egress_rule rules[EGRESS_RULES_MAX];
    size_t n_rules;
};

/* Adds one configuration entry: "host", "host:port", "[v6]:port", an address, or a network "10.0.0.0/8", "fd00::/8".
 * Anything else is INVALID_ARGUMENT. */
int egress_rules_add(struct egress_rules *rules, const char *entry, bool insecure, struct bh_error *error);

/* Splits "host", "host:port", "[v6]", "[v6]:port". The host comes without brackets, in lower case; *ret_port is 0 where
 * none was given. Refuses everything outside [A-Za-z0-9.-] (and hex and colons in brackets): no zone, no user, no
 * escape. */
int egress_split(const char *text, char ret_host[static EGRESS_HOST_BYTES_MAX + 1], uint16_t *ret_port,
                 struct bh_error *error);

/* Checks a bare host (brackets already taken off) and copies it in lower case. */
int egress_host(const char *text, char ret_host[static EGRESS_HOST_BYTES_MAX + 1], struct bh_error *error);

/* Takes the address out of an AF_INET or AF_INET6 socket address; other families are INVALID_ARGUMENT. */
int egress_address(const struct sockaddr *address, struct egress_address *ret_address, struct bh_error *error);

/* IPv4 addresses embedded in IPv6 (mapped, compatible, 6to4, NAT64, ISATAP, Teredo) are judged as what they lead to. */
enum egress_class egress_classify(const struct egress_address *address);
const char *egress_class_name(enum egress_class class);

struct egress_question {
    const char *host; /* from egress_split() or egress_host() */
    uint16_t port;
    const char *registry_host; /* the job's own registry */
    uint16_t registry_port;    /* 0: none was given, so 443 and 80 are its own */
    struct egress_address address;
};

/* 0: connect. *ret_insecure tells whether plain HTTP and unknown CAs are allowed there. -1: PERMISSION_DENIED with what
 * would have to be configured.
 *
 * Public addresses are free. Special ones need a rule that names the host, the host and port or its network, and the
 * question must be about the job's own registry: a registry can then not lead us by a redirect or token realm to where
 * its own name does not lie, except to a host and port that the configuration names exactly. Metadata and unusable
 * addresses are refused whatever is configured. */
int egress_judge(const struct egress_rules *rules, const struct egress_question *question, bool *ret_insecure,
                 struct bh_error *error);
