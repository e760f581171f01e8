/* SPDX-License-Identifier: Apache-2.0
 *
 * See box.h.
 */
#include "box.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define ID_BASE 0x6f300000U

/* ---- the namespace ----------------------------------------------------------------------------------------- */

static int bound_socket(int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    (void)inet_pton(AF_INET, "127.0.0.11", &address.sin_addr);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        (type == SOCK_STREAM && listen(fd, 8) < 0)) {
        _exit(4);
    }
    return fd;
}

static void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
        _exit(5);
    }
    (void)close(fd);
}

/* As a container's first process: makes the namespaces, becomes root in there, opens what netd gets. */
static void live(int go, int done)
{
    char byte;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || write(done, "u", 1) != 1 || read(go, &byte, 1) != 1 ||
        setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
        _exit(2);
    }
    (void)prctl(PR_SET_DUMPABLE, 1);
    bring_loopback_up();
    int fds[6] = {open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
                  socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                  socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER),
                  bound_socket(SOCK_DGRAM),
                  bound_socket(SOCK_STREAM),
                  socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (write(done, fds, sizeof(fds)) != (ssize_t)sizeof(fds)) {
        _exit(3);
    }
    for (;;) {
        (void)pause();
    }
}

static void map(pid_t pid, const char *name)
{
    char path[64], text[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int n = snprintf(text, sizeof(text), "0 %u 65536\n", ID_BASE);
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, text, (size_t)n) == n);
}

void box_open(struct box *box, uint8_t number)
{
    int go[2], done[2], theirs[6];
    char byte;
    *box = (struct box){.attachment = BULKHEAD__ATTACHMENT__INIT};
    memset(box->id, 0xc0, sizeof(box->id));
    box->id[31] = number;
    box->attachment.endpoints = box->endpoint_list;
    box->attachment.ports = box->port_list;
    cr_assert(pipe2(go, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
    box->pid = fork();
    if (box->pid == 0) {
        live(go[0], done[1]);
    }
    cr_assert_eq(read(done[0], &byte, 1), 1);
    map(box->pid, "uid_map");
    map(box->pid, "gid_map");
    cr_assert_eq(write(go[1], "", 1), 1);
    cr_assert_eq(read(done[0], theirs, sizeof(theirs)), (ssize_t)sizeof(theirs));
    bh_autoclose int pidfd = (int)syscall(SYS_pidfd_open, box->pid, 0);
    for (size_t i = 0; i < 6; i++) {
        box->fds[i] = (int)syscall(SYS_pidfd_getfd, pidfd, theirs[i], 0);
        cr_assert_geq(box->fds[i], 0);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)close(go[i]);
        (void)close(done[i]);
    }
}

void box_close(struct box *box)
{
    for (size_t i = 0; i < 6; i++) {
        bh_close(&box->fds[i]);
    }
    cr_assert_eq(kill(box->pid, SIGKILL), 0);
    cr_assert_eq(waitpid(box->pid, NULL, 0), box->pid);
}

/* ---- links and ports --------------------------------------------------------------------------------------- */

size_t box_join(struct box *box, const struct network *network, uint8_t number)
{
    static char names[8][8];
    size_t place = box->attachment.n_endpoints++;
    Bulkhead__Endpoint *endpoint = &box->endpoints[place];
    *endpoint = (Bulkhead__Endpoint)BULKHEAD__ENDPOINT__INIT;
    memset(box->ids[place], network->number, sizeof(box->ids[place]));
    memcpy(box->ids[place], &box->id[31], 1);
    (void)snprintf(names[place], sizeof(names[place]), "eth%zu", place);
    memcpy(box->macs[place], (const uint8_t[]){2, 0x42, 172, 16, network->number, number}, 6);
    memcpy(box->addresses4[place], (const uint8_t[]){172, 16, network->number, number}, 4);
    memcpy(box->addresses6[place], (const uint8_t[16]){0xfd, 0, 0, network->number, [15] = number}, 16);
    endpoint->id = (ProtobufCBinaryData){32, box->ids[place]};
    endpoint->network = (ProtobufCBinaryData){32, (uint8_t *)network->id};
    endpoint->mac = (ProtobufCBinaryData){6, box->macs[place]};
    endpoint->address4 = (ProtobufCBinaryData){4, box->addresses4[place]};
    endpoint->interface_name = names[place];
    endpoint->default_route4 = place == 0 && !network->spec.internal;
    if (network->spec.n_subnets == 2) {
        endpoint->address6 = (ProtobufCBinaryData){16, box->addresses6[place]};
        endpoint->default_route6 = endpoint->default_route4;
    }
    box->endpoint_list[place] = endpoint;
    return place;
}

void box_publish(struct box *box, Bulkhead__Transport transport, const char *address, uint16_t first, uint16_t last,
                 uint16_t container_port)
{
    size_t place = box->attachment.n_ports++;
    Bulkhead__PublishedPort *port = &box->ports[place];
    *port = (Bulkhead__PublishedPort)BULKHEAD__PUBLISHED_PORT__INIT;
    port->transport = transport;
    port->container_port = container_port;
    port->first_host_port = first;
    port->last_host_port = last;
    if (*address) {
        bool ipv6 = strchr(address, ':') != NULL;
        cr_assert_eq(inet_pton(ipv6 ? AF_INET6 : AF_INET, address, box->port_hosts[place]), 1);
        port->host_address = (ProtobufCBinaryData){ipv6 ? 16 : 4, box->port_hosts[place]};
    }
    box->port_list[place] = port;
}

static void name(const struct box *box, Bulkhead__ContainerId *ret_id)
{
    *ret_id = (Bulkhead__ContainerId)BULKHEAD__CONTAINER_ID__INIT;
    ret_id->id = (ProtobufCBinaryData){32, (uint8_t *)box->id};
    ret_id->tenant_uid = STAGE_TENANT;
}

int box_link(struct box *box, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__ContainerId id;
    name(box, &id);
    Bulkhead__LinkContainer body = BULKHEAD__LINK_CONTAINER__INIT;
    body.container = &id;
    body.attachment = &box->attachment;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER;
    packet.link_container = &body;
    if (stage_ask(&packet, box->fds, box->attachment.embedded_dns ? 6 : 3,
                  BULKHEAD__NETD_TO_POLICYD__BODY_CONTAINER_CONNECTED, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ContainerConnected *connected = bh_message_body(answer);
    box->n_published = connected->n_ports;
    for (size_t i = 0; i < connected->n_ports; i++) {
        box->published[i] = (uint16_t)connected->ports[i]->first_host_port;
    }
    return 0;
}

void box_linked(struct box *box)
{
    struct bh_error error = {0};
    cr_assert_eq(box_link(box, &error), 0, "%s", error.message);
}

int box_disconnect(struct box *box, int place, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__ContainerId id;
    name(box, &id);
    Bulkhead__DisconnectContainer body = BULKHEAD__DISCONNECT_CONTAINER__INIT;
    body.container = &id;
    if (place >= 0) {
        body.endpoints = &box->endpoints[place].id;
        body.n_endpoints = 1;
    }
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER;
    packet.disconnect_container = &body;
    return stage_ask(&packet, NULL, 0, BULKHEAD__NETD_TO_POLICYD__BODY_DONE, &answer, error);
}

/* ---- commands ---------------------------------------------------------------------------------------------- */

static void write_enter(const struct box *box, char *text, size_t n_bytes)
{
    if (box && box->fds[0] >= 0) {
        (void)snprintf(text, n_bytes, "nsenter -t %d -U -n -S 0 -G 0 ", (int)box->pid);
    } else if (box) {
        (void)snprintf(text, n_bytes, "nsenter -t %d -n ", (int)box->pid);
    } else {
        text[0] = '\0';
    }
}

const char *inside(const struct box *box, const char *command, ...)
{
    static char output[16384];
    char text[2048], enter[64];
    va_list arguments;
    va_start(arguments, command);
    (void)vsnprintf(text, sizeof(text), command, arguments);
    va_end(arguments);
    write_enter(box, enter, sizeof(enter));
    (void)snprintf(output, sizeof(output), "%s", host("%s%s 2>&1 || true", enter, text));
    return output;
}

const char *asked(const struct box *box, const char *what, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof(text), what, arguments);
    va_end(arguments);
    return inside(box, "python3 " BH_TRAFFIC " ask %s", text);
}

static FILE *start(const struct box *box, const char *what)
{
    char command[1024], enter[64], line[64];
    write_enter(box, enter, sizeof(enter));
    (void)snprintf(command, sizeof(command), "exec %spython3 " BH_TRAFFIC " %s", enter, what);
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(1);
    }
    (void)close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    cr_assert(stream && fgets(line, sizeof(line), stream) && strcmp(line, "ready\n") == 0, "%s", command);
    return stream;
}

void serve(const struct box *box, const char *what, ...)
{
    char text[512], command[600];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof(text), what, arguments);
    va_end(arguments);
    (void)snprintf(command, sizeof(command), "serve %s", text);
    (void)fclose(start(box, command));
}

FILE *hear(const struct box *box)
{
    return start(box, "hear eth0");
}

/* ---- another machine --------------------------------------------------------------------------------------- */

void machine_open(struct box *machine)
{
    int done[2];
    char byte;
    *machine = (struct box){.fds = {-1, -1, -1, -1, -1, -1}};
    cr_assert_eq(pipe2(done, O_CLOEXEC), 0);
    machine->pid = fork();
    if (machine->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWNET) < 0 || write(done[1], "u", 1) != 1) {
            _exit(2);
        }
        for (;;) {
            (void)pause();
        }
    }
    cr_assert_eq(read(done[0], &byte, 1), 1);
    (void)close(done[0]);
    (void)close(done[1]);
    (void)host("ip link add cable type veth peer name cable netns %d && ip addr add 198.51.100.1/24 dev cable && "
               "ip addr add 2001:db8:1::1/64 dev cable nodad && echo 0 > /proc/sys/net/ipv6/conf/cable/accept_dad && "
               "ip link set cable up",
               (int)machine->pid);
    (void)inside(machine, "sh -c 'ip addr add 198.51.100.2/24 dev cable; ip addr add 2001:db8:1::2/64 dev cable nodad; "
                          "echo 0 > /proc/sys/net/ipv6/conf/cable/accept_dad; "
                          "ip link set lo up; ip link set cable up'");
}
