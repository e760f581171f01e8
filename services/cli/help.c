/* SPDX-License-Identifier: Apache-2.0
 *
 * Help for a person at a terminal, as wide as that is.
 */
#include "help.h"

#include <string.h>

#include "terminal.h"

#define COLUMNS_DEFAULT 100
#define COLUMNS_MIN     60
#define LABEL_WIDTH_MAX 34 /* a longer label has its text on the next line */

static size_t columns_of_terminal(void)
{
    unsigned int rows = 0, columns = COLUMNS_DEFAULT;
    (void)terminal_size(&rows, &columns);
    return columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
}

/* Prints `text` from column `indent` on, broken between words where it would pass the right edge. */
static void print_wrapped(const char *text, size_t indent, FILE *stream)
{
    size_t room = columns_of_terminal() - indent;
    while (*text) {
        size_t n_line = strlen(text);
        if (n_line > room) {
            n_line = room;
            while (n_line > 0 && text[n_line] != ' ') {
                n_line--;
            }
            n_line = n_line ? n_line : strcspn(text, " ");
        }
        (void)fprintf(stream, "%.*s\n", (int)n_line, text);
        text += n_line;
        text += strspn(text, " ");
        if (*text) {
            (void)fprintf(stream, "%*s", (int)indent, "");
        }
    }
}

static int option_label(const struct option *option, char *buffer, size_t buffer_bytes)
{
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    return snprintf(buffer, buffer_bytes, "  %s--%s%s%s", option->letter ? letter : "    ", option->name,
                    option->argument ? " " : "", option->argument ? option->argument : "");
}

static void print_options(const struct option *options, FILE *stream)
{
    char label[128], text[512];
    int width = 0;
    for (const struct option *row = options; row && row->kind; row++) {
        int length = option_label(row, label, sizeof(label));
        width = length > width ? length : width;
    }
    width = width > LABEL_WIDTH_MAX ? LABEL_WIDTH_MAX : width;
    for (const struct option *row = options; row && row->kind; row++) {
        int length = option_label(row, label, sizeof(label));
        (void)snprintf(text, sizeof(text), "%s%s", row->help, row->kind == OPTION_ON ? " (default true)" : "");
        (void)fprintf(stream, "%-*s", width + 2, label);
        if (length > width) {
            (void)fprintf(stream, "\n%*s", width + 2, "");
        }
        print_wrapped(text, (size_t)width + 2, stream);
    }
}

static void print_row(const char *name, size_t n_name, const char *summary, FILE *stream)
{
    int pad = n_name < 18 ? (int)(18 - n_name) : 1;
    (void)fprintf(stream, "  %.*s%*s %s\n", (int)n_name, name, pad, "", summary);
}

void help_print_all(FILE *stream)
{
    (void)fputs("Usage:  bulkhead [OPTIONS] COMMAND\n\n"
                "A container engine whose parts are sealed off from each other\n",
                stream);
    for (const struct command_section *section = command_sections; section->title; section++) {
        (void)fprintf(stream, "\n%s:\n", section->title);
        for (size_t i = 0; section->commands[i]; i++) {
            const struct command *command = section->commands[i];
            if (!command->hidden) {
                print_row(command->name, strlen(command->name), command->summary, stream);
            }
        }
    }
    (void)fputs("\nGroups of commands, as docker has them:\n", stream);
    for (const struct command_group *group = command_groups; group->name; group++) {
        print_row(group->name, strlen(group->name), group->summary, stream);
    }
    (void)fputs("\nOptions:\n", stream);
    print_options(global_options, stream);
    (void)fputs("\nRun 'bulkhead COMMAND --help' for more about a command.\n", stream);
}

void help_print_group(const struct command_group *group, FILE *stream)
{
    (void)fprintf(stream, "Usage:  bulkhead %s COMMAND\n\n%s\n\nCommands:\n", group->name, group->summary);
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            size_t n_verb = 0;
            const char *verb = command_verb_in(section->commands[i], group->name, &n_verb);
            if (verb) {
                print_row(verb, n_verb, section->commands[i]->summary, stream);
            }
        }
    }
    (void)fprintf(stream, "\nRun 'bulkhead %s COMMAND --help' for more about a command.\n", group->name);
}

/* "bulkhead ps, bulkhead container ls": every name, as one can type it. */
static void print_aliases(const struct command *command, FILE *stream)
{
    (void)fprintf(stream, "\nAliases:\n  bulkhead %s", command->name);
    for (const char *at = command->aliases; *at;) {
        size_t length = strcspn(at, ",");
        (void)fprintf(stream, ", bulkhead %.*s", (int)length, at);
        at += length;
        at += strspn(at, ", ");
    }
    (void)fputc('\n', stream);
}

static void print_indented(const char *title, const char *lines, FILE *stream)
{
    (void)fprintf(stream, "\n%s:\n", title);
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        (void)fprintf(stream, "  %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

void help_print(const struct command *command, FILE *stream)
{
    (void)fprintf(stream, "Usage:  bulkhead %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "", command->usage,
                  command->summary);
    if (command->details) {
        (void)fputc('\n', stream);
        print_wrapped(command->details, 0, stream);
    }
    if (command->aliases) {
        print_aliases(command, stream);
    }
    if (command->example) {
        print_indented("Examples", command->example, stream);
    }
    if (command->options && command->options->kind) {
        (void)fputs("\nOptions:\n", stream);
        print_options(command->options, stream);
    }
}
