/* SPDX-License-Identifier: Apache-2.0
 *
 * Which names one tenant's containers have, network by network, and what a question of one of them is answered with.
 * Pure. Names and addresses are netd's word; questions are the containers'.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/error.h"
#include "dns_message.h"

#define DNS_ID_BYTES 32

/* A name that only the container which has it knows. */
struct dns_link {
    char *name;
    uint8_t container[DNS_ID_BYTES];
};

/* One container in one network. */
struct dns_endpoint {
    uint8_t network[DNS_ID_BYTES];
    char *network_name; /* "" if it is not known */
    bool has_address4, has_address6;
    uint8_t address4[4], address6[16];
    char **names; /* lower case; the first one is its own */
    size_t n_names;
    struct dns_link *links;
    size_t n_links;
};

struct dns_container {
    LIST_ENTRY(dns_container) next;
    uint8_t id[DNS_ID_BYTES];
    bool internal; /* what is not known here does not exist for it */
    struct dns_endpoint *endpoints;
    size_t n_endpoints;
};

struct dns_entry; /* a name in a network, and whose it is */
struct dns_names {
    LIST_HEAD(, dns_container) containers;
    struct dns_entry *sorted; /* made anew when it is needed */
    size_t n_sorted;
    bool is_sorted;
    uint32_t turn; /* with whom the next answer begins */
};

/* Takes the container over, in place of what had its id; it is freed by dns_names_remove() or dns_names_clear(). */
void dns_names_put(struct dns_names *names, struct dns_container *container);
/* NULL if there is none. */
struct dns_container *dns_names_find(const struct dns_names *names, const uint8_t id[static DNS_ID_BYTES]);
void dns_names_remove(struct dns_names *names, const uint8_t id[static DNS_ID_BYTES]);
void dns_names_clear(struct dns_names *names);
/* NULL is nothing. Only of one that was not put. */
void dns_container_free(struct dns_container *container);

/* Writes the answer to a question of `asker` into `bytes`. Returns its length, or 0 if others must be asked. */
size_t dns_names_answer(struct dns_names *names, const struct dns_container *asker, const uint8_t *asked,
                        const struct dns_question *question, uint8_t *bytes, size_t limit);
