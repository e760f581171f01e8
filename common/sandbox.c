/* SPDX-License-Identifier: Apache-2.0
 *
 * Sandboxes in force; see sandbox.h. Called once by bh_service_run(), and once more in each forked worker.
 */
#include "common/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/sandbox_filter.h"
#include "common/sandbox_root.h"

static const struct {
    int flag;
    const char *name;
} namespace_names[] = {
    {CLONE_NEWNS, "mnt"},  {CLONE_NEWNET, "net"}, {CLONE_NEWIPC, "ipc"},
    {CLONE_NEWUTS, "uts"}, {CLONE_NEWPID, "pid"}, {CLONE_NEWCGROUP, "cgroup"},
};

/* ---- limits ----------------------------------------------------------------------------------- */

/* Where the host's own ceiling is lower already, that one stays: without CAP_SYS_RESOURCE it cannot be raised, and it
 * is the stricter of the two. */
static int limit(int resource, uint64_t value, const char *name, struct bh_error *error)
{
    struct rlimit actual;
    if (getrlimit((__rlimit_resource_t)resource, &actual) == 0 && actual.rlim_max < value) {
        value = actual.rlim_max;
    }
    const struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
    if (setrlimit((__rlimit_resource_t)resource, &wanted) < 0) {
        return bh_error_errno(error, errno, "set limit %s to %" PRIu64, name, value);
    }
    if (getrlimit((__rlimit_resource_t)resource, &actual) < 0 || actual.rlim_cur != value || actual.rlim_max != value) {
        return bh_error_set(error, BH_INTERNAL, "limit %s is not in force", name);
    }
    return 0;
}

/* The sanitizers map terabytes of shadow: under them address space has no ceiling. */
static int limit_memory(uint64_t bytes, struct bh_error *error)
{
#ifdef BH_SANITIZE
    (void)bytes;
    (void)error;
    return 0;
#else
    return bytes ? limit(RLIMIT_AS, bytes, "memory", error) : 0;
#endif
}

static int apply_limits(const struct bh_sandbox *sandbox, struct bh_error *error)
{
    if (limit_memory(sandbox->limits.memory_bytes, error) < 0 ||
        limit(RLIMIT_CORE, sandbox->limits.core_bytes, "core", error) < 0) {
        return -1;
    }
    if (sandbox->limits.file_bytes && limit(RLIMIT_FSIZE, sandbox->limits.file_bytes, "fsize", error) < 0) {
        return -1;
    }
    if (sandbox->limits.descriptors && limit(RLIMIT_NOFILE, sandbox->limits.descriptors, "nofile", error) < 0) {
        return -1;
    }
    if (sandbox->limits.processes && limit(RLIMIT_NPROC, sandbox->limits.processes, "nproc", error) < 0) {
        return -1;
    }
    return 0;
}

/* ---- ids and capabilities --------------------------------------------------------------------- */

static int drop_bounding_set(uint64_t keep, struct bh_error *error)
{
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
        int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present == 1 && !(keep & (1ULL << capability)) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return bh_error_errno(error, errno, "drop capability %d from the bounding set", capability);
        }
    }
    return 0;
}

static void cleanup_capabilities(cap_t *capabilities)
{
    if (*capabilities) {
        (void)cap_free(*capabilities);
    }
}

/* Exactly those of `keep` that the process has: where the host withholds one, there is less to lose. */
static int set_capabilities(uint64_t keep, struct bh_error *error)
{
    __attribute__((cleanup(cleanup_capabilities))) cap_t before = cap_get_proc();
    __attribute__((cleanup(cleanup_capabilities))) cap_t wanted = cap_init();
    for (int capability = 0; before && wanted && capability <= CAP_LAST_CAP; capability++) {
        cap_value_t value = capability;
        cap_flag_value_t has = CAP_CLEAR;
        (void)cap_get_flag(before, value, CAP_PERMITTED, &has);
        if ((keep & (1ULL << capability)) && has == CAP_SET &&
            (cap_set_flag(wanted, CAP_PERMITTED, 1, &value, CAP_SET) < 0 ||
             cap_set_flag(wanted, CAP_EFFECTIVE, 1, &value, CAP_SET) < 0)) {
            return bh_error_errno(error, errno, "choose capability %d", capability);
        }
    }
    if (!wanted || cap_set_proc(wanted) < 0) {
        return bh_error_errno(error, errno, "set capabilities");
    }
    __attribute__((cleanup(cleanup_capabilities))) cap_t actual = cap_get_proc();
    if (!actual || cap_compare(wanted, actual) != 0) {
        return bh_error_set(error, BH_INTERNAL, "the capabilities are not what was set");
    }
    return 0;
}

static int become(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context, struct bh_error *error)
{
    if (setgroups(0, NULL) < 0) {
        return bh_error_errno(error, errno, "drop supplementary groups");
    }
    if (drop_bounding_set(sandbox->capabilities, error) < 0) {
        return -1;
    }
    if (!sandbox->keep_root_uid) {
        if (context->uid == 0 || context->gid == 0) {
            return bh_error_set(error, BH_FAILED_PRECONDITION, "no uid of its own was configured");
        }
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(context->gid, context->gid, context->gid) < 0 ||
            setresuid(context->uid, context->uid, context->uid) < 0) {
            return bh_error_errno(error, errno, "become uid %u, gid %u", context->uid, context->gid);
        }
    }
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "clear ambient capabilities");
    }
    return set_capabilities(sandbox->capabilities, error);
}

/* Asked of the kernel once more, since everything rests on it. */
static int check_ids(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context, struct bh_error *error)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    uint32_t uid = sandbox->keep_root_uid ? 0 : context->uid;
    if (getresuid(&real, &effective, &saved) < 0 || getresgid(&real_group, &effective_group, &saved_group) < 0 ||
        real != uid || effective != uid || saved != uid || getgroups(0, NULL) != 0) {
        return bh_error_set(error, BH_INTERNAL, "the process did not become uid %u", uid);
    }
    if (!sandbox->keep_root_uid &&
        (real_group != context->gid || effective_group != context->gid || saved_group != context->gid)) {
        return bh_error_set(error, BH_INTERNAL, "the process did not become gid %u", context->gid);
    }
    return 0;
}

static bool sets_no_new_privs(const struct bh_sandbox *sandbox)
{
    return sandbox->root != BH_ROOT_HOST;
}

int bh_sandbox_enter(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context, struct bh_error *error)
{
    bool own_mounts = (sandbox->unshare & CLONE_NEWNS) != 0;
    bool own_root = sandbox->root != BH_ROOT_HOST && sandbox->root != BH_ROOT_CONTAINER;
    if (own_root && !own_mounts) {
        return bh_error_set(error, BH_INTERNAL, "a root of its own needs a mount namespace of its own");
    }
    struct bh_sandbox_trees trees;
    if (bh_sandbox_clone_folders(sandbox, context, &trees, error) < 0 ||
        (own_root && bh_sandbox_detach_folders(context, error) < 0)) {
        return -1;
    }
    if (unshare(sandbox->unshare) < 0) {
        return bh_error_errno(error, errno, "unshare namespaces");
    }
    if (own_root && bh_sandbox_change_root(sandbox, &trees, error) < 0) {
        return -1;
    }
    if (become(sandbox, context, error) < 0 || check_ids(sandbox, context, error) < 0 ||
        apply_limits(sandbox, error) < 0) {
        return -1;
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return bh_error_errno(error, errno, "become non-dumpable");
    }
    /* Containers inherit the executor's no_new_privs, so it alone goes without; see its sandbox.c. */
    if (sets_no_new_privs(sandbox) &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)) {
        return bh_error_errno(error, errno, "set no_new_privs");
    }
    if (sandbox->syscalls[0] != BH_SYS_END && bh_sandbox_load_filter(sandbox->syscalls, sandbox->also, error) < 0) {
        return -1;
    }
    return 0;
}

/* Nothing is changed here: whoever forks a worker with a root of its own has made that its root. */
static int verify_root(enum bh_root root, struct bh_error *error)
{
    struct statfs status;
    if (root == BH_ROOT_PROCFS && (statfs("/", &status) < 0 || status.f_type != PROC_SUPER_MAGIC)) {
        return bh_error_set(error, BH_INTERNAL, "a worker's root is not what its row says");
    }
    return 0;
}

int bh_sandbox_enter_worker(const struct bh_worker_sandbox *sandbox, struct bh_error *error)
{
    bool forks = false;
    for (size_t i = 0; sandbox->syscalls[i] != BH_SYS_END; i++) {
        forks = forks || sandbox->syscalls[i] == BH_SYS_FORK_WORKER || sandbox->syscalls[i] == BH_SYS_THREADS;
    }
    /* With the permitted set goes the ambient one, and none can come back: no_new_privs is set. The bounding set stays
     * its service's, and has nothing left to bound. */
    if (set_capabilities(0, error) < 0) {
        return bh_error_wrap(error, "drop the service's capabilities");
    }
    if (verify_root(sandbox->root, error) < 0 || limit_memory(sandbox->memory_bytes, error) < 0) {
        return -1;
    }
    if (!forks && limit(RLIMIT_NPROC, 0, "nproc", error) < 0) {
        return -1;
    }
    if (sandbox->cpu_seconds && limit(RLIMIT_CPU, sandbox->cpu_seconds, "cpu", error) < 0) {
        return -1;
    }
    if (sandbox->file_bytes && limit(RLIMIT_FSIZE, sandbox->file_bytes, "fsize", error) < 0) {
        return -1;
    }
    return bh_sandbox_load_filter(sandbox->syscalls, sandbox->also, error);
}

/* ---- printing --------------------------------------------------------------------------------- */

static const char *const root_names[] = {[BH_ROOT_EMPTY] = "empty",
                                         [BH_ROOT_FOLDER] = "folder",
                                         [BH_ROOT_HOST] = "host",
                                         [BH_ROOT_CONTAINER] = "container",
                                         [BH_ROOT_PROCFS] = "procfs"};

/* The groups, what is beyond them, and both spelled out. */
static void print_syscalls(const enum bh_syscalls *groups, const char *const *also, FILE *stream)
{
    (void)fputs("\"syscalls\":[", stream);
    for (size_t i = 0; groups[i] != BH_SYS_END; i++) {
        (void)fprintf(stream, "%s\"%s\"", i ? "," : "", bh_sandbox_group_name(groups[i]));
    }
    (void)fputs("],\"also\":[", stream);
    for (size_t i = 0; i < 24 && also[i]; i++) {
        (void)fprintf(stream, "%s\"%s\"", i ? "," : "", also[i]);
    }
    (void)fputs("],\"calls\":[", stream);
    const char *separator = "";
    for (size_t i = 0; groups[i] != BH_SYS_END; i++) {
        for (const char *const *name = bh_sandbox_group(groups[i]); *name; name++) {
            (void)fprintf(stream, "%s\"%s\"", separator, *name);
            separator = ",";
        }
    }
    for (size_t i = 0; i < 24 && also[i]; i++) {
        (void)fprintf(stream, "%s\"%s\"", separator, also[i]);
        separator = ",";
    }
    (void)fputs("],", stream);
}

static void print_workers(const struct bh_sandbox *sandbox, FILE *stream)
{
    (void)fputs("\"workers\":[", stream);
    for (size_t i = 0; i < 3 && sandbox->workers[i].name; i++) {
        const struct bh_worker_sandbox *worker = sandbox->workers[i].sandbox;
        (void)fprintf(stream, "%s{\"name\":\"%s\",\"root\":\"%s\",", i ? "," : "", sandbox->workers[i].name,
                      root_names[worker->root ? worker->root : sandbox->root]);
        print_syscalls(worker->syscalls, worker->also, stream);
        (void)fprintf(
            stream, "\"limits\":{\"memory_bytes\":%" PRIu64 ",\"cpu_seconds\":%" PRIu64 ",\"file_bytes\":%" PRIu64 "}}",
            worker->memory_bytes, worker->cpu_seconds, worker->file_bytes);
    }
    (void)fputs("],", stream);
}

static void print(const struct bh_sandbox *sandbox, const char *system_calls, FILE *stream)
{
    (void)fprintf(stream, "{\"role\":\"%s\",\"root\":\"%s\",\"namespaces\":[", bh_role_name(sandbox->role),
                  root_names[sandbox->root]);
    const char *separator = "";
    for (size_t i = 0; i < sizeof(namespace_names) / sizeof(namespace_names[0]); i++) {
        if (sandbox->unshare & namespace_names[i].flag) {
            (void)fprintf(stream, "%s\"%s\"", separator, namespace_names[i].name);
            separator = ",";
        }
    }
    (void)fprintf(stream, "],\"capabilities\":%" PRIu64 ",\"root_uid\":%s,\"no_new_privs\":%s,", sandbox->capabilities,
                  sandbox->keep_root_uid ? "true" : "false", sets_no_new_privs(sandbox) ? "true" : "false");
    (void)fprintf(stream, "\"system_calls\":%s,", system_calls);
    print_syscalls(sandbox->syscalls, sandbox->also, stream);
    print_workers(sandbox, stream);
    (void)fprintf(stream, "\"views\":[");
    for (size_t i = 0; sandbox->views[i].inside; i++) {
        (void)fprintf(stream, "%s\"%s%s\"", i ? "," : "", sandbox->views[i].inside,
                      sandbox->views[i].writable ? " (writable)" : "");
    }
    (void)fprintf(stream,
                  "],\"limits\":{\"memory_bytes\":%" PRIu64 ",\"file_bytes\":%" PRIu64 ",\"descriptors\":%" PRIu64
                  ",\"processes\":%" PRIu64 ",\"core_bytes\":%" PRIu64 "},\"knowingly\":[",
                  sandbox->limits.memory_bytes, sandbox->limits.file_bytes, sandbox->limits.descriptors,
                  sandbox->limits.processes, sandbox->limits.core_bytes);
    for (size_t i = 0; i < 8 && sandbox->knowingly[i]; i++) {
        (void)fprintf(stream, "%s\"%s\"", i ? "," : "", sandbox->knowingly[i]);
    }
    (void)fputs("]}\n", stream);
}

int bh_sandbox_show(const struct bh_sandbox *sandbox)
{
    char system_calls[24] = "null";
    struct bh_error error;
    size_t count = 0;
    if (sandbox->syscalls[0] != BH_SYS_END) {
        if (bh_sandbox_count_syscalls(sandbox->syscalls, sandbox->also, &count, &error) < 0) {
            bh_log_failure(BH_LOG_ERROR, &error, "count the system calls of a sandbox");
            return EXIT_FAILURE;
        }
        (void)snprintf(system_calls, sizeof(system_calls), "%zu", count);
    }
    print(sandbox, system_calls, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
