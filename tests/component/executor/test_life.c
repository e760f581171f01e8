/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's life: signals, freezing, logs, many at once, an executor that dies in between, removal.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "stage.h"

TestSuite(life, .init = stage_open, .fini = stage_close, .timeout = 180);

static char output[65536];
static struct bh_error error;

static void start_waiting(struct container *container)
{
    container_init(container, "echo ready; cat; exit 3");
    container->process.open_stdin = true;
    container->process.stdin_once = true;
    cr_assert_eq(container_start(container), 0, "%s", container->error.message);
    cr_assert_eq(read(container->output, output, 6), 6);
}

Test(life, signals)
{
    struct container container;
    start_waiting(&container);
    cr_expect_eq(ask_signal(&container, 0, &error), -1);
    cr_expect_eq(ask_signal(&container, 999, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    cr_expect_eq(ask_signal(&container, SIGKILL, &error), 0, "%s", error.message);
    cr_expect_eq(container_wait(&container), 137);
    cr_expect_eq(ask_signal(&container, SIGKILL, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION, "%s", error.message);
    container_remove(&container);
    cr_expect_eq(ask_signal(&container, SIGKILL, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "%s", error.message);
}

Test(life, another_tenants_container)
{
    struct container container;
    start_waiting(&container);
    container.spec.tenant_uid = 7;
    int fd = -1;
    cr_expect_eq(ask_signal(&container, SIGKILL, &error), -1);
    cr_expect(error.code == BH_NOT_FOUND || error.code == BH_PERMISSION_DENIED, "%s", error.message);
    cr_expect_eq(ask_monitor(&container, &fd, &error), -1);
    cr_expect_eq(ask_log(&container, &fd, &error), -1);
    cr_expect_eq(ask_remove(&container, &error), -1);
    container.spec.tenant_uid = 0;
    bh_close(&container.standard_input);
    cr_expect_eq(container_wait(&container), 3);
    container_remove(&container);
}

Test(life, a_running_container_is_neither_started_nor_removed)
{
    struct container container;
    start_waiting(&container);
    cr_expect_eq(ask_remove(&container, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION, "%s", error.message);
    struct container again = container;
    cr_expect_eq(container_start(&again), -1);
    cr_expect_eq(again.error.code, BH_FAILED_PRECONDITION, "%s", again.error.message);
    bh_close(&container.standard_input);
    cr_expect_eq(container_wait(&container), 3);
    container_remove(&container);
}

Test(life, the_log)
{
    struct container container;
    char log[4096] = "";
    int fd = -1;
    container_init(&container, "echo one; echo two >&2");
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_expect_eq(container_wait(&container), 0);
    cr_assert_eq(ask_log(&container, &fd, &error), 0, "%s", error.message);
    cr_expect_gt(read(fd, log, sizeof(log) - 1), 0);
    cr_expect(strstr(log, "\"log\":\"one\\n\"") && strstr(log, "\"log\":\"two\\n\""), "%s", log);
    cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    bh_close(&fd);
    container_remove(&container);
    cr_expect_eq(ask_log(&container, &fd, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND);
}

Test(life, freezing)
{
    struct container container;
    start_waiting(&container);
    cr_assert_eq(ask_freeze(&container, true, &error), 0, "%s", error.message);
    cr_assert_eq(write(container.standard_input, "x", 1), 1);
    struct pollfd silent = {.fd = container.output, .events = POLLIN};
    cr_expect_eq(poll(&silent, 1, 50), 0, "a frozen container answered");
    cr_assert_eq(ask_freeze(&container, false, &error), 0, "%s", error.message);
    cr_expect_eq(poll(&silent, 1, 5000), 1, "a thawed container did not answer");
    cr_assert_eq(ask_freeze(&container, true, &error), 0);
    cr_assert_eq(ask_signal(&container, SIGKILL, &error), 0, "%s", error.message);
    cr_expect_eq(container_wait(&container), 137, "a frozen container was not killed");
    container_remove(&container);
}

Test(life, limits_change)
{
    struct container container;
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    start_waiting(&container);
    resources.memory_bytes = 128 << 20;
    resources.pids_max = 33;
    cr_expect_eq(ask_update(&container, &resources, &error), 0, "%s", error.message);
    resources.memory_bytes = 64 << 20;
    resources.memory_swap_bytes = 64 << 20;
    cr_expect_eq(ask_update(&container, &resources, &error), 0, "%s", error.message);
    resources.memory_bytes = 256 << 20;
    resources.memory_swap_bytes = 256 << 20;
    cr_expect_eq(ask_update(&container, &resources, &error), 0, "raising both: %s", error.message);
    resources.pids_max = 99999999;
    cr_expect_eq(ask_update(&container, &resources, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    bh_close(&container.standard_input);
    cr_expect_eq(container_wait(&container), 3);
    container_remove(&container);
}

/* Promise 5: containers outlive the executor, and are adopted with their exit codes. */
Test(life, an_executor_that_is_killed)
{
    struct container runs, ends;
    Bulkhead__ContainerFound found;
    bool running = false;
    int fd = -1;
    start_waiting(&runs);
    start_waiting(&ends);
    stage_restart();
    cr_expect_eq(ask_list(&runs, &running), 2);
    cr_expect(running, "the container did not survive");
    cr_expect_eq(ask_monitor(&runs, &fd, &error), 0, "%s", error.message);
    bh_close(&fd);
    bh_close(&ends.standard_input);
    cr_expect_eq(container_wait(&ends), 3);
    stage_restart();
    cr_assert_eq(ask_inspect(&ends, &found, &error), 0, "%s", error.message);
    cr_expect(!found.running && found.has_exit && found.exit_code == 3 && found.finished_at_ns > found.started_at_ns);
    cr_assert_eq(ask_inspect(&runs, &found, &error), 0);
    cr_expect(found.running && found.pid == runs.pid && !found.has_exit);
    cr_assert_eq(ask_signal(&runs, SIGKILL, &error), 0, "%s", error.message);
    cr_expect_eq(container_wait(&runs), 137);
    container_remove(&runs);
    container_remove(&ends);
}

Test(life, a_start_that_fails_leaves_nothing_running)
{
    struct container container;
    Bulkhead__ContainerFound found;
    container_init(&container, "");
    container.args[0] = "/nowhere";
    container.process.n_args = 1;
    cr_expect_eq(container_start(&container), -1);
    if (ask_inspect(&container, &found, &error) == 0) {
        cr_expect_not(found.running);
    }
    cr_expect_eq(ask_remove(&container, &error), 0, "%s", error.message);
    cr_expect_eq(ask_list(&container, NULL), 0);
}

Test(life, twenty_at_once)
{
    enum { MANY = 20 };
    static struct container containers[MANY];
    struct bh_call *calls[MANY];
    for (int i = 0; i < MANY; i++) {
        container_init(&containers[i], "exit 4");
        Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
        start.spec = &containers[i].spec;
        Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER;
        packet.start_container = &start;
        cr_assert_eq(bh_call_start(stage.channels[BH_ROLE_POLICYD], &packet.base, NULL, 0, 30000, &calls[i], &error),
                     0);
    }
    for (int i = 0; i < MANY; i++) {
        bh_automessage struct bh_message *answer = NULL;
        cr_expect_eq(bh_call_next(calls[i], &answer, &error), 0, "container %d: %s", i, error.message);
        bh_call_free(calls[i]);
    }
    for (int i = 0; i < MANY; i++) {
        Bulkhead__ContainerFound found = {0};
        uint64_t until = bh_now_ms() + 10000;
        while (ask_inspect(&containers[i], &found, &error) == 0 && !found.has_exit && bh_now_ms() < until) {
            (void)poll(NULL, 0, 2);
        }
        cr_expect(found.has_exit && found.exit_code == 4, "container %d", i);
        cr_expect_eq(ask_remove(&containers[i], &error), 0, "%s", error.message);
    }
    cr_expect_eq(ask_list(&containers[0], NULL), 0);
}

Test(life, absent_containers_are_removed_without_complaint)
{
    struct container container;
    container_init(&container, "true");
    cr_expect_eq(ask_remove(&container, &error), 0, "%s", error.message);
    cr_expect_eq(ask_remove(&container, &error), 0, "%s", error.message);
}

Test(life, attachments_come_in_threes)
{
    struct container container;
    container_init(&container, "true");
    Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
    start.spec = &container.spec;
    start.attachments = 2;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER;
    packet.start_container = &start;
    bh_automessage struct bh_message *answer = NULL;
    bh_autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int fds[] = {null, null, null};
    cr_expect_eq(bh_call(stage.channels[BH_ROLE_POLICYD], &packet.base, fds, 3, 5000,
                         BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED, &answer, &error),
                 -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s", error.message);
}
