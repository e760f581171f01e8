/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole worker on loopback sockets: questions over UDP and TCP, and how much of it one container may have.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/channel.h"
#include "netd_dns.pb-c.h"
#include "services/netd/dns_worker.h"

static const struct bh_protocol protocol = {
    .name = "netd_dns",
    .incoming = &bulkhead__dns_to_netd__descriptor,
    .outgoing = &bulkhead__netd_to_dns__descriptor,
};

static pid_t worker;
static struct bh_channel *channel;
static struct sockaddr_in udp_address, tcp_address;

static int bound(int type, struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_address = address;
    return fd;
}

/* As the executor opens it. */
static int of_both_families(void)
{
    static const int both = 0;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)), 0);
    return fd;
}

static void start(void)
{
    int ends[2];
    struct bh_error error;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    worker = fork();
    if (worker == 0) {
        (void)close(ends[0]);
        _exit(dns_work(NULL, ends[1], NULL));
    }
    (void)close(ends[1]);
    cr_assert_eq(bh_channel_new(&protocol, NULL, &channel, &error), 0);
    cr_assert_eq(bh_channel_wire(channel, ends[0], &error), 0);
}

static void stop(void)
{
    int status;
    bh_channel_free(channel);
    cr_assert_eq(waitpid(worker, &status, 0), worker);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the worker ended with %d", status);
}

/* In the namespace that the test is in now. */
static void start_again(void)
{
    stop();
    start();
}

static void set_loopback_up(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
    (void)close(fd);
}

TestSuite(dns_worker, .init = start, .fini = stop);

/* The container "web" at 10.0.0.1 with sockets, and its own resolver at 127.0.0.1 unless it is `internal`. */
static void serve(bool internal)
{
    uint8_t id[32] = {1}, network[32] = {9}, address[4] = {10, 0, 0, 1}, server[4] = {127, 0, 0, 1};
    char name[] = "web", *names[] = {name};
    Bulkhead__Endpoint endpoint = BULKHEAD__ENDPOINT__INIT;
    endpoint.network = (ProtobufCBinaryData){32, network};
    endpoint.address4 = (ProtobufCBinaryData){4, address};
    endpoint.names = names;
    endpoint.n_names = 1;
    Bulkhead__Endpoint *endpoints[] = {&endpoint};
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    ProtobufCBinaryData servers[] = {{4, server}};
    attachment.endpoints = endpoints;
    attachment.n_endpoints = 1;
    attachment.embedded_dns = true;
    attachment.internal_dns = internal;
    attachment.dns_servers = servers;
    attachment.n_dns_servers = internal ? 0 : 1;
    Bulkhead__ServeContainer message = BULKHEAD__SERVE_CONTAINER__INIT;
    message.container = (ProtobufCBinaryData){32, id};
    message.attachment = &attachment;
    Bulkhead__NetdToDns packet = BULKHEAD__NETD_TO_DNS__INIT;
    packet.body_case = BULKHEAD__NETD_TO_DNS__BODY_SERVE_CONTAINER;
    packet.serve_container = &message;
    int fds[3] = {bound(SOCK_DGRAM, &udp_address), bound(SOCK_STREAM, &tcp_address), of_both_families()};
    cr_assert_eq(listen(fds[1], 8), 0);
    struct bh_message *answer = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call(channel, &packet.base, fds, 3, 5000, BULKHEAD__DNS_TO_NETD__BODY_DONE, &answer, &error), 0,
                 "%s", error.message);
    bh_message_free(answer);
    for (int i = 0; i < 3; i++) {
        (void)close(fds[i]);
    }
}

static void forget(void)
{
    uint8_t id[32] = {1};
    Bulkhead__ForgetContainer message = BULKHEAD__FORGET_CONTAINER__INIT;
    message.container = (ProtobufCBinaryData){32, id};
    Bulkhead__NetdToDns packet = BULKHEAD__NETD_TO_DNS__INIT;
    packet.body_case = BULKHEAD__NETD_TO_DNS__BODY_FORGET_CONTAINER;
    packet.forget_container = &message;
    struct bh_message *answer = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call(channel, &packet.base, NULL, 0, 5000, BULKHEAD__DNS_TO_NETD__BODY_DONE, &answer, &error), 0);
    bh_message_free(answer);
}

static size_t question(uint8_t *bytes, const char *label)
{
    size_t length = strlen(label);
    memset(bytes, 0, 12);
    bytes[1] = 7;
    bytes[2] = 1;
    bytes[5] = 1;
    bytes[12] = (uint8_t)length;
    memcpy(bytes + 13, label, length);
    memcpy(bytes + 13 + length, "\0\0\1\0\1", 5);
    return 18 + length;
}

/* Returns the answer's length; 0 if none comes within the time. */
static ssize_t wait_answer(int fd, uint8_t *bytes, size_t size, int timeout_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, timeout_ms) == 1 ? recv(fd, bytes, size, 0) : 0;
}

/* Asks as often as a resolver library would: a datagram may find the socket's buffer full. */
static ssize_t ask(const uint8_t *bytes, size_t n_bytes, uint8_t *answer, size_t size)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t n = 0;
    for (int i = 0; i < 5 && n == 0; i++) {
        cr_assert_eq(sendto(fd, bytes, n_bytes, 0, (struct sockaddr *)&udp_address, sizeof(udp_address)),
                     (ssize_t)n_bytes);
        n = wait_answer(fd, answer, size, 1000);
    }
    (void)close(fd);
    return n;
}

Test(dns_worker, over_udp)
{
    uint8_t bytes[512], answer[512];
    serve(true);
    ssize_t n = ask(bytes, question(bytes, "web"), answer, sizeof(answer));
    cr_assert_gt(n, 16);
    cr_assert_eq(answer[3] & 15, 0);
    cr_assert_eq(memcmp(answer + n - 4, "\x0a\0\0\1", 4), 0);
    n = ask(bytes, question(bytes, "nobody"), answer, sizeof(answer));
    cr_assert_gt(n, 0);
    cr_assert_eq(answer[3] & 15, ns_r_nxdomain);
}

Test(dns_worker, over_tcp_in_pieces)
{
    uint8_t bytes[514], answer[512];
    serve(true);
    size_t n_bytes = question(bytes + 2, "web");
    bytes[0] = 0;
    bytes[1] = (uint8_t)n_bytes;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address)), 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < n_bytes + 2; i++) {
            cr_assert_eq(send(fd, bytes + i, 1, 0), 1);
        }
        size_t got = 0;
        while (got < 2 || got < 2U + answer[1]) {
            ssize_t n = wait_answer(fd, answer + got, sizeof(answer) - got, 5000);
            cr_assert_gt(n, 0);
            got += (size_t)n;
        }
        cr_assert_eq(memcmp(answer + got - 4, "\x0a\0\0\1", 4), 0);
    }
    (void)close(fd);
}

Test(dns_worker, a_message_that_is_too_long_closes_its_connection)
{
    uint8_t byte;
    serve(true);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address)), 0);
    cr_assert_eq(send(fd, "\xff\xff", 2, 0), 2);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&readable, 1, 5000), 1);
    cr_assert_eq(recv(fd, &byte, 1, 0), 0);
    (void)close(fd);
}

/* How many of them the other end has closed by the end of a time. */
static int count_closed(const int *fds, size_t n_fds, unsigned int wait_ms)
{
    int closed = 0;
    (void)usleep(wait_ms * 1000);
    for (size_t i = 0; i < n_fds; i++) {
        struct pollfd readable = {.fd = fds[i], .events = POLLIN};
        closed += poll(&readable, 1, 0) == 1;
    }
    return closed;
}

Test(dns_worker, more_connections_than_one_container_may_have)
{
    int fds[DNS_STREAMS_MAX + 8], closed = 0;
    serve(true);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert_eq(connect(fds[i], (struct sockaddr *)&tcp_address, sizeof(tcp_address)), 0);
    }
    for (int round = 0; round < 100 && closed < 8; round++) {
        closed = count_closed(fds, sizeof(fds) / sizeof(fds[0]), 50);
    }
    closed = count_closed(fds, sizeof(fds) / sizeof(fds[0]), 100);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        (void)close(fds[i]);
    }
    cr_assert_eq(closed, 8);
}

Test(dns_worker, forgotten)
{
    uint8_t bytes[512], answer[512];
    serve(true);
    forget();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    size_t n = question(bytes, "web");
    (void)connect(fd, (struct sockaddr *)&udp_address, sizeof(udp_address));
    (void)send(fd, bytes, n, 0);
    cr_assert_eq(wait_answer(fd, answer, sizeof(answer), 1000), -1, "its socket is closed");
    (void)close(fd);
    serve(true);
    cr_assert_gt(ask(bytes, n, answer, sizeof(answer)), 0);
}

Test(dns_worker, no_resolver_answers)
{
    uint8_t bytes[512], answer[512];
    serve(false); /* its resolver would have to be at port 53 of the loopback */
    ssize_t n = ask(bytes, question(bytes, "nobody"), answer, sizeof(answer));
    cr_assert_eq(n, 0, "four tries take eight seconds");
    n = ask(bytes, question(bytes, "web"), answer, sizeof(answer));
    cr_assert_gt(n, 0);
    cr_assert_eq(answer[3] & 15, 0, "what is known does not wait");
}

Test(dns_worker, its_own_resolver_is_asked_and_heard)
{
    uint8_t bytes[512], answer[512];
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    cr_assert_eq(unshare(CLONE_NEWNET), 0, "for a port 53 of our own");
    set_loopback_up();
    start_again();
    serve(false);
    int resolver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(resolver, (struct sockaddr *)&address, sizeof(address)), 0);
    size_t n = question(bytes, "elsewhere");
    cr_assert_eq(sendto(fd, bytes, n, 0, (struct sockaddr *)&udp_address, sizeof(udp_address)), (ssize_t)n);
    ssize_t asked = recvfrom(resolver, answer, sizeof(answer), 0, (struct sockaddr *)&from, &length);
    cr_assert_gt(asked, 12);
    answer[2] |= 0x80;
    answer[3] = ns_r_nxdomain;
    cr_assert_eq(sendto(resolver, answer, (size_t)asked, 0, (struct sockaddr *)&from, length), asked);
    cr_assert_gt(wait_answer(fd, answer, sizeof(answer), 5000), 0);
    cr_assert_eq(answer[3] & 15, ns_r_nxdomain, "its own words");
    (void)close(resolver);
    (void)close(fd);
}

Test(dns_worker, garbage)
{
    uint8_t bytes[600], answer[512];
    serve(true);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    srandom(1);
    for (int i = 0; i < 1000; i++) {
        size_t n = (size_t)random() % sizeof(bytes);
        for (size_t j = 0; j < n; j++) {
            bytes[j] = (uint8_t)random();
        }
        (void)sendto(fd, bytes, n, MSG_DONTWAIT, (struct sockaddr *)&udp_address, sizeof(udp_address));
    }
    (void)close(fd);
    cr_assert_gt(ask(bytes, question(bytes, "web"), answer, sizeof(answer)), 0);
}
