/* SPDX-License-Identifier: Apache-2.0
 *
 * Help for a person at a terminal.
 */
#include "help.h"

#include <string.h>

static int option_label(const struct option *option, char *buffer, size_t buffer_bytes)
{
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    return snprintf(buffer, buffer_bytes, "  %s--%s%s%s", option->letter ? letter : "    ", option->name,
                    option->argument ? " " : "", option->argument ? option->argument : "");
}

static void print_options(const struct option *options, FILE *stream)
{
    char label[128];
    int width = 0;
    for (const struct option *row = options; row && row->kind; row++) {
        int length = option_label(row, label, sizeof(label));
        width = length > width ? length : width;
    }
    for (const struct option *row = options; row && row->kind; row++) {
        (void)option_label(row, label, sizeof(label));
        (void)fprintf(stream, "%-*s   %s\n", width, label, row->help);
    }
}

void help_print_all(const struct command *const *commands, const struct option *global_options, FILE *stream)
{
    (void)fputs("Usage:  bulkhead [OPTIONS] COMMAND\n\n"
                "A container engine whose parts are sealed off from each other\n\nCommands:\n",
                stream);
    for (size_t i = 0; commands[i]; i++) {
        (void)fprintf(stream, "  %-18s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)fputs("\nOptions:\n", stream);
    print_options(global_options, stream);
    (void)fputs("\nRun 'bulkhead COMMAND --help' for more about a command.\n", stream);
}

void help_print(const struct command *command, FILE *stream)
{
    (void)fprintf(stream, "Usage:  bulkhead %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "", command->usage,
                  command->summary);
    if (command->options && command->options->kind) {
        (void)fputs("\nOptions:\n", stream);
        print_options(command->options, stream);
    }
}
