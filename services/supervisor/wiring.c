/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of channels; see wiring.h.
 */
#include "wiring.h"

#include <stdio.h>
#include <string.h>

const struct wire wiring[] = {
    {BH_ROLE_API, BH_ROLE_ENGINE},       /* api_engine: one per tenant */
    {BH_ROLE_ENGINE, BH_ROLE_STORE},     /* engine_store */
    {BH_ROLE_ENGINE, BH_ROLE_FETCHER},   /* engine_fetcher */
    {BH_ROLE_ENGINE, BH_ROLE_EXTRACTOR}, /* engine_extractor */
    {BH_ROLE_ENGINE, BH_ROLE_POLICYD},   /* engine_policyd */
    {BH_ROLE_FETCHER, BH_ROLE_DIALER},   /* fetcher_dialer */
    {BH_ROLE_POLICYD, BH_ROLE_EXECUTOR}, /* policyd_executor: the one door */
    {BH_ROLE_POLICYD, BH_ROLE_NETD},     /* policyd_netd: likewise */
    {BH_ROLE_NONE, BH_ROLE_NONE},
};

const struct folder_grant folder_grants[] = {
    {BH_ROLE_ENGINE, BH_FOLDER_STATE},
    {BH_ROLE_STORE, BH_FOLDER_STATE},
    {BH_ROLE_POLICYD, BH_FOLDER_STATE},
    {BH_ROLE_POLICYD, BH_FOLDER_POLICY},
    {BH_ROLE_FETCHER, BH_FOLDER_CERTS},
    {BH_ROLE_EXECUTOR, BH_FOLDER_LAYERS},
    {BH_ROLE_EXECUTOR, BH_FOLDER_CONTAINERS},
    {BH_ROLE_EXECUTOR, BH_FOLDER_LOGS},
    {BH_ROLE_EXECUTOR, BH_FOLDER_VOLUMES},
    {BH_ROLE_EXECUTOR, BH_FOLDER_LIBEXEC},
    {BH_ROLE_NONE, 0},
};

const enum bh_role shared_roles[] = {
    BH_ROLE_EXECUTOR, BH_ROLE_NETD,      BH_ROLE_POLICYD, BH_ROLE_STORE, BH_ROLE_DIALER,
    BH_ROLE_FETCHER,  BH_ROLE_EXTRACTOR, BH_ROLE_ENGINE,  BH_ROLE_NONE,
};

void wiring_peers(enum bh_role role, char *buffer, size_t buffer_bytes)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (const struct wire *wire = wiring; wire->from != BH_ROLE_NONE; wire++) {
        enum bh_role peer = wire->from == role ? wire->to : wire->to == role ? wire->from : BH_ROLE_NONE;
        if (peer != BH_ROLE_NONE && used < buffer_bytes) {
            int n = snprintf(buffer + used, buffer_bytes - used, "%s%s", used ? "," : "", bh_role_name(peer));
            used += n > 0 ? (size_t)n : 0;
        }
    }
}
