/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 1: whoever reads untrusted bytes can do nothing else. Each attempt is first shown to work without a sandbox,
 * then to be refused inside every table.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "common/cleanup.h"
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
}

static void tidy(void)
{
    (void)kill(targets.victim, SIGKILL);
    (void)waitpid(targets.victim, NULL, 0);
    bh_close(&targets.victim_proc);
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
                folders[folder] = state_folder;
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
                           (attempts[i].needs_fork && has_group(*table, BH_SYS_FORK_WORKER));
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

Test(sandbox, nobody_but_the_executor_declares_a_capability_or_the_host_root)
{
    for (const struct bh_sandbox *const *table = tables; *table; table++) {
        cr_expect_eq((*table)->capabilities, 0u, "%s", bh_role_name((*table)->role));
        cr_expect_not((*table)->keep_root_uid);
        cr_expect_neq((*table)->root, BH_ROOT_HOST);
        cr_expect_neq((*table)->syscalls[0], BH_SYS_END, "%s has no filter", bh_role_name((*table)->role));
        cr_expect_gt((*table)->limits.memory_bytes, 0u);
        cr_expect_gt((*table)->limits.descriptors, 0u);
        bool own_network = ((*table)->unshare & CLONE_NEWNET) != 0;
        cr_expect_eq(own_network, (*table)->role != BH_ROLE_DIALER, "%s", bh_role_name((*table)->role));
    }
}
