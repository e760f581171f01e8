/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container may do: capabilities, namespaces, seccomp, masked paths; see merge_parts.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "common/fields.h"
#include "services/engine/merge_parts.h"

#define CAP(name) (1ULL << (name))
#define DEFAULT_CAPABILITIES                                                                                           \
    (CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FSETID) | CAP(CAP_FOWNER) | CAP(CAP_MKNOD) | CAP(CAP_NET_RAW) |  \
     CAP(CAP_SETGID) | CAP(CAP_SETUID) | CAP(CAP_SETFCAP) | CAP(CAP_SETPCAP) | CAP(CAP_NET_BIND_SERVICE) |             \
     CAP(CAP_SYS_CHROOT) | CAP(CAP_KILL) | CAP(CAP_AUDIT_WRITE))

/* Docker 28's lists. */
static const char *const default_masked_paths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const default_read_only_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static int capability_mask(char *const *names, size_t n_names, uint64_t *ret_mask, bool *ret_all,
                           struct bh_error *error)
{
    *ret_mask = 0;
    *ret_all = false;
    for (size_t i = 0; i < n_names; i++) {
        cap_value_t value;
        char name[64];
        bool prefixed = strncasecmp(names[i], "CAP_", 4) == 0;
        (void)snprintf(name, sizeof name, "%s%s", prefixed ? "" : "CAP_", names[i]);
        if (strcasecmp(names[i], "ALL") == 0) {
            *ret_all = true;
        } else if (cap_from_name(name, &value) < 0 || value < 0 || value > 40) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid capability: \"%s\": see capabilities(7) for their names", names[i]);
        } else {
            *ret_mask |= 1ULL << value;
        }
    }
    return 0;
}

int merge_capabilities(char *const *add, size_t n_add, char *const *drop, size_t n_drop, uint64_t *ret_mask,
                       struct bh_error *error)
{
    uint64_t added, dropped;
    bool add_all, drop_all;
    if (capability_mask(add, n_add, &added, &add_all, error) < 0 ||
        capability_mask(drop, n_drop, &dropped, &drop_all, error) < 0) {
        return -1;
    }
    if (add_all) {
        *ret_mask = MERGE_ALL_CAPABILITIES & ~dropped;
    } else if (drop_all) {
        *ret_mask = added;
    } else {
        *ret_mask = (DEFAULT_CAPABILITIES & ~dropped) | added;
    }
    return 0;
}

/* The client's own word, if it said one: "no-new-privileges", "no-new-privileges=false", Docker's older ":true". */
static bool wants_no_new_privileges(const Bulkhead__ContainerRequest *request)
{
    static const char option[] = "no-new-privileges";
    bool wanted = !request->privileged;
    for (size_t i = 0; i < request->n_security_opt; i++) {
        const char *text = request->security_opt[i];
        if (strncmp(text, option, sizeof option - 1) == 0) {
            const char *value = text + sizeof option - 1;
            wanted = !(value[0] && (strcmp(value + 1, "false") == 0 || strcmp(value + 1, "0") == 0));
        }
    }
    return wanted;
}

static int merge_paths(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (request->masked_paths_set) {
        return strings_append_all(&spec->masked_paths, &spec->n_masked_paths, request->masked_paths,
                                  request->n_masked_paths, error) < 0 ||
                       strings_append_all(&spec->read_only_paths, &spec->n_read_only_paths, request->read_only_paths,
                                          request->n_read_only_paths, error) < 0
                   ? -1
                   : 0;
    }
    if (request->privileged) {
        return 0;
    }
    for (size_t i = 0; i < sizeof default_masked_paths / sizeof *default_masked_paths; i++) {
        if (strings_append(&spec->masked_paths, &spec->n_masked_paths, default_masked_paths[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof default_read_only_paths / sizeof *default_read_only_paths; i++) {
        if (strings_append(&spec->read_only_paths, &spec->n_read_only_paths, default_read_only_paths[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int merge_rights(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    spec->privileged = request->privileged;
    spec->read_only_root = request->read_only_root;
    spec->no_new_privileges = wants_no_new_privileges(request);
    spec->host_pid = strcmp(request->pid_mode, "host") == 0;
    spec->host_ipc = strcmp(request->ipc_mode, "host") == 0;
    spec->host_uts = strcmp(request->uts_mode, "host") == 0;
    spec->host_cgroup = strcmp(request->cgroupns_mode, "host") == 0;
    spec->no_shm = strcmp(request->ipc_mode, "none") == 0;
    spec->no_selinux = request->no_selinux;
    spec->no_apparmor = request->no_apparmor;
    spec->seccomp = request->seccomp;
    if (request->privileged && request->seccomp != BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE) {
        spec->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED;
    }
    if (spec->seccomp == BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE &&
        bytes_set(&spec->seccomp_profile, request->seccomp_profile.data, request->seccomp_profile.len, error) < 0) {
        return -1;
    }
    if (merge_capabilities(request->cap_add, request->n_cap_add, request->cap_drop, request->n_cap_drop,
                           &spec->capabilities, error) < 0) {
        return -1;
    }
    if (request->privileged) {
        spec->capabilities = MERGE_ALL_CAPABILITIES;
    }
    return merge_paths(request, spec, error);
}
