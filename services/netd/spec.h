/* SPDX-License-Identifier: Apache-2.0
 *
 * From messages to what netd keeps, with every field looked at: lengths, ranges, characters, and that addresses belong
 * together. Pure. What an error says names the field and what would have been right.
 */
#pragma once

#include "common/error.h"
#include "netd.h"
#include "policyd_netd.pb-c.h"

#define SPEC_ENDPOINTS_MAX 64
#define SPEC_PORTS_MAX     4096

/* 32 bytes. */
int spec_read_id(const ProtobufCBinaryData *field, const char *what, const uint8_t **ret_id, struct bh_error *error);
/* A name that the kernel takes for a link and that is none of its own. */
int spec_check_link_name(const char *name, const char *what, struct bh_error *error);

/* `prefix` is that of link names, from which a bridge's name is made. Fills in everything but index and lists. */
int spec_read_network(const Bulkhead__NetworkSpec *spec, const char *prefix, struct network *ret_network,
                      struct bh_error *error);
/* Would two descriptions make the same network? */
bool spec_same_network(const struct network *a, const struct network *b);

/* An endpoint as it is asked for: without its place in any list. `netd` says which networks there are. */
int spec_read_endpoint(const struct netd *netd, const Bulkhead__Endpoint *message, uint32_t tenant_uid,
                       struct endpoint *ret_endpoint, struct bh_error *error);

struct port_wish {
    Bulkhead__Transport transport;
    uint16_t container_port, first, last;
    bool everywhere; /* all addresses of the host */
    struct ip host;  /* the one, or the family of all; without bytes: of both families */
};
int spec_read_port(const Bulkhead__PublishedPort *message, struct port_wish *ret_wish, struct bh_error *error);

/* Writes 64 hex digits, or the first `n_bytes` of it; returns `text`. */
#define SPEC_ID_TEXT_SIZE 65
const char *spec_id_text(const uint8_t *id, size_t n_bytes, char text[static SPEC_ID_TEXT_SIZE]);
