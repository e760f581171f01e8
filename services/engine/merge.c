/* SPDX-License-Identifier: Apache-2.0
 *
 * ImageConfig + ContainerRequest + facts -> ContainerSpec; see merge.h. Process, rights and labels have files of their
 * own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/limits.h"
#include "services/engine/log_options.h"
#include "services/engine/merge_parts.h"

#define DEFAULT_SHM_BYTES (64 * BH_MIB)
#define SHORT_ID_DIGITS   12

static void free_spec(Bulkhead__ContainerSpec **spec)
{
    if (*spec) {
        bulkhead__container_spec__free_unpacked(*spec, NULL);
    }
}

/* Copies a list of messages. */
static int copy_messages(void *ret_list, size_t *ret_n, void *const *list, size_t n, struct bh_error *error)
{
    void **copies = calloc(n ? n : 1, sizeof *copies);
    if (!copies) {
        return bh_error_errno(error, ENOMEM, "copy a list");
    }
    *(void ***)ret_list = copies;
    for (*ret_n = 0; *ret_n < n; (*ret_n)++) {
        ProtobufCMessage *copy = NULL;
        if (message_copy(list[*ret_n], &copy, error) < 0) {
            return -1;
        }
        copies[*ret_n] = copy;
    }
    return 0;
}

/* A privileged container has all of the host's, where their names are free. */
static int add_all_devices(Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__Device all = BULKHEAD__DEVICE__INIT;
    ProtobufCMessage *copy = NULL;
    all.host_path = all.path = (char *)(uintptr_t) "/dev";
    all.read = all.write = all.make = true;
    Bulkhead__Device **devices = realloc(spec->devices, (spec->n_devices + 1) * sizeof(Bulkhead__Device *));
    if (!devices) {
        return bh_error_errno(error, ENOMEM, "list a container's devices");
    }
    spec->devices = devices;
    if (message_copy(&all.base, &copy, error) < 0) {
        return -1;
    }
    spec->devices[spec->n_devices++] = (Bulkhead__Device *)copy;
    return 0;
}

/* The host's own address is not known before the start, which adds it. */
static int merge_hosts(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    for (size_t i = 0; i < request->n_extra_hosts; i++) {
        const char *colon = strchr(request->extra_hosts[i], ':');
        if (!(colon && strcmp(colon + 1, "host-gateway") == 0) &&
            strings_append(&spec->extra_hosts, &spec->n_extra_hosts, request->extra_hosts[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int merge_lists(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (copy_messages(&spec->limits, &spec->n_limits, (void *const *)request->limits, request->n_limits, error) < 0 ||
        copy_messages(&spec->sysctls, &spec->n_sysctls, (void *const *)request->sysctls, request->n_sysctls, error) <
            0 ||
        copy_messages(&spec->devices, &spec->n_devices, (void *const *)request->devices, request->n_devices, error) <
            0 ||
        copy_messages(&spec->device_rules, &spec->n_device_rules, (void *const *)request->device_rules,
                      request->n_device_rules, error) < 0 ||
        (request->privileged && add_all_devices(spec, error) < 0)) {
        return -1;
    }
    if (merge_hosts(request, spec, error) < 0 ||
        strings_append_all(&spec->dns_servers, &spec->n_dns_servers, request->dns_servers, request->n_dns_servers,
                           error) < 0 ||
        strings_append_all(&spec->dns_search, &spec->n_dns_search, request->dns_search, request->n_dns_search, error) <
            0 ||
        strings_append_all(&spec->dns_options, &spec->n_dns_options, request->dns_options, request->n_dns_options,
                           error) < 0) {
        return -1;
    }
    return 0;
}

static int merge_resources(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec,
                           struct bh_error *error)
{
    const Bulkhead__Resources none = BULKHEAD__RESOURCES__INIT;
    ProtobufCMessage *copy = NULL;
    if (message_copy(request->resources ? &request->resources->base : &none.base, &copy, error) < 0) {
        return -1;
    }
    spec->resources = (Bulkhead__Resources *)copy;
    spec->disk_bytes = request->disk_bytes;
    spec->shm_bytes = request->shm_bytes ? request->shm_bytes : DEFAULT_SHM_BYTES;
    spec->oom_score_adjust = request->oom_score_adjust;
    spec->init = request->init;
    spec->ephemeral = request->auto_remove;
    return 0;
}

/* A cgroup parent lies below the configured one, however it is written. */
static const char *relative(const char *path)
{
    return path + strspn(path, "/");
}

static int merge_identity(const Bulkhead__ContainerRequest *request, const struct merge_facts *facts,
                          Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    struct bh_digest id;
    char short_id[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, facts->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, short_id);
    short_id[SHORT_ID_DIGITS] = '\0';
    const char *host_name = short_id;
    if (request->host_name_presence_case == BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME &&
        request->host_name[0]) {
        host_name = request->host_name;
    } else if (request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST) {
        host_name = facts->host_name;
    }
    spec->tenant_uid = facts->tenant_uid;
    spec->network = request->network;
    if (bytes_set(&spec->id, facts->id, BH_DIGEST_BYTES, error) < 0 ||
        bytes_set(&spec->image_digest, facts->image->bytes, BH_DIGEST_BYTES, error) < 0 ||
        string_set(&spec->image_reference, facts->image_reference, error) < 0 ||
        string_set(&spec->host_name, host_name, error) < 0 ||
        string_set(&spec->domain_name, request->domain_name, error) < 0 ||
        string_set(&spec->wanted_cgroup_parent, relative(request->cgroup_parent), error) < 0) {
        return -1;
    }
    spec->layers = calloc(facts->n_layers ? facts->n_layers : 1, sizeof *spec->layers);
    if (!spec->layers) {
        return bh_error_errno(error, ENOMEM, "list %zu layers", facts->n_layers);
    }
    for (; spec->n_layers < facts->n_layers; spec->n_layers++) {
        if (bytes_set(&spec->layers[spec->n_layers], facts->layers[spec->n_layers].bytes, BH_DIGEST_BYTES, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int merge_container(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                    const struct merge_facts *facts, Bulkhead__ContainerSpec **ret_spec, struct bh_error *error)
{
    bh_cleanup(free_spec) Bulkhead__ContainerSpec *spec = malloc(sizeof *spec);
    if (!spec) {
        return bh_error_errno(error, ENOMEM, "describe a container");
    }
    bulkhead__container_spec__init(spec);
    if (merge_identity(request, facts, spec, error) < 0 || merge_process(image, request, spec, error) < 0 ||
        merge_rights(request, spec, error) < 0 || merge_lists(request, spec, error) < 0 ||
        merge_resources(request, spec, error) < 0 || log_options_merge(image, request, spec, error) < 0) {
        return -1;
    }
    *ret_spec = bh_steal_pointer(&spec);
    return 0;
}
