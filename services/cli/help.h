/* SPDX-License-Identifier: Apache-2.0
 *
 * What `--help` prints: made from the same tables that the parser reads.
 */
#pragma once

#include <stdio.h>

#include "command_table.h"

/* `bulkhead --help`: every command with its summary. */
void help_print_all(FILE *stream);
/* `bulkhead volume --help`: the group's own. */
void help_print_group(const struct command_group *group, FILE *stream);
/* `bulkhead run --help`. */
void help_print(const struct command *command, FILE *stream);
