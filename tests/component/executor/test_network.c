/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that are linked to networks, with the test as policyd and netd: what comes out of their namespace, what it
 * is good for, and that the program does not run before the links are there.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "stage.h"

TestSuite(network, .init = stage_open, .fini = stage_close, .timeout = 180);

enum { NAMESPACE, ROUTE, NETFILTER, DNS_UDP, DNS_TCP, DNS_ASKING, OPENED_MAX };

struct opened {
    int fds[OPENED_MAX];
    size_t n;
};

struct linked {
    struct container container;
    Bulkhead__Attachment attachment;
    Bulkhead__Endpoint endpoint;
    Bulkhead__Endpoint *endpoints[1];
    uint8_t address4[4], address6[16];
    struct opened opened;
};

static char output[65536];

static void prepare(struct linked *linked, const char *script)
{
    *linked = (struct linked){.attachment = BULKHEAD__ATTACHMENT__INIT,
                              .endpoint = BULKHEAD__ENDPOINT__INIT,
                              .address4 = {172, 17, 0, 9},
                              .address6 = {0xfd, [15] = 9}};
    container_init(&linked->container, script);
    linked->endpoint.address4 = (ProtobufCBinaryData){.len = 4, .data = linked->address4};
    linked->endpoints[0] = &linked->endpoint;
    linked->attachment.endpoints = linked->endpoints;
    linked->attachment.n_endpoints = 1;
    linked->container.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    linked->container.spec.attachment = &linked->attachment;
}

static void take(struct bh_message *answer, struct opened *opened)
{
    cr_assert_eq(answer->kind, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED);
    for (opened->n = 0; opened->n < answer->n_fds && opened->n < OPENED_MAX; opened->n++) {
        opened->fds[opened->n] = bh_message_take_fd(answer, opened->n);
    }
}

static void close_all(struct opened *opened)
{
    for (size_t i = 0; i < opened->n; i++) {
        bh_close(&opened->fds[i]);
    }
    opened->n = 0;
}

static void begin(struct linked *linked)
{
    bh_automessage struct bh_message *answer = NULL;
    container_begin(&linked->container);
    cr_assert_eq(bh_call_next(linked->container.call, &answer, &linked->container.error), 0, "%s",
                 linked->container.error.message);
    cr_assert(answer->more);
    take(answer, &linked->opened);
}

/* The links are there: the rest of container_run(). */
static int go_on(struct linked *linked)
{
    struct container *container = &linked->container;
    cr_assert_eq(write(container->links, "", 1), 1);
    if (container_finish(container) < 0) {
        return -1;
    }
    bh_close(&container->standard_input);
    size_t used = 0;
    for (ssize_t n; (n = read(container->output, output + used, sizeof(output) - 1 - used)) > 0;) {
        used += (size_t)n;
    }
    output[used] = '\0';
    int code = container_wait(container);
    close_all(&linked->opened);
    container_remove(container);
    return code;
}

static int run_linked(struct linked *linked)
{
    begin(linked);
    return go_on(linked);
}

/* Makes a link (a bridge, which every kernel that has containers knows) through somebody's rtnetlink socket. 0, or what
 * the kernel says. */
static int make_link(int fd, const char *name)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
        char attributes[64];
    } request = {
        .header = {.nlmsg_type = RTM_NEWLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK}};
    struct rtattr *attribute = (struct rtattr *)request.attributes;
    attribute->rta_type = IFLA_IFNAME;
    attribute->rta_len = (unsigned short)RTA_LENGTH(strlen(name) + 1);
    strcpy(RTA_DATA(attribute), name);
    struct rtattr *nest = (struct rtattr *)(request.attributes + RTA_ALIGN(attribute->rta_len));
    struct rtattr *kind = RTA_DATA(nest);
    kind->rta_type = IFLA_INFO_KIND;
    kind->rta_len = (unsigned short)RTA_LENGTH(strlen("bridge"));
    memcpy(RTA_DATA(kind), "bridge", strlen("bridge"));
    nest->rta_type = IFLA_LINKINFO;
    nest->rta_len = (unsigned short)RTA_LENGTH(RTA_ALIGN(kind->rta_len));
    request.header.nlmsg_len =
        (unsigned int)(NLMSG_LENGTH(sizeof(request.info)) + RTA_ALIGN(attribute->rta_len) + RTA_ALIGN(nest->rta_len));
    cr_assert_eq(send(fd, &request, request.header.nlmsg_len, 0), (ssize_t)request.header.nlmsg_len);
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    cr_assert_gt(recv(fd, &answer, sizeof(answer), 0), 0);
    cr_assert_eq(answer.header.nlmsg_type, NLMSG_ERROR);
    return answer.error.error;
}

static void expect_dns(int fd, int type)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int actual = 0;
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    cr_expect_eq(address.sin_family, AF_INET);
    cr_expect_eq(ntohl(address.sin_addr.s_addr), 0x7f00000bU);
    cr_expect_neq(address.sin_port, 0);
    length = sizeof(actual);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_TYPE, &actual, &length), 0);
    cr_expect_eq(actual, type);
}

Test(network, links_are_made_from_outside_and_the_program_sees_them)
{
    struct linked linked;
    struct stat own, its;
    prepare(&linked, "ls /sys/class/net | tr '\\n' ' '; ls /proc/self/fd | tr '\\n' ' '");
    begin(&linked);
    cr_assert_eq(linked.opened.n, 3);
    cr_assert(stat("/proc/self/ns/net", &own) == 0 && fstat(linked.opened.fds[NAMESPACE], &its) == 0);
    cr_expect_eq(own.st_dev, its.st_dev, "a namespace");
    cr_expect_neq(own.st_ino, its.st_ino, "and not this one");
    cr_expect_eq(make_link(linked.opened.fds[ROUTE], "eth0"), 0);
    cr_expect_eq(make_link(linked.opened.fds[ROUTE], "eth0"), -EEXIST);
    cr_assert_eq(go_on(&linked), 0, "%s", output);
    cr_expect_str_eq(output, "eth0 lo 0 1 2 3 ",
                     "links, and no descriptor but the streams and the folder that is read");
}

Test(network, with_embedded_dns_come_its_sockets)
{
    struct linked linked;
    prepare(&linked, "cat /etc/resolv.conf");
    char *search[] = {"example.org"};
    linked.container.spec.dns_search = search;
    linked.container.spec.n_dns_search = 1;
    linked.attachment.embedded_dns = true;
    begin(&linked);
    cr_assert_eq(linked.opened.n, OPENED_MAX);
    expect_dns(linked.opened.fds[DNS_UDP], SOCK_DGRAM);
    expect_dns(linked.opened.fds[DNS_TCP], SOCK_STREAM);
    int listens = 0;
    socklen_t length = sizeof(listens);
    cr_assert_eq(getsockopt(linked.opened.fds[DNS_TCP], SOL_SOCKET, SO_ACCEPTCONN, &listens, &length), 0);
    cr_expect_eq(listens, 1);
    cr_assert_eq(go_on(&linked), 0);
    cr_expect_eq(strncmp(output, "nameserver 127.0.0.11\nsearch example.org\n", 41), 0, "%s", output);
    cr_expect(strstr(output, "ndots:0\n"), "%s", output);
    cr_expect_null(strstr(output + 5, "nameserver"), "and no other: %s", output);
}

Test(network, nothing_runs_before_the_word_is_given)
{
    struct linked linked;
    prepare(&linked, "echo ran");
    begin(&linked);
    struct pollfd said = {.fd = linked.container.output, .events = POLLIN};
    cr_expect_eq(poll(&said, 1, 300), 0);
    cr_assert_eq(go_on(&linked), 0);
    cr_expect_str_eq(output, "ran\n");
}

Test(network, without_links_nothing_is_left)
{
    struct linked linked;
    prepare(&linked, "echo ran");
    begin(&linked);
    bh_close(&linked.container.links);
    cr_assert_eq(container_finish(&linked.container), -1);
    cr_expect_eq(linked.container.error.code, BH_UNAVAILABLE);
    cr_expect(strstr(linked.container.error.message, "the network was not set up"), "%s",
              linked.container.error.message);
    close_all(&linked.opened);
    bool running = true;
    cr_expect_eq(ask_list(&linked.container, &running), 0);
    struct bh_error error = {0};
    cr_expect_eq(ask_remove(&linked.container, &error), 0, "%s", error.message);

    /* The same container starts when the removal, which goes on in the background, is through. */
    stage_settle();
    cr_assert_eq(run_linked(&linked), 0, "%s", linked.container.error.message);
}

Test(network, settings_of_links_are_made_when_these_are_there)
{
    struct linked linked;
    Bulkhead__KeyValue sysctl = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&sysctl};
    prepare(&linked, "cat /proc/sys/net/ipv4/conf/eth0/forwarding /proc/sys/net/ipv4/ip_unprivileged_port_start "
                     "/proc/sys/net/ipv4/ping_group_range | tr '\\n\\t' '  '");
    sysctl.key = "net.ipv4.conf.eth0.forwarding";
    sysctl.value = "1";
    linked.container.spec.sysctls = sysctls;
    linked.container.spec.n_sysctls = 1;
    begin(&linked);
    cr_assert_eq(make_link(linked.opened.fds[ROUTE], "eth0"), 0);
    cr_assert_eq(go_on(&linked), 0, "%s", linked.container.error.message);
    cr_expect_str_eq(output, "1 0 0 65535 ");
}

Test(network, ipv6_is_off_on_links_where_it_has_no_address)
{
    static const char script[] =
        "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6 /proc/sys/net/ipv6/conf/lo/disable_ipv6 "
        "/proc/sys/net/ipv6/conf/eth0/accept_ra | tr '\\n' ' '";
    for (int with = 0; with < 2; with++) {
        struct linked linked;
        prepare(&linked, script);
        if (with) {
            linked.endpoint.address6 = (ProtobufCBinaryData){.len = 16, .data = linked.address6};
        }
        begin(&linked);
        cr_assert_eq(make_link(linked.opened.fds[ROUTE], "eth0"), 0);
        cr_assert_eq(go_on(&linked), 0, "%s", linked.container.error.message);
        cr_expect_str_eq(output, with ? "0 0 0 " : "1 0 0 ");
    }
}

Test(network, hosts_has_its_addresses_and_those_who_share_its_network_read_the_same)
{
    struct linked linked;
    struct container guest;
    prepare(&linked, "cat /etc/hosts; cat");
    linked.container.process.open_stdin = linked.container.process.stdin_once = true;
    linked.container.spec.domain_name = "example.org";
    linked.endpoint.address6 = (ProtobufCBinaryData){.len = 16, .data = linked.address6};
    begin(&linked);
    cr_assert_eq(write(linked.container.links, "", 1), 1);
    cr_assert_eq(container_finish(&linked.container), 0, "%s", linked.container.error.message);
    container_init(&guest, "cat /etc/hosts");
    guest.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    guest.spec.join_network = linked.container.spec.id;
    cr_assert_eq(container_run(&guest, output, sizeof(output)), 0, "%s", guest.error.message);
    cr_expect(strstr(output, "\n172.17.0.9\tstage.example.org stage\nfd00::9\tstage.example.org stage\n"), "%s",
              output);
    bh_close(&linked.container.standard_input);
    cr_expect_eq(container_wait(&linked.container), 0);
    close_all(&linked.opened);
    container_remove(&linked.container);
}

/* ---- of a container that runs ----------------------------------------------------------------------------- */

static int open_network(const struct container *container, uint32_t tenant_uid, bool ipv6, struct opened *opened,
                        struct bh_error *error)
{
    Bulkhead__ContainerId name = BULKHEAD__CONTAINER_ID__INIT;
    name.id = container->spec.id;
    name.tenant_uid = tenant_uid;
    Bulkhead__OpenNetwork open = BULKHEAD__OPEN_NETWORK__INIT;
    open.container = &name;
    open.ipv6 = ipv6;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK;
    packet.open_network = &open;
    bh_automessage struct bh_message *answer = NULL;
    bh_error_clear(error);
    if (bh_call(stage.channels[BH_ROLE_POLICYD], &packet.base, NULL, 0, 30000,
                BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED, &answer, error) < 0) {
        return -1;
    }
    take(answer, opened);
    return 0;
}

Test(network, of_a_running_container_it_is_opened_again)
{
    struct linked linked;
    struct opened again = {0};
    struct bh_error error;
    struct stat first, second;
    prepare(&linked, "cat; ls /sys/class/net | tr '\\n' ' '; cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6");
    linked.container.process.open_stdin = linked.container.process.stdin_once = true;
    linked.attachment.embedded_dns = true;
    begin(&linked);
    cr_assert_eq(write(linked.container.links, "", 1), 1);
    cr_assert_eq(container_finish(&linked.container), 0, "%s", linked.container.error.message);
    stage_restart(); /* by another executor, too */
    cr_assert_eq(open_network(&linked.container, linked.container.spec.tenant_uid, true, &again, &error), 0, "%s",
                 error.message);
    cr_assert_eq(again.n, OPENED_MAX);
    cr_assert(fstat(linked.opened.fds[NAMESPACE], &first) == 0 && fstat(again.fds[NAMESPACE], &second) == 0);
    cr_expect_eq(first.st_ino, second.st_ino);
    cr_expect_eq(make_link(again.fds[ROUTE], "eth1"), 0);
    expect_dns(again.fds[DNS_UDP], SOCK_DGRAM);
    close_all(&again);
    cr_expect_eq(open_network(&linked.container, linked.container.spec.tenant_uid + 1, false, &again, &error), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "another tenant's");
    bh_close(&linked.container.standard_input);
    ssize_t n = read(linked.container.output, output, sizeof(output) - 1);
    output[n > 0 ? n : 0] = '\0';
    cr_expect_eq(strncmp(output, "eth1 lo ", 8), 0, "%s", output);
    cr_expect_eq(container_wait(&linked.container), 0);
    cr_expect_eq(open_network(&linked.container, linked.container.spec.tenant_uid, false, &again, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION, "it has ended");
    close_all(&linked.opened);
    container_remove(&linked.container);
}

Test(network, no_link_is_led_where_none_was_asked_for)
{
    static const Bulkhead__NetworkMode modes[] = {BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST,
                                                  BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE};
    for (size_t i = 0; i < 2; i++) {
        struct container container;
        struct opened opened = {0};
        struct bh_error error;
        container_init(&container, "cat");
        container.process.open_stdin = container.process.stdin_once = true;
        container.spec.network = modes[i];
        cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
        cr_expect_eq(open_network(&container, container.spec.tenant_uid, false, &opened, &error), -1);
        cr_expect_eq(error.code, BH_FAILED_PRECONDITION);
        bh_close(&container.standard_input);
        cr_expect_eq(container_wait(&container), 0);
        container_remove(&container);
    }
}
