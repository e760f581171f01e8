/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of workers: one job each, ended by the end of their channel, and nothing a peer sends harms the parent.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "job.h"

static struct extractor extractor;

static void start(void)
{
    extractor_start(&extractor);
}

static void stop(void)
{
    extractor_stop(&extractor);
}

TestSuite(extractor_jobs, .init = start, .fini = stop, .timeout = 60);

static enum bh_code ask(struct bh_channel *channel, Bulkhead__EngineToExtractor__BodyCase kind, void *body,
                        const int *fds, size_t n_fds)
{
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = kind;
    packet.spawn = body;
    bh_automessage struct bh_message *message = NULL;
    struct bh_call *call;
    cr_assert_eq(bh_call_start(channel, &packet.base, fds, n_fds, 0, &call, &extractor.error), 0);
    enum bh_code code = bh_call_next(call, &message, &extractor.error) < 0 ? extractor.error.code : BH_OK;
    bh_call_free(call);
    return code;
}

Test(extractor_jobs, a_worker_takes_one_job)
{
    struct bh_channel *job = extractor_spawn(&extractor, NULL);
    bh_autoclose int fd = file_of("{}", 2);
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    cr_assert_eq(ask(job, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1), BH_INVALID_ARGUMENT);
    cr_assert_eq(ask(job, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1), BH_FAILED_PRECONDITION);
    bh_channel_free(job);
}

static Bulkhead__Compression probed(struct bh_channel *job, const void *bytes, size_t n_bytes)
{
    bh_autoclose int fd = file_of(bytes, n_bytes);
    Bulkhead__ProbeBlob body = BULKHEAD__PROBE_BLOB__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    bh_automessage struct bh_message *message = NULL;
    struct bh_call *call;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PROBE_BLOB;
    packet.probe_blob = &body;
    cr_assert_eq(bh_call_start(job, &packet.base, &fd, 1, 0, &call, &extractor.error), 0);
    cr_assert_eq(bh_call_next(call, &message, &extractor.error), 0, "%s", extractor.error.message);
    bh_call_free(call);
    return ((const Bulkhead__BlobProbed *)bh_message_body(message))->compression;
}

Test(extractor_jobs, a_prober_answers_again_and_again_and_does_nothing_else)
{
    struct bh_channel *job = extractor_spawn(&extractor, NULL);
    bh_autoclose int fd = file_of("{}", 2);
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    cr_assert_eq(probed(job, "\x1f\x8b\x08", 3), BULKHEAD__COMPRESSION__COMPRESSION_GZIP);
    cr_assert_eq(probed(job, "\x28\xb5\x2f\xfd", 4), BULKHEAD__COMPRESSION__COMPRESSION_ZSTD);
    cr_assert_eq(probed(job,
                        "\xfd"
                        "7zXZ\0",
                        6),
                 BULKHEAD__COMPRESSION__COMPRESSION_XZ);
    cr_assert_eq(probed(job, "BZh91A", 6), BULKHEAD__COMPRESSION__COMPRESSION_BZIP2);
    cr_assert_eq(probed(job, "tar", 3), BULKHEAD__COMPRESSION__COMPRESSION_NONE);
    cr_assert_eq(probed(job, "", 0), BULKHEAD__COMPRESSION__COMPRESSION_NONE);
    cr_assert_eq(ask(job, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1), BH_FAILED_PRECONDITION);
    bh_channel_free(job);
}

Test(extractor_jobs, the_parent_takes_no_job)
{
    bh_autoclose int fd = file_of("{}", 2);
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    cr_assert_neq(ask(extractor.channel, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1), BH_OK);
}

Test(extractor_jobs, a_worker_without_its_descriptors_says_so)
{
    struct bh_channel *job = extractor_spawn(&extractor, NULL);
    Bulkhead__ExtractLayer body = BULKHEAD__EXTRACT_LAYER__INIT;
    cr_assert_neq(ask(job, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER, &body, NULL, 0), BH_OK);
    bh_channel_free(job);
}

/* Waits until a process that is not our child is gone. */
static bool ends(pid_t pid)
{
    bh_autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd watched = {.fd = pidfd, .events = POLLIN};
    return (pidfd < 0 && errno == ESRCH) || poll(&watched, 1, 20000) == 1;
}

Test(extractor_jobs, closing_the_channel_ends_a_worker_that_waits_for_input)
{
    pid_t pid;
    int pipe_ends[2];
    struct bh_channel *job = extractor_spawn(&extractor, &pid);
    cr_assert_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
    bh_autoclose int image = file_of("", 0);
    const int fds[] = {pipe_ends[0], image};
    Bulkhead__ExtractLayer body = BULKHEAD__EXTRACT_LAYER__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER;
    packet.extract_layer = &body;
    struct bh_call *call;
    cr_assert_eq(bh_call_start(job, &packet.base, fds, 2, 0, &call, &extractor.error), 0);
    cr_assert_eq(write(pipe_ends[1], "some bytes that are no archive yet", 10), 10);
    bh_call_free(call);
    bh_channel_free(job);
    cr_assert(ends(pid));
    bh_close(&pipe_ends[0]);
    bh_close(&pipe_ends[1]);
}

Test(extractor_jobs, killing_a_worker_fails_its_job_alone)
{
    pid_t pid;
    struct bh_channel *job = extractor_spawn(&extractor, &pid);
    struct bh_channel *other = extractor_spawn(&extractor, NULL);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    bh_autoclose int fd = file_of("{}", 2);
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG;
    packet.parse_config = &body;
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_call(job, &packet.base, &fd, 1, 0, 0, &message, &extractor.error), -1);
    cr_assert_eq(extractor.error.code, BH_UNAVAILABLE);
    cr_assert_eq(ask(other, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG, &body, &fd, 1), BH_INVALID_ARGUMENT);
    bh_channel_free(job);
    bh_channel_free(other);
}

Test(extractor_jobs, a_pipe_that_nobody_reads_any_more_ends_a_decompression)
{
    int pipe_ends[2];
    struct bh_channel *job = extractor_spawn(&extractor, NULL);
    cr_assert_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
    char bytes[100000] = "plain";
    bh_autoclose int source = file_of(bytes, sizeof(bytes));
    const int fds[] = {source, pipe_ends[1]};
    bh_close(&pipe_ends[0]);
    Bulkhead__Decompress body = BULKHEAD__DECOMPRESS__INIT;
    body.max_bytes = 1 << 20;
    enum bh_code code = ask(job, BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_DECOMPRESS, &body, fds, 2);
    cr_assert(code != BH_OK, "%d", code);
    bh_close(&pipe_ends[1]);
    bh_channel_free(job);
}
