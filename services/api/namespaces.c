/* SPDX-License-Identifier: Apache-2.0
 *
 * Which namespaces a container has to itself and which it shares, read from HostConfig: NetworkMode, PidMode, IpcMode,
 * UTSMode, CgroupnsMode, UsernsMode. "container:X" is the engine's to resolve; the host's are policy's to judge.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "create.h"

#define IPC_PRIVATE_SINCE 40 /* before, who asked for nothing could be joined */
#define JOINED            "container:"

static bool is_joined(const char *mode)
{
    return strncmp(mode, JOINED, sizeof(JOINED) - 1) == 0;
}

/* One of `words` (the empty one is always right) or, if `joined` says so, container:X. `what` names it as Docker does.
 */
static int read_mode(const json_t *value, const char *where, const char *what, const char *const *words, bool joined,
                     char **slot, struct bh_error *error)
{
    if (take_string(value, where, slot, error) < 0) {
        return -1;
    }
    const char *mode = *slot;
    bool known = *mode == '\0' || (joined && is_joined(mode) && mode[sizeof(JOINED) - 1]);
    for (; *words && !known; words++) {
        known = strcmp(*words, mode) == 0;
    }
    return known ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid %s: %.128s", what, mode);
}

int read_network_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_string(value, where, &request->network_mode, error) < 0) {
        return -1;
    }
    const char *mode = request->network_mode;
    if (strcmp(mode, "host") == 0) {
        request->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    } else if (strcmp(mode, "none") == 0) {
        request->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    } else if (is_joined(mode)) {
        request->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
        return mode[sizeof(JOINED) - 1]
                   ? 0
                   : bh_error_set(error, BH_INVALID_ARGUMENT,
                                  "Invalid network mode: invalid container format container:<name|id>");
    }
    return 0; /* anything else is the name or the id of a network */
}

int read_pid_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    static const char *const words[] = {"host", NULL};
    return read_mode(value, where, "PID mode", words, true, &create->request->pid_mode, error);
}

int read_ipc_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    static const char *const words[] = {"none", "private", "shareable", "host", NULL};
    return read_mode(value, where, "IPC mode", words, true, &create->request->ipc_mode, error);
}

int read_uts_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    static const char *const words[] = {"host", NULL};
    return read_mode(value, where, "UTS mode", words, false, &create->request->uts_mode, error);
}

int read_cgroupns_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    static const char *const words[] = {"private", "host", NULL};
    return read_mode(value, where, "cgroup namespace mode", words, false, &create->request->cgroupns_mode, error);
}

int read_userns_mode(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    static const char *const words[] = {"host", NULL};
    if (read_mode(value, where, "user namespace mode", words, false, &create->request->userns_mode, error) < 0) {
        return -1;
    }
    return *create->request->userns_mode == '\0'
               ? 0
               : bh_error_set(error, BH_PERMISSION_DENIED,
                              "%s \"host\": every container has a user namespace of its own; no rule can take it away",
                              where);
}

int read_runtime(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    /* Docker's own default names are what we do, too: clients copy them from one engine to the other. */
    static const char *const known[] = {"", "bulkhead", "runc", "io.containerd.runc.v2"};
    if (take_string(value, where, &create->request->runtime, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(create->request->runtime, known[i]) == 0) {
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown or invalid runtime name: %.128s: only bulkhead is known",
                        create->request->runtime);
}

int read_isolation(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    if (take_string(value, where, &create->request->isolation, error) < 0) {
        return -1;
    }
    const char *isolation = create->request->isolation;
    return *isolation == '\0' || strcmp(isolation, "default") == 0
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "Invalid isolation: \"%.64s\" - linux only supports 'default'", isolation);
}

/* ---- what goes together ------------------------------------------------------------------------------ */

static bool says_something(const json_t *host_config, const char *name)
{
    const json_t *value = host_config ? json_object_get(host_config, name) : NULL;
    return value && !json_is_empty(value);
}

/* A container that shares another's network has nothing of its own to say about names, addresses and ports. */
static int check_joined_network(const Bulkhead__ContainerRequest *request, const json_t *host_config,
                                struct bh_error *error)
{
    const struct {
        bool wanted;
        const char *conflict;
    } rows[] = {
        {request->host_name_presence_case == BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME,
         "conflicting options: hostname and the network mode"},
        {request->n_links > 0,
         "conflicting options: container type network can't be used with links. This would result in undefined "
         "behavior"},
        {request->n_dns_servers > 0, "conflicting options: dns and the network mode"},
        {request->n_extra_hosts > 0, "conflicting options: custom host-to-IP mapping and the network mode"},
        {says_something(host_config, "PortBindings") || says_something(host_config, "PublishAllPorts"),
         "conflicting options: port publishing and the container type network mode"},
        {request->n_exposed_ports > 0, "conflicting options: port exposing and the container type network mode"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].wanted) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s", rows[i].conflict);
        }
    }
    return 0;
}

/* Without a network there is nothing that a link could name, and Docker takes it for nothing too: docker-compose sends
 * one with each one-off. */
static int check_links(const Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    return request->n_links > 0 && strcmp(request->network_mode, "host") == 0
               ? bh_error_set(error, BH_INVALID_ARGUMENT,
                              "conflicting options: host type networking can't be used with links. This would result "
                              "in undefined behavior")
               : 0;
}

/* What says nothing under this mode: Docker drops it, and says so. */
static void warn_of_ports(struct create *create)
{
    const Bulkhead__ContainerRequest *request = create->request;
    if (strcmp(request->network_mode, "host") == 0 && (request->n_port_bindings > 0 || request->publish_all_ports)) {
        create_warn(create, "Published ports are discarded when using host network mode");
    }
}

int namespaces_finish(struct create *create, const json_t *host_config, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (*request->network_mode == '\0' && set_string(&request->network_mode, "default", error) < 0) {
        return -1;
    }
    if (*request->ipc_mode == '\0' && create->version < IPC_PRIVATE_SINCE &&
        set_string(&request->ipc_mode, "shareable", error) < 0) {
        return -1;
    }
    warn_of_ports(create);
    if (strcmp(request->uts_mode, "host") == 0 &&
        request->host_name_presence_case == BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "conflicting options: hostname and the UTS mode");
    }
    return is_joined(request->network_mode) ? check_joined_network(request, host_config, error)
                                            : check_links(request, error);
}
