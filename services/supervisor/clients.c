/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting clients; see clients.h.
 */
#include "clients.h"

#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/log.h"

/* A uid of its own for each live api process. */
static int choose_api_uid(struct supervisor *supervisor, uint32_t *ret_uid)
{
    for (uint32_t candidate = 0; candidate < TENANTS_MAX; candidate++) {
        bool taken = false;
        struct helper *helper;
        TAILQ_FOREACH(helper, &supervisor->helpers, next)
        {
            taken = taken || helper->uid == supervisor->settings->api_uid_base + candidate;
        }
        if (!taken) {
            *ret_uid = supervisor->settings->api_uid_base + candidate;
            return 0;
        }
    }
    return -1;
}

struct helper *clients_api_for(struct supervisor *supervisor, uint32_t tenant_uid)
{
    uint32_t uid;
    struct helper *api = supervisor_find_helper(supervisor, BH_ROLE_API, tenant_uid);
    if (!api && choose_api_uid(supervisor, &uid) == 0) {
        api = supervisor_add_helper(supervisor, BH_ROLE_API, tenant_uid, uid);
        if (api) {
            supervisor_start_helper(api);
        }
    }
    return api;
}

void clients_accept(evutil_socket_t listener, short what, void *argument)
{
    (void)what;
    struct supervisor *supervisor = argument;
    bh_autoclose int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    struct bh_error error;
    if (client < 0 || getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
        return;
    }
    struct helper *api = clients_api_for(supervisor, credentials.uid);
    if (!api) {
        bh_log_warning("uid %u is turned away: more than %d tenants at once", credentials.uid, TENANTS_MAX);
        return;
    }
    if (helper_tell(api, BH_CONTROL_CLIENT, BH_ROLE_NONE, credentials.uid, (uint64_t)credentials.pid, client, &error) <
        0) {
        bh_log_failure(BH_LOG_WARNING, &error, "hand over a client");
    }
}
