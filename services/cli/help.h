/* SPDX-License-Identifier: Apache-2.0
 *
 * What `--help` prints: made from the same tables that the parser reads.
 */
#pragma once

#include "cli.h"

/* `bulkhead --help`: every command with its summary. `commands` ends with NULL. */
void help_print_all(const struct command *const *commands, const struct option *global_options, FILE *stream);
/* `bulkhead run --help`. */
void help_print(const struct command *command, FILE *stream);
