/* SPDX-License-Identifier: Apache-2.0
 *
 * An honest container's spec; see example.h.
 */
#include "example.h"

#include <stdbool.h>
#include <string.h>

char *example_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

void example_init(struct example *example)
{
    static char *masked[12];
    static char *read_only[5];
    static const char *const masked_names[] = {
        "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
        "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap"};
    static const char *const read_only_names[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                                  "/proc/sysrq-trigger"};
    for (int i = 0; i < 12; i++) {
        masked[i] = example_text(masked_names[i]);
    }
    for (int i = 0; i < 5; i++) {
        read_only[i] = example_text(read_only_names[i]);
    }
    memset(example, 0, sizeof(*example));
    bulkhead__container_spec__init(&example->spec);
    bulkhead__process__init(&example->process);
    bulkhead__resources__init(&example->resources);
    bulkhead__log_options__init(&example->log);
    example->log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    bulkhead__mount__init(&example->mount);
    bulkhead__key_value__init(&example->sysctl);
    bulkhead__resource_limit__init(&example->limit);
    example->mounts[0] = &example->mount;
    example->sysctls[0] = &example->sysctl;
    example->limits[0] = example->limits[1] = &example->limit;
    example->args[0] = example_text("/bin/true");
    example->process.args = example->args;
    example->process.n_args = 1;
    example->spec.id = (ProtobufCBinaryData){.len = 32, .data = example->id};
    example->spec.tenant_uid = 1000;
    example->spec.process = &example->process;
    example->spec.resources = &example->resources;
    example->spec.log = &example->log;
    example->spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    example->spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    example->spec.masked_paths = masked;
    example->spec.n_masked_paths = 12;
    example->spec.read_only_paths = read_only;
    example->spec.n_read_only_paths = 5;
}

void example_bind(struct example *example, const char *source)
{
    example->mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    example->mount.source = example_text(source);
    example->mount.target = example_text("/data");
    example->spec.mounts = example->mounts;
    example->spec.n_mounts = 1;
}

void example_sysctl(struct example *example, const char *key)
{
    example->sysctl.key = example_text(key);
    example->sysctl.value = example_text("1");
    example->spec.sysctls = example->sysctls;
    example->spec.n_sysctls = 1;
}

static void fill_endpoint(struct example *example, size_t i, Bulkhead__Endpoint *endpoint, const char *name)
{
    const uint8_t mac[6] = {2, 0x42, 172, 17, 0, (uint8_t)(2 + i)}, address4[4] = {172, 17, (uint8_t)i, 2};
    bulkhead__endpoint__init(endpoint);
    memset(example->ids[2 * i], (int)(0x10 + i), 32);
    memset(example->ids[2 * i + 1], (int)(0x20 + i), 32);
    memcpy(example->macs[i], mac, sizeof(mac));
    memcpy(example->address4[i], address4, sizeof(address4));
    memset(example->address6[i], 0, 16);
    example->address6[i][0] = 0xfd;
    example->address6[i][15] = (uint8_t)(2 + i);
    endpoint->id = (ProtobufCBinaryData){.len = 32, .data = example->ids[2 * i]};
    endpoint->network = (ProtobufCBinaryData){.len = 32, .data = example->ids[2 * i + 1]};
    endpoint->mac = (ProtobufCBinaryData){.len = 6, .data = example->macs[i]};
    endpoint->address4 = (ProtobufCBinaryData){.len = 4, .data = example->address4[i]};
    endpoint->interface_name = example_text(name);
    example->endpoints[i] = endpoint;
}

void example_link(struct example *example)
{
    bulkhead__attachment__init(&example->attachment);
    bulkhead__published_port__init(&example->port);
    fill_endpoint(example, 0, &example->endpoint, "eth0");
    example->endpoint.default_route4 = true;
    example->port.transport = BULKHEAD__TRANSPORT__TRANSPORT_TCP;
    example->port.container_port = 80;
    example->port.first_host_port = example->port.last_host_port = 8080;
    example->ports[0] = &example->port;
    example->attachment.endpoints = example->endpoints;
    example->attachment.n_endpoints = 1;
    example->attachment.ports = example->ports;
    example->attachment.n_ports = 1;
    example->spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    example->spec.attachment = &example->attachment;
}

void example_link_twice(struct example *example)
{
    example_link(example);
    fill_endpoint(example, 1, &example->second, "eth1");
    example->second.address6 = (ProtobufCBinaryData){.len = 16, .data = example->address6[1]};
    example->attachment.n_endpoints = 2;
}
