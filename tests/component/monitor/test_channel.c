/* SPDX-License-Identifier: Apache-2.0
 *
 * Peers that break the rules, never read, or are simply many: the container and its exit code do not suffer.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/message.h"
#include "engine_monitor.pb-c.h"
#include "stage.h"

static int talks_until_killed(void *argument)
{
    (void)argument;
    char byte;
    while (read(0, &byte, 1) == 1) {
        (void)!write(1, "tick\n", 5);
    }
    return 11;
}

static const struct stage_options talking = {
    .container = talks_until_killed,
    .attach = true,
    .start = {.open_stdin = 1, .stdin_once = 1, .log_driver = BH_LOG_DRIVER_JSON_FILE}};

static void send_request(struct bh_channel *channel, Bulkhead__EngineToMonitor *packet, uint64_t id)
{
    struct bh_message_header header = {.id = id};
    bh_autofree uint8_t *bytes = NULL;
    size_t n = 0;
    int memfd = -1;
    struct bh_error error = {0};
    cr_assert_eq(
        bh_message_encode(&bulkhead__engine_to_monitor__descriptor, &packet->base, &header, &bytes, &n, &memfd, &error),
        0);
    cr_assert_eq(send(bh_channel_fd(channel), bytes, n, 0), (ssize_t)n);
}

Test(monitor_channel, garbage_closes_only_its_own_connection, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &talking);
    struct bh_channel *bad = stage_connect(&stage);
    cr_assert_eq(send(bh_channel_fd(bad), "\xff\xff\xff\xff", 4, 0), 4);
    char byte;
    cr_assert_leq(recv(bh_channel_fd(bad), &byte, 1, 0), 0, "closed");
    bh_channel_free(bad);
    bh_close(&stage.client_stdin);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 11);
    stage_end(&stage);
}

Test(monitor_channel, wrong_descriptors_are_refused, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &talking);
    Bulkhead__AttachStreams attach = BULKHEAD__ATTACH_STREAMS__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_ATTACH_STREAMS;
    packet.attach_streams = &attach;
    bh_automessage struct bh_message *answer = NULL;
    struct bh_error error = {0};
    int fds[3];
    cr_assert_eq(pipe(fds), 0);
    fds[2] = fds[0];
    cr_assert_eq(bh_call(stage.channel, &packet.base, fds, 2, 5000, BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED,
                         &answer, &error),
                 -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    cr_assert_eq(bh_call(stage.channel, &packet.base, fds, 3, 5000, BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED,
                         &answer, &error),
                 -1, "its stderr cannot be written");
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    close(fds[0]);
    close(fds[1]);
    bh_close(&stage.client_stdin);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 11);
    stage_end(&stage);
}

Test(monitor_channel, a_peer_that_never_reads_stops_nobody, .timeout = 60)
{
    struct stage stage;
    stage_start(&stage, &talking);
    struct bh_channel *deaf = stage_connect(&stage);
    Bulkhead__FollowLog follow = BULKHEAD__FOLLOW_LOG__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_FOLLOW_LOG;
    packet.follow_log = &follow;
    send_request(deaf, &packet, 1);
    char text[64];
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(write(stage.client_stdin, "x", 1), 1);
        cr_assert_eq(read(stage.client_stdout, text, 5), 5);
    }
    bh_close(&stage.client_stdin);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 11);
    cr_assert_eq(stage_join(&stage), 0, "it does not wait for the deaf one for ever");
    bh_channel_free(deaf);
    stage_end(&stage);
}

Test(monitor_channel, cancelled_watch_is_answered_and_forgotten, .timeout = 30)
{
    struct stage stage;
    stage_start(&stage, &talking);
    Bulkhead__WatchExit watch = BULKHEAD__WATCH_EXIT__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT;
    packet.watch_exit = &watch;
    struct bh_call *call = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call_start(stage.channel, &packet.base, NULL, 0, 30000, &call, &error), 0);
    bh_call_free(call); /* cancels */
    bh_close(&stage.client_stdin);
    cr_assert_eq(stage_wait_exit(&stage, NULL), 11, "a second watch on the same connection is served");
    stage_end(&stage);
}

Test(monitor_channel, more_connections_than_there_is_room_wait_their_turn, .timeout = 60)
{
    struct stage stage;
    stage_start(&stage, &talking);
    struct bh_channel *channels[70];
    size_t n = 0;
    for (; n < 63; n++) {
        channels[n] = stage_connect(&stage);
    }
    for (; n < 70; n++) { /* beyond the table: in the listener's queue */
        channels[n] = stage_connect(&stage);
    }
    for (size_t i = 0; i < n; i++) {
        bh_channel_free(channels[i]);
    }
    struct bh_channel *late = stage_connect(&stage);
    int ends[3];
    stage_attach(late, ends);
    for (int i = 0; i < 3; i++) {
        close(ends[i]);
    }
    bh_channel_free(late);
    bh_close(&stage.client_stdin);
    (void)stage_wait_exit(&stage, NULL);
    stage_end(&stage);
}
