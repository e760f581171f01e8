/* SPDX-License-Identifier: Apache-2.0
 *
 * netd's one channel. Handlers only take messages apart: the work is done in the file named for it.
 */
#include "service.h"

#include "policyd_netd.pb-c.h"

static const struct bh_protocol policyd_protocol = {
    .name = "policyd_netd",
    .incoming = &bulkhead__policyd_to_netd__descriptor,
    .outgoing = &bulkhead__netd_to_policyd__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {0},
        },
};

const struct bh_peer netd_peers[] = {
    {.role = BH_ROLE_POLICYD, .protocol = &policyd_protocol},
    {.role = BH_ROLE_NONE},
};

int netd_start(struct bh_service_context *context, struct bh_error *error)
{
    (void)context;
    (void)error;
    return 0;
}

void netd_stop(struct bh_service_context *context)
{
    (void)context;
}
