/* SPDX-License-Identifier: Apache-2.0
 *
 * What TLS trusts and shows: the system's CA bundle, and per registry certs.d/<host[:port]>/ as Docker lays it out
 * (*.crt: CAs; NAME.cert and NAME.key: a client certificate). The folder is the administrator's; the registry's name
 * only selects an entry that is listed there and never forms a path.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "url.h"

#define CERTS_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define CERTS_FOLDER "/certs.d"

/* PEM texts; NULL where there is nothing. */
struct certs {
    char *authorities; /* the system's and the registry's own; NULL: the system's bundle alone */
    size_t authorities_bytes;
    char *client, *client_key;
    size_t client_bytes, client_key_bytes;
};

/* Looks for an entry "host:port" (or "host" at the scheme's own port). None is no error: *ret_certs is then empty. */
int certs_load(const struct origin *origin, struct certs *ret_certs, struct bh_error *error);
void certs_clear(struct certs *certs);
