/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 1: whoever reads untrusted bytes can do nothing else. Each attempt is first shown to work without a sandbox,
 * then to be refused inside every table.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "common/cleanup.h"
#include "services/netd/sandbox.h"
#include "tables.h"

#define TEST_UID     0x6fee0f00U
#define ATTEMPTS_MAX 64

struct outcome {
    int entered; /* 1 once the sandbox was in force */
    int results[ATTEMPTS_MAX];
    char failure[512];
};

static struct targets targets;
static int state_folder = -1;

static void prepare(void)
{
    (void)snprintf(targets.file, sizeof(targets.file), "/var/tmp/bh-sandbox-XXXXXX");
    int fd = mkstemp(targets.file);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    (void)snprintf(targets.folder, sizeof(targets.folder), "/var/tmp/bh-folder-XXXXXX");
    cr_assert_not_null(mkdtemp(targets.folder));
    state_folder = open(targets.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    targets.victim = fork();
    if (targets.victim == 0) {
        (void)!setresuid(TEST_UID + 1, TEST_UID + 1, TEST_UID + 1);
        for (;;) {
            (void)pause();
        }
    }
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)targets.victim);
    targets.victim_proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(targets.victim_proc, 0);
    targets.victim_net = openat(targets.victim_proc, "ns/net", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(targets.victim_net, 0);
}

static void tidy(void)
{
    (void)kill(targets.victim, SIGKILL);
    (void)waitpid(targets.victim, NULL, 0);
    bh_close(&targets.victim_proc);
    bh_close(&targets.victim_net);
    bh_close(&state_folder);
    (void)unlink(targets.file);
    (void)rmdir(targets.folder);
}

/* Makes every attempt in a child of its own, inside `sandbox` or, for NULL, as root with a mount namespace to play in.
 */
static void attempt_all(const struct bh_sandbox *sandbox, struct outcome *outcome)
{
    for (size_t i = 0; attempts[i].name; i++) {
        cr_assert_lt(i, (size_t)ATTEMPTS_MAX);
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0) {
            int folders[BH_FOLDER_COUNT];
            for (int folder = 0; folder < BH_FOLDER_COUNT; folder++) {
                folders[folder] = fcntl(state_folder, F_DUPFD_CLOEXEC, 3); /* each is replaced */
            }
            const struct bh_sandbox_context context = {.uid = TEST_UID, .gid = TEST_UID, .folders = folders};
            struct bh_error error;
            if (sandbox && bh_sandbox_enter(sandbox, &context, &error) < 0) {
                (void)bh_error_format(&error, outcome->failure, sizeof(outcome->failure));
                _exit(2);
            }
            if (!sandbox && (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0)) {
                _exit(2);
            }
            outcome->entered = 1;
            outcome->results[i] = attempts[i].try(&targets);
            _exit(0);
        }
        (void)waitpid(pid, NULL, 0);
    }
}

static struct outcome *shared_outcome(void)
{
    struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(outcome, MAP_FAILED);
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        outcome->results[i] = -1; /* not even tried */
    }
    return outcome;
}

TestSuite(sandbox, .init = prepare, .fini = tidy, .timeout = 60);

Test(sandbox, everything_works_without_one)
{
    struct outcome *outcome = shared_outcome();
    attempt_all(NULL, outcome);
    for (size_t i = 0; attempts[i].name; i++) {
        cr_expect_eq(outcome->results[i], 0,
                     "%s: errno %d without a sandbox, so its refusal inside would prove nothing", attempts[i].name,
                     outcome->results[i]);
    }
}

static bool has_group(const struct bh_sandbox *sandbox, enum bh_syscalls group)
{
    for (size_t i = 0; sandbox->syscalls[i] != BH_SYS_END; i++) {
        if (sandbox->syscalls[i] == group) {
            return true;
        }
    }
    return false;
}

Test(sandbox, nothing_works_inside_any_of_them)
{
    for (const struct bh_sandbox *const *table = tables; *table; table++) {
        struct outcome *outcome = shared_outcome();
        attempt_all(*table, outcome);
        cr_assert_eq(outcome->entered, 1, "%s: %s", bh_role_name((*table)->role), outcome->failure);
        for (size_t i = 0; attempts[i].name; i++) {
            bool allowed = (attempts[i].needs_network && has_group(*table, BH_SYS_NETWORK)) ||
                           (attempts[i].needs_fork && has_group(*table, BH_SYS_FORK_WORKER)) ||
                           (attempts[i].needs_netlink && has_group(*table, BH_SYS_NETLINK));
            if (allowed) {
                cr_expect_eq(outcome->results[i], 0, "%s cannot %s, which its table allows",
                             bh_role_name((*table)->role), attempts[i].name);
            } else {
                cr_expect_gt(outcome->results[i], 0, "%s can %s (result %d)", bh_role_name((*table)->role),
                             attempts[i].name, outcome->results[i]);
            }
        }
        (void)munmap(outcome, sizeof(*outcome));
    }
}

Test(sandbox, nobody_but_the_executor_and_netd_declares_a_capability_or_the_host_root)
{
    for (const struct bh_sandbox *const *table = tables; *table; table++) {
        uint64_t capabilities =
            (*table)->role == BH_ROLE_NETD ? 1ULL << CAP_NET_ADMIN | 1ULL << CAP_NET_BIND_SERVICE : 0;
        cr_expect_eq((*table)->capabilities, capabilities, "%s", bh_role_name((*table)->role));
        cr_expect_not((*table)->keep_root_uid);
        cr_expect_neq((*table)->root, BH_ROOT_HOST);
        cr_expect_neq((*table)->syscalls[0], BH_SYS_END, "%s has no filter", bh_role_name((*table)->role));
        cr_expect_gt((*table)->limits.memory_bytes, 0u);
        cr_expect_gt((*table)->limits.descriptors, 0u);
        bool own_network = ((*table)->unshare & CLONE_NEWNET) != 0;
        cr_expect_eq(own_network, (*table)->role != BH_ROLE_DIALER && (*table)->role != BH_ROLE_NETD, "%s",
                     bh_role_name((*table)->role));
        for (const struct bh_view *view = (*table)->views; view->inside; view++) {
            cr_expect(!view->writable || (*table)->role == BH_ROLE_NETD, "%s may write to %s",
                      bh_role_name((*table)->role), view->inside);
        }
    }
}

/* ---- netd's two capabilities, and its workers, who have none ------------------------------------------------- */

struct attributes {
    int entered, alias, port, write_net, write_other;
    char capabilities[5][20];
};

static int set_an_alias(void)
{
    static const char alias[] = "bulkhead test";
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        char alias[16];
    } request = {
        .header = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_SETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_index = 1},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(request.alias)), .rta_type = IFLA_IFALIAS}};
    memcpy(request.alias, alias, sizeof(alias));
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    bh_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0) {
        return errno;
    }
    return -answer.error.error;
}

static int bind_a_low_port(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7)};
    bh_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static int write_switch(const char *path)
{
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, "1", 1) != 1 ? errno : 0;
}

/* Runs inside netd's sandbox, and then in that of its worker if `worker`. `status` was opened before: no root holds it.
 */
static void look_around(bool worker, struct attributes *attributes)
{
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
    const struct bh_sandbox_context context = {.uid = TEST_UID, .gid = TEST_UID};
    struct bh_error error;
    bh_autofclose FILE *status = fopen("/proc/self/status", "re");
    if (unshare(CLONE_NEWNET) < 0 || !status || bh_sandbox_enter(&netd_sandbox, &context, &error) < 0 ||
        (worker && bh_sandbox_enter_worker(&netd_dns_sandbox, &error) < 0)) {
        _exit(2);
    }
    attributes->entered = 1;
    attributes->alias = set_an_alias();
    attributes->port = bind_a_low_port();
    attributes->write_net = write_switch("/proc/sys/net/ipv4/ip_forward");
    attributes->write_other = write_switch("/proc/sys/kernel/randomize_va_space");
    char line[256];
    while (fgets(line, sizeof(line), status)) {
        for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
            if (strncmp(line, sets[i], strlen(sets[i])) == 0) {
                (void)sscanf(line + strlen(sets[i]), "%19s", attributes->capabilities[i]);
            }
        }
    }
    _exit(0);
}

static struct attributes *attributes_of(bool worker)
{
    struct attributes *attributes =
        mmap(NULL, sizeof(*attributes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(attributes, MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        look_around(worker, attributes);
    }
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(attributes->entered, 1);
    return attributes;
}

Test(sandbox, netd_changes_links_and_binds_low_ports_and_writes_no_other_switch)
{
    const struct attributes *netd = attributes_of(false);
    cr_expect_eq(netd->alias, 0);
    cr_expect_eq(netd->port, 0);
    cr_expect_eq(netd->write_net, 0);
    cr_expect_eq(netd->write_other, ENOENT);
    static const char *const sets[] = {"0000000000000000", "0000000000001400", "0000000000001400", "0000000000001400",
                                       "0000000000000000"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        cr_expect_str_eq(netd->capabilities[i], sets[i]);
    }
}

Test(sandbox, a_worker_of_netds_has_no_capability_left)
{
    const struct attributes *worker = attributes_of(true);
    cr_expect_eq(worker->alias, EPERM);
    cr_expect_eq(worker->port, EACCES);
    cr_expect_neq(worker->write_net, 0);
    cr_expect_eq(worker->write_other, ENOENT);
    static const char *const sets[] = {"0000000000000000", "0000000000000000", "0000000000000000", "0000000000001400",
                                       "0000000000000000"};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        cr_expect_str_eq(worker->capabilities[i], sets[i]);
    }
}
