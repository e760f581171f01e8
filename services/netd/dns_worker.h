/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker that answers the questions of one tenant's containers: what its parts share. Its memory is bounded by the
 * number of containers and, for each of them, of questions under way and connections open.
 *
 *   dns_worker.c   netd's word comes in (netd_dns.proto)
 *   dns_serve.c    questions come in and answers go out, in a container's network namespace
 *   dns_forward.c  what is not known here is asked of resolvers
 *   dns_names.c    what is known here
 */
#pragma once

#include <event2/event.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "dns_names.h"
#include "dns_resolvers.h"

#define DNS_PENDING_MAX 256  /* questions of one container that wait for a resolver */
#define DNS_STREAMS_MAX 32   /* TCP connections of one container */
#define DNS_RATE        2000 /* questions a second of one container ... */
#define DNS_BURST       4000 /* ... and as many as may come at once */

struct bh_service_context;
struct dns_pending;
struct dns_stream;

struct dns_worker {
    struct event_base *base;
    struct dns_names names;
    struct dns_resolvers resolvers;
    LIST_HEAD(, dns_served) served;
    size_t n_pending;
};

/* One container that has the embedded resolver. */
struct dns_served {
    LIST_ENTRY(dns_served) next;
    struct dns_worker *worker;
    uint8_t id[DNS_ID_BYTES];
    int udp, tcp, own; /* sockets in its network namespace; `own` asks its own resolvers */
    struct event *on_udp, *on_tcp, *on_own, *listen_again;
    union dns_server servers[DNS_RESOLVERS_MAX]; /* its own resolvers */
    size_t n_servers;
    LIST_HEAD(, dns_pending) pending;
    LIST_HEAD(, dns_stream) streams;
    size_t n_pending, n_streams;
    double tokens; /* of questions it may ask */
    uint64_t counted_at_ms;
};

/* Who waits for an answer. */
struct dns_client {
    struct dns_served *served;
    struct dns_stream *stream; /* NULL: over UDP, from `address` */
    struct sockaddr_in address;
};

/* Runs the worker on netd's channel; what bh_worker_fork() calls. */
int dns_work(struct bh_service_context *context, int job_fd, void *argument);
