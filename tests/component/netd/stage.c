/* SPDX-License-Identifier: Apache-2.0
 *
 * See stage.h.
 */
#include "stage.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/io.h"

struct harness stage;

static const struct harness_options options = {
    .program = "bulkhead-netd", .role = BH_ROLE_NETD, .peers = {BH_ROLE_POLICYD}};

static const struct bh_protocol protocol = {
    .name = "policyd_netd",
    .incoming = &bulkhead__netd_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_netd__descriptor,
};

/* ---- commands ---------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static int run(char output[static 16384], const char *command, va_list arguments)
{
    char text[4096];
    int n = vsnprintf(text, sizeof(text), command, arguments);
    cr_assert(n > 0 && (size_t)n < sizeof(text));
    FILE *stream = popen(text, "re");
    cr_assert_not_null(stream);
    size_t length = fread(output, 1, 16383, stream);
    while (length > 0 && output[length - 1] == '\n') {
        length--;
    }
    output[length] = '\0';
    return pclose(stream);
}

const char *host(const char *command, ...)
{
    static char output[16384];
    va_list arguments;
    va_start(arguments, command);
    int status = run(output, command, arguments);
    va_end(arguments);
    cr_assert_eq(status, 0, "%s: %s", command, output);
    return output;
}

bool host_can(const char *command, ...)
{
    char output[16384];
    va_list arguments;
    va_start(arguments, command);
    int status = run(output, command, arguments);
    va_end(arguments);
    return status == 0;
}

bool host_soon(const char *wanted, const char *command, ...)
{
    char output[16384] = "";
    for (uint64_t until = bh_now_ms() + 5000; bh_now_ms() < until; (void)poll(NULL, 0, 10)) {
        va_list arguments;
        va_start(arguments, command);
        (void)run(output, command, arguments);
        va_end(arguments);
        if (strcmp(output, wanted) == 0) {
            return true;
        }
    }
    (void)fprintf(stderr, "%s: \"%s\" and not \"%s\"\n", command, output, wanted);
    return false;
}

/* ---- netd -------------------------------------------------------------------------------------------------- */

void stage_open(void)
{
    cr_assert_eq(unshare(CLONE_NEWNET), 0);
    (void)host("echo 0 >/proc/sys/net/ipv4/ip_forward"); /* a new namespace has what the host's had */
    (void)host("ip link set lo up");
    harness_start(&stage, &options);
    (void)harness_channel(&stage, BH_ROLE_POLICYD, &protocol);
}

void stage_close(void)
{
    cr_expect_eq(harness_stop(&stage), 0);
}

void stage_restart(void)
{
    cr_assert_eq(kill(stage.pid, SIGKILL), 0);
    cr_assert_eq(waitpid(stage.pid, NULL, 0), stage.pid);
    bh_channel_free(stage.channels[BH_ROLE_POLICYD]);
    bh_close(&stage.control);
    harness_start(&stage, &options);
    (void)harness_channel(&stage, BH_ROLE_POLICYD, &protocol);
}

int stage_ask(Bulkhead__PolicydToNetd *packet, const int *fds, size_t n_fds, uint32_t kind,
              struct bh_message **ret_answer, struct bh_error *error)
{
    return bh_call(stage.channels[BH_ROLE_POLICYD], &packet->base, fds, n_fds, 0, kind, ret_answer, error);
}

static int ask_done(Bulkhead__PolicydToNetd *packet, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    return stage_ask(packet, NULL, 0, BULKHEAD__NETD_TO_POLICYD__BODY_DONE, &answer, error);
}

const char *stage_findings(void)
{
    static char text[8192];
    bh_automessage struct bh_message *answer = NULL;
    struct bh_error error = {0};
    Bulkhead__CheckNetworks body = BULKHEAD__CHECK_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_CHECK_NETWORKS;
    packet.check_networks = &body;
    cr_assert_eq(stage_ask(&packet, NULL, 0, BULKHEAD__NETD_TO_POLICYD__BODY_NETWORKS_CHECKED, &answer, &error), 0,
                 "%s", error.message);
    const Bulkhead__NetworksChecked *checked = bh_message_body(answer);
    text[0] = '\0';
    for (size_t i = 0; i < checked->n_findings; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "%s\n", checked->findings[i]);
    }
    return text;
}

void stage_settle(void)
{
    struct bh_error error = {0};
    Bulkhead__SettleNetworks body = BULKHEAD__SETTLE_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_SETTLE_NETWORKS;
    packet.settle_networks = &body;
    cr_assert_eq(ask_done(&packet, &error), 0, "%s", error.message);
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

void network_init(struct network *network, uint8_t number, bool ipv6)
{
    static char name[256][16];
    *network = (struct network){.spec = BULKHEAD__NETWORK_SPEC__INIT, .number = number};
    memset(network->id, number, sizeof(network->id));
    (void)snprintf(name[number], sizeof(name[number]), "net%u", number);
    (void)snprintf(network->link, sizeof(network->link), "bt-%02x%02x%02x%02x%02x%02x", number, number, number, number,
                   number, number);
    memcpy(network->addresses[0], (const uint8_t[]){172, 16, number, 0}, 4);
    memcpy(network->gateways[0], (const uint8_t[]){172, 16, number, 1}, 4);
    memcpy(network->addresses[1], (const uint8_t[16]){0xfd, 0, 0, number}, 16);
    memcpy(network->gateways[1], (const uint8_t[16]){0xfd, 0, 0, number, [15] = 1}, 16);
    for (size_t i = 0; i < 2; i++) {
        network->subnets[i] = (Bulkhead__Subnet)BULKHEAD__SUBNET__INIT;
        network->subnets[i].address = (ProtobufCBinaryData){i ? 16 : 4, network->addresses[i]};
        network->subnets[i].gateway = (ProtobufCBinaryData){i ? 16 : 4, network->gateways[i]};
        network->subnets[i].prefix = i ? 64 : 24;
        network->list[i] = &network->subnets[i];
    }
    network->spec.id = (ProtobufCBinaryData){32, network->id};
    network->spec.tenant_uid = STAGE_TENANT;
    network->spec.name = name[number];
    network->spec.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE;
    network->spec.subnets = network->list;
    network->spec.n_subnets = ipv6 ? 2 : 1;
    network->spec.masquerade = true;
}

int network_make(struct network *network, struct bh_error *error)
{
    Bulkhead__MakeNetwork body = BULKHEAD__MAKE_NETWORK__INIT;
    body.network = &network->spec;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK;
    packet.make_network = &body;
    return ask_done(&packet, error);
}

void network_made(struct network *network)
{
    struct bh_error error = {0};
    cr_assert_eq(network_make(network, &error), 0, "%s", error.message);
}

int network_drop(struct network *network, struct bh_error *error)
{
    Bulkhead__NetworkId id = BULKHEAD__NETWORK_ID__INIT;
    id.id = network->spec.id;
    id.tenant_uid = network->spec.tenant_uid;
    Bulkhead__DropNetwork body = BULKHEAD__DROP_NETWORK__INIT;
    body.network = &id;
    body.name = network->spec.name;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_DROP_NETWORK;
    packet.drop_network = &body;
    return ask_done(&packet, error);
}
