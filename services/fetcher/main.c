/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-fetcher: speaks the distribution protocol to registries, over sockets that the dialer connects, into pipes
 * that the store reads. One worker per pull; the parent reads nothing that a registry wrote.
 */
#include "common/service.h"
#include "sandbox.h"
#include "service.h"

int main(int argc, char **argv)
{
    static const struct bh_service service = {
        .sandbox = &fetcher_sandbox,
        .peers = fetcher_peers,
        .init = fetcher_init,
    };
    return bh_service_run(&service, argc, argv);
}
