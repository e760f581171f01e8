/* SPDX-License-Identifier: Apache-2.0
 *
 * Control groups, always by descriptor: v1 and hybrid (each controller in its own hierarchy) and v2 (one). A
 * container's cgroup is <parent>/<its id in hex>, in every hierarchy.
 *
 * A process enters v1 cgroups by writing "0" to their `tasks` while it still has a single thread: writing cgroup.procs
 * takes a lock over all processes, and waits 7 ms for a grace period of the kernel's. On v2 clone3(2) puts it there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec.h"

#define CGROUP_HIERARCHIES_MAX 16
#define CGROUP_SETTINGS_MAX    20
#define CGROUP_DEVICES_MAX     512 /* rules of one container: devices asked for, and those of folders */

struct cgroup_hierarchy {
    char controllers[96]; /* v1: "memory", "cpu,cpuacct", "name=systemd"; v2: "" */
    int root;             /* where it is mounted */
};

struct cgroups {
    int version; /* 1 (also hybrid) or 2 */
    struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
    size_t n;
};

/* One container's folders, in the order of `hierarchies`. */
struct cgroup {
    const struct cgroups *all;
    int folders[CGROUP_HIERARCHIES_MAX];
};

/* One file to write. */
struct cgroup_setting {
    const char *controller; /* "memory"; v1: which hierarchy */
    const char *file;
    char value[256];
    bool optional; /* a kernel without that file is no error */
};

/* Beside Docker's list, which every container has. */
struct cgroup_devices {
    struct spec_device_rule rules[CGROUP_DEVICES_MAX];
    size_t n;
};

/* Finds what is mounted and makes the configured parent in each hierarchy. */
int cgroups_open(struct cgroups *cgroups, const char *parent, struct bh_error *error);
void cgroups_close(struct cgroups *cgroups);
/* The folder of the hierarchy with that controller; -1 if there is none. */
int cgroup_folder(const struct cgroup *cgroup, const char *controller);

/* Makes the container's cgroup, sets its limits, and opens nothing but Docker's devices and these. What a crash left
 * under that name is taken away first. */
int cgroup_make(const struct cgroups *cgroups, const char *parent, const char *name,
                const struct spec_resources *resources, const struct cgroup_devices *devices, struct cgroup *ret_cgroup,
                struct bh_error *error);
int cgroup_open(const struct cgroups *cgroups, const char *parent, const char *name, struct cgroup *ret_cgroup,
                struct bh_error *error);
void cgroup_close(struct cgroup *cgroup);
int cgroup_update(const struct cgroup *cgroup, const struct spec_resources *resources, struct bh_error *error);
int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct bh_error *error);
/* Kills whatever is left inside and removes it. Absent is no error. */
int cgroup_remove(const struct cgroups *cgroups, const char *parent, const char *name, struct bh_error *error);
/* What tells of OOM kills, as common/monitor_start.h says; *ret_version 0 and *ret_fd -1 if nothing can. */
void cgroup_watch_oom(const struct cgroup *cgroup, int *ret_fd, uint32_t *ret_version);

/* What the two kinds do differently. The settings are pure. */
struct cgroup_driver {
    size_t (*settings)(const struct spec_resources *resources,
                       struct cgroup_setting settings[static CGROUP_SETTINGS_MAX]);
    int (*prepare_parent)(const struct cgroup_hierarchy *hierarchy, int parent, struct bh_error *error);
    int (*freeze)(const struct cgroup *cgroup, bool frozen, struct bh_error *error);
    int (*restrict_devices)(const struct cgroup *cgroup, const struct cgroup_devices *devices, struct bh_error *error);
    void (*kill)(const struct cgroup *cgroup);
};
extern const struct cgroup_driver cgroup_v1, cgroup_v2;

/* Writes one file of a cgroup. */
int cgroup_write(int folder, const char *file, const char *value, struct bh_error *error);
/* Signals every process listed in its cgroup.procs. */
void cgroup_kill_listed(int folder);
/* Kills every process in it, but not the cgroup. */
void cgroup_kill(const struct cgroup *cgroup);

/* cgroup_block.c: limits of single block devices, whose numbers are looked up in the host's /dev. */
int cgroup_limit_blocks(const struct cgroup *cgroup, const struct spec_resources *resources, struct bh_error *error);

/* cgroup_devices.c: Docker's list, to be followed by a container's own rules. */
#define CGROUP_DEVICES_DEFAULT 11
extern const struct spec_device_rule cgroup_devices_default[CGROUP_DEVICES_DEFAULT];
/* The lists as a program for a v2 cgroup: pure. At most CGROUP_PROGRAM_MAX instructions. Returns how many. */
#define CGROUP_PROGRAM_MAX 4352 /* eight for each rule there can be, and a few around them */
struct bpf_insn;
size_t cgroup_devices_program(const struct cgroup_devices *devices, struct bpf_insn *program);
int cgroup_attach_devices(int folder, const struct cgroup_devices *devices, struct bh_error *error);
/* Takes away what an older version put on the parent, beside which a container's own could not stand. */
void cgroup_detach_devices(int folder);
