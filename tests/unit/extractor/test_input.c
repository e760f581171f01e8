/* SPDX-License-Identifier: Apache-2.0
 *
 * What a job reads from its descriptor, what ends it early, and what a blob is by its first bytes.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "bounds.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "input.h"
#include "probe.h"

static struct bh_error error;

TestSuite(input, .timeout = 30);

static void on_alarm(int number)
{
    (void)number;
}

/* An empty pipe whose writing end stays open. */
static int silent(int *ret_writer)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    *ret_writer = ends[1];
    return ends[0];
}

Test(input, silence_ends_with_the_jobs_time, .timeout = 30)
{
    int writer;
    bh_autoclose int reader = silent(&writer);
    const struct job_end end = {.channel_fd = -1, .stop_fd = -1, .deadline_at_ms = bh_now_ms() + 100};
    bh_autoinput struct input input = {0};
    cr_assert_eq(input_open(reader, &end, &input, &error), 0);
    /* signals do not end it, nor make it longer */
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval often = {.it_interval = {.tv_usec = 5000}, .it_value = {.tv_usec = 5000}}, never = {0};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &often, NULL);
    int result = input_want(&input, 1, &error);
    (void)setitimer(ITIMER_REAL, &never, NULL);
    cr_expect_eq(result, -1);
    cr_expect_eq(error.code, BH_DEADLINE_EXCEEDED, "%s", error.message);
    cr_expect_geq(bh_now_ms(), end.deadline_at_ms);
    char byte;
    size_t got = 1;
    cr_expect_eq(input_read(&input, &byte, 1, &got, &error), -1, "nor is anything read later");
    bh_close(&writer);
}

Test(input, nobody_waits_any_more)
{
    int writer, channel[2];
    bh_autoclose int reader = silent(&writer), stop = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(pipe2(channel, O_CLOEXEC), 0);
    const struct job_end end = {.channel_fd = channel[0], .stop_fd = stop};
    bh_autoinput struct input input = {0};
    cr_assert_eq(input_open(reader, &end, &input, &error), 0);
    cr_assert_eq(eventfd_write(stop, 1), 0);
    cr_expect_eq(input_want(&input, 1, &error), -1);
    cr_expect_eq(error.code, BH_CANCELLED, "%s", error.message);
    eventfd_t word;
    cr_assert_eq(eventfd_read(stop, &word), 0);
    bh_close(&channel[1]);
    cr_expect_eq(input_want(&input, 1, &error), -1);
    cr_expect_eq(error.code, BH_CANCELLED, "the channel's other end is gone: %s", error.message);
    bh_close(&channel[0]);
    bh_close(&writer);
}

Test(input, look_ahead_across_the_buffers_end)
{
    static uint8_t bytes[2 * EXTRACTOR_INPUT_BYTES];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 2654435761u >> 11);
    }
    bh_autoclose int fd = memfd_create("input", MFD_CLOEXEC);
    cr_assert_eq(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    const struct job_end end = {.channel_fd = -1, .stop_fd = -1};
    bh_autoinput struct input input = {0};
    cr_assert_eq(input_open(fd, &end, &input, &error), 0);
    cr_assert_eq(input_want(&input, 1, &error), 0);
    cr_assert_eq(input_available(&input), EXTRACTOR_INPUT_BYTES);
    const size_t at = EXTRACTOR_INPUT_BYTES - 4;
    input_consume(&input, at);
    cr_assert_eq(input_want(&input, 16, &error), 0);
    cr_assert_geq(input_available(&input), 16);
    cr_expect_eq(memcmp(input_bytes(&input), bytes + at, 16), 0);
    cr_expect_eq(input_want(&input, 17, &error), -1, "more than was promised");
    cr_expect_eq(error.code, BH_INTERNAL);
    /* and what is at the end is all there is */
    input_consume(&input, input_available(&input));
    size_t left = sizeof(bytes);
    while (left > 0) {
        cr_assert_eq(input_want(&input, 16, &error), 0);
        left = input_available(&input);
        input_consume(&input, left);
    }
    cr_expect_eq(input.consumed_bytes, sizeof(bytes));
}

Test(input, a_descriptor_that_cannot_be_read)
{
    bh_autoclose int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const struct job_end end = {.channel_fd = -1, .stop_fd = -1};
    bh_autoinput struct input input = {0};
    cr_assert_eq(input_open(fd, &end, &input, &error), 0);
    cr_expect_eq(input_want(&input, 1, &error), -1);
    cr_expect_eq(error.sys_errno, EBADF, "%s", error.message);
}

Test(input, a_blob_that_cannot_be_probed)
{
    Bulkhead__Compression compression = BULKHEAD__COMPRESSION__COMPRESSION_UNSPECIFIED;
    bh_autoclose int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_expect_eq(probe_compression(folder, &compression, &error), -1);
    cr_expect_eq(error.sys_errno, EISDIR, "%s", error.message);
    cr_expect_eq(compression, BULKHEAD__COMPRESSION__COMPRESSION_UNSPECIFIED);
    bh_autoclose int empty = memfd_create("empty", MFD_CLOEXEC);
    cr_expect_eq(probe_compression(empty, &compression, &error), 0, "%s", error.message);
    cr_expect_eq(compression, BULKHEAD__COMPRESSION__COMPRESSION_NONE);
}
