/* SPDX-License-Identifier: Apache-2.0
 *
 * See shared.h.
 */
#include "services/engine/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "services/engine/containers.h"

#include "services/engine/resolve.h"

#define JOINED    "container:"
#define CHAIN_MAX 8 /* one shares with another, who shares with a third */

/* X of "container:X"; NULL for any other mode. */
static const char *shared_with(const char *mode)
{
    return strncmp(mode, JOINED, sizeof JOINED - 1) == 0 ? mode + sizeof JOINED - 1 : NULL;
}

static int pin(struct job *job, char **mode, struct bh_error *error)
{
    const char *other = shared_with(*mode);
    container_row_auto struct container_row row = {0};
    if (!other) {
        return 0;
    }
    if (resolve_container(job, other, &row, error) < 0) {
        error->code = error->code == BH_NOT_FOUND ? BH_INVALID_ARGUMENT : error->code; /* not: no such image */
        return -1;
    }
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE], text[sizeof JOINED + BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row.id, sizeof id.bytes);
    (void)snprintf(text, sizeof text, JOINED "%s", bh_digest_hex(&id, hex));
    return string_set(mode, text, error);
}

int shared_pin(struct job *job, Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    return pin(job, &request->pid_mode, error) < 0 || pin(job, &request->ipc_mode, error) < 0 ? -1 : 0;
}

/* ---- start --------------------------------------------------------------------------------------------- */

static int find_running(struct job *job, const uint8_t *own_id, const char *other, const char *what,
                        struct container_row *ret_row, struct bh_error *error)
{
    if (resolve_container(job, other, ret_row, error) < 0) {
        return -1;
    }
    if (memcmp(ret_row->id, own_id, sizeof ret_row->id) == 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "cannot join own %s", what);
    }
    return container_runs(&ret_row->state) ? 0
                                           : bh_error_set(error, BH_FAILED_PRECONDITION,
                                                          "cannot join %s of a non running container: %s", what, other);
}

/* Names, hosts and resolver of the network are shared with it, as their files are in Docker. */
static int share_names(const Bulkhead__ContainerSpec *other, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    char own[BH_NAME_BYTES_MAX + 1], theirs[BH_NAME_BYTES_MAX + 1];
    (void)snprintf(own, sizeof own, "HOSTNAME=%s", spec->host_name);
    (void)snprintf(theirs, sizeof theirs, "HOSTNAME=%s", other->host_name);
    for (size_t i = 0; i < spec->process->n_env; i++) {
        if (strcmp(spec->process->env[i], own) == 0 && string_set(&spec->process->env[i], theirs, error) < 0) {
            return -1;
        }
    }
    return string_set(&spec->host_name, other->host_name, error) < 0 ||
                   string_set(&spec->domain_name, other->domain_name, error) < 0 ||
                   strings_append_all(&spec->extra_hosts, &spec->n_extra_hosts, other->extra_hosts,
                                      other->n_extra_hosts, error) < 0 ||
                   strings_append_all(&spec->dns_servers, &spec->n_dns_servers, other->dns_servers,
                                      other->n_dns_servers, error) < 0 ||
                   strings_append_all(&spec->dns_search, &spec->n_dns_search, other->dns_search, other->n_dns_search,
                                      error) < 0 ||
                   strings_append_all(&spec->dns_options, &spec->n_dns_options, other->dns_options,
                                      other->n_dns_options, error) < 0
               ? -1
               : 0;
}

enum kind { NETWORK, PID, IPC };

static const char *mode_of(const Bulkhead__ContainerRequest *request, enum kind kind)
{
    return kind == NETWORK ? request->network_mode : kind == PID ? request->pid_mode : request->ipc_mode;
}

/* Whether what `other` has is, by however many steps, the host's. */
static bool is_the_hosts(struct job *job, const char *mode, enum kind kind)
{
    char name[BH_NAME_BYTES_MAX + 1];
    (void)snprintf(name, sizeof name, "%s", mode);
    for (int step = 0; step < CHAIN_MAX; step++) {
        container_row_auto struct container_row row = {0};
        struct bh_error gone;
        const char *other = shared_with(name);
        if (!other) {
            return strcmp(name, "host") == 0;
        }
        if (resolve_container(job, other, &row, &gone) < 0) {
            return false;
        }
        (void)snprintf(name, sizeof name, "%s", mode_of(row.request, kind));
    }
    return false;
}

static int fill_network(struct job *job, const char *mode, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    const char *other = shared_with(mode);
    container_row_auto struct container_row row = {0};
    if (!other) {
        return 0;
    }
    if (find_running(job, spec->id.data, other, "network", &row, error) < 0 || share_names(row.spec, spec, error) < 0) {
        return -1;
    }
    if (is_the_hosts(job, mode, NETWORK)) {
        spec->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
        return 0;
    }
    return bytes_set(&spec->join_network, row.id, sizeof row.id, error);
}

static int fill_pid(struct job *job, const char *mode, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    const char *other = shared_with(mode);
    container_row_auto struct container_row row = {0};
    if (!other) {
        return 0;
    }
    if (find_running(job, spec->id.data, other, "PID", &row, error) < 0) {
        return -1;
    }
    spec->host_pid = is_the_hosts(job, mode, PID);
    return spec->host_pid ? 0 : bytes_set(&spec->join_pid, row.id, sizeof row.id, error);
}

static int fill_ipc(struct job *job, const char *mode, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    const char *other = shared_with(mode);
    container_row_auto struct container_row row = {0};
    if (!other) {
        return 0;
    }
    if (find_running(job, spec->id.data, other, "IPC", &row, error) < 0) {
        return -1;
    }
    spec->host_ipc = is_the_hosts(job, mode, IPC);
    if (!spec->host_ipc && strcmp(row.request->ipc_mode, "shareable") != 0 && !shared_with(row.request->ipc_mode)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "can't join IPC of container %s: non-shareable IPC (hint: use IpcMode:shareable for the "
                            "donor container)",
                            other);
    }
    return spec->host_ipc ? 0 : bytes_set(&spec->join_ipc, row.id, sizeof row.id, error);
}

int shared_fill(struct job *job, const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec,
                struct bh_error *error)
{
    return fill_network(job, request->network_mode, spec, error) < 0 ||
                   fill_pid(job, request->pid_mode, spec, error) < 0 ||
                   fill_ipc(job, request->ipc_mode, spec, error) < 0
               ? -1
               : 0;
}
