/* SPDX-License-Identifier: Apache-2.0
 *
 * A container as netd sees one: a network namespace in a user namespace, and the descriptors that its root has opened
 * in there. And another machine: a namespace with a cable to the host.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "stage.h"

struct box {
    pid_t pid; /* of a process that does nothing but be in there */
    uint8_t id[32];
    int fds[6]; /* namespace, rtnetlink, netfilter, and DNS: UDP, TCP, to resolvers */
    Bulkhead__Attachment attachment;
    Bulkhead__Endpoint endpoints[8];
    Bulkhead__Endpoint *endpoint_list[8];
    uint8_t ids[8][32], macs[8][6], addresses4[8][4], addresses6[8][16];
    Bulkhead__PublishedPort ports[8];
    Bulkhead__PublishedPort *port_list[8];
    uint8_t port_hosts[8][16];
    uint16_t published[8]; /* what was answered */
    size_t n_published;
};

/* Number N: its addresses end with N. */
void box_open(struct box *box, uint8_t number);
void box_close(struct box *box);

/* One more endpoint, with the default route if it is the first; returns its place. */
size_t box_join(struct box *box, const struct network *network, uint8_t number);
/* One more port: first to last of the host's, on `address` ("": all). */
void box_publish(struct box *box, Bulkhead__Transport transport, const char *address, uint16_t first, uint16_t last,
                 uint16_t container_port);
/* LinkContainer. */
int box_link(struct box *box, struct bh_error *error);
void box_linked(struct box *box);
/* DisconnectContainer; `place` -1: all. */
int box_disconnect(struct box *box, int place, struct bh_error *error);

/* A command in there, as its root; see host(). */
const char *inside(const struct box *box, const char *command, ...) __attribute__((format(printf, 2, 3)));
/* What traffic.py's ask says; its arguments. */
const char *asked(const struct box *box, const char *arguments, ...) __attribute__((format(printf, 2, 3)));
/* Starts traffic.py's serve in there; it ends with the test. NULL: on the host. */
void serve(const struct box *box, const char *arguments, ...) __attribute__((format(printf, 2, 3)));

/* Starts traffic.py's hear on eth0; its labels can be read from the stream. */
FILE *hear(const struct box *box);

/* Another machine: 198.51.100.2 (and 2001:db8:1::2), the host being 198.51.100.1 (and 2001:db8:1::1) by link "cable".
 */
void machine_open(struct box *machine);
