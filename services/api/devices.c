/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of a HostConfig: those a container gets, what it may do with which numbers, and limits of block devices.
 * Paths come from clients: here they only have to lie in /dev; policy allows them one by one, and the executor resolves
 * them below the host's /dev.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "create.h"

/* /dev/x, without "..", "." and empty parts. */
static bool is_device_path(const char *path)
{
    if (strncmp(path, "/dev/", 5) != 0 || strlen(path) > BH_PATH_BYTES_MAX) {
        return false;
    }
    for (const char *part = path + 5;;) {
        size_t length = strcspn(part, "/");
        if (length == 0 || (length <= 2 && strspn(part, ".") >= length)) {
            return false;
        }
        if (!part[length]) {
            return true;
        }
        part += length + 1;
    }
}

/* One more zeroed element at the end of a list of messages. */
static void *grow(void ***list, size_t *n, size_t element_bytes, struct bh_error *error)
{
    void **grown = reallocarray(*list, *n + 1, sizeof(*grown));
    if (!grown) {
        (void)out_of_memory(error);
        return NULL;
    }
    *list = grown;
    grown[*n] = calloc(1, element_bytes);
    if (!grown[*n]) {
        (void)out_of_memory(error);
        return NULL;
    }
    return grown[(*n)++];
}

static int check_array(const json_t *value, const char *where, const char *of_what, struct bh_error *error)
{
    return json_is_array(value) && json_array_size(value) <= BH_DEVICES_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an array of at most %d %s", where,
                              BH_DEVICES_MAX, of_what);
}

/* Whether the object has no other keys than these. */
static int check_keys(const json_t *value, const char *where, const char *const *keys, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = value};
    const char *name;
    json_t *ignored;
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must hold objects", where);
    }
    json_object_foreach(walk.plain, name, ignored)
    {
        const char *const *key = keys;
        while (*key && strcmp(*key, name) != 0) {
            key++;
        }
        if (!*key) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown field \"%s.%.64s\"", where, name);
        }
    }
    return 0;
}

/* ---- devices ------------------------------------------------------------------------------------------ */

/* Any of r, w, m. */
static int read_permissions(const char *text, const char *what, protobuf_c_boolean *ret_read,
                            protobuf_c_boolean *ret_write, protobuf_c_boolean *ret_make, struct bh_error *error)
{
    *ret_read = strchr(text, 'r') != NULL;
    *ret_write = strchr(text, 'w') != NULL;
    *ret_make = strchr(text, 'm') != NULL;
    return *text && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%s: invalid device mode: \"%.64s\": it must be of r, w, m",
                              what, text);
}

static int read_device(const json_t *value, const char *where, Bulkhead__Device *device, struct bh_error *error)
{
    static const char *const keys[] = {"PathOnHost", "PathInContainer", "CgroupPermissions", NULL};
    bh_autofree char *permissions = NULL;
    bulkhead__device__init(device);
    const json_t *host = json_object_get(value, keys[0]);
    const json_t *inside = json_object_get(value, keys[1]);
    const json_t *access = json_object_get(value, keys[2]);
    if (check_keys(value, where, keys, error) < 0 ||
        (host && take_string(host, "HostConfig.Devices.PathOnHost", &device->host_path, error) < 0) ||
        (inside && take_string(inside, "HostConfig.Devices.PathInContainer", &device->path, error) < 0) ||
        (access && take_string(access, "HostConfig.Devices.CgroupPermissions", &permissions, error) < 0)) {
        return -1;
    }
    if (!is_device_path(device->host_path)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "error gathering device information while adding custom device \"%.128s\": not a device "
                            "node below /dev",
                            device->host_path);
    }
    if (!*device->path && set_string(&device->path, device->host_path, error) < 0) {
        return -1;
    }
    if (*device->path != '/' || strlen(device->path) > BH_PATH_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for path in container: \"%.128s\" is not absolute",
                            device->path);
    }
    return read_permissions(permissions && *permissions ? permissions : "rwm", device->host_path, &device->read,
                            &device->write, &device->make, error);
}

int read_devices(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (json_is_null(value)) {
        return 0;
    }
    if (check_array(value, where, "devices", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        Bulkhead__Device *device = grow((void ***)&request->devices, &request->n_devices, sizeof(*device), error);
        if (!device || read_device(json_array_get(value, i), where, device, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- rules: "c 10:* rwm" ------------------------------------------------------------------------------- */

/* A number, or "*". Returns what follows, or NULL. */
static const char *read_number(const char *text, protobuf_c_boolean *ret_any, uint32_t *ret_number)
{
    *ret_any = *text == '*';
    if (*ret_any) {
        return text + 1;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 8) { /* the kernel has 20 bits for a minor */
        return NULL;
    }
    *ret_number = (uint32_t)strtoul(text, NULL, 10);
    return text + digits;
}

static int read_rule(const char *text, Bulkhead__DeviceRule *rule, struct bh_error *error)
{
    bulkhead__device_rule__init(rule);
    rule->kind = *text == 'a'   ? BULKHEAD__DEVICE_KIND__DEVICE_KIND_ALL
                 : *text == 'b' ? BULKHEAD__DEVICE_KIND__DEVICE_KIND_BLOCK
                 : *text == 'c' ? BULKHEAD__DEVICE_KIND__DEVICE_KIND_CHARACTER
                                : BULKHEAD__DEVICE_KIND__DEVICE_KIND_UNSPECIFIED;
    const char *rest = rule->kind && text[1] == ' ' ? read_number(text + 2, &rule->any_major, &rule->major) : NULL;
    rest = rest && *rest == ':' ? read_number(rest + 1, &rule->any_minor, &rule->minor) : NULL;
    struct bh_error ignored;
    if (!rest || *rest != ' ' ||
        read_permissions(rest + 1, "rule", &rule->read, &rule->write, &rule->make, &ignored) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid device cgroup rule format: '%.64s'", text);
    }
    return 0;
}

int read_device_rules(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_device_cgroup_rules, &request->device_cgroup_rules, error) < 0 ||
        (!json_is_null(value) && check_array(value, where, "rules", error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < request->n_device_cgroup_rules; i++) {
        Bulkhead__DeviceRule *rule =
            grow((void ***)&request->device_rules, &request->n_device_rules, sizeof(*rule), error);
        if (!rule || read_rule(request->device_cgroup_rules[i], rule, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* --gpus: there is no driver that could answer one. */
int read_device_requests(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    (void)create;
    (void)where;
    if (json_is_empty(value)) {
        return 0;
    }
    const json_t *first = json_array_get(value, 0);
    const char *driver = json_string_value(json_object_get(first, "Driver"));
    bh_autofree char *capabilities = json_dumps(json_object_get(first, "Capabilities"), JSON_COMPACT | JSON_ENCODE_ANY);
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "could not select device driver \"%.64s\" with capabilities: %.128s: device requests (--gpus) "
                        "have no driver here; name the devices with --device",
                        driver ? driver : "", capabilities ? capabilities : "[]");
}

/* ---- limits of block devices ----------------------------------------------------------------------------- */

static int read_limit(const json_t *value, const char *where, const char *name, Bulkhead__DeviceLimit *limit,
                      struct bh_error *error)
{
    const char *const keys[] = {"Path", name, NULL};
    int64_t amount = 0;
    bulkhead__device_limit__init(limit);
    const json_t *path = json_object_get(value, "Path");
    const json_t *number = json_object_get(value, name);
    if (check_keys(value, where, keys, error) < 0 || (path && take_string(path, where, &limit->path, error) < 0) ||
        (number && take_int(number, where, 0, INT64_MAX, &amount, error) < 0)) {
        return -1;
    }
    limit->value = (uint64_t)amount;
    return is_device_path(limit->path)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for device path: \"%.128s\" must lie below /dev",
                              limit->path);
}

static int read_limits(const json_t *value, const char *where, const char *name, size_t *n,
                       Bulkhead__DeviceLimit ***list, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (check_array(value, where, "limits", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        Bulkhead__DeviceLimit *limit = grow((void ***)list, n, sizeof(*limit), error);
        if (!limit || read_limit(json_array_get(value, i), where, name, limit, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int read_weights(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__Resources *resources = create->request->resources;
    if (read_limits(value, where, "Weight", &resources->n_weights, &resources->weights, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < resources->n_weights; i++) {
        if (resources->weights[i]->value < 10 || resources->weights[i]->value > 1000) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid weight for device: %s: it must be 10 to 1000",
                                resources->weights[i]->path);
        }
    }
    return 0;
}

#define READER(function, list)                                                                                         \
    int function(struct create *create, const json_t *value, const char *where, struct bh_error *error)                \
    {                                                                                                                  \
        Bulkhead__Resources *resources = create->request->resources;                                                   \
        return read_limits(value, where, "Rate", &resources->n_##list, &resources->list, error);                       \
    }
READER(read_read_bytes, read_bytes)
READER(read_write_bytes, write_bytes)
READER(read_read_operations, read_operations)
READER(read_write_operations, write_operations)
