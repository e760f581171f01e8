/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead diff
 */
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "query.h"
#include "table.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const char letters[] = "CAD"; /* the API's kinds 0, 1 and 2: changed, added, deleted */
    (void)values;
    json_auto json_t *changes = NULL;
    if (query_ask(cli->engine, "GET", "/containers/", arguments->items[0], "/changes", &changes, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        int64_t kind = field_integer(change, "Kind");
        (void)printf("%c ", kind >= 0 && kind < 3 ? letters[kind] : '?');
        table_print_clean(field_text(change, "Path"), stdout);
        (void)putchar('\n');
    }
    return 0;
}

const struct command diff_command = {
    .name = "diff",
    .aliases = "container diff",
    .usage = "CONTAINER",
    .summary = "Show what has changed in a container's file system",
    .details = "One line a path: A was added, C was changed, D was deleted.",
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
