/* SPDX-License-Identifier: Apache-2.0
 *
 * The example; see example.h.
 */
#include "example.h"

void example_init(struct example *example)
{
    static uint8_t id[32] = {0xab, 0xcd};
    static char *args[] = {"/bin/true"}, *env[] = {"PATH=/bin"};
    *example = (struct example){.spec = BULKHEAD__CONTAINER_SPEC__INIT,
                                .process = BULKHEAD__PROCESS__INIT,
                                .resources = BULKHEAD__RESOURCES__INIT,
                                .log = BULKHEAD__LOG_OPTIONS__INIT};
    example->process.args = args;
    example->process.n_args = 1;
    example->process.env = env;
    example->process.n_env = 1;
    example->process.cwd = "/";
    example->spec.id = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    example->spec.process = &example->process;
    example->spec.resources = &example->resources;
    example->log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    example->spec.log = &example->log;
    example->spec.host_name = "example";
    example->spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    example->spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    example->spec.capabilities = 0xa80425fb; /* Docker's fourteen */
    example->spec.shm_bytes = 1 << 20;
    example->spec.id_base = 0x6f000000;
    example->spec.id_count = 65536;
    example->spec.monitor_uid = 0x6fee2000;
    example->spec.cgroup_parent = EXAMPLE_CGROUP_PARENT;
}
