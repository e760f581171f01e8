/* SPDX-License-Identifier: Apache-2.0
 *
 * The last steps to a program inside a container; see confine.h. The order matters at every line; each step takes away
 * what the next must not have.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "account.h"
#include "common/cleanup.h"
#include "program.h"
#include "reaper.h"
#include "target.h"

/* ---- who it is ------------------------------------------------------------------------------------------- */

static int find_account(const struct container_spec *spec, struct account *ret_account, struct bh_error *error)
{
    struct bh_error failure = {0};
    bh_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), passwd = -1, group = -1;
    if ((target_open_file(root, "/etc/passwd", &passwd, &failure) < 0 && failure.sys_errno != ENOENT) ||
        (target_open_file(root, "/etc/group", &group, &failure) < 0 && failure.sys_errno != ENOENT)) {
        *error = failure;
        return -1;
    }
    return account_find(passwd, group, spec->user, spec->groups.items, spec->groups.n, spec->id_count, ret_account,
                        error);
}

/* The spec's environment, with HOME of the account if it says none or an empty one. The array is owned. */
static char **make_environment(const struct container_spec *spec, const struct account *account)
{
    char **env = calloc(spec->env.n + 2, sizeof(*env));
    bool has_home = false;
    size_t n = 0;
    for (size_t i = 0; env && i < spec->env.n; i++) {
        if (strcmp(spec->env.items[i], "HOME=") != 0) {
            env[n++] = spec->env.items[i];
            has_home = has_home || strncmp(spec->env.items[i], "HOME=", 5) == 0;
        }
    }
    if (env && !has_home && asprintf(&env[n], "HOME=%s", *account->home ? account->home : "/") < 0) {
        return NULL;
    }
    return env;
}

static int open_folder(const char *path, bool create, int *ret_fd, struct bh_error *error)
{
    bh_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (create) {
        return target_open(root, path, true, ret_fd, error) < 0 ? bh_error_wrap(error, "working directory") : 0;
    }
    if (target_find(root, path, ret_fd, error) < 0) {
        int failed = error->sys_errno;
        return bh_error_set(error, error->code, "chdir to cwd (\"%s\") set in config.json failed: %s", path,
                            failed == ENOENT    ? "no such file or directory"
                            : failed == ENOTDIR ? "not a directory"
                                                : strerror(failed));
    }
    return 0;
}

/* The working directory; a container's own is made if it is missing, as Docker does. All descriptors but ours are
 * closed by now, so that no /proc/self/fd leads anywhere else; still the kernel is asked whether it lies inside. */
static int enter_folder(const char *path, bool create, struct bh_error *error)
{
    char where[BH_PATH_BYTES_MAX + 1];
    bh_autoclose int folder = -1;
    if (open_folder(path, create, &folder, error) < 0) {
        return -1;
    }
    if (fchdir(folder) < 0) {
        return bh_error_errno(error, errno, "chdir to cwd (\"%s\")", path);
    }
    if (syscall(SYS_getcwd, where, sizeof(where)) < 0 || where[0] != '/') {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "working directory \"%s\" is outside of the container: permission denied", path);
    }
    return 0;
}

/* ---- what it may ----------------------------------------------------------------------------------------- */

static int set_capabilities(uint64_t effective, struct bh_error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)effective},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(effective >> 32)},
    };
    return syscall(SYS_capset, &header, data) < 0 ? bh_error_errno(error, errno, "set capabilities") : 0;
}

static int check_capabilities(uint64_t effective, struct bh_error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) {
        return bh_error_errno(error, errno, "read capabilities back");
    }
    uint64_t is_effective = data[0].effective | (uint64_t)data[1].effective << 32;
    uint64_t is_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return is_effective == effective && is_permitted == effective && !data[0].inheritable && !data[1].inheritable
               ? 0
               : bh_error_set(error, BH_INTERNAL, "the capabilities are not what was set");
}

static int restrict_bounding_set(uint64_t keep, struct bh_error *error)
{
    for (int capability = 0; capability < 64; capability++) {
        int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0) {
            break; /* beyond the kernel's last one */
        }
        if (present && !(keep & (1ULL << capability)) &&
            (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0)) {
            return bh_error_errno(error, errno, "drop capability %d from the bounding set", capability);
        }
    }
    return 0;
}

static int become_account(const struct account *account, struct bh_error *error)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(account->n_groups, account->groups) < 0 ||
        setresgid(account->gid, account->gid, account->gid) < 0 ||
        setresuid(account->uid, account->uid, account->uid) < 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "become uid %u, gid %u", account->uid, account->gid);
    }
    if (getresuid(&real, &effective, &saved) < 0 || getresgid(&real_group, &effective_group, &saved_group) < 0 ||
        real != account->uid || effective != account->uid || saved != account->uid || real_group != account->gid ||
        effective_group != account->gid || saved_group != account->gid ||
        getgroups(0, NULL) != (int)account->n_groups) {
        return bh_error_set(error, BH_INTERNAL, "the process did not become uid %u", account->uid);
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0
               ? bh_error_errno(error, errno, "clear ambient capabilities")
               : 0;
}

static int load_filter(const struct seccomp_program *filter, struct bh_error *error)
{
    if (!filter) {
        return 0;
    }
    struct sock_fprog program = {.len = (unsigned short)filter->n, .filter = filter->instructions};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0
               ? bh_error_errno(error, errno, "load the seccomp filter")
               : 0;
}

/* Root keeps the spec's capabilities; another user has none in force and the spec's as what programs may gain. The
 * filter comes last, but without no_new_privs it takes CAP_SYS_ADMIN (of the container's own user namespace) to load
 * it. */
static int confine(const struct launch *launch, const struct account *account, struct bh_error *error)
{
    const struct container_spec *spec = launch->spec;
    uint64_t final = account->uid == 0 ? spec->capabilities : 0;
    uint64_t loader = spec->no_new_privileges ? 0 : 1ULL << CAP_SYS_ADMIN;
    /* The program lives on if the monitor dies: nothing is watched then, but nothing is lost either. */
    if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "outlive the monitor");
    }
    if (restrict_bounding_set(spec->capabilities, error) < 0 || become_account(account, error) < 0 ||
        set_capabilities(final | loader, error) < 0) {
        return -1;
    }
    if (spec->no_new_privileges &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)) {
        return bh_error_errno(error, errno, "set no_new_privs");
    }
    if (loader == 0) {
        return check_capabilities(final, error) < 0 ? -1 : load_filter(launch->filter, error);
    }
    return load_filter(launch->filter, error) < 0 || set_capabilities(final, error) < 0
               ? -1
               : check_capabilities(final, error);
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

/* A program of another user must be able to open /dev/stdout again. Ours to give: the launcher made them the container
 * root's. /dev/null is not, and needs not. */
static void give_streams(const struct account *account)
{
    for (int i = 0; i < 3; i++) {
        struct stat status;
        if (account->uid != 0 && fstat(i, &status) == 0 && (S_ISFIFO(status.st_mode) || isatty(i))) {
            (void)!fchown(i, account->uid, (gid_t)-1);
        }
    }
}

/* Last of all, since being set up takes more descriptors than a container may want to have. */
static int set_limits(const struct container_spec *spec, struct bh_error *error)
{
    for (size_t i = 0; i < spec->n_limits; i++) {
        const struct spec_limit *limit = &spec->limits[i];
        const struct rlimit wanted = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        struct rlimit actual;
        if (prlimit(0, (__rlimit_resource_t)limit->resource, &wanted, NULL) == 0) {
            continue;
        }
        int failed = errno;
        (void)prlimit(0, (__rlimit_resource_t)limit->resource, NULL, &actual);
        return failed == EPERM
                   ? bh_error_set(error, BH_FAILED_PRECONDITION,
                                  "limit %s=%llu:%llu: the hard limit cannot be raised above this service's "
                                  "own, %llu",
                                  limit->name, (unsigned long long)limit->soft, (unsigned long long)limit->hard,
                                  (unsigned long long)actual.rlim_max)
                   : bh_error_errno(error, failed, "set limit %s", limit->name);
    }
    return 0;
}

int confine_and_execute(struct launch *launch, bool first, struct bh_error *error)
{
    static struct account account;
    const struct container_spec *spec = launch->spec;
    char *path = NULL;
    /* From here on the image's own bytes are read: nothing of the host is left to lose. */
    char **args = calloc(spec->args.n + 1, sizeof(*args));
    if (!args || find_account(spec, &account, error) < 0) {
        return args ? -1 : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the arguments");
    }
    memcpy(args, spec->args.items, spec->args.n * sizeof(*args));
    char **env = make_environment(spec, &account);
    if (!env) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the environment");
    }
    give_streams(&account);
    if (enter_folder(spec->cwd, first, error) < 0 || set_limits(spec, error) < 0 ||
        confine(launch, &account, error) < 0 ||
        program_find(args[0], env, launch->executor->program_device, launch->executor->program_inode, &path, error) <
            0) {
        return -1;
    }
    return first && spec->init ? reaper_run(CONFINE_INIT_FD, path, args, spec->args.n, env, error)
                               : program_execute(path, args, env, error);
}
