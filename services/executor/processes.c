/* SPDX-License-Identifier: Apache-2.0
 *
 * See processes.h.
 */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/breach.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "policyd_executor.pb-c.h"
#include "sandbox.h"

#define FILE_BYTES_MAX 8192U
#define ANSWER_FD      3 /* in the worker: all that it has */
#define MEMORY_FD      4

/* One listing: what the worker inherits. */
struct listing {
    int32_t pids[BH_PROCESSES_MAX];
    size_t n;
    bool truncated;
    uint32_t uid; /* the tenant's monitor's: not mapped into any container */
};

/* ---- before the privileges go --------------------------------------------------------------------------------- */

/* Numbers, written by the kernel. */
static int list_pids(const struct executor *executor, const struct running *running, struct listing *listing,
                     struct bh_error *error)
{
    struct cgroup cgroup;
    if (cgroup_open(&executor->cgroups, running->record.cgroup_parent, running->name, &cgroup, error) < 0) {
        return -1;
    }
    int folder = executor->cgroups.version == 2 ? cgroup.folders[0] : cgroup_folder(&cgroup, "pids");
    folder = folder < 0 ? cgroup.folders[0] : folder;
    bh_autoclose int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    cgroup_close(&cgroup);
    bh_autofclose FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!stream) {
        return bh_error_errno(error, errno, "list the processes of container %.12s", running->name);
    }
    (void)bh_steal_fd(&fd);
    int pid;
    while (fscanf(stream, "%d", &pid) == 1) {
        listing->truncated = listing->n == BH_PROCESSES_MAX;
        if (listing->truncated) {
            break;
        }
        listing->pids[listing->n++] = pid;
    }
    return 0;
}

static int clear_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    return syscall(SYS_capset, &header, data) < 0 ? -1 : 0;
}

/* The host's procfs becomes the root, and the worker nobody. */
int processes_give_up(uint32_t uid, struct bh_error *error)
{
    if (chroot("/proc") < 0 || chdir("/") < 0 || setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setresgid(uid, uid, uid) < 0) {
        return bh_error_errno(error, errno, "give up privileges");
    }
    /* The bounding set goes while there is a right to empty it; the rest goes with the uid. */
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return bh_error_errno(error, errno, "give up capabilities");
        }
    }
    if (setresuid(uid, uid, uid) < 0 || clear_capabilities() < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "give up privileges");
    }
    return bh_sandbox_enter_worker(&executor_top_sandbox, error);
}

/* ---- after ------------------------------------------------------------------------------------------------------ */

/* A whole file of /proc, or as much as is told of it. */
static uint32_t read_file(const char *path, char *buffer, size_t size)
{
    size_t n = 0;
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && bh_read_full(fd, buffer, size, &n, path, NULL) == 0 ? (uint32_t)n : 0;
}

/* 1 if it was told, 0 if the process is gone. */
static int copy_process(int memory, int32_t pid, struct bh_error *error)
{
    static char stat_text[FILE_BYTES_MAX], status_text[FILE_BYTES_MAX], command[BH_PROCESS_COMMAND_BYTES];
    char path[48];
    struct bh_process_record record = {.pid = pid};
    (void)snprintf(path, sizeof(path), "/%d/stat", pid);
    record.stat_bytes = read_file(path, stat_text, sizeof(stat_text));
    (void)snprintf(path, sizeof(path), "/%d/status", pid);
    record.status_bytes = read_file(path, status_text, sizeof(status_text));
    (void)snprintf(path, sizeof(path), "/%d/cmdline", pid);
    record.command_bytes = read_file(path, command, sizeof(command));
    if (record.stat_bytes == 0 || record.status_bytes == 0) {
        return 0;
    }
    return bh_write_all(memory, &record, sizeof(record), "a list of processes", error) < 0 ||
                   bh_write_all(memory, stat_text, record.stat_bytes, "a list of processes", error) < 0 ||
                   bh_write_all(memory, status_text, record.status_bytes, "a list of processes", error) < 0 ||
                   bh_write_all(memory, command, record.command_bytes, "a list of processes", error) < 0
               ? -1
               : 1;
}

/* When the host was booted, and how long ago: what the times of processes are counted from. */
static int copy_host(int memory, struct bh_error *error)
{
    static char text[65536], uptime[256];
    struct bh_process_record record = {0};
    uint32_t n = read_file("/stat", text, sizeof(text) - 1);
    text[n] = '\0';
    const char *btime = strstr(text, "\nbtime ");
    record.stat_bytes = btime ? (uint32_t)strcspn(btime + 1, "\n") : 0;
    record.status_bytes = read_file("/uptime", uptime, sizeof(uptime));
    return bh_write_all(memory, &record, sizeof(record), "a list of processes", error) < 0 ||
                   bh_write_all(memory, btime ? btime + 1 : "", record.stat_bytes, "a list of processes", error) < 0 ||
                   bh_write_all(memory, uptime, record.status_bytes, "a list of processes", error) < 0
               ? -1
               : 0;
}

static int copy_all(const struct listing *listing, int memory, int32_t *ret_n, struct bh_error *error)
{
    if (copy_host(memory, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < listing->n; i++) {
        int told = copy_process(memory, listing->pids[i], error);
        if (told < 0) {
            return -1;
        }
        *ret_n += told;
    }
    static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    return fcntl(memory, F_ADD_SEALS, seals) < 0 ? bh_error_errno(error, errno, "seal a list of processes") : 0;
}

/* ---- the job ---------------------------------------------------------------------------------------------------- */

/* All but the two that it has, at their numbers. */
static int keep_only(int memory, int answer_socket)
{
    int attacker = bh_breach_fd();
    unsigned int next = MEMORY_FD + 1;
    if (dup2(memory, MEMORY_FD + 10) < 0 || dup2(answer_socket, ANSWER_FD) < 0 || dup2(MEMORY_FD + 10, MEMORY_FD) < 0) {
        return -1;
    }
    if (attacker >= 0 && close_range(next, (unsigned int)attacker - 1, 0) < 0) {
        return -1;
    }
    return close_range(attacker >= 0 ? (unsigned int)attacker + 1 : next, ~0U, 0);
}

static int work(struct executor *executor, void *argument, int answer_socket)
{
    const struct listing *listing = argument;
    struct job_answer answer = {.started_at_ns = listing->truncated};
    (void)executor;
    (void)prctl(PR_SET_NAME, "top", 0, 0, 0);
    bh_autoclose int memory = memfd_create("processes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) {
        (void)bh_error_errno(&answer.error, errno, "make a memory file");
    } else if (keep_only(memory, answer_socket) < 0) {
        (void)bh_error_errno(&answer.error, errno, "close all other descriptors");
    } else if (processes_give_up(listing->uid, &answer.error) == 0) {
        bh_breach_worker("top");
        (void)copy_all(listing, MEMORY_FD, &answer.pid, &answer.error);
    }
    (void)bh_steal_fd(&memory);
    job_answer(ANSWER_FD, &answer, answer.error.code == BH_OK ? MEMORY_FD : -1);
    return 0;
}

static void done(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__ProcessesListed listed = BULKHEAD__PROCESSES_LISTED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    listed.processes = said->answer.pid > 0 ? (uint32_t)said->answer.pid : 0;
    listed.truncated = said->answer.started_at_ns != 0;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_PROCESSES_LISTED;
    packet.processes_listed = &listed;
    (void)bh_request_reply(request, &packet.base, said->fds, said->n_fds);
}

const struct job_kind processes_job = {.name = "list processes", .work = work, .done = done};

int processes_list(struct executor *executor, const struct running *running, struct bh_request *request,
                   struct bh_error *error)
{
    static struct listing listing; /* the child has a copy */
    struct stat logs;
    listing = (struct listing){0};
    /* The log folder belongs to the tenant's monitors. */
    if (fstat(running->logs, &logs) < 0) {
        return bh_error_errno(error, errno, "look at the log folder of container %.12s", running->name);
    }
    listing.uid = logs.st_uid;
    if (listing.uid == 0) {
        return bh_error_set(error, BH_INTERNAL, "the log folder of container %.12s belongs to root", running->name);
    }
    return list_pids(executor, running, &listing, error) < 0
               ? -1
               : job_start(executor, &processes_job, running->record.id, &listing, request, error);
}
