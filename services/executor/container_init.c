/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs in the container's first process before its program. A forked image of the executor, so: non-dumpable,
 * alone in its user namespace, and from take_streams() on with nothing but the descriptors 0, 1, 2 and the pipe that
 * tells of failure. The order matters at every line; each step takes away what the next must not have.
 */
#include "container_init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act.h"
#include "confine.h"
#include "labels.h"
#include "network.h"

/* ---- being placed ---------------------------------------------------------------------------------------- */

/* First of all, since others work on its links from then on. It is not root of anything yet, but may do all in its
 * namespaces. */
static int offer_network(const struct launch *launch, struct bh_error *error)
{
    return launch->links >= 0 ? network_offer(launch->spec, launch->answer_socket, error) : 0;
}

static int wait_for_maps(int go, struct bh_error *error)
{
    char byte;
    return read(go, &byte, 1) == 1 ? 0 : bh_error_set(error, BH_ABORTED, "the launcher gave up");
}

/* v1: one thread, so `tasks` takes the whole process. Then the cgroup namespace has these as its roots. */
static int enter_cgroups(const struct launch *launch, struct bh_error *error)
{
    for (size_t i = 0; launch->cgroup.all->version == 1 && i < launch->cgroup.all->n; i++) {
        if (write(launch->tasks[i], "0", 1) != 1) {
            return bh_error_errno(error, errno, "enter cgroup \"%s\"", launch->cgroup.all->hierarchies[i].controllers);
        }
    }
    return !launch->plan->join_host_cgroup && unshare(CLONE_NEWCGROUP) < 0
               ? bh_error_errno(error, errno, "make a cgroup namespace")
               : 0;
}

/* From now on files made inside belong to the container's root. */
static int become_inner_root(struct bh_error *error)
{
    return setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0
               ? bh_error_errno(error, errno, "become the container's root")
               : 0;
}

static int take_streams(const struct launch *launch, int failure, struct bh_error *error)
{
    if (launch->spec->tty && ioctl(launch->inside[0], TIOCSCTTY, 0) < 0) {
        return bh_error_errno(error, errno, "take the terminal");
    }
    /* Streams never stand at 0-2 or 3 yet: the launcher put them higher. */
    for (int i = 0; i < 3; i++) {
        if (dup2(launch->inside[i], i) < 0) {
            return bh_error_errno(error, errno, "connect standard stream %d", i);
        }
    }
    int last = launch->spec->init ? CONFINE_INIT_FD : CONFINE_FAILURE_FD;
    if (dup3(failure, CONFINE_FAILURE_FD, O_CLOEXEC) < 0 ||
        (launch->spec->init && dup3(launch->executor->monitors.init, CONFINE_INIT_FD, O_CLOEXEC) < 0) ||
        close_range((unsigned int)last + 1, ~0U, 0) < 0) {
        return bh_error_errno(error, errno, "close all other descriptors");
    }
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

static int set_up(struct launch *launch, int go, int failure, struct bh_error *error)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || offer_network(launch, error) < 0 ||
        wait_for_maps(go, error) < 0 || enter_cgroups(launch, error) < 0 || become_inner_root(error) < 0) {
        return error->code == BH_OK ? bh_error_errno(error, errno, "prepare to die with the launcher") : -1;
    }
    (void)umask(022);
    /* A change of ids takes the death signal away: once more. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0) {
        return bh_error_errno(error, errno, "start a session");
    }
    return act_create(launch, error) < 0 || act_attach(launch, error) < 0 ||
                   labels_set(launch->proc, launch->spec->selinux_label, launch->spec->apparmor_profile, error) < 0 ||
                   take_streams(launch, failure, error) < 0
               ? -1
               : 0;
}

static int run(struct launch *launch, int go, int failure, struct bh_error *error)
{
    return set_up(launch, go, failure, error) < 0 ? -1 : confine_and_execute(launch, true, error);
}

_Noreturn void container_init(struct launch *launch, int go, int failure)
{
    struct init_failure report = {0};
    (void)run(launch, go, failure, &report.error);
    /* Before take_streams() the pipe is `failure`, after it CONFINE_FAILURE_FD: one of the two is it, the other is
     * closed or ours. */
    int fd = fcntl(failure, F_GETFD) >= 0 ? failure : CONFINE_FAILURE_FD;
    (void)!write(fd, &report, sizeof(report));
    _exit(1);
}
