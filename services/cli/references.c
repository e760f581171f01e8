/* SPDX-License-Identifier: Apache-2.0
 *
 * One request for each of the arguments.
 */
#include "references.h"

#include <stdio.h>

static int ask_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                   struct bh_error *error)
{
    const struct reference_request *request = values;
    bh_autofree char *path = NULL;
    if (strings_format(&path, error, "%s%s%s", request->before, escaped, request->after) < 0 ||
        engine_ask(cli->engine, request->method, path, NULL, NULL, error) < 0) {
        return -1;
    }
    (void)printf("%s\n", reference);
    return 0;
}

int references_ask_each(struct cli *cli, const struct strings *references, const struct reference_request *request,
                        struct bh_error *error)
{
    return references_each(cli, references, ask_one, request, error);
}

int references_each(struct cli *cli, const struct strings *references,
                    int (*one)(struct cli *cli, const char *escaped, const char *reference, const void *values,
                               struct bh_error *error),
                    const void *values, struct bh_error *error)
{
    int status = 0;
    for (size_t i = 0; i < references->count; i++) {
        bh_autofree char *escaped = engine_escape(references->items[i]);
        if (!escaped) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
        }
        bh_error_clear(error);
        if (!*escaped) {
            (void)bh_error_set(error, BH_INVALID_ARGUMENT, "invalid name: it is empty");
        } else if (one(cli, escaped, references->items[i], values, error) == 0) {
            (void)fflush(stdout);
            continue;
        }
        cli_print_error(error);
        status = 1;
    }
    return status;
}
