/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels whose other end is a plain socket: peers that do not read, and datagrams that no honest peer sends.
 */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/io.h"
#include "engine_store.pb-c.h"

static const struct bh_handler handlers[] = {{0}};
static const struct bh_protocol server_side = {"engine_store", &bulkhead__engine_to_store__descriptor,
                                               &bulkhead__store_to_engine__descriptor, handlers};
static const struct bh_protocol caller_side = {"engine_store", &bulkhead__store_to_engine__descriptor,
                                               &bulkhead__engine_to_store__descriptor, NULL};

static Bulkhead__EngineToStore honest_request(void)
{
    static Bulkhead__OpenBlob open_blob;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    bulkhead__open_blob__init(&open_blob);
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB;
    packet.open_blob = &open_blob;
    return packet;
}

/* ---- peers that do not read ---------------------------------------------------------------------- */

/* A caller on a loop, whose other end is a plain socket. */
struct deaf {
    struct bh_channel *caller;
    struct event_base *base;
    int end;
};

static void deaf_start(struct deaf *deaf)
{
    int ends[2];
    struct bh_error error;
    (void)evthread_use_pthreads();
    deaf->base = event_base_new();
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new_on_loop(&caller_side, deaf->base, NULL, &deaf->caller, &error), 0);
    cr_assert_eq(bh_channel_wire(deaf->caller, ends[1], &error), 0);
    deaf->end = ends[0];
}

static void deaf_stop(struct deaf *deaf)
{
    bh_channel_free(deaf->caller);
    (void)event_base_loop(deaf->base, EVLOOP_NONBLOCK);
    event_base_free(deaf->base);
    bh_close(&deaf->end);
}

static int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 4096; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void on_answer(struct bh_message *message, const struct bh_error *error, void *argument)
{
    (void)error;
    bh_message_free(message);
    *(int *)argument += 1;
}

/* Asks until the other end's queue and ours are full. Returns how many were taken. */
static size_t ask_until_full(struct deaf *deaf, int *answered, struct bh_error *error)
{
    Bulkhead__EngineToStore packet = honest_request();
    const int fd = STDIN_FILENO;
    for (size_t asked = 0;; asked++) {
        cr_assert_lt(asked, 100000u, "the queue has an end");
        if (bh_call_async(deaf->caller, &packet.base, &fd, 1, 60000, on_answer, answered, NULL, error) < 0) {
            return asked;
        }
    }
}

Test(channel_peers, what_a_peer_does_not_read_waits_with_its_descriptors, .timeout = 30)
{
    struct deaf deaf;
    struct bh_error error;
    int answered = 0;
    deaf_start(&deaf);
    const int before = count_descriptors();
    size_t asked = ask_until_full(&deaf, &answered, &error);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED, "%s", error.message);
    cr_assert(strstr(error.message, "does not read"), "%s", error.message);
    cr_assert_geq(asked, BH_CHANNEL_QUEUE_MAX);
    cr_assert_geq(count_descriptors() - before, (int)BH_CHANNEL_QUEUE_MAX, "a copy waits with each message");

    /* it reads after all: each message arrives once, in order, with its descriptor */
    uint64_t id = 0;
    for (size_t arrived = 0; arrived < asked; arrived++) {
        char bytes[512];
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
        (void)event_base_loop(deaf.base, EVLOOP_NONBLOCK);
        ssize_t n = recvmsg(deaf.end, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        cr_assert_gt(n, 0, "message %zu of %zu", arrived, asked);
        bh_automessage struct bh_message *request = NULL;
        cr_assert_eq(bh_message_decode(server_side.incoming, bytes, (size_t)n, &request, &error), 0);
        cr_assert_gt(request->id, id);
        id = request->id;
        int fd;
        cr_assert(CMSG_FIRSTHDR(&message), "its descriptor came with it");
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        bh_close(&fd);
    }
    (void)event_base_loop(deaf.base, EVLOOP_NONBLOCK);
    cr_assert_eq(count_descriptors(), before, "none of the copies is left");
    deaf_stop(&deaf);
}

Test(channel_peers, what_waits_for_a_peer_that_ends_is_dropped, .timeout = 30)
{
    struct deaf deaf;
    struct bh_error error;
    int answered = 0;
    deaf_start(&deaf);
    const int before = count_descriptors();
    size_t asked = ask_until_full(&deaf, &answered, &error);
    bh_close(&deaf.end);
    while (bh_channel_is_wired(deaf.caller)) {
        (void)event_base_loop(deaf.base, EVLOOP_ONCE);
    }
    (void)event_base_loop(deaf.base, EVLOOP_NONBLOCK);
    cr_assert_eq((size_t)answered, asked, "everybody who waits is told");
    cr_assert_leq(count_descriptors(), before, "none of the copies is left");
    deaf_stop(&deaf);
}

Test(channel_peers, a_direct_caller_waits_for_room_until_its_deadline, .timeout = 30)
{
    int ends[2];
    struct bh_error error;
    struct bh_channel *caller = NULL;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new(&caller_side, NULL, &caller, &error), 0);
    cr_assert_eq(bh_channel_wire(caller, ends[1], &error), 0);
    while (send(ends[1], "full", 4, MSG_DONTWAIT) > 0) {
        continue;
    }
    Bulkhead__EngineToStore packet = honest_request();
    cr_assert_eq(
        bh_call(caller, &packet.base, NULL, 0, 50, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED, NULL, &error), -1);
    cr_assert_eq(error.code, BH_DEADLINE_EXCEEDED, "%s", error.message);
    cr_assert(strstr(error.message, "does not read"), "%s", error.message);
    bh_close(&ends[0]);
    cr_assert_eq(
        bh_call(caller, &packet.base, NULL, 0, 50, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED, NULL, &error), -1);
    cr_assert_eq(error.code, BH_UNAVAILABLE, "it has gone: %s", error.message);
    bh_channel_free(caller);
}

/* ---- datagrams that no honest peer sends --------------------------------------------------------------- */

/* Sends it, with descriptors, to a server. What the server says of it; its channel must be closed. */
static void expect_refusal(const void *bytes, size_t n_bytes, const int *fds, size_t n_fds, const char *says)
{
    int ends[2], room = 8 << 20;
    struct bh_error error;
    struct bh_channel *server = NULL;
    const int before = count_descriptors();
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new(&server_side, NULL, &server, &error), 0);
    cr_assert_eq(bh_channel_wire(server, ends[0], &error), 0);
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n_bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    cr_assert_eq(sendmsg(ends[1], &message, 0), (ssize_t)n_bytes, "%s", says);
    cr_assert_eq(bh_channel_poll(server, 1000, &error), -1, "%s", says);
    cr_assert(strstr(error.message, says), "\"%s\" instead of \"%s\"", error.message, says);
    cr_assert_not(bh_channel_is_wired(server));
    bh_channel_free(server);
    bh_close(&ends[1]);
    cr_assert_eq(count_descriptors(), before, "%s: none of its descriptors is kept", says);
}

/* A packet that announces `memfd_bytes`, or a request without a body's bytes. Returns its size. */
static size_t pack(Bulkhead__EngineToStore *packet, uint64_t memfd_bytes, uint8_t *bytes)
{
    Bulkhead__Header header = BULKHEAD__HEADER__INIT;
    header.id = 7;
    header.memfd_bytes = memfd_bytes;
    packet->header = &header;
    size_t n_bytes = bulkhead__engine_to_store__pack(packet, bytes);
    packet->header = NULL;
    return n_bytes;
}

static int sealed(const void *bytes, size_t n_bytes)
{
    struct bh_error error;
    int fd = -1;
    cr_assert_eq(bh_memfd_sealed("body", bytes, n_bytes, &fd, &error), 0);
    return fd;
}

Test(channel_peers, datagrams_of_a_breached_peer, .timeout = 30)
{
    static uint8_t large[BH_MESSAGE_BYTES_MAX + 1];
    uint8_t outer[256], inner[256];
    int zeros[64];
    memset(zeros, 0, sizeof(zeros));
    Bulkhead__EngineToStore empty = BULKHEAD__ENGINE_TO_STORE__INIT;
    Bulkhead__EngineToStore honest = honest_request();

    expect_refusal(large, sizeof(large), NULL, 0, "at most");
    size_t n_inner = pack(&honest, 0, inner);
    expect_refusal(inner, n_inner, zeros, 64, "more than");
    expect_refusal(inner, n_inner, zeros, BH_MESSAGE_FDS_MAX + 1, "too many descriptors");

    size_t n_outer = pack(&empty, 100, outer);
    expect_refusal(outer, n_outer, NULL, 0, "announces a body that did not come");
    n_outer = pack(&empty, BH_MESSAGE_MEMFD_BYTES_MAX + 1, outer);
    expect_refusal(outer, n_outer, zeros, 1, "announces a body that did not come");

    n_outer = pack(&empty, n_inner + 1, outer);
    bh_autoclose int body = sealed(inner, n_inner);
    expect_refusal(outer, n_outer, &body, 1, "instead of the announced");
    bh_autoclose int pipe_end = -1;
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pipe_end = ends[0];
    expect_refusal(outer, n_outer, &pipe_end, 1, "memfd");
    bh_close(&ends[1]);

    n_inner = pack(&empty, 100, inner); /* announces one more */
    bh_autoclose int nested = sealed(inner, n_inner);
    n_outer = pack(&empty, n_inner, outer);
    expect_refusal(outer, n_outer, &nested, 1, "a memfd within a memfd");
    memset(inner, 0xff, sizeof(inner));
    bh_autoclose int garbage = sealed(inner, sizeof(inner));
    n_outer = pack(&empty, sizeof(inner), outer);
    expect_refusal(outer, n_outer, &garbage, 1, "");
}
