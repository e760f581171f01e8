/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's creation as it is read: the client's JSON on one side, a ContainerRequest on the other, and between
 * them tables of fields. Every field a client sends is in a table, or refused unless it says nothing: what we do not do
 * is never ignored.
 */
#pragma once

#include <stddef.h>

#include "api.h"
#include "api_engine.pb-c.h"
#include "json_read.h"

#define CREATE_WARNINGS_MAX 8

struct create {
    const struct api *api;
    unsigned version; /* minor, of the API that the client speaks: what it leaves out means what it meant then */
    Bulkhead__ContainerRequest *request; /* owned by whoever made it; every string in it malloc'd */
    const char *warnings[CREATE_WARNINGS_MAX];
    size_t n_warnings;
    bool update; /* of a container that is there: a field that is 0 says nothing */
};

enum field_kind {
    FIELD_STRING = 1,    /* into char * at `offset` */
    FIELD_BOOL,          /* into protobuf_c_boolean at `offset` */
    FIELD_STRINGS,       /* into char ** at `offset`, counted at `count` */
    FIELD_MAP,           /* into KeyValue ** at `offset`, counted at `count` */
    FIELD_KEYS,          /* keys of an object of {} into char ** */
    FIELD_READ,          /* `read` does it */
    FIELD_MEANS_NOTHING, /* the client's own affair: accepted and dropped */
    FIELD_REFUSED,       /* anything but a default is UNIMPLEMENTED: `without` says what is missing */
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, count;
    int (*read)(struct create *create, const json_t *value, const char *where, struct bh_error *error);
    const char *without;
};

#define REQUEST_AT(member) offsetof(Bulkhead__ContainerRequest, member)

/* Reads `object` by a table that ends with a row without a name, in the table's order. `prefix` ("HostConfig.") stands
 * before the fields' names in errors. `skip` (may be NULL) lists fields that another table reads. */
int read_fields(struct create *create, const struct field *table, const json_t *object, const char *prefix,
                const char *const *skip, struct bh_error *error);

void create_warn(struct create *create, const char *warning);
/* A copy of `text` in `*slot`. */
int set_string(char **slot, const char *text, struct bh_error *error);

/* containers_create.c: the whole body into a new request, freed by the caller with free_unpacked. */
int create_read(struct create *create, const json_t *body, struct bh_error *error);
/* A ContainerConfig alone, as commit takes it. */
int create_read_config(struct create *create, const json_t *body, struct bh_error *error);
/* A new request with the parts that are always there; NULL without memory. */
Bulkhead__ContainerRequest *create_new_request(void);
/* A new request with the parts that are always there; NULL: no memory. */
Bulkhead__ContainerRequest *create_new_request(void);
/* host_config.c */
int host_config_read(struct create *create, const json_t *host_config, struct bh_error *error);
/* namespaces.c: rows of the HostConfig table, and what can only be judged when all of them are read */
int read_network_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_pid_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_ipc_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_uts_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cgroupns_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_userns_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_runtime(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_isolation(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int namespaces_finish(struct create *create, const json_t *host_config, struct bh_error *error);
/* networking_config.c: NetworkingConfig, and a row of the Config table */
int networking_read(struct create *create, const json_t *networking, struct bh_error *error);
int read_mac_address(struct create *create, const json_t *value, const char *where, struct bh_error *error);
/* ports_json.c: a row of the HostConfig table */
int read_port_bindings(struct create *create, const json_t *value, const char *where, struct bh_error *error);
/* log_config.c: a row, and what holds without it */
int read_log_config(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int log_config_default(struct create *create, struct bh_error *error);
/* restart_policy.c: a row, what can only be judged when all are read, and the policy alone, as `update` has it */
int read_restart_policy(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int restart_policy_finish(const struct create *create, struct bh_error *error);
int restart_policy_read(const json_t *value, char **policy, uint32_t *retries, struct bh_error *error);
/* devices.c: rows of the HostConfig table */
int read_devices(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_device_rules(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_device_requests(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_weights(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_read_bytes(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_write_bytes(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_read_operations(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_write_operations(struct create *create, const json_t *value, const char *where, struct bh_error *error);
/* mounts.c, mounts_tmpfs.c, mounts_typed.c: rows of the HostConfig table */
int read_binds(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_mounts(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_tmpfs(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_storage_options(struct create *create, const json_t *value, const char *where, struct bh_error *error);
/* security.c */
int read_capabilities_added(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_capabilities_dropped(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_security_options(struct create *create, const json_t *value, const char *where, struct bh_error *error);
/* resources.c: rows, and what can only be judged when all of them are read */
int read_memory(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_memory_swap(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_memory_reservation(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_swappiness(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_nano_cpus(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cpu_quota(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cpu_period(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cpu_shares(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cpuset_cpus(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_cpuset_mems(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_pids_limit(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_blkio_weight(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_oom_kill_disable(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_ulimits(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_realtime_period(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_realtime_runtime(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_kernel_memory(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int read_kernel_memory_tcp(struct create *create, const json_t *value, const char *where, struct bh_error *error);
int resources_finish(struct create *create, struct bh_error *error);
