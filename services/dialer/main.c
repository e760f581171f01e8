/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-dialer: the only process that resolves names and connects. It reads host names and DNS answers, judges the
 * resolved address, and hands the connected socket to a fetcher's worker; what flows through that socket it never sees.
 */
#include "common/service.h"
#include "sandbox.h"
#include "service.h"

int main(int argc, char **argv)
{
    static const struct bh_service service = {
        .sandbox = &dialer_sandbox,
        .peers = dialer_peers,
        .start = dialer_start,
        .stop = dialer_stop,
    };
    return bh_service_run(&service, argc, argv);
}
