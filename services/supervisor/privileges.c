/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading /proc of children; see privileges.h. The kernel wrote these files, so they are parsed leniently but with
 * bounds.
 */
#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "wiring.h"

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

static int read_status(pid_t pid, struct bh_privilege_row *row, struct bh_error *error)
{
    bh_autofclose FILE *file = open_proc(pid, "status");
    char line[256];
    if (!file) {
        return bh_error_errno(error, errno, "read /proc/%d/status", (int)pid);
    }
    while (fgets(line, sizeof(line), file)) {
        (void)(sscanf(line, "Uid: %" SCNu32, &row->uid) == 1 || sscanf(line, "Gid: %" SCNu32, &row->gid) == 1 ||
               sscanf(line, "NoNewPrivs: %" SCNu32, &row->no_new_privs) == 1 ||
               sscanf(line, "Seccomp: %" SCNu32, &row->seccomp) == 1 ||
               sscanf(line, "Seccomp_filters: %" SCNu32, &row->seccomp_filters) == 1 ||
               sscanf(line, "CapInh: %" SCNx64, &row->cap_inheritable) == 1 ||
               sscanf(line, "CapPrm: %" SCNx64, &row->cap_permitted) == 1 ||
               sscanf(line, "CapEff: %" SCNx64, &row->cap_effective) == 1 ||
               sscanf(line, "CapBnd: %" SCNx64, &row->cap_bounding) == 1 ||
               sscanf(line, "CapAmb: %" SCNx64, &row->cap_ambient) == 1);
    }
    return 0;
}

static void read_memory(pid_t pid, struct bh_privilege_row *row)
{
    bh_autofclose FILE *file = open_proc(pid, "smaps_rollup");
    char line[256];
    uint64_t kib = 0;
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "Pss: %" SCNu64 " kB", &kib) == 1) {
            row->pss_bytes = kib * 1024;
            return;
        }
    }
}

static void count_descriptors(pid_t pid, struct bh_privilege_row *row)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    bh_autoclosedir DIR *folder = opendir(path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        row->n_fds += entry->d_name[0] != '.';
    }
}

/* The namespaces that are not ours. */
static void compare_namespaces(pid_t pid, struct bh_privilege_row *row)
{
    static const char *const names[] = {"mnt", "net", "ipc", "uts", "pid", "user", "cgroup"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char theirs[64], ours[64];
        struct stat a, b;
        (void)snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)pid, names[i]);
        (void)snprintf(ours, sizeof(ours), "/proc/self/ns/%s", names[i]);
        if (stat(theirs, &a) == 0 && stat(ours, &b) == 0 && a.st_ino != b.st_ino) {
            int n = snprintf(row->namespaces + used, sizeof(row->namespaces) - used, "%s%s", used ? "," : "", names[i]);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static void look_at_root(pid_t pid, struct bh_privilege_row *row)
{
    char path[64];
    struct stat theirs, ours;
    struct statfs system;
    (void)snprintf(path, sizeof(path), "/proc/%d/root/", (int)pid);
    const char *kind = "?";
    if (stat(path, &theirs) == 0 && stat("/", &ours) == 0 && statfs(path, &system) == 0) {
        bool host = theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
        kind = host ? "host" : system.f_type == TMPFS_MAGIC ? "empty" : "folder";
    }
    (void)snprintf(row->root, sizeof(row->root), "%s", kind);
}

int privileges_read(const struct helper *helper, struct bh_privilege_row *ret_row, struct bh_error *error)
{
    struct bh_privilege_row row = {
        .role = (uint32_t)helper->role,
        .tenant_uid = helper->tenant_uid,
        .pid = helper->pid,
        .restarts = helper->restarts,
    };
    if (read_status(helper->pid, &row, error) < 0) {
        return -1;
    }
    read_memory(helper->pid, &row);
    count_descriptors(helper->pid, &row);
    compare_namespaces(helper->pid, &row);
    look_at_root(helper->pid, &row);
    wiring_peers(helper->role, row.peers, sizeof(row.peers));
    *ret_row = row;
    return 0;
}
