/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a process in a container that runs; see exec_launch.h. What hangs or dies here takes that process with it,
 * and nothing else.
 */
#include "exec_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/exec_failure.h"
#include "confine.h"
#include "container_init.h"
#include "enter.h"
#include "exec.h"
#include "exec_init.h"
#include "record.h"
#include "remove.h"

#define END_NAME "end"
/* Finding its user may read files of a slow or frozen container; nobody waits longer than this. */
#define PROGRAM_DEADLINE_MS 30000

static const uint64_t all_namespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

/* ---- outside --------------------------------------------------------------------------------------------- */

static void exec_name(const struct launch *launch, char ret_name[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest id;
    memcpy(id.bytes, launch->spec->id, sizeof(id.bytes));
    (void)bh_digest_hex(&id, ret_name);
}

static int open_folder(int above, const char *name, int *ret_fd, struct bh_error *error)
{
    *ret_fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the folder of an exec") : 0;
}

static int make_folders(struct launch *launch, struct bh_error *error)
{
    char name[BH_DIGEST_HEX_SIZE];
    bh_autoclose int above = -1, container = bh_steal_fd(&launch->folder);
    uint32_t owner = launch->spec->monitor_uid;
    exec_name(launch, name);
    if (mkdirat(container, EXECS_NAME, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the folder of execs");
    }
    if (open_folder(container, EXECS_NAME, &above, error) < 0) {
        return -1;
    }
    if (mkdirat(above, name, 0700) < 0) {
        return errno == EEXIST ? bh_error_set(error, BH_ALREADY_EXISTS, "exec %.12s was started already", name)
                               : bh_error_errno(error, errno, "make the folder of exec %.12s", name);
    }
    if (open_folder(above, name, &launch->folder, error) < 0) {
        return -1;
    }
    if (mkdirat(launch->folder, END_NAME, 0700) < 0) {
        return bh_error_errno(error, errno, "make the folder of exec %.12s", name);
    }
    if (open_folder(launch->folder, END_NAME, &launch->logs, error) < 0) {
        return -1;
    }
    return fchown(launch->logs, owner, owner) < 0 ? bh_error_errno(error, errno, "give a folder to the monitor") : 0;
}

/* Without a terminal, which it makes itself. An input that is not open has ended before it begins. */
static int make_streams(struct launch *launch, struct bh_error *error)
{
    if (launch_make_pipe(launch, 0, 0, error) < 0 || launch_make_pipe(launch, 1, 1, error) < 0 ||
        launch_make_pipe(launch, 2, 1, error) < 0) {
        return -1;
    }
    if (!launch->spec->open_stdin) {
        bh_close(&launch->outside[0]);
    }
    return 0;
}

/* What it says until its program runs: first the terminal, if it is to have one. It is our own program still, which has
 * read nothing of the container's. */
static int take_terminal(struct launch *launch, int socket, struct bh_error *error)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {/* not the padded size, into which a second one would fit */
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t n = recv(socket, &byte, 1, MSG_PEEK | MSG_TRUNC);
    if (n != 1) { /* the reason why not, or nothing */
        return launch_await(socket, error) < 0 ? -1 : bh_error_set(error, BH_INTERNAL, "a terminal did not come");
    }
    n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = n >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) {
        return bh_error_set(error, BH_INTERNAL, "a terminal did not come");
    }
    memcpy(&launch->terminal, CMSG_DATA(header), sizeof(int));
    launch->outside[0] = launch->outside[1] = launch->terminal;
    return 0;
}

static int wait_for_word(int socket, struct bh_error *error)
{
    struct pollfd said = {.fd = socket, .events = POLLIN};
    return poll(&said, 1, PROGRAM_DEADLINE_MS) > 0
               ? 0
               : bh_error_set(error, BH_DEADLINE_EXCEEDED,
                              "the program was not started within %d seconds: is the container paused?",
                              PROGRAM_DEADLINE_MS / 1000);
}

static int run_process(struct launch *launch, struct bh_error *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return bh_error_errno(error, errno, "make a socket");
    }
    bh_autoclose int ours = ends[0], theirs = ends[1];
    const bool tty = launch->spec->tty;
    const int descriptors[] = {tty ? theirs : launch->inside[0], tty ? theirs : launch->inside[1],
                               tty ? theirs : launch->inside[2], theirs};
    _Static_assert(sizeof(descriptors) / sizeof(descriptors[0]) == CONFINE_FAILURE_FD + 1, "the last one reports");
    const struct enter enter = {.pidfd = launch->container_pidfd,
                                .namespaces = all_namespaces,
                                .cgroup = &launch->cgroup,
                                .descriptors = descriptors,
                                .n_descriptors = sizeof(descriptors) / sizeof(descriptors[0]),
                                .selinux_label = launch->spec->selinux_label,
                                .apparmor_profile = launch->spec->apparmor_profile};
    if (enter_spawn(&enter, exec_init, launch, &launch->pid, &launch->pidfd, error) < 0) {
        return -1;
    }
    bh_close(&theirs);
    if (launch_set_oom_score(launch, error) < 0 || launch_save_record(launch, error) < 0) {
        return -1;
    }
    if (send(ours, "", 1, MSG_NOSIGNAL) != 1) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended");
    }
    if (wait_for_word(ours, error) < 0) {
        return -1;
    }
    if ((tty && (take_terminal(launch, ours, error) < 0 || wait_for_word(ours, error) < 0)) ||
        launch_await(ours, error) < 0) {
        (void)bh_error_wrap(error, BH_EXEC_FAILED_INNER);
        return bh_error_wrap(error, BH_EXEC_FAILED_OUTER);
    }
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

/* Not waited for: it may be frozen. It is reaped when we are gone. */
static void undo(struct launch *launch)
{
    char name[BH_DIGEST_HEX_SIZE];
    struct bh_error ignored;
    if (launch->pidfd >= 0) {
        (void)pidfd_send_signal(launch->pidfd, SIGKILL, NULL, 0);
    }
    if (launch->folder >= 0) {
        bh_autoclose int above = openat(launch->folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        exec_name(launch, name);
        (void)remove_tree(above, name, &ignored);
    }
}

static int start(struct launch *launch, struct bh_error *error)
{
    return make_folders(launch, error) < 0 ||
                   cgroup_open(&launch->executor->cgroups, launch->spec->cgroup_parent, launch->spec->name,
                               &launch->cgroup, error) < 0 ||
                   (!launch->spec->tty && make_streams(launch, error) < 0) || run_process(launch, error) < 0
               ? -1
               : 0;
}

static int exec_work(struct executor *executor, void *argument, int answer_socket)
{
    struct launch *launch = argument;
    struct job_answer answer = {0};
    launch->executor = executor;
    (void)umask(022);
    (void)setsid();
    if (start(launch, &answer.error) < 0 || launch_hand_over(launch, answer_socket, &answer.error) < 0) {
        undo(launch);
        job_answer(answer_socket, &answer, -1);
    }
    return 1;
}

const struct job_kind exec_job = {.name = "exec", .work = exec_work, .done = launch_done};
