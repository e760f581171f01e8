/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead audit verify: has anything been altered in, or removed from, the audit log?
 */
#include <stdio.h>

#include "commands.h"
#include "fields.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    (void)arguments;
    json_auto json_t *answer = NULL;
    if (engine_ask(cli->engine, "GET", "/bulkhead/audit/verify", NULL, &answer, error) < 0) {
        return -1;
    }
    (void)printf("The audit log is whole: %lld records, head %s\n", (long long)field_integer(answer, "records"),
                 field_text(answer, "head"));
    return 0;
}

const struct command audit_verify_command = {
    .name = "audit verify",
    .usage = "",
    .summary = "Prove that nothing was altered in the audit log",
    .run = run,
};
