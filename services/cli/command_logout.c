/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead logout
 */
#include <stdio.h>

#include "commands.h"
#include "common/cleanup.h"
#include "registry_auth.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)cli;
    (void)values;
    bh_autofree char *server = NULL;
    bool found = false;
    if (registry_auth_key(arguments->count ? arguments->items[0] : "", &server, error) < 0 ||
        registry_auth_forget(server, &found, error) < 0) {
        return -1;
    }
    (void)printf(found ? "Removing login credentials for %s\n" : "Not logged in to %s\n", server);
    return 0;
}

const struct command logout_command = {
    .name = "logout",
    .usage = "[SERVER]",
    .summary = "Forget the credentials for a registry",
    .arguments_max = 1,
    .run = run,
};
