/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container is given of the host's devices, and whose namespaces it shares; see spec.h.
 */
#include "spec_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "text.h"

#define MAJOR_MAX 4095U    /* the kernel's 12 bits */
#define MINOR_MAX 1048575U /* and 20 */

bool spec_is_device_path(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 && path[5] && text_is_path(path);
}

static bool is_all(const Bulkhead__Device *device)
{
    return strcmp(device->host_path, SPEC_ALL_DEVICES) == 0 && strcmp(device->path, SPEC_ALL_DEVICES) == 0;
}

static unsigned int access_of(bool read, bool write, bool make)
{
    return (read ? SPEC_DEVICE_READ : 0U) | (write ? SPEC_DEVICE_WRITE : 0U) | (make ? SPEC_DEVICE_MAKE : 0U);
}

static int decode_rule(const Bulkhead__DeviceRule *message, struct spec_device_rule *ret_rule, struct bh_error *error)
{
    static const char kinds[] = {[BULKHEAD__DEVICE_KIND__DEVICE_KIND_ALL] = 'a',
                                 [BULKHEAD__DEVICE_KIND__DEVICE_KIND_BLOCK] = 'b',
                                 [BULKHEAD__DEVICE_KIND__DEVICE_KIND_CHARACTER] = 'c'};
    *ret_rule = (struct spec_device_rule){
        .kind = (size_t)message->kind < sizeof(kinds) ? kinds[message->kind] : '\0',
        .major = message->any_major ? SPEC_DEVICE_ANY : (int)message->major,
        .minor = message->any_minor ? SPEC_DEVICE_ANY : (int)message->minor,
        .access = access_of(message->read, message->write, message->make),
    };
    return ret_rule->kind && ret_rule->access && message->major <= MAJOR_MAX && message->minor <= MINOR_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "a device rule must have a kind, numbers up to %u:%u and something it allows", MAJOR_MAX,
                              MINOR_MAX);
}

int spec_decode_devices(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->devices = calloc(message->n_devices + 1, sizeof(*spec->devices));
    spec->device_rules = calloc(message->n_device_rules + 1, sizeof(*spec->device_rules));
    if (!spec->devices || !spec->device_rules || message->n_devices > BH_DEVICES_MAX ||
        message->n_device_rules > BH_DEVICES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu devices and %zu rules are more than %d",
                            message->n_devices, message->n_device_rules, BH_DEVICES_MAX);
    }
    for (; spec->n_devices < message->n_devices; spec->n_devices++) {
        const Bulkhead__Device *device = message->devices[spec->n_devices];
        unsigned int access = access_of(device->read, device->write, device->make);
        if (!(is_all(device) || spec_is_device_path(device->host_path)) || !text_is_path(device->path) ||
            strspn(device->path, "/") == strlen(device->path) || access == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "device \"%s\" at \"%s\" must lie below /dev and have an absolute path without .. "
                                "inside, and something it is for",
                                device->host_path, device->path);
        }
        spec->devices[spec->n_devices] =
            (struct spec_device){.host_path = device->host_path, .path = device->path, .access = access};
    }
    for (; spec->n_device_rules < message->n_device_rules; spec->n_device_rules++) {
        if (decode_rule(message->device_rules[spec->n_device_rules], &spec->device_rules[spec->n_device_rules], error) <
            0) {
            return -1;
        }
    }
    return 0;
}

static int decode_id(const ProtobufCBinaryData *id, bool wanted, bool possible, const char *what,
                     const uint8_t **ret_id, struct bh_error *error)
{
    *ret_id = id->len == BH_DIGEST_BYTES ? id->data : NULL;
    return (id->len == 0 && !wanted) || (*ret_id && possible)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "the %s namespace must be shared with one container, by an id of 32 bytes, or not", what);
}

int spec_decode_shared(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    bool network = message->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    spec->no_shm = message->no_shm;
    spec->host_cgroup = message->host_cgroup;
    return decode_id(&message->join_network, network, network, "network", &spec->join_network, error) < 0 ||
                   decode_id(&message->join_ipc, false, !message->host_ipc && !message->no_shm, "IPC", &spec->join_ipc,
                             error) < 0 ||
                   decode_id(&message->join_pid, false, !message->host_pid, "PID", &spec->join_pid, error) < 0
               ? -1
               : 0;
}
