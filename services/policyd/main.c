/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-policyd: the one door. What the engine wants done to a container is judged here against the tenant's rules,
 * filled in, written to the audit log, and only then passed on to the executor. Trusts the root-owned rule files and
 * nobody's word.
 */
#include "common/service.h"
#include "sandbox.h"
#include "service.h"

int main(int argc, char **argv)
{
    static const struct bh_service service = {
        .sandbox = &policyd_sandbox,
        .peers = policyd_peers,
        .init = policyd_init,
        .start = policyd_start,
        .on_rewired = policyd_on_rewired,
        .on_reload = policyd_on_reload,
        .stop = policyd_stop,
    };
    return bh_service_run(&service, argc, argv);
}
