/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits of single block devices; see cgroup.h. The devices' paths were checked by spec.c; their numbers are what the
 * host's /dev says.
 */
#include "cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devices.h"

static int find_number(const char *path, char *ret_number, size_t size, struct bh_error *error)
{
    struct stat status;
    if (device_look(path, &status, error) < 0) {
        return -1;
    }
    if (!S_ISBLK(status.st_mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: not a block device", path);
    }
    (void)snprintf(ret_number, size, "%u:%u", major(status.st_rdev), minor(status.st_rdev));
    return 0;
}

/* `key` stands before the value on v2: "8:0 rbps=1000"; 0 takes a limit away. */
static int write_limits(int folder, const char *file, const char *key, bool optional,
                        const struct spec_device_limits *limits, struct bh_error *error)
{
    for (size_t i = 0; i < limits->n; i++) {
        char number[32], text[96];
        unsigned long long value = limits->items[i]->value;
        struct bh_error failure = {0};
        if (find_number(limits->items[i]->path, number, sizeof(number), error) < 0) {
            return -1;
        }
        if (*key && value == 0) {
            (void)snprintf(text, sizeof(text), "%s %smax", number, key);
        } else {
            (void)snprintf(text, sizeof(text), "%s %s%llu", number, key, value);
        }
        if (cgroup_write(folder, file, text, &failure) < 0 && !(optional && failure.sys_errno == ENOENT)) {
            *error = failure;
            return bh_error_wrap(error, "limit device %s", limits->items[i]->path);
        }
    }
    return 0;
}

int cgroup_limit_blocks(const struct cgroup *cgroup, const struct spec_resources *resources, struct bh_error *error)
{
    const struct {
        const struct spec_device_limits *limits;
        const char *v1, *v2, *key;
        bool optional; /* only with an I/O scheduler that has weights */
    } rows[] = {
        {&resources->weights, "blkio.weight_device", "io.weight", "", true},
        {&resources->read_bytes, "blkio.throttle.read_bps_device", "io.max", "rbps=", false},
        {&resources->write_bytes, "blkio.throttle.write_bps_device", "io.max", "wbps=", false},
        {&resources->read_operations, "blkio.throttle.read_iops_device", "io.max", "riops=", false},
        {&resources->write_operations, "blkio.throttle.write_iops_device", "io.max", "wiops=", false},
    };
    bool second = cgroup->all->version == 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int folder = rows[i].limits->n ? cgroup_folder(cgroup, second ? "io" : "blkio") : -1;
        if (rows[i].limits->n && folder < 0) {
            return bh_error_set(error, BH_FAILED_PRECONDITION, "this host has no cgroup controller for block devices");
        }
        if (write_limits(folder, second ? rows[i].v2 : rows[i].v1, second ? rows[i].key : "", rows[i].optional,
                         rows[i].limits, error) < 0) {
            return -1;
        }
    }
    return 0;
}
