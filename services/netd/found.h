/* SPDX-License-Identifier: Apache-2.0
 *
 * What a netd before this one has left: its links, known by their aliases. Whatever is told again is taken over as it
 * is; the rest goes when everything was told (SettleNetworks).
 */
#pragma once

#include "netd.h"

/* Looks for links of ours. */
int found_read(struct netd *netd, struct bh_error *error);
void found_free(struct netd *netd);

/* Calls `tell` with each network that was found and has not been made since. */
void found_each_network(const struct netd *netd,
                        void (*tell)(const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid, void *argument),
                        void *argument);
/* It is made again: it stays. */
void found_forget_network(struct netd *netd, const uint8_t id[static NETD_ID_BYTES]);
/* Removes it. Absent is no error; another tenant's is PERMISSION_DENIED. */
int found_drop_network(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid,
                       struct bh_error *error);

/* The host's end of an endpoint's link: true if there is one, which is then no longer found. */
bool found_take_endpoint(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t bridge,
                         char ret_link[static IFNAMSIZ], uint32_t *ret_index);

/* Removes such a link. Absent is no error. */
int found_remove_endpoint(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid,
                          struct bh_error *error);

/* Removes the rest. */
int found_remove_rest(struct netd *netd, struct bh_error *error);

/* An endpoint's link says whose it is. */
void found_write_alias(const struct netd *netd, const struct endpoint *endpoint, uint32_t tenant_uid, char *alias,
                       size_t alias_bytes);
