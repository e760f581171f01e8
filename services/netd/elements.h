/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements of our tables' sets and maps: what networks, endpoints and published ports mean in the rules. The rules
 * themselves (ruleset.c) never change; everything that comes and goes is an element.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "netd.h"

/* Of one name, and of these families. */
enum table { TABLE_IP, TABLE_IP6, TABLE_BRIDGE, TABLES };

enum set {
    SET_BRIDGES,   /* bridge links of networks */
    SET_SAME,      /* (bridge, the same bridge), unless its containers are isolated */
    SET_SUBNETS,   /* (bridge, its addresses) */
    SET_INTERNAL,  /* bridges without a way out */
    SET_PLAIN,     /* bridges whose containers keep their addresses on the way out */
    SET_PORTS,     /* map: published on one address of the host */
    SET_PORTS_ANY, /* map: published on all of them */
    SET_MACS,      /* (port of a bridge, MAC of the endpoint behind it) */
    SET_SOURCES4,  /* (port, address) */
    SET_SOURCES6,
    SET_TARGETS6, /* (port, address that it may advertise) */
    SETS,
};

#define ELEMENT_BYTES_MAX 40

struct element {
    enum table table;
    enum set set;
    uint8_t key[ELEMENT_BYTES_MAX], key_end[ELEMENT_BYTES_MAX], data[ELEMENT_BYTES_MAX];
    uint8_t n_key, n_data;
    bool interval; /* from key to key_end, field by field */
};

struct elements {
    struct element *list;
    size_t n, room;
    bool failed; /* no memory: said by whoever uses the list */
};
void elements_free(struct elements *elements);
void elements_append(struct elements *elements, const struct element *element);
#define bh_autoelements bh_cleanup(elements_free)

void elements_of_network(const struct network *network, struct elements *elements);
void elements_of_endpoint(const struct endpoint *endpoint, struct elements *elements);
void elements_of_port(const struct port *port, struct elements *elements);
/* All that should be there. */
void elements_of_everything(const struct netd *netd, struct elements *elements);

const char *table_family_name(enum table table); /* "ip", "ip6", "bridge" */
uint8_t table_family(enum table table);          /* NFPROTO_* */
const char *set_name(enum set set);
bool set_is_in(enum set set, enum table table);
/* Are they the same key of the same set? */
bool element_same_key(const struct element *a, const struct element *b);
/* Any order in which only the same have no difference, for qsort(3). */
int element_compare(const void *a, const void *b);
/* Writes it as nft reads it: `"bh-0123" . 172.16.0.0-172.16.15.255`. */
void element_print(const struct element *element, FILE *stream);
