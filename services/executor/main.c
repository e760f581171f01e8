/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-executor: the only process with the privileges that start a container. It hears from policyd alone, and what
 * it hears are typed messages that were judged before; it reads no byte of an image, a registry or a client.
 */
#include "common/service.h"
#include "sandbox.h"
#include "service.h"

int main(int argc, char **argv)
{
    static const struct bh_service service = {
        .sandbox = &executor_sandbox,
        .peers = executor_peers,
        .init = executor_init,
        .start = executor_start,
        .stop = executor_stop,
    };
    return bh_service_run(&service, argc, argv);
}
