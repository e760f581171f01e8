/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container says reaches its clients unharmed, and what they say reaches it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "engine_monitor.pb-c.h"
#include "stage.h"

#define HUNDRED_MB (100U * 1000U * 1000U)

/* A byte that depends on its place, so that a lost, doubled or moved piece shows. */
static uint8_t pattern(size_t i)
{
    return (uint8_t)((i * 2654435761U) >> 13);
}

static int echo(void *argument)
{
    (void)argument;
    static char buffer[65536];
    for (;;) {
        ssize_t n = read(0, buffer, sizeof(buffer));
        if (n <= 0) {
            return n < 0 ? 9 : 0;
        }
        for (ssize_t done = 0; done < n;) {
            ssize_t written = write(1, buffer + done, (size_t)(n - done));
            if (written < 0) {
                return 8;
            }
            done += written;
        }
    }
}

static void *feed(void *argument)
{
    int fd = *(int *)argument;
    bh_autofree uint8_t *piece = malloc(65536);
    for (size_t done = 0; done < HUNDRED_MB;) {
        size_t n = HUNDRED_MB - done < 65536 ? HUNDRED_MB - done : 65536;
        for (size_t i = 0; i < n; i++) {
            piece[i] = pattern(done + i);
        }
        if (bh_write_all(fd, piece, n, "stdin", NULL) < 0) {
            break;
        }
        done += n;
    }
    close(fd);
    return NULL;
}

Test(monitor_streams, carries_100_mb_both_ways_and_the_half_close, .timeout = 120)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){
                            .container = echo, .attach = true, .start = {.open_stdin = 1, .stdin_once = 1}});
    pthread_t feeder;
    int in = bh_steal_fd(&stage.client_stdin);
    cr_assert_eq(pthread_create(&feeder, NULL, feed, &in), 0);
    bh_autofree uint8_t *piece = malloc(65536);
    size_t got = 0;
    for (;;) {
        ssize_t n = read(stage.client_stdout, piece, 65536);
        cr_assert_geq(n, 0);
        if (n == 0) {
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            cr_assert_eq(piece[i], pattern(got + (size_t)i), "byte %zu", got + (size_t)i);
        }
        got += (size_t)n;
    }
    cr_assert_eq(got, HUNDRED_MB);
    cr_assert_eq(pthread_join(feeder, NULL), 0);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

Test(monitor_streams, keeps_stdin_open_when_it_is_not_once, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = echo, .attach = true, .start = {.open_stdin = 1}});
    char text[16] = {0};
    cr_assert_eq(write(stage.client_stdin, "one", 3), 3);
    cr_assert_eq(read(stage.client_stdout, text, sizeof(text)), 3);
    bh_close(&stage.client_stdin); /* this client has no more to say; the next one has */
    int ends[3];
    stage_attach(stage.channel, ends);
    cr_assert_eq(write(ends[0], "two", 3), 3);
    cr_assert_eq(read(ends[1], text, sizeof(text)), 3);
    cr_assert_eq(memcmp(text, "two", 3), 0);
    cr_assert_eq(read(stage.client_stdout, text, sizeof(text)), 3, "the first client reads on");
    kill(stage.container, SIGKILL);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 137);
    close(ends[0]);
    close(ends[1]);
    close(ends[2]);
    stage_end(&stage);
}

/* Says more than any pipe on the way holds, and then "done" on the other stream. */
static int says_a_lot(void *argument)
{
    (void)argument;
    static char buffer[65536];
    memset(buffer, 'x', sizeof(buffer));
    for (int i = 0; i < 64; i++) {
        if (write(1, buffer, sizeof(buffer)) != (ssize_t)sizeof(buffer)) {
            return 7;
        }
    }
    return write(2, "done", 4) == 4 ? 0 : 6;
}

Test(monitor_streams, a_slow_client_holds_the_container_back_and_a_dead_one_does_not, .timeout = 60)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){
                            .container = says_a_lot, .attach = true, .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    struct pollfd wait = {.fd = stage.client_stderr, .events = POLLIN};
    char byte;
    cr_assert_eq(read(stage.client_stdout, &byte, 1), 1);
    cr_assert_eq(poll(&wait, 1, 300), 0, "the container went on although its client does not read");
    bh_close(&stage.client_stdout);
    cr_assert_eq(poll(&wait, 1, 20000), 1, "the dead client is still waited for");
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    size_t n = 0;
    free(stage_read(&stage, "container.log", &n));
    cr_assert_gt(n, 64 * 65536, "the log has it all");
    stage_end(&stage);
}

static int says_64k(void *argument)
{
    (void)argument;
    static char buffer[65536];
    memset(buffer, 'y', sizeof(buffer));
    for (int i = 0; i < 3; i++) { /* the client's pipe, the monitor, the container's own pipe: then it can end */
        if (write(1, buffer, sizeof(buffer)) != (ssize_t)sizeof(buffer)) {
            return 7;
        }
    }
    return 3;
}

Test(monitor_streams, a_stuck_client_does_not_hold_back_the_exit_and_still_gets_the_rest, .timeout = 60)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){
                            .container = says_64k, .attach = true, .start = {.log_driver = BH_LOG_DRIVER_JSON_FILE}});
    cr_assert_eq(stage_wait_exit(&stage, NULL), 3);
    struct bh_exit_record record;
    cr_assert(stage_record(&stage, &record));
    cr_assert_eq(record.exit_code, 3);
    static char buffer[65536];
    size_t got = 0;
    for (ssize_t n; (n = read(stage.client_stdout, buffer, sizeof(buffer))) > 0;) {
        got += (size_t)n;
    }
    cr_assert_eq(got, 3 * 65536);
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

static int prints_its_terminal_size_when_it_changes(void *argument)
{
    (void)argument;
    struct winsize size = {0};
    char byte;
    if (write(1, "ready", 5) != 5 || read(0, &byte, 1) != 1 || ioctl(0, TIOCGWINSZ, &size) < 0) {
        return 1;
    }
    return size.ws_row == 33 && size.ws_col == 99 ? 0 : 2;
}

static int resize(struct stage *stage, uint32_t rows, uint32_t columns, struct bh_error *error)
{
    Bulkhead__ResizeTerminal wanted = BULKHEAD__RESIZE_TERMINAL__INIT;
    wanted.rows = rows;
    wanted.columns = columns;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_RESIZE_TERMINAL;
    packet.resize_terminal = &wanted;
    bh_automessage struct bh_message *answer = NULL;
    return bh_call(stage->channel, &packet.base, NULL, 0, 10000, BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE, &answer,
                   error);
}

Test(monitor_streams, terminal_resizes_and_carries_both_ways, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = prints_its_terminal_size_when_it_changes,
                                                .attach = true,
                                                .start = {.tty = 1, .open_stdin = 1}});
    char text[64];
    cr_assert_eq(read(stage.client_stdout, text, sizeof(text)), 5);
    struct bh_error error = {0};
    cr_assert_eq(resize(&stage, 33, 99, &error), 0, "%s", error.message);
    cr_assert_eq(resize(&stage, 70000, 1, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    cr_assert_eq(write(stage.client_stdin, "\n", 1), 1);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    while (read(stage.client_stdout, text, sizeof(text)) > 0) {
    }
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

/* All that it says is output; who listens to the errors alone hears nothing, until it ends. */
Test(monitor_streams, a_terminals_errors_are_silent_and_last_as_long, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = prints_its_terminal_size_when_it_changes,
                                                .attach = true,
                                                .start = {.tty = 1, .open_stdin = 1}});
    char text[64];
    struct pollfd errors = {.fd = stage.client_stderr, .events = POLLIN};
    cr_assert_eq(read(stage.client_stdout, text, sizeof(text)), 5);
    cr_expect_eq(poll(&errors, 1, 200), 0, "it ended before the terminal did");
    struct bh_error error = {0};
    cr_assert_eq(resize(&stage, 33, 99, &error), 0, "%s", error.message);
    cr_assert_eq(write(stage.client_stdin, "\n", 1), 1);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 0);
    cr_expect_eq(poll(&errors, 1, 5000), 1);
    cr_expect_eq(read(stage.client_stderr, text, sizeof(text)), 0);
    while (read(stage.client_stdout, text, sizeof(text)) > 0) {
    }
    cr_assert_eq(stage_join(&stage), 0);
    stage_end(&stage);
}

Test(monitor_streams, resize_without_a_terminal_changes_nothing, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &(struct stage_options){.container = echo, .start = {.open_stdin = 1}});
    struct bh_error error = {0};
    cr_expect_eq(resize(&stage, 1, 1, &error), 0, "%s", error.message);
    cr_expect_eq(resize(&stage, 70000, 1, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    stage_end(&stage);
}
