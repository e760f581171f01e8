/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

extern const struct bh_sandbox api_sandbox, engine_sandbox, store_sandbox, fetcher_sandbox, dialer_sandbox,
    extractor_sandbox, policyd_sandbox, netd_sandbox;

const struct bh_sandbox *const tables[] = {
    &api_sandbox,     &engine_sandbox, &store_sandbox, &fetcher_sandbox, &dialer_sandbox, &extractor_sandbox,
    &policyd_sandbox, &netd_sandbox,   NULL,
};
