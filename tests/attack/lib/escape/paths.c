/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's own files, through which containers have been left before or the host has been read. Those that a kernel
 * does not have are refused there for that reason.
 */
#include "attempt.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

const struct path_attempt path_attempts[] = {
    /* programs that the kernel starts with the host's rights */
    {"/proc/sys/kernel/core_pattern", PATH_WRITE},
    {"/proc/sys/kernel/modprobe", PATH_WRITE},
    {"/proc/sys/kernel/hotplug", PATH_WRITE},
    {"/proc/sys/kernel/usermodehelper/bset", PATH_WRITE},
    {"/proc/sys/fs/binfmt_misc/register", PATH_WRITE},
    {"/sys/kernel/uevent_helper", PATH_WRITE},
    {"/sys/fs/cgroup/memory/release_agent", PATH_WRITE},
    {"/sys/fs/cgroup/pids/release_agent", PATH_WRITE},
    {"/sys/fs/cgroup/cpuset/release_agent", PATH_WRITE},
    /* the host's settings */
    {"/proc/sys/kernel/panic", PATH_WRITE},
    {"/proc/sys/kernel/panic_on_oops", PATH_WRITE},
    {"/proc/sys/kernel/randomize_va_space", PATH_WRITE},
    {"/proc/sys/kernel/kptr_restrict", PATH_WRITE},
    {"/proc/sys/kernel/yama/ptrace_scope", PATH_WRITE},
    {"/proc/sys/kernel/pid_max", PATH_WRITE},
    {"/proc/sys/kernel/hostname", PATH_WRITE},
    {"/proc/sys/kernel/perf_event_paranoid", PATH_WRITE},
    {"/proc/sys/fs/suid_dumpable", PATH_WRITE},
    {"/proc/sys/fs/protected_symlinks", PATH_WRITE},
    {"/proc/sys/fs/file-max", PATH_WRITE},
    {"/proc/sys/vm/drop_caches", PATH_WRITE},
    {"/proc/sys/vm/overcommit_memory", PATH_WRITE},
    {"/proc/sys/vm/panic_on_oom", PATH_WRITE},
    {"/proc/sys/vm/mmap_min_addr", PATH_WRITE},
    {"/proc/sys/net/ipv4/ip_forward", PATH_WRITE},
    {"/proc/sysrq-trigger", PATH_WRITE},
    {"/proc/irq/default_smp_affinity", PATH_WRITE},
    {"/sys/power/state", PATH_WRITE},
    {"/sys/kernel/mm/transparent_hugepage/enabled", PATH_WRITE},
    {"/sys/kernel/mm/ksm/run", PATH_WRITE},
    {"/sys/block/vda/queue/read_ahead_kb", PATH_WRITE},
    {"/sys/block/vda/uevent", PATH_WRITE},
    {"/sys/bus/pci/rescan", PATH_WRITE},
    {"/sys/module/kernel/parameters/panic", PATH_WRITE},
    /* the container's own limits, and who is in which cgroup */
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", PATH_WRITE},
    {"/sys/fs/cgroup/memory/cgroup.procs", PATH_WRITE},
    {"/sys/fs/cgroup/memory/memory.oom_control", PATH_WRITE},
    {"/sys/fs/cgroup/pids/cgroup.procs", PATH_WRITE},
    {"/sys/fs/cgroup/pids/tasks", PATH_WRITE},
    {"/sys/fs/cgroup/cpu/cpu.shares", PATH_WRITE},
    {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", PATH_WRITE},
    {"/sys/fs/cgroup/devices/devices.allow", PATH_WRITE},
    {"/sys/fs/cgroup/devices/cgroup.procs", PATH_WRITE},
    {"/sys/fs/cgroup/freezer/cgroup.procs", PATH_WRITE},
    {"/sys/fs/cgroup/cpuset/cpuset.cpus", PATH_WRITE},
    {"/sys/fs/cgroup/systemd/release_agent", PATH_WRITE},
    {"/sys/fs/cgroup/cgroup.procs", PATH_WRITE},
    {"/sys/fs/cgroup/cgroup.subtree_control", PATH_WRITE},
    {"/sys/fs/cgroup/memory.max", PATH_WRITE},
    {"/sys/fs/cgroup/pids.max", PATH_WRITE},
    {"/sys/fs/cgroup/unified/cgroup.procs", PATH_WRITE},
    /* what tells of the host */
    {"/proc/kcore", PATH_READ},
    {"/proc/keys", PATH_READ},
    {"/proc/timer_list", PATH_READ},
    {"/proc/latency_stats", PATH_READ},
    {"/proc/sched_debug", PATH_READ},
    {"/proc/kmsg", PATH_READ},
    {"/proc/kpagecount", PATH_READ},
    {"/proc/kpageflags", PATH_READ},
    {"/proc/slabinfo", PATH_READ},
    {"/proc/vmallocinfo", PATH_READ},
    {"/proc/iomem", PATH_READ},
    {"/proc/acpi", PATH_LIST},
    {"/proc/asound", PATH_LIST},
    {"/proc/scsi", PATH_LIST},
    {"/sys/firmware", PATH_LIST},
    {"/sys/devices/virtual/powercap", PATH_LIST},
    {"/sys/kernel/security", PATH_LIST},
    {"/sys/kernel/debug", PATH_LIST},
    {"/sys/kernel/tracing", PATH_LIST},
    {"/sys/fs/bpf", PATH_LIST},
    {"/sys/fs/pstore", PATH_LIST},
    {"/sys/fs/fuse/connections", PATH_LIST},
    {NULL, PATH_READ},
};

static int read_something(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    char byte[4096];
    ssize_t n = read(fd, byte, sizeof(byte));
    int result = n < 0 ? errno : 0;
    (void)close(fd);
    if (n == 0) {
        return ENODATA;
    }
    /* to those who may not know them, addresses are there and all zero */
    if (n > 0 && strcmp(path, "/proc/iomem") == 0 && memmem(byte, (size_t)n, "00000000-00000000", 17) == byte) {
        return ENODATA;
    }
    return result == EAGAIN ? 0 : result;
}

static int list_something(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        return errno;
    }
    int found = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        found += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(folder);
    return found ? 0 : ENODATA;
}

int path_try(const struct path_attempt *attempt)
{
    switch (attempt->how) {
    case PATH_READ:
        return read_something(attempt->path);
    case PATH_LIST:
        return list_something(attempt->path);
    case PATH_WRITE:
        break;
    }
    return fd_result(open(attempt->path, O_WRONLY | O_CLOEXEC));
}
