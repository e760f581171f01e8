/* SPDX-License-Identifier: Apache-2.0
 *
 * Exit codes, the record, out-of-memory, signals aimed at the monitor, and processes that hold streams open.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "stage.h"

static int exits_with(void *argument)
{
    return *(int *)argument;
}

Test(monitor_exit, exit_code_is_told_and_recorded, .timeout = 30)
{
    int code = 37;
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = exits_with,
                                                .argument = &code,
                                                .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    bool oom = true;
    cr_assert_eq(stage_wait_exit(&stage, &oom), 37);
    cr_assert_not(oom);
    struct bh_exit_record record;
    cr_assert(stage_record(&stage, &record));
    cr_assert_eq(record.magic, BH_MONITOR_MAGIC);
    cr_assert_eq(record.exit_code, 37);
    cr_assert_eq(record.oom_killed, 0);
    cr_assert_eq(record.container_id[31], 0xab);
    cr_assert_lt(bh_wall_ns() - record.finished_at_ns, 30000000000LL);
    cr_assert_eq(faccessat(stage.logs, "exit.new", F_OK, 0), -1);
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

static int sleeps(void *argument)
{
    (void)argument;
    for (;;) {
        pause();
    }
    return 0;
}

Test(monitor_exit, a_signal_is_128_and_more_and_oom_is_noticed, .timeout = 30)
{
    bh_autoclose int events = memfd_create("memory.events", MFD_CLOEXEC);
    cr_assert_gt(write(events, "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\noom_group_kill 0\n", 52), 0);
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = sleeps, .oom_fd = events, .start = {.oom_version = 2}});
    kill(stage.container, SIGKILL);
    bool oom = false;
    cr_assert_eq(stage_wait_exit(&stage, &oom), 137);
    cr_assert(oom);
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

Test(monitor_exit, oom_by_eventfd, .timeout = 30)
{
    bh_autoclose int events = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = sleeps, .oom_fd = events, .start = {.oom_version = 1}});
    kill(stage.container, SIGTERM);
    bool oom = false;
    cr_assert_eq(stage_wait_exit(&stage, &oom), 143);
    cr_assert(oom);
    stage_end(&stage);
}

Test(monitor_exit, nobody_watching_leaves_the_record_and_goes, .timeout = 30)
{
    int code = 5;
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = exits_with, .argument = &code});
    bh_channel_free(bh_steal_pointer(&stage.channel)); /* the engine died */
    cr_assert_eq(stage_join(&stage), 0);
    struct bh_exit_record record;
    cr_assert(stage_record(&stage, &record));
    cr_assert_eq(record.exit_code, 5);
    stage_end(&stage);
}

Test(monitor_exit, ignores_signals, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = sleeps});
    /* An answer shows that it has come as far as its loop. */
    bh_channel_free(stage_connect(&stage));
    const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD, SIGALRM, SIGQUIT};
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)stage.monitor);
    for (bool blocked = false; !blocked;) {
        bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        bh_autofree char *text = NULL;
        size_t n = 0;
        struct bh_error error = {0};
        cr_assert_eq(bh_read_file(fd, 65536, &text, &n, path, &error), 0);
        blocked = strstr(text, "SigBlk:\tfffffff") != NULL && strstr(text, "Name:\tbulkhead") != NULL;
    }
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        cr_assert_eq(kill(stage.monitor, signals[i]), 0);
    }
    kill(stage.container, SIGKILL);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 137);
    stage_end(&stage);
}

static int leaves_a_grandchild(void *argument)
{
    (void)argument;
    if (fork() == 0) {
        (void)prctl(PR_SET_PDEATHSIG, 0);
        (void)alarm(20); /* not left behind */
        for (;;) {
            pause();
        }
    }
    return 4;
}

Test(monitor_exit, a_process_that_holds_the_streams_open_delays_the_exit_only_a_little, .timeout = 15)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = leaves_a_grandchild,
                                                .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    cr_assert_eq(stage_wait_exit(&stage, NULL), 4);
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

#ifndef BH_SANITIZE
/* The price of a container: what an idle monitor has to itself. */
Test(monitor_exit, an_idle_monitor_is_small, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = sleeps, .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    bh_channel_free(stage_connect(&stage));
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)stage.monitor);
    unsigned long dirty = ~0UL;
    for (int i = 0; i < 50 && dirty > 300; i++) { /* it gives memory back after a quiet second */
        (void)usleep(100000);
        bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        bh_autofree char *text = NULL;
        size_t n = 0;
        struct bh_error error = {0};
        cr_assert_eq(bh_read_file(fd, 65536, &text, &n, path, &error), 0);
        const char *line = strstr(text, "Private_Dirty:");
        cr_assert(line);
        cr_assert_eq(sscanf(line, "Private_Dirty: %lu kB", &dirty), 1);
    }
    cr_log_info("private and dirty: %lu KiB", dirty);
    cr_assert_leq(dirty, 300);
    stage_end(&stage);
}
#endif
