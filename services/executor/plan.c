/* SPDX-License-Identifier: Apache-2.0
 *
 * The planner; see plan.h. No system call is made here.
 */
#include "plan.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "common/cleanup.h"
#include "common/limits.h"

#define FIXED_OPERATIONS 20 /* more than plan_make() adds beside the spec's own lists */
#define DEV_BYTES        (64 * BH_KIB)

static struct operation *add(struct plan *plan, enum operation_kind kind, const char *target)
{
    struct operation *operation = &plan->operations[plan->n_operations++];
    *operation = (struct operation){.kind = kind, .target = target, .source = "", .fd = -1};
    return operation;
}

static bool has_own_network(const struct container_spec *spec)
{
    return spec->network == SPEC_NETWORK_NONE || spec->network == SPEC_NETWORK_LINKED;
}

static void plan_namespaces(struct plan *plan, const struct container_spec *spec)
{
    plan->shared = spec->join_network || spec->join_ipc || spec->join_pid;
    plan->namespaces = CLONE_NEWNS;
    plan->namespaces |= plan->shared ? 0 : CLONE_NEWUSER;
    plan->namespaces |= spec->host_pid || spec->join_pid ? 0 : CLONE_NEWPID;
    plan->namespaces |= spec->host_ipc || spec->join_ipc ? 0 : CLONE_NEWIPC;
    plan->namespaces |= spec->host_uts ? 0 : CLONE_NEWUTS;
    plan->namespaces |= has_own_network(spec) ? CLONE_NEWNET : 0;
    plan->join_host_net = spec->network == SPEC_NETWORK_HOST;
    plan->join_host_ipc = spec->host_ipc;
    plan->join_host_uts = spec->host_uts;
    plan->join_host_cgroup = spec->host_cgroup;
}

static void plan_shm(struct plan *plan, const struct container_spec *spec)
{
    static const uint64_t strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (spec->join_ipc) {
        add(plan, OPERATION_SHARED_SHM, "/dev/shm")->attributes = strict;
    } else if (!spec->no_shm) {
        struct operation *operation = add(plan, spec->host_ipc ? OPERATION_HOST_SHM : OPERATION_TMPFS, "/dev/shm");
        operation->source = spec->host_ipc ? "/dev/shm" : "";
        operation->attributes = strict;
        operation->bytes = spec->shm_bytes;
        operation->mode = 01777;
    }
}

static void plan_devices(struct plan *plan, const struct container_spec *spec)
{
    for (size_t i = 0; i < spec->n_devices; i++) {
        struct operation *operation = add(plan, OPERATION_DEVICE, spec->devices[i].path);
        operation->source = spec->devices[i].host_path;
        operation->access = spec->devices[i].access;
        operation->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        operation->bytes = DEV_BYTES;
    }
}

/* What the kernel shows of itself, and the root they stand in. */
static void plan_kernel(struct plan *plan, const struct container_spec *spec)
{
    static const uint64_t strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    struct operation *operation = add(plan, OPERATION_ROOT, "/");
    operation->attributes = MOUNT_ATTR_NODEV;
    operation = add(plan, OPERATION_PROC, "/proc");
    operation->attributes = strict;
    operation->ordinary_folder = true;
    operation->recursive = spec->host_pid; /* then it is the host's, bound */
    operation = add(plan, OPERATION_DEV, "/dev");
    operation->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME;
    operation->bytes = DEV_BYTES;
    operation->ordinary_folder = true;
    operation = add(plan, OPERATION_DEVPTS, "/dev/pts");
    operation->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    if (spec->tty) {
        (void)add(plan, OPERATION_CONSOLE, "/dev/console");
    }
    operation = add(plan, OPERATION_SYSFS, "/sys");
    operation->attributes = strict | MOUNT_ATTR_RDONLY;
    operation->ordinary_folder = true;
    operation->recursive = spec->network == SPEC_NETWORK_HOST; /* then it is the host's, bound */
    operation = add(plan, OPERATION_CGROUPS, "/sys/fs/cgroup");
    operation->attributes = strict | MOUNT_ATTR_RDONLY;
    operation->recursive = spec->host_cgroup; /* then it is the host's, bound */
    operation = add(plan, OPERATION_MQUEUE, "/dev/mqueue");
    operation->attributes = strict;
    plan_shm(plan, spec);
}

static void plan_file(struct plan *plan, const struct container_spec *spec, const char *target, const char *name)
{
    struct operation *operation = add(plan, OPERATION_FILE, target);
    operation->source = name;
    operation->attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    operation->attributes |= spec->read_only_root ? MOUNT_ATTR_RDONLY : 0U;
}

static uint64_t mount_attributes(const struct spec_mount *mount)
{
    bool is_tmpfs = mount->kind == SPEC_MOUNT_TMPFS;
    uint64_t attributes = mount->read_only ? MOUNT_ATTR_RDONLY : 0U;
    attributes |= mount->no_exec ? MOUNT_ATTR_NOEXEC : 0U;
    attributes |= is_tmpfs && mount->allow_devices ? 0U : MOUNT_ATTR_NODEV;
    /* Files of a volume are the tenant's shifted ids': a setuid program in it is nobody's outside. */
    attributes |= mount->kind == SPEC_MOUNT_VOLUME || (is_tmpfs && mount->allow_setuid) ? 0U : MOUNT_ATTR_NOSUID;
    return attributes;
}

static void plan_mount(struct plan *plan, const struct spec_mount *mount)
{
    static const enum operation_kind kinds[] = {[SPEC_MOUNT_BIND] = OPERATION_BIND,
                                                [SPEC_MOUNT_TMPFS] = OPERATION_TMPFS,
                                                [SPEC_MOUNT_VOLUME] = OPERATION_VOLUME};
    struct operation *operation = add(plan, kinds[mount->kind], mount->target);
    operation->attributes = mount_attributes(mount);
    operation->source = mount->kind == SPEC_MOUNT_VOLUME ? mount->subpath : mount->source;
    operation->bytes = mount->tmpfs_bytes;
    operation->inodes = mount->tmpfs_inodes;
    operation->mode = mount->tmpfs_mode;
    operation->uid = mount->tmpfs_uid;
    operation->gid = mount->tmpfs_gid;
    operation->volume = mount->volume;
    operation->name = mount->volume_name;
    operation->held = mount->held;
    operation->propagation = mount->propagation;
    operation->top_read_only = mount->top_read_only;
    operation->no_copy = mount->no_copy;
    operation->recursive = mount->recursive;
    operation->must_be_owned = mount->must_be_owned;
    operation->create_source = mount->create_source;
}

/* The three files lie over what is mounted on all of /etc, and under what is mounted on one of them. */
static void plan_mounts(struct plan *plan, const struct container_spec *spec,
                        bool (*is_wanted)(const struct spec_mount *))
{
    static const char etc[] = "/etc";
    for (size_t i = 0; i < spec->n_mounts; i++) {
        if (strcmp(spec->mounts[i].target, etc) == 0 && is_wanted(&spec->mounts[i])) {
            plan_mount(plan, &spec->mounts[i]);
        }
    }
    plan_file(plan, spec, "/etc/hostname", "hostname");
    plan_file(plan, spec, "/etc/hosts", "hosts");
    plan_file(plan, spec, "/etc/resolv.conf", "resolv.conf");
    for (size_t i = 0; i < spec->n_mounts; i++) {
        if (strcmp(spec->mounts[i].target, etc) != 0 && is_wanted(&spec->mounts[i])) {
            plan_mount(plan, &spec->mounts[i]);
        }
    }
}

static bool any(const struct spec_mount *mount)
{
    (void)mount;
    return true;
}

static bool has_content(const struct spec_mount *mount)
{
    return mount->kind != SPEC_MOUNT_TMPFS && !(mount->kind == SPEC_MOUNT_VOLUME && mount->volume_tmpfs);
}

/* Whether a setting may name a link. */
static bool needs_links(const struct container_spec *spec)
{
    bool needs = false;
    for (size_t i = 0; i < spec->n_sysctls; i++) {
        needs = needs || strncmp(spec->sysctls[i].name, "net.", 4) == 0;
    }
    return needs && spec->network == SPEC_NETWORK_LINKED;
}

/* As Docker has it in every network namespace of a container's own: its ids may ping, and serve every port. The spec's
 * own settings come after, those of links not before these are there. */
static void plan_sysctls(struct plan *plan, const struct container_spec *spec)
{
    if (has_own_network(spec)) {
        add(plan, OPERATION_SYSCTL, "net.ipv4.ip_unprivileged_port_start")->source = "0";
        add(plan, OPERATION_SYSCTL, "net.ipv4.ping_group_range")->source = "0 65535";
    }
    if (needs_links(spec)) {
        (void)add(plan, OPERATION_LINKS, "");
    }
    for (size_t i = 0; i < spec->n_sysctls; i++) {
        add(plan, OPERATION_SYSCTL, spec->sysctls[i].name)->source = spec->sysctls[i].value;
    }
}

/* After every mount, so that nothing stands over them. */
static void plan_hardening(struct plan *plan, const struct container_spec *spec)
{
    for (size_t i = 0; i < spec->masked_paths.n; i++) {
        (void)add(plan, OPERATION_MASK, spec->masked_paths.items[i]);
    }
    for (size_t i = 0; i < spec->read_only_paths.n; i++) {
        (void)add(plan, OPERATION_READ_ONLY_PATH, spec->read_only_paths.items[i]);
    }
    if (spec->read_only_root) {
        (void)add(plan, OPERATION_READ_ONLY_ROOT, "/");
    }
}

int plan_make(const struct container_spec *spec, struct plan **ret_plan, struct bh_error *error)
{
    __attribute__((cleanup(plan_cleanup))) struct plan *plan = calloc(1, sizeof(*plan));
    size_t most = FIXED_OPERATIONS + spec->n_mounts + spec->n_sysctls + spec->masked_paths.n + spec->read_only_paths.n +
                  spec->n_devices;
    if (!plan || !(plan->operations = calloc(most, sizeof(plan->operations[0])))) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a plan");
    }
    plan_namespaces(plan, spec);
    plan_kernel(plan, spec);
    if (!spec->host_uts) {
        (void)add(plan, OPERATION_HOST_NAME, "");
    }
    if (spec->network == SPEC_NETWORK_NONE) {
        (void)add(plan, OPERATION_LOOPBACK, "");
    }
    plan_mounts(plan, spec, any);
    plan_devices(plan, spec);
    plan_sysctls(plan, spec);
    plan_hardening(plan, spec);
    if (spec->network == SPEC_NETWORK_LINKED && !needs_links(spec)) { /* as late as can be: they are made meanwhile */
        (void)add(plan, OPERATION_LINKS, "");
    }
    *ret_plan = plan;
    plan = NULL;
    return 0;
}

int plan_make_copy(const struct container_spec *spec, struct plan **ret_plan, struct bh_error *error)
{
    __attribute__((cleanup(plan_cleanup))) struct plan *plan = calloc(1, sizeof(*plan));
    if (!plan || !(plan->operations = calloc(FIXED_OPERATIONS + spec->n_mounts, sizeof(plan->operations[0])))) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a plan");
    }
    add(plan, OPERATION_ROOT, "/")->attributes = MOUNT_ATTR_NODEV;
    plan_mounts(plan, spec, has_content);
    if (spec->read_only_root) {
        (void)add(plan, OPERATION_READ_ONLY_ROOT, "/");
    }
    *ret_plan = plan;
    plan = NULL;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (plan) {
        free(plan->operations);
        free(plan);
    }
}

void plan_cleanup(struct plan **plan)
{
    plan_free(*plan);
}
