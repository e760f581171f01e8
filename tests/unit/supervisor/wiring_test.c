/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/supervisor/wiring.h"

Test(wiring, the_executor_and_netd_are_reached_through_policyd_alone)
{
    char peers[256];
    wiring_peers(BH_ROLE_EXECUTOR, peers, sizeof(peers));
    cr_assert_str_eq(peers, "policyd");
    wiring_peers(BH_ROLE_POLICYD, peers, sizeof(peers));
    cr_assert_str_eq(peers, "engine,executor,netd");
    wiring_peers(BH_ROLE_NETD, peers, sizeof(peers));
    cr_assert_str_eq(peers, "policyd");
}

Test(wiring, nobody_but_the_engine_speaks_to_the_store)
{
    char peers[256];
    wiring_peers(BH_ROLE_STORE, peers, sizeof(peers));
    cr_assert_str_eq(peers, "engine");
    wiring_peers(BH_ROLE_EXTRACTOR, peers, sizeof(peers));
    cr_assert_str_eq(peers, "engine");
    wiring_peers(BH_ROLE_DIALER, peers, sizeof(peers));
    cr_assert_str_eq(peers, "fetcher");
    wiring_peers(BH_ROLE_API, peers, sizeof(peers));
    cr_assert_str_eq(peers, "engine");
}

Test(wiring, nobody_who_reads_untrusted_bytes_is_handed_a_folder_of_the_executor)
{
    for (const struct folder_grant *grant = folder_grants; grant->role != BH_ROLE_NONE; grant++) {
        bool executors = grant->folder == BH_FOLDER_CONTAINERS || grant->folder == BH_FOLDER_LOGS ||
                         grant->folder == BH_FOLDER_LAYERS || grant->folder == BH_FOLDER_VOLUMES ||
                         grant->folder == BH_FOLDER_LIBEXEC;
        cr_assert(!executors || grant->role == BH_ROLE_EXECUTOR);
        cr_assert_neq(grant->role, BH_ROLE_API);
        cr_assert_neq(grant->role, BH_ROLE_EXTRACTOR);
        cr_assert_neq(grant->role, BH_ROLE_DIALER);
    }
}
