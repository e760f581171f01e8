/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that were started; see running.h. The log folder belongs to the monitor, so what lies in it is opened
 * without following links and read as one fixed-size record.
 */
#include "running.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"
#include "common/monitor_start.h"

static int open_below(int above, const char *name)
{
    return openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int running_open_any(const struct executor *executor, const uint8_t id[static 32], struct running *ret_running,
                     struct bh_error *error)
{
    struct bh_digest digits;
    *ret_running = (struct running){.folder = -1, .logs = -1, .pidfd = -1};
    memcpy(digits.bytes, id, sizeof(digits.bytes));
    (void)bh_digest_hex(&digits, ret_running->name);
    ret_running->folder = open_below(executor->folders.containers, ret_running->name);
    if (ret_running->folder < 0) {
        return errno == ENOENT
                   ? bh_error_set(error, BH_NOT_FOUND, "container %.12s was never started", ret_running->name)
                   : bh_error_errno(error, errno, "open the folder of container %.12s", ret_running->name);
    }
    if (record_read(ret_running->folder, id, &ret_running->record, error) < 0) {
        return -1;
    }
    ret_running->logs = open_below(executor->folders.logs, ret_running->name);
    ret_running->pidfd = record_open_process(&ret_running->record, executor->boot_id);
    return 0;
}

int running_open(const struct executor *executor, const uint8_t id[static 32], uint32_t tenant_uid,
                 struct running *ret_running, struct bh_error *error)
{
    if (running_open_any(executor, id, ret_running, error) < 0) {
        return -1;
    }
    return ret_running->record.tenant_uid == tenant_uid
               ? 0
               : bh_error_set(error, BH_PERMISSION_DENIED, "container %.12s is not tenant %u's", ret_running->name,
                              tenant_uid);
}

void running_close(struct running *running)
{
    bh_close(&running->folder);
    bh_close(&running->logs);
    bh_close(&running->pidfd);
}

/* The monitor's exit record; false unless it is whole and about this run. */
static bool read_exit(const struct running *running, struct bh_exit_record *ret_exit)
{
    size_t n = 0;
    struct stat status;
    bh_autoclose int fd = openat(running->logs, "exit", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == (off_t)sizeof(*ret_exit) &&
           bh_read_full(fd, ret_exit, sizeof(*ret_exit), &n, "an exit record", NULL) == 0 && n == sizeof(*ret_exit) &&
           ret_exit->magic == BH_MONITOR_MAGIC && ret_exit->exit_code >= 0 && ret_exit->exit_code <= 255 &&
           memcmp(ret_exit->container_id, running->record.id, sizeof(ret_exit->container_id)) == 0;
}

void running_look(const struct running *running, struct running_state *ret_state)
{
    struct bh_exit_record end;
    *ret_state = (struct running_state){.running = running->pidfd >= 0, .started_at_ns = running->record.started_at_ns};
    if (ret_state->running) {
        ret_state->pid = running->record.pid;
    } else if (read_exit(running, &end)) {
        ret_state->has_exit = true;
        ret_state->exit_code = end.exit_code;
        ret_state->oom_killed = end.oom_killed == 1;
        ret_state->finished_at_ns = end.finished_at_ns;
    }
}

/* A frozen v1 cgroup keeps even SIGKILL waiting. (In a frozen v2 cgroup processes still die.) */
static void thaw(const struct executor *executor, const struct running *running)
{
    struct cgroup cgroup;
    struct bh_error ignored;
    if (executor->cgroups.version == 1 &&
        cgroup_open(&executor->cgroups, running->record.cgroup_parent, running->name, &cgroup, &ignored) == 0) {
        int freezer = cgroup_folder(&cgroup, "freezer");
        if (freezer >= 0) {
            (void)cgroup_write(freezer, "freezer.state", "THAWED", &ignored);
        }
        cgroup_close(&cgroup);
    }
}

/* In a PID namespace that is not the container's own nobody ends its other processes when the first one is gone. */
static void kill_all(const struct executor *executor, const struct running *running)
{
    struct cgroup cgroup;
    struct bh_error ignored;
    if (cgroup_open(&executor->cgroups, running->record.cgroup_parent, running->name, &cgroup, &ignored) == 0) {
        cgroup_kill(&cgroup);
        cgroup_close(&cgroup);
    }
}

int running_signal(const struct executor *executor, const struct running *running, int signal_number,
                   struct bh_error *error)
{
    bool all = signal_number == SIGKILL && running->record.shares_pid == 1;
    if (all) {
        kill_all(executor, running);
    }
    bool sent = running->pidfd >= 0 && pidfd_send_signal(running->pidfd, signal_number, NULL, 0) == 0;
    if (!sent && running->pidfd >= 0 && errno != ESRCH) {
        return bh_error_errno(error, errno, "send signal %d to container %.12s", signal_number, running->name);
    }
    if (!sent && !(all && running->pidfd >= 0)) { /* the first process may have been among all, and is gone */
        return bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running", running->name);
    }
    if (signal_number == SIGKILL) {
        thaw(executor, running);
    }
    return 0;
}

int running_connect(const struct running *running, int *ret_fd, struct bh_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock", running->folder);
    bh_autoclose int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        return errno == ECONNREFUSED || errno == ENOENT
                   ? bh_error_set(error, BH_NOT_FOUND, "the monitor of container %.12s has ended", running->name)
                   : bh_error_errno(error, errno, "connect to the monitor of container %.12s", running->name);
    }
    if (fcntl(fd, F_SETFL, 0) < 0) {
        return bh_error_errno(error, errno, "prepare a connection to a monitor");
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int running_update(const struct executor *executor, const struct running *running,
                   const struct spec_resources *resources, struct bh_error *error)
{
    struct cgroup cgroup;
    if (running->pidfd < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running", running->name);
    }
    if (cgroup_open(&executor->cgroups, running->record.cgroup_parent, running->name, &cgroup, error) < 0) {
        return -1;
    }
    int result = cgroup_update(&cgroup, resources, error);
    cgroup_close(&cgroup);
    return result;
}

int running_list(const struct executor *executor, void (*each)(const uint8_t id[static 32], void *argument),
                 void *argument, struct bh_error *error)
{
    int copy = openat(executor->folders.containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list the containers' folder");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char text[BH_DIGEST_TEXT_SIZE];
        struct bh_digest id;
        (void)snprintf(text, sizeof(text), "sha256:%.64s", entry->d_name); /* an id has a digest's form */
        if (strlen(entry->d_name) == 64 && bh_digest_parse(text, &id, NULL) == 0) {
            each(id.bytes, argument);
        }
    }
    return 0;
}
