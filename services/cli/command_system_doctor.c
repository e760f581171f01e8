/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead doctor: does this host have what the engine needs? One line a question, with a remedy where the answer is
 * no. Reads /proc and /sys only; nothing is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "commands.h"
#include "common/limits.h"
#include "doctor_files.h"
#include "fields.h"
#include "human.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

/* What a check found; `detail` follows the question, `remedy` is printed unless all is well. */
struct finding {
    enum verdict verdict;
    char detail[BH_ERROR_MESSAGE_SIZE];
    const char *remedy;
};

static struct finding found(enum verdict verdict, const char *remedy, const char *detail)
{
    struct finding finding = {.verdict = verdict, .remedy = remedy};
    (void)snprintf(finding.detail, sizeof(finding.detail), "%s", detail);
    return finding;
}

static struct finding check_kernel(struct cli *cli)
{
    (void)cli;
    struct utsname system = {0};
    unsigned int major = 0, minor = 0;
    (void)uname(&system);
    bool parsed = sscanf(system.release, "%u.%u", &major, &minor) == 2;
    bool recent = parsed && (major > 5 || (major == 5 && minor >= 19));
    return found(recent ? VERDICT_OK : VERDICT_FAIL, "Linux 5.19 or later is needed (idmapped layers of overlayfs)",
                 system.release);
}

static struct finding check_erofs(struct cli *cli)
{
    (void)cli;
    bool there = doctor_file_has_word("/proc/filesystems", "erofs");
    return found(there ? VERDICT_OK : VERDICT_WARN, "modprobe erofs, and name it in /etc/modules-load.d/bulkhead.conf",
                 there ? "known to the kernel" : "not loaded (the kernel loads it at the first mount if it has it)");
}

static struct finding check_overlay(struct cli *cli)
{
    (void)cli;
    bool there = doctor_file_has_word("/proc/filesystems", "overlay");
    return found(there ? VERDICT_OK : VERDICT_WARN,
                 "modprobe overlay, and name it in /etc/modules-load.d/bulkhead.conf",
                 there ? "known to the kernel" : "not loaded (the kernel loads it at the first mount if it has it)");
}

/* A kernel without the system call says ENOSYS; one that has it complains about the arguments. */
static struct finding check_idmapped(struct cli *cli)
{
    (void)cli;
    bool there = syscall(SYS_mount_setattr, -1, "", 0, NULL, 0) < 0 && errno != ENOSYS;
    return found(there ? VERDICT_OK : VERDICT_FAIL, "mount_setattr(2) is missing: Linux 5.19 or later is needed",
                 there ? "mount_setattr(2) is there" : "no mount_setattr(2)");
}

static struct finding check_cgroups(struct cli *cli)
{
    (void)cli;
    static const char *const wanted[] = {"cpu", "memory", "pids"};
    char controllers[512] = "";
    bool unified = doctor_read("/sys/fs/cgroup/cgroup.controllers", controllers, sizeof(controllers)) == 0;
    if (!unified && doctor_read("/proc/cgroups", controllers, sizeof(controllers)) < 0) {
        return found(VERDICT_FAIL, "mount cgroup2 on /sys/fs/cgroup", "none");
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        if (!doctor_text_has_word(controllers, wanted[i])) {
            return found(VERDICT_WARN, "boot with cgroup_enable=memory, or enable the controllers cpu, memory and pids",
                         unified ? "version 2, a controller is missing" : "version 1, a controller is missing");
        }
    }
    return found(VERDICT_OK, NULL, unified ? "version 2 with cpu, memory, pids" : "version 1 with cpu, memory, pids");
}

static struct finding check_user_namespaces(struct cli *cli)
{
    (void)cli;
    char text[64] = "";
    bool there = doctor_read("/proc/sys/user/max_user_namespaces", text, sizeof(text)) == 0;
    bool some = there && strtoll(text, NULL, 10) > 0;
    return found(some ? VERDICT_OK : VERDICT_FAIL, "sysctl -w user.max_user_namespaces=15000",
                 some ? "allowed" : "user.max_user_namespaces is 0");
}

static struct finding check_apparmor_restriction(struct cli *cli)
{
    (void)cli;
    char text[64] = "";
    bool restricted = doctor_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", text, sizeof(text)) == 0 &&
                      text[0] == '1';
    return found(restricted ? VERDICT_WARN : VERDICT_OK,
                 "programs in containers that make user namespaces of their own may fail: "
                 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
                 restricted ? "restricted by AppArmor" : "not restricted");
}

static struct finding check_seccomp(struct cli *cli)
{
    (void)cli;
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    bool there = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    return found(there ? VERDICT_OK : VERDICT_FAIL, "the kernel needs CONFIG_SECCOMP_FILTER=y",
                 there ? "filters are available" : "no filters");
}

/* Every helper leaves the host's root by pivot_root(2), which needs a root that is a mount. */
static struct finding check_root(struct cli *cli)
{
    (void)cli;
    struct statx root = {0};
    bool chrooted = statx(AT_FDCWD, "/", 0, STATX_TYPE, &root) == 0 &&
                    (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
                    !(root.stx_attributes & STATX_ATTR_MOUNT_ROOT);
    return found(chrooted ? VERDICT_FAIL : VERDICT_OK,
                 "bind mount the root folder on itself and enter it with pivot_root(8) instead of chroot(8)",
                 chrooted ? "no mount, as in a plain chroot" : "a mount");
}

static struct finding check_engine(struct cli *cli)
{
    struct bh_error error = {0};
    bh_autofree char *text = NULL;
    size_t n_text = 0;
    if (engine_ask_text(cli->engine, "GET", "/_ping", &text, &n_text, &error) < 0) {
        return found(VERDICT_FAIL, "start the engine: systemctl start bulkhead, or bulkheadd --config FILE",
                     error.message);
    }
    return found(VERDICT_OK, NULL, engine_host(cli->engine));
}

/* What netd was told beside what the kernel has; only root is told. */
static struct finding check_networks(struct cli *cli)
{
    struct bh_error error = {0};
    json_auto json_t *answer = NULL;
    struct finding finding = {.remedy = "bulkhead network reload"};
    if (engine_ask(cli->engine, "GET", "/bulkhead/networks/check", NULL, &answer, &error) < 0) {
        bool denied = error.code == BH_PERMISSION_DENIED;
        return found(denied ? VERDICT_OK : VERDICT_WARN, "is netd running? see the engine's log",
                     denied ? "not looked at: ask as root" : error.message);
    }
    const json_t *findings = json_object_get(answer, "findings");
    const size_t n = json_array_size(findings);
    finding.verdict = n > 0 ? VERDICT_WARN : VERDICT_OK;
    (void)snprintf(finding.detail, sizeof(finding.detail), "%s", n ? "" : "rules and links are as they should be");
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(findings, i));
        size_t used = strlen(finding.detail);
        (void)snprintf(finding.detail + used, sizeof(finding.detail) - used, "%s%s", i ? "; " : "", text ? text : "");
    }
    return finding;
}

static struct finding check_space(struct cli *cli)
{
    json_auto json_t *info = NULL;
    char room[HUMAN_BYTES];
    struct finding finding = {.remedy = "remove images with bulkhead rmi, or give the state folder more room"};
    const char *path = "/var/lib";
    if (engine_ask(cli->engine, "GET", "/info", NULL, &info, NULL) == 0 && *field_text(info, "DockerRootDir")) {
        path = field_text(info, "DockerRootDir");
    }
    struct statvfs file_system;
    if (statvfs(path, &file_system) < 0) {
        (void)snprintf(finding.detail, sizeof(finding.detail), "cannot look at %s: %s", path, strerror(errno));
        finding.verdict = VERDICT_WARN;
        return finding;
    }
    uint64_t bytes = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    finding.verdict = bytes < 256 * BH_MIB ? VERDICT_FAIL : bytes < 2 * BH_GIB ? VERDICT_WARN : VERDICT_OK;
    (void)snprintf(finding.detail, sizeof(finding.detail), "%s free below %s", human_size(bytes, room), path);
    return finding;
}

static const struct {
    const char *question;
    struct finding (*check)(struct cli *cli);
} checks[] = {
    {"kernel", check_kernel},
    {"erofs", check_erofs},
    {"overlayfs", check_overlay},
    {"idmapped mounts", check_idmapped},
    {"cgroups", check_cgroups},
    {"user namespaces", check_user_namespaces},
    {"nested user namespaces", check_apparmor_restriction},
    {"seccomp", check_seccomp},
    {"root folder", check_root},
    {"engine", check_engine},
    {"networks", check_networks},
    {"disk space", check_space},
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    (void)values;
    (void)arguments;
    (void)error;
    int status = 0;
    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        struct finding finding = checks[i].check(cli);
        (void)printf("%-5s %-23s %s\n", words[finding.verdict], checks[i].question, finding.detail);
        if (finding.verdict != VERDICT_OK && finding.remedy) {
            (void)printf("%-5s %-23s -> %s\n", "", "", finding.remedy);
        }
        status = finding.verdict == VERDICT_FAIL ? 1 : status;
    }
    return status;
}

const struct command doctor_command = {
    .name = "doctor",
    .usage = "",
    .summary = "Check that this host has what the engine needs",
    .run = run,
};
