/* SPDX-License-Identifier: Apache-2.0
 *
 * The real dialer in its real sandbox: what it connects, what it refuses, and that its parent answers nothing but
 * Spawn.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "fetcher_dialer.pb-c.h"
#include "tests/component/harness.h"

static const struct bh_protocol protocol = {
    .name = "fetcher_dialer",
    .incoming = &bulkhead__dialer_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_dialer__descriptor,
};

static struct harness harness;
static struct bh_channel *job;
static pid_t worker;
static int listener;
static uint16_t port;

static void spawn(void)
{
    int ends[2];
    struct bh_error error;
    bh_channel_free(job);
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    Bulkhead__Spawn body = BULKHEAD__SPAWN__INIT;
    Bulkhead__FetcherToDialer packet = BULKHEAD__FETCHER_TO_DIALER__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_DIALER__BODY_SPAWN;
    packet.spawn = &body;
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_call(harness_channel(&harness, BH_ROLE_FETCHER, &protocol), &packet.base, &ends[1], 1, 0,
                         BULKHEAD__DIALER_TO_FETCHER__BODY_SPAWNED, &message, &error),
                 0, "%s", error.message);
    worker = ((const Bulkhead__Spawned *)bh_message_body(message))->pid;
    bh_close(&ends[1]);
    cr_assert_eq(bh_channel_new(&protocol, NULL, &job, &error), 0);
    cr_assert_eq(bh_channel_wire(job, ends[0], &error), 0);
}

static void setup(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_bytes = sizeof(address);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(listener, 8), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &n_bytes), 0);
    port = ntohs(address.sin_port);
    harness_start(&harness, &(struct harness_options){
                                .program = "bulkhead-dialer", .role = BH_ROLE_DIALER, .peers = {BH_ROLE_FETCHER}});
    spawn();
}

static void teardown(void)
{
    bh_channel_free(job);
    cr_expect_eq(harness_stop(&harness), 0);
    (void)close(listener);
}

TestSuite(dialer, .init = setup, .fini = teardown, .timeout = 60);

static int ask(const char *host, uint32_t asked_port, uint32_t timeout_ms, const char *registry, bool *ret_insecure,
               struct bh_error *error)
{
    Bulkhead__Connect body = BULKHEAD__CONNECT__INIT;
    body.host = (char *)(uintptr_t)host;
    body.port = asked_port;
    body.timeout_ms = timeout_ms;
    body.registry = (char *)(uintptr_t)registry;
    Bulkhead__FetcherToDialer packet = BULKHEAD__FETCHER_TO_DIALER__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_DIALER__BODY_CONNECT;
    packet.connect = &body;
    bh_automessage struct bh_message *message = NULL;
    if (bh_call(job, &packet.base, NULL, 0, 30000, BULKHEAD__DIALER_TO_FETCHER__BODY_CONNECTED, &message, error) < 0) {
        return -1;
    }
    *ret_insecure = ((const Bulkhead__Connected *)bh_message_body(message))->insecure_allowed;
    return bh_message_take_fd(message, 0);
}

/* Asks for the listener by `host` as its own registry. */
static int ask_own(const char *host, bool *ret_insecure, struct bh_error *error)
{
    char registry[300];
    (void)snprintf(registry, sizeof(registry), "%s:%u", host, port);
    return ask(host, port, 5000, registry, ret_insecure, error);
}

static bool was_reached(void)
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    return poll(&wait, 1, 0) > 0;
}

Test(dialer, connects_and_hands_over_a_non_blocking_socket)
{
    struct bh_error error;
    bool insecure = false;
    bh_autoclose int fd = ask_own("127.0.0.1", &insecure, &error);
    cr_assert_geq(fd, 0, "%s", error.message);
    cr_expect(insecure, "127.0.0.0/8 is insecure by default");
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    bh_autoclose int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    cr_assert_geq(accepted, 0);
    char byte = 0;
    cr_expect_eq(send(accepted, "x", 1, MSG_NOSIGNAL), 1);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&wait, 1, 5000), 1);
    cr_expect_eq(recv(fd, &byte, 1, 0), 1);
    cr_expect_eq(byte, 'x');
}

Test(dialer, resolves_names_from_the_hosts_file)
{
    struct bh_error error;
    bool insecure = false;
    bh_autoclose int fd = ask_own("localhost", &insecure, &error);
    cr_assert_geq(fd, 0, "%s", error.message);
    cr_expect(insecure);
    cr_expect(was_reached());
}

Test(dialer, other_registries_may_not_lead_to_loopback)
{
    static const char *const forms[] = {"127.0.0.1",  "localhost",        "127.1",
                                        "2130706433", "0x7f000001",       "0177.0.0.1",
                                        "0.0.0.0",    "::ffff:127.0.0.1", "0"};
    struct bh_error error;
    bool insecure;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        cr_expect_eq(ask(forms[i], port, 5000, "registry.example.com", &insecure, &error), -1, "%s", forms[i]);
        cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s: %s", forms[i], error.message);
    }
    cr_expect_not(was_reached());
}

Test(dialer, special_addresses_are_refused_even_to_their_own_registry)
{
    static const char *const hosts[] = {"169.254.169.254", "10.0.0.1", "192.168.0.1", "fe80::1", "::1", "224.0.0.1"};
    struct bh_error error;
    bool insecure;
    char registry[64];
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        (void)snprintf(registry, sizeof(registry), strchr(hosts[i], ':') ? "[%s]:80" : "%s:80", hosts[i]);
        cr_expect_eq(ask(hosts[i], 80, 5000, registry, &insecure, &error), -1, "%s", hosts[i]);
        cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s: %s", hosts[i], error.message);
    }
}

Test(dialer, nobody_listens)
{
    struct bh_error error;
    bool insecure;
    (void)close(listener);
    cr_expect_eq(ask_own("127.0.0.1", &insecure, &error), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
    cr_expect(strstr(error.message, "connect: connection refused"), "%s", error.message);
    listener = -1;
}

Test(dialer, names_that_do_not_exist)
{
    struct bh_error error;
    bool insecure;
    cr_expect_eq(ask("no-such-host.invalid", 443, 5000, "no-such-host.invalid", &insecure, &error), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
    cr_expect(strstr(error.message, "lookup no-such-host.invalid"), "%s", error.message);
}

Test(dialer, questions_out_of_range)
{
    static const struct {
        const char *host;
        uint32_t port, timeout_ms;
        const char *registry;
    } cases[] = {
        {"", 80, 5000, "a"},
        {"a b", 80, 5000, "a"},
        {"a", 0, 5000, "a"},
        {"a", 65536, 5000, "a"},
        {"a", 80, 0, "a"},
        {"a", 80, 600000, "a"},
        {"a", 80, 5000, ""},
        {"a", 80, 5000, "a:b"},
        {"/etc/hosts", 80, 5000, "a"},
        {"a", 80, 5000, "a/b"},
        {"fe80::1%lo", 80, 5000, "a"},
    };
    struct bh_error error;
    bool insecure;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(ask(cases[i].host, cases[i].port, cases[i].timeout_ms, cases[i].registry, &insecure, &error), -1);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s: %s", cases[i].host, error.message);
    }
}

Test(dialer, the_parent_connects_nothing)
{
    Bulkhead__Connect body = BULKHEAD__CONNECT__INIT;
    static char host[] = "127.0.0.1";
    body.host = host;
    body.registry = host;
    body.port = port;
    body.timeout_ms = 1000;
    Bulkhead__FetcherToDialer packet = BULKHEAD__FETCHER_TO_DIALER__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_DIALER__BODY_CONNECT;
    packet.connect = &body;
    struct bh_error error;
    bh_automessage struct bh_message *message = NULL;
    cr_expect_eq(bh_call(harness_channel(&harness, BH_ROLE_FETCHER, &protocol), &packet.base, NULL, 0, 0,
                         BULKHEAD__DIALER_TO_FETCHER__BODY_CONNECTED, &message, &error),
                 -1);
    cr_expect_eq(error.code, BH_UNIMPLEMENTED, "%s", error.message);
}

Test(dialer, garbage_ends_one_job_and_not_the_service)
{
    cr_assert_eq(send(bh_channel_fd(job), "\xff\xff\xff", 3, MSG_NOSIGNAL), 3);
    for (uint64_t until = bh_now_ms() + 5000; kill(worker, 0) == 0 && bh_now_ms() < until;) {
        (void)poll(NULL, 0, 5);
    }
    cr_expect(kill(worker, 0) < 0 && errno == ESRCH, "the worker gives up");
    spawn();
    struct bh_error error;
    bool insecure;
    bh_autoclose int fd = ask_own("127.0.0.1", &insecure, &error);
    cr_expect_geq(fd, 0, "%s", error.message);
}
