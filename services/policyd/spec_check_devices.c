/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a ContainerSpec that are about devices, shared namespaces and the cgroup parent; see spec_check.h.
 */
#include <stdio.h>
#include <string.h>

#include "common/digest.h"
#include "common/limits.h"
#include "spec_check_parts.h"

#define PARENT_BYTES_MAX 128U /* behind the configured one it must still fit into 255 */

static bool is_device_path(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 && spec_is_clean_path(path);
}

/* "/dev" at "/dev": all that the host has. */
static bool is_all(const Bulkhead__Device *device)
{
    return strcmp(device->host_path, "/dev") == 0 && strcmp(device->path, "/dev") == 0;
}

int spec_check_device_limits(Bulkhead__DeviceLimit *const *limits, size_t n_limits, struct bh_error *error)
{
    for (size_t i = 0; i < n_limits; i++) {
        if (n_limits > BH_DEVICES_MAX || !is_device_path(limits[i]->path)) {
            return spec_check_wrong(error, "limit of device", limits[i]->path,
                                    "a path below /dev, and one of at most 256");
        }
    }
    return 0;
}

int spec_check_devices(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (spec->n_devices > BH_DEVICES_MAX || spec->n_device_rules > BH_DEVICES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu devices and %zu rules for them; at most %d each",
                            spec->n_devices, spec->n_device_rules, BH_DEVICES_MAX);
    }
    for (size_t i = 0; i < spec->n_devices; i++) {
        const Bulkhead__Device *device = spec->devices[i];
        if (!(is_all(device) || is_device_path(device->host_path)) || !spec_is_clean_path(device->path) ||
            strcmp(device->path, "/") == 0 || !(device->read || device->write || device->make)) {
            return spec_check_wrong(error, "device", device->host_path,
                                    "a path below /dev without . or .. (or /dev at /dev, for all), with a path inside, "
                                    "to be used for something");
        }
    }
    for (size_t i = 0; i < spec->n_device_rules; i++) {
        const Bulkhead__DeviceRule *rule = spec->device_rules[i];
        if (rule->kind == BULKHEAD__DEVICE_KIND__DEVICE_KIND_UNSPECIFIED ||
            !(rule->read || rule->write || rule->make) || (rule->any_major && rule->major) ||
            (rule->any_minor && rule->minor)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "device rule %zu needs a kind, numbers or any, and something it allows", i);
        }
    }
    return 0;
}

/* An id is there exactly if it is wanted; what is shared is shared with one. */
int spec_check_shared(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    const struct {
        const ProtobufCBinaryData *id;
        bool other;
        const char *name;
    } rows[] = {{&spec->join_network, spec->network != BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED, "network"},
                {&spec->join_ipc, spec->host_ipc || spec->no_shm, "IPC"},
                {&spec->join_pid, spec->host_pid, "PID"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool itself =
            rows[i].id->len == BH_DIGEST_BYTES && memcmp(rows[i].id->data, spec->id.data, BH_DIGEST_BYTES) == 0;
        if ((rows[i].id->len != 0 && rows[i].id->len != BH_DIGEST_BYTES) || (rows[i].id->len && rows[i].other) ||
            itself) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "the %s namespace is shared with one other container, by an id of 32 bytes, or not",
                                rows[i].name);
        }
    }
    if (spec->no_shm && spec->host_ipc) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "IPC mode none does not go with the host's");
    }
    return 0;
}

/* "a/b": names below the configured parent. */
int spec_check_cgroup_parent(const char *path, struct bh_error *error)
{
    char rooted[PARENT_BYTES_MAX + 2];
    bool fits = snprintf(rooted, sizeof(rooted), "/%s", path) < (int)sizeof(rooted);
    return !*path || (fits && spec_is_clean_path(rooted) && spec_is_made_of(path, "/._:-", PARENT_BYTES_MAX))
               ? 0
               : spec_check_wrong(error, "cgroup parent", path,
                                  "names of letters, digits and ._:- with slashes between them");
}
