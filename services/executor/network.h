/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's own network namespace, into which somebody else (netd) is to lead links: what must be opened inside for
 * that, at its start or later. What is opened is all that leaves the container; no process of netd's enters it.
 */
#pragma once

#include "executor.h"
#include "job.h"
#include "spec.h"

/* Those of NetworkOpened: namespace, rtnetlink, netfilter; and with embedded DNS UDP, TCP, UDP. */
#define NETWORK_FDS_BASE 3
#define NETWORK_FDS_MAX  6

struct network_wish {
    bool embedded_dns; /* with the sockets that 127.0.0.11 port 53 is to lead to */
    bool ipv6;         /* links that are made from now on may have IPv6 addresses */
};

/* Inside the namespace, with all capabilities of its user namespace, before anything of the image's can run or may have
 * been running with more than those. Sets what new links inherit, and lo up; then opens the descriptors, which are the
 * caller's. */
int network_open(const struct network_wish *wish, int ret_fds[static NETWORK_FDS_MAX], size_t *ret_n,
                 struct bh_error *error);
void network_close(int *fds, size_t n);

/* Hands the descriptors out as the progress of a start. In the container's first process. */
int network_offer(const struct container_spec *spec, int answer_socket, struct bh_error *error);
/* ... which the executor passes on as NetworkOpened. */
void network_offered(struct bh_request *request, const struct job_said *said);

/* OpenNetwork, of a container that runs. */
void network_handle_open(struct bh_request *request);
