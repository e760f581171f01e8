/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions of one container, over UDP and TCP (RFC 7766), and their answers.
 */
#pragma once

#include "common/error.h"
#include "dns_worker.h"

/* Begins to answer on the sockets, which become the worker's whatever happens. The container's servers are set later.
 */
int dns_serve_begin(struct dns_worker *worker, const uint8_t id[static DNS_ID_BYTES], const int fds[static 3],
                    struct dns_served **ret_served, struct bh_error *error);
/* NULL if that container has no sockets here. */
struct dns_served *dns_serve_find(const struct dns_worker *worker, const uint8_t id[static DNS_ID_BYTES]);
/* Closes its sockets; whoever waits gets nothing any more. */
void dns_serve_end(struct dns_served *served);

/* Sends an answer to who asked. Over UDP one that is longer than the asker takes is cut to its header and question,
 * with the truncation bit. */
void dns_serve_answer(const struct dns_client *client, const struct dns_question *question, uint8_t *bytes,
                      size_t n_bytes);
