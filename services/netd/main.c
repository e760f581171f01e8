/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-netd: makes networks and links containers to them. It reads typed messages of policyd's and answers of the
 * kernel's, and nothing that a container sends: DNS questions are read by workers without its capabilities.
 */
#include "common/service.h"
#include "sandbox.h"
#include "service.h"

int main(int argc, char **argv)
{
    static const struct bh_service service = {
        .sandbox = &netd_sandbox,
        .peers = netd_peers,
        .init = netd_init,
        .start = netd_start,
        .stop = netd_stop,
    };
    return bh_service_run(&service, argc, argv);
}
