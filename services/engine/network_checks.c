/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs in the kernel from what was told netd, and putting it right; see networks.h. Rules and links are the
 * host's: only its administrator is told of them.
 */
#include "common/channel.h"
#include "services/engine/networks.h"
#include "services/engine/policy_networks.h"

static int only_root(const struct job *job, struct bh_error *error)
{
    return job->tenant_uid == 0 ? 0
                                : bh_error_set(error, BH_PERMISSION_DENIED,
                                               "the host's rules and links are the root tenant's: ask as root");
}

int get_network_findings(struct job *job, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    if (only_root(job, error) < 0 || policy_check_networks(job, &message, error) < 0) {
        return -1;
    }
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_NETWORKS_CHECKED;
    packet.networks_checked = (Bulkhead__NetworksChecked *)(uintptr_t)bh_message_body(message);
    (void)job_reply(job, &packet);
    return 0;
}

int reload_networks(struct job *job, struct bh_error *error)
{
    return only_root(job, error) < 0 || policy_settle_networks(job, error) < 0 ? -1 : job_reply_done(job);
}
