/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions that go on to resolvers, which are played here, and what of their answers reaches the container.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "services/netd/dns_serve.h"

#define WAIT_MS 5000

static struct dns_worker worker;
static struct dns_served *served;
static struct sockaddr_in udp_address, tcp_address;
static int resolvers[2], streams[2]; /* two servers, at the same port of UDP and TCP each */
static int client;

static int bound(int type, struct sockaddr_in *address)
{
    socklen_t length = sizeof(*address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)address, length), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &length), 0);
    cr_assert(type != SOCK_STREAM || listen(fd, 64) == 0);
    return fd;
}

static struct sockaddr_in loopback(uint8_t last)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last)};
}

static void start(void)
{
    static const uint8_t id[DNS_ID_BYTES] = {1};
    struct dns_container *container = calloc(1, sizeof(*container));
    struct bh_error error = {0};
    memset(&worker, 0, sizeof(worker));
    worker.base = event_base_new();
    memcpy(container->id, id, sizeof(id));
    container->endpoints = calloc(1, sizeof(*container->endpoints));
    dns_names_put(&worker.names, container);
    udp_address = tcp_address = loopback(1);
    int own = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setsockopt(own, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)), 0);
    const int fds[3] = {bound(SOCK_DGRAM, &udp_address), bound(SOCK_STREAM, &tcp_address), own};
    cr_assert_eq(dns_serve_begin(&worker, id, fds, &served, &error), 0);
    for (uint8_t i = 0; i < 2; i++) {
        struct sockaddr_in address = loopback((uint8_t)(2 + i));
        resolvers[i] = bound(SOCK_DGRAM, &address);
        streams[i] = bound(SOCK_STREAM, &address);
        worker.resolvers.servers[i].ipv4 = address;
    }
    worker.resolvers.n = 2;
    client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&udp_address, sizeof(udp_address)), 0);
}

static void stop(void)
{
    while (!LIST_EMPTY(&worker.served)) {
        dns_serve_end(LIST_FIRST(&worker.served));
    }
    cr_assert_eq(worker.n_pending, 0);
    dns_names_clear(&worker.names);
    event_base_free(worker.base);
    for (int i = 0; i < 2; i++) {
        bh_close(&resolvers[i]);
        bh_close(&streams[i]);
    }
    bh_close(&client);
}

TestSuite(dns_forward, .init = start, .fini = stop, .timeout = 30);

/* The host's resolv.conf is not looked at: resolvers are those of the test. */
static void turn(void)
{
    worker.resolvers.looked_at_ms = bh_now_ms();
    (void)event_base_loop(worker.base, EVLOOP_NONBLOCK);
}

/* Turns until there is something to read. Returns whether there is. */
static bool readable_within(int fd, int timeout_ms)
{
    uint64_t until = bh_now_ms() + (uint64_t)timeout_ms;
    do {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        turn();
        if (poll(&wait, 1, 1) == 1) {
            return true;
        }
    } while (bh_now_ms() < until);
    return false;
}

static size_t question(uint8_t *bytes, const char *label)
{
    size_t length = strlen(label);
    memcpy(bytes, "\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
    bytes[12] = (uint8_t)length;
    memcpy(bytes + 13, label, length);
    memcpy(bytes + 13 + length, "\0\0\1\0\1", 5);
    return 18 + length;
}

static size_t ask(const char *label)
{
    uint8_t bytes[128];
    size_t n = question(bytes, label);
    cr_assert_eq(send(client, bytes, n, 0), (ssize_t)n);
    return n;
}

/* What a server was asked; where its answer is to go. */
struct asked {
    uint8_t bytes[DNS_UDP_BYTES_MAX];
    size_t n;
    struct sockaddr_storage from;
    socklen_t from_bytes;
};

static void receive(int fd, struct asked *asked)
{
    cr_assert(readable_within(fd, WAIT_MS), "the server is asked");
    asked->from_bytes = sizeof(asked->from);
    ssize_t n =
        recvfrom(fd, asked->bytes, sizeof(asked->bytes), 0, (struct sockaddr *)&asked->from, &asked->from_bytes);
    cr_assert_gt(n, 12);
    asked->n = (size_t)n;
}

static void reply(int fd, struct asked *asked, int code, size_t n_bytes)
{
    asked->bytes[2] |= 0x80;
    asked->bytes[3] = (uint8_t)code;
    cr_assert_eq(sendto(fd, asked->bytes, n_bytes, 0, (struct sockaddr *)&asked->from, asked->from_bytes),
                 (ssize_t)n_bytes);
}

/* Adds addresses to a message that is to be answered. Returns how long it has become. */
static size_t add_addresses(uint8_t *bytes, size_t n, size_t n_addresses)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
    bytes[6] = (uint8_t)(n_addresses >> 8);
    bytes[7] = (uint8_t)n_addresses;
    for (size_t i = 0; i < n_addresses; i++, n += sizeof(record)) {
        memcpy(bytes + n, record, sizeof(record));
    }
    return n;
}

/* The response code that the container gets, with its own id. */
static int heard(void)
{
    uint8_t bytes[DNS_UDP_BYTES_MAX];
    cr_assert(readable_within(client, WAIT_MS), "the container gets an answer");
    cr_assert_gt(recv(client, bytes, sizeof(bytes), 0), 12);
    cr_assert_eq(memcmp(bytes, "\x12\x34", 2), 0, "its own id");
    return bytes[3] & 15;
}

static void hears_nothing(const char *why)
{
    cr_assert_not(readable_within(client, 50), "%s", why);
}

Test(dns_forward, only_the_answer_to_the_question_counts)
{
    struct asked asked;
    size_t n = ask("elsewhere");
    receive(resolvers[0], &asked);
    cr_assert_eq(asked.n, n);
    struct asked forged = asked;

    forged.bytes[0] ^= 1;
    reply(resolvers[0], &forged, 0, n);
    hears_nothing("another id");
    forged = asked;
    forged.bytes[14] ^= 1;
    reply(resolvers[0], &forged, 0, n);
    hears_nothing("another name");
    forged = asked;
    cr_assert_eq(sendto(resolvers[0], forged.bytes, n, 0, (struct sockaddr *)&forged.from, forged.from_bytes),
                 (ssize_t)n);
    hears_nothing("a question instead of an answer");
    reply(resolvers[0], &forged, 0, 3);
    hears_nothing("three bytes");
    forged = asked;
    reply(resolvers[1], &forged, 0, n);
    hears_nothing("another server");

    reply(resolvers[0], &asked, ns_r_nxdomain, n);
    cr_assert_eq(heard(), ns_r_nxdomain);
    reply(resolvers[0], &asked, 0, n);
    hears_nothing("a second answer");
}

Test(dns_forward, one_that_cannot_answer_is_not_the_last)
{
    static const int cannot[] = {ns_r_servfail, ns_r_refused, ns_r_notimpl};
    struct asked asked;
    for (size_t i = 0; i < 3; i++) {
        ask("elsewhere");
        receive(resolvers[0], &asked);
        reply(resolvers[0], &asked, cannot[i], asked.n);
        receive(resolvers[1], &asked);
        reply(resolvers[1], &asked, 0, asked.n);
        cr_assert_eq(heard(), 0);
    }
}

Test(dns_forward, nobody_listens_there)
{
    struct asked asked;
    bh_close(&resolvers[0]);
    ask("elsewhere");
    receive(resolvers[1], &asked);
    reply(resolvers[1], &asked, 0, asked.n);
    cr_assert_eq(heard(), 0);
    bh_close(&resolvers[1]);
    ask("elsewhere");
    cr_assert_eq(heard(), ns_r_servfail, "nor anywhere else");
}

Test(dns_forward, one_that_is_silent_is_not_waited_for_for_ever)
{
    struct asked asked;
    ask("elsewhere");
    receive(resolvers[0], &asked);
    receive(resolvers[1], &asked);
    reply(resolvers[1], &asked, 0, asked.n);
    cr_assert_eq(heard(), 0);
}

Test(dns_forward, a_resolver_that_cannot_be_reached)
{
    worker.resolvers.n = 1;
    worker.resolvers.servers[0].ipv4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xffffffff)};
    ask("elsewhere");
    cr_assert_eq(heard(), ns_r_servfail);
    worker.resolvers.n = 0;
    ask("elsewhere");
    cr_assert_eq(heard(), ns_r_servfail, "there is none");
}

Test(dns_forward, an_answer_that_is_too_long_for_udp_says_so)
{
    struct asked asked;
    ask("elsewhere");
    receive(resolvers[0], &asked);
    reply(resolvers[0], &asked, 0, add_addresses(asked.bytes, asked.n, 80));
    uint8_t bytes[DNS_UDP_BYTES_MAX];
    cr_assert(readable_within(client, WAIT_MS));
    ssize_t n = recv(client, bytes, sizeof(bytes), 0);
    cr_assert_leq(n, DNS_UDP_BYTES);
    cr_assert(bytes[2] & 2, "the truncation bit");
}

Test(dns_forward, as_many_as_one_container_may_have)
{
    struct asked asked;
    for (int i = 0; i < DNS_PENDING_MAX; i++) {
        ask("elsewhere");
        receive(resolvers[0], &asked);
    }
    cr_assert_eq(worker.n_pending, DNS_PENDING_MAX);
    ask("elsewhere");
    cr_assert_eq(heard(), ns_r_servfail, "one more is refused at once");
    reply(resolvers[0], &asked, 0, asked.n);
    cr_assert_eq(heard(), 0);
    ask("elsewhere");
    receive(resolvers[0], &asked);
    dns_serve_end(served);
    cr_assert_eq(worker.n_pending, 0, "none outlives its container");
}

/* ---- the container's own resolvers ---------------------------------------------------------------- */

Test(dns_forward, its_own_resolvers_are_told_apart)
{
    struct asked asked;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t six_bytes = sizeof(six);
    int sixth = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(sixth, (struct sockaddr *)&six, six_bytes), 0);
    cr_assert_eq(getsockname(sixth, (struct sockaddr *)&six, &six_bytes), 0);
    /* a socket of both families wants its IPv4 addresses mapped */
    served->servers[0].ipv6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = six.sin6_addr, .sin6_port = six.sin6_port};
    served->n_servers = 1;
    ask("elsewhere");
    receive(sixth, &asked);
    struct asked forged = asked;
    forged.bytes[1] ^= 1;
    reply(sixth, &forged, 0, asked.n);
    hears_nothing("another id");
    forged = asked;
    struct sockaddr_in6 other = six;
    other.sin6_port = 0;
    int stranger = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(stranger, (struct sockaddr *)&other, sizeof(other)), 0);
    reply(stranger, &forged, 0, asked.n);
    hears_nothing("another port");
    reply(sixth, &forged, 0, 2);
    hears_nothing("two bytes");
    reply(sixth, &asked, ns_r_nxdomain, asked.n);
    cr_assert_eq(heard(), ns_r_nxdomain);
    bh_close(&stranger);
    bh_close(&sixth);
}

/* ---- over TCP ---------------------------------------------------------------------------------------- */

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int)), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address)), 0);
    return fd;
}

static size_t ask_stream(int fd, const char *label)
{
    uint8_t bytes[128];
    size_t n = question(bytes + 2, label);
    bytes[0] = 0;
    bytes[1] = (uint8_t)n;
    cr_assert_eq(send(fd, bytes, n + 2, 0), (ssize_t)n + 2);
    return n;
}

static int accepted(int listener)
{
    cr_assert(readable_within(listener, WAIT_MS), "the server is asked over TCP");
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* Reads until `n` bytes are there. */
static void receive_exactly(int fd, uint8_t *bytes, size_t n)
{
    for (size_t got = 0; got < n;) {
        cr_assert(readable_within(fd, WAIT_MS), "%zu of %zu bytes", got, n);
        ssize_t part = recv(fd, bytes + got, n - got, 0);
        cr_assert_gt(part, 0);
        got += (size_t)part;
    }
}

Test(dns_forward, over_tcp_and_in_pieces)
{
    uint8_t bytes[128];
    int fd = connected();
    size_t n = ask_stream(fd, "elsewhere");
    int server = accepted(streams[0]);
    receive_exactly(server, bytes, n + 2);
    cr_assert_eq(bytes[1], n);
    bytes[4] |= 0x80;
    for (size_t i = 0; i < n + 2; i++) {
        cr_assert_eq(send(server, bytes + i, 1, 0), 1);
        turn();
    }
    receive_exactly(fd, bytes, n + 2);
    cr_assert_eq(memcmp(bytes + 2, "\x12\x34", 2), 0, "its own id");
    bh_close(&server);
    bh_close(&fd);
}

Test(dns_forward, a_server_that_slams_the_connection)
{
    uint8_t bytes[128];
    int fd = connected();
    size_t n = ask_stream(fd, "elsewhere");
    int server = accepted(streams[0]);
    bh_close(&server);
    server = accepted(streams[1]);
    receive_exactly(server, bytes, n + 2);
    bytes[4] |= 0x80;
    cr_assert_eq(send(server, bytes, n + 2, 0), (ssize_t)n + 2);
    receive_exactly(fd, bytes, n + 2);
    bh_close(&server);
    bh_close(&fd);
}

Test(dns_forward, a_client_that_hangs_up_waits_for_nothing)
{
    int fd = connected();
    ask_stream(fd, "elsewhere");
    int server = accepted(streams[0]);
    cr_assert_eq(worker.n_pending, 1);
    bh_close(&fd);
    for (int i = 0; i < WAIT_MS && worker.n_pending; i++) {
        turn();
        (void)usleep(1000);
    }
    cr_assert_eq(worker.n_pending, 0);
    cr_assert_eq(served->n_streams, 0);
    uint8_t byte[128];
    cr_assert(readable_within(server, WAIT_MS));
    while (recv(server, byte, sizeof(byte), 0) > 0) {
        continue;
    }
    bh_close(&server);
}

Test(dns_forward, a_client_that_does_not_read_is_hung_up_on)
{
    static uint8_t answer[2 + DNS_TCP_BYTES_MAX];
    int fd = connected();
    for (int i = 0; i < 200 && (i == 0 || served->n_streams == 1); i++) {
        size_t n = ask_stream(fd, "elsewhere");
        int server = -1;
        for (int turns = 0; turns < WAIT_MS && server < 0 && (turns == 0 || served->n_streams); turns++) {
            struct pollfd wait = {.fd = streams[0], .events = POLLIN};
            turn();
            server = poll(&wait, 1, 1) == 1 ? accept4(streams[0], NULL, NULL, SOCK_CLOEXEC) : -1;
        }
        if (server < 0) {
            break;
        }
        receive_exactly(server, answer, n + 2);
        size_t length = add_addresses(answer + 2, n, 4000);
        answer[0] = (uint8_t)(length >> 8);
        answer[1] = (uint8_t)length;
        answer[4] |= 0x80;
        (void)fcntl(server, F_SETFL, O_NONBLOCK);
        for (size_t sent = 0; sent < length + 2 && worker.n_pending;) {
            ssize_t part = send(server, answer + sent, length + 2 - sent, MSG_NOSIGNAL);
            sent += part > 0 ? (size_t)part : 0;
            turn();
        }
        while (worker.n_pending) {
            turn();
        }
        bh_close(&server);
    }
    cr_assert_eq(served->n_streams, 0, "what is not taken does not pile up");
    bh_close(&fd);
}

/* ---- floods --------------------------------------------------------------------------------------------- */

Test(dns_forward, more_questions_than_a_container_may_ask)
{
    served->tokens = 3;
    struct asked asked;
    for (int i = 0; i < 3; i++) {
        ask("elsewhere");
        receive(resolvers[0], &asked);
    }
    served->tokens = -10.0 * DNS_RATE; /* ten seconds' worth too many */
    ask("elsewhere");
    cr_assert_not(readable_within(resolvers[0], 50), "it is neither asked");
    hears_nothing("nor answered");
    served->counted_at_ms -= 11000;
    ask("elsewhere");
    receive(resolvers[0], &asked);
    served->counted_at_ms -= 3600000;
    ask("elsewhere");
    receive(resolvers[0], &asked);
    cr_assert_leq(served->tokens, DNS_BURST, "an hour of silence saves no more than a burst");
}

Test(dns_forward, connections_wait_while_there_is_no_descriptor_left)
{
    struct rlimit before;
    int fd = connected(), highest = dup(fd);
    bh_close(&highest);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)fd + 1, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 100; i++) {
        turn();
    }
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(served->n_streams, 0);
    cr_assert(evtimer_pending(served->listen_again, NULL), "it is not tried again and again");
    for (int i = 0; i < WAIT_MS && served->n_streams == 0; i++) {
        turn();
        (void)usleep(1000);
    }
    cr_assert_eq(served->n_streams, 1, "but again");
    bh_close(&fd);
}

Test(dns_forward, sockets_that_are_none)
{
    static const uint8_t id[DNS_ID_BYTES] = {2};
    const int fds[3] = {-1, -1, -1};
    struct dns_served *other = NULL;
    struct bh_error error = {0};
    cr_assert_eq(dns_serve_begin(&worker, id, fds, &other, &error), -1);
    cr_assert(strstr(error.message, "watch a container's sockets"), "%s", error.message);
    cr_assert_null(other);
    cr_assert_null(dns_serve_find(&worker, id));
}
