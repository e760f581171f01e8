/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network disconnect
 */
#include <stddef.h>

#include "commands.h"
#include "fields.h"
#include "query.h"

struct network_disconnect_options {
    bool force;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct network_disconnect_options *options = values;
    json_auto json_t *request = json_pack("{s:s, s:b}", "Container", arguments->items[1], "Force", options->force);
    bh_autofree char *path = NULL;
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the container's name is not valid UTF-8");
    }
    return query_path(&path, "/networks/", arguments->items[0], "/disconnect", error) < 0
               ? -1
               : engine_ask(cli->engine, "POST", path, request, NULL, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "force", 'f', offsetof(struct network_disconnect_options, force), NULL,
     "Disconnect it whatever state it is in"},
    {0},
};

const struct command network_disconnect_command = {
    .name = "network disconnect",
    .usage = "[OPTIONS] NETWORK CONTAINER",
    .summary = "Disconnect a container from a network",
    .options = options_table,
    .values_bytes = sizeof(struct network_disconnect_options),
    .arguments_min = 2,
    .arguments_max = 2,
    .completes = COMPLETE_NETWORKS,
    .completes_next = COMPLETE_CONTAINERS,
    .run = run,
};
