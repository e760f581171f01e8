/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's settings: a root-owned file of `key value` lines and the same keys as flags. The only thing the
 * supervisor parses; a key it does not know, or a value out of range, stops the start.
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "common/error.h"
#include "common/log.h"

#define SETTINGS_LIST_MAX         64
#define SETTINGS_LINK_PREFIX_SIZE 3
#define SETTINGS_EXIT             1 /* --help or --version was all that was wanted */

struct settings {
    char state[PATH_MAX];   /* everything the engine keeps */
    char socket[PATH_MAX];  /* the API's unix socket, unless systemd hands one over */
    uint32_t socket_mode;   /* who may connect; each becomes the tenant of his own uid */
    char socket_group[64];  /* group of the socket; empty: root's */
    char libexec[PATH_MAX]; /* where the helpers' programs lie */
    char policy[PATH_MAX];  /* policy.d */
    char certs[PATH_MAX];   /* certs.d */
    char cgroup_parent[64];
    char link_prefix[SETTINGS_LINK_PREFIX_SIZE]; /* of the names of this engine's links on the host */
    enum bh_log_level log_level;
    uint32_t uid_base, api_uid_base, monitor_uid_base, tenant_id_base, tenant_id_count;
    char *insecure_registries[SETTINGS_LIST_MAX];
    uint32_t n_insecure_registries;
    char *private_registries[SETTINGS_LIST_MAX];
    uint32_t n_private_registries;
    char *registry_mirrors[SETTINGS_LIST_MAX]; /* "https://host[:port]" */
    uint32_t n_registry_mirrors;
    char *address_pools[SETTINGS_LIST_MAX]; /* as address_pool.h reads them */
    uint32_t n_address_pools;
};

/* Reads `--config FILE` first (default /etc/bulkhead/bulkhead.conf, which may be absent), then the flags. Returns 0,
 * SETTINGS_EXIT after --help or --version, or -1 with an error that names the key and its place. */
int settings_parse(int argc, char **argv, struct settings *ret_settings, struct bh_error *error);

/* Sets one key; exported for the tests. */
int settings_set(struct settings *settings, const char *key, const char *value, struct bh_error *error);
void settings_defaults(struct settings *settings);
