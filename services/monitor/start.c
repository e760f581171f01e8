/* SPDX-License-Identifier: Apache-2.0
 *
 * Locking in and checking what was handed over; see start.h.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/breach.h"
#include "common/cleanup.h"
#include "common/io.h"

/* Rotation renames this many files each time; Docker's users set a handful. */

/* The filter's instructions stand behind the record. */
static int install_filter(const struct bh_monitor_start *start, const uint8_t *bytes, size_t n_bytes,
                          struct bh_error *error)
{
    if (start->filter_count == 0 || start->filter_count > BPF_MAXINSNS ||
        start->journal_bytes > BH_JOURNAL_FIELDS_MAX ||
        n_bytes != sizeof(*start) + start->filter_count * sizeof(struct sock_filter) + start->journal_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the start record announces %u filter instructions in %zu bytes", start->filter_count,
                            n_bytes);
    }
    bh_autofree struct sock_filter *filter = malloc(start->filter_count * sizeof(struct sock_filter));
    if (!filter) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the filter");
    }
    memcpy(filter, bytes + sizeof(*start), start->filter_count * sizeof(struct sock_filter));
#ifdef BH_SANITIZE
    return 0; /* the sanitizers' own runtime needs more than any list of ours allows */
#else
    struct sock_fprog program = {.len = (unsigned short)start->filter_count, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
        return bh_error_errno(error, errno, "install the seccomp filter");
    }
    return 0;
#endif
}

/* Nothing of value may ever land at 0, 1 or 2, where a stray write would reach it: if they are closed, the sealed start
 * memfd, which nobody can write, stands there. */
static void occupy_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)dup3(BH_MONITOR_FD_START, fd, O_CLOEXEC);
        }
    }
}

static int check(const struct bh_monitor_start *start, struct bh_error *error)
{
    bool flags_fit = start->tty <= 1 && start->open_stdin <= 1 && start->stdin_once <= 1 && start->log_compress <= 1;
    bool driver_fits = start->log_driver >= BH_LOG_DRIVER_NONE && start->log_driver <= BH_LOG_DRIVER_JOURNALD;
    if (start->magic != BH_MONITOR_MAGIC || !flags_fit || !driver_fits || start->oom_version > 2 ||
        start->keep_bytes > BH_KEPT_OUTPUT_MAX || start->pid <= 0 || start->attachments > BH_ATTACHMENTS_MAX ||
        start->log_max_files > BH_LOG_FILES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the start record does not make sense");
    }
    int last = BH_MONITOR_FD_ATTACH + 3 * (int)start->attachments - 1;
    for (int fd = BH_MONITOR_FD_START; fd <= last; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
            return bh_error_errno(error, errno, "descriptor %d was not handed over", fd);
        }
    }
    return 0;
}

int monitor_start_take(struct bh_monitor_start *ret_start, char **ret_journal_fields, struct bh_error *error)
{
    sigset_t all;
    (void)sigfillset(&all);
    bh_breach_spare(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);

    /* Another process of this uid (a tenant's monitors share one, with the worker that lists processes) shall see
     * nothing of it. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "become untraceable");
    }
    void *taken = NULL;
    size_t n_bytes = 0;
    if (bh_memfd_read(BH_MONITOR_FD_START,
                      sizeof(*ret_start) + BPF_MAXINSNS * sizeof(struct sock_filter) + BH_JOURNAL_FIELDS_MAX, &taken,
                      &n_bytes, error) < 0) {
        return bh_error_wrap(error, "the start record");
    }
    bh_autofree uint8_t *bytes = taken;
    if (n_bytes < sizeof(*ret_start)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the start record has %zu bytes, not %zu", n_bytes,
                            sizeof(*ret_start));
    }
    memcpy(ret_start, bytes, sizeof(*ret_start));
    if (install_filter(ret_start, bytes, n_bytes, error) < 0) {
        return -1;
    }
    occupy_standard_descriptors();
    (void)umask(027);
    if (check(ret_start, error) < 0) {
        return -1;
    }
    bh_autofree char *fields = malloc(ret_start->journal_bytes + 1);
    if (!fields) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the journal's fields");
    }
    memcpy(fields, bytes + n_bytes - ret_start->journal_bytes, ret_start->journal_bytes);
    *ret_journal_fields = bh_steal_pointer(&fields);
    return 0;
}
