/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the manual pages of `bulkhead` from the tables that its parser and --help read:
 *
 *     bh_manual OUTPUT_FOLDER PROSE_FOLDER
 *
 * Runs while building. A file PROSE_FOLDER/bulkhead-VERB.roff holds the sections that no table can say; it is put
 * before SEE ALSO.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command_table.h"
#include "common/cleanup.h"

#define NAME_BYTES 128
#define PATH_BYTES 4096

/* What stands in running text: nothing in it is a request or an escape of roff. */
static void text(FILE *page, const char *words)
{
    if (*words == '.' || *words == '\'') {
        (void)fputs("\\&", page);
    }
    for (; *words; words++) {
        if (*words == '\\') {
            (void)fputs("\\e", page);
        } else if (*words == '-') {
            (void)fputs("\\-", page);
        } else if (*words == '~') {
            (void)fputs("\\(ti", page);
        } else if (*words == '\'') {
            (void)fputs("\\(aq", page);
        } else {
            (void)fputc(*words, page);
            if (*words == '\n' && (words[1] == '.' || words[1] == '\'')) {
                (void)fputs("\\&", page);
            }
        }
    }
}

static void page_name(const char *command, char name[static NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "bulkhead-%s", command);
    for (char *at = name; *at; at++) {
        *at = (char)(*at == ' ' ? '-' : *at);
    }
}

static void section(FILE *page, const char *title)
{
    (void)fprintf(page, ".SH %s\n", title);
}

static void bold(FILE *page, const char *words)
{
    (void)fputs("\\fB", page);
    text(page, words);
    (void)fputs("\\fR", page);
}

static void options(FILE *page, const struct option *rows)
{
    for (; rows && rows->kind; rows++) {
        char letter[3] = {'-', rows->letter, '\0'}, name[NAME_BYTES];
        (void)fputs(".TP\n", page);
        if (rows->letter) {
            bold(page, letter);
            (void)fputs(", ", page);
        }
        (void)snprintf(name, sizeof(name), "--%s", rows->name);
        bold(page, name);
        if (rows->argument) {
            (void)fputs(" \\fI", page);
            text(page, rows->argument);
            (void)fputs("\\fR", page);
        }
        (void)fputc('\n', page);
        text(page, rows->help);
        (void)fputs(rows->kind == OPTION_ON ? " (on by default)\n" : "\n", page);
    }
}

static void prose(FILE *page, const char *folder, const char *name)
{
    char path[PATH_BYTES], piece[4096];
    size_t n_read;
    (void)snprintf(path, sizeof(path), "%s/%s.roff", folder, name);
    bh_autofclose FILE *file = fopen(path, "re");
    while (file && (n_read = fread(piece, 1, sizeof(piece), file)) > 0) {
        (void)fwrite(piece, 1, n_read, page);
    }
}

static FILE *begin(const char *folder, const char *name)
{
    char path[PATH_BYTES], title[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s.1", folder, name);
    FILE *page = fopen(path, "we");
    if (!page) {
        (void)fprintf(stderr, "bh_manual: open %s: %s\n", path, strerror(errno));
        return NULL;
    }
    (void)snprintf(title, sizeof(title), "%s", name);
    for (char *at = title; *at; at++) {
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    }
    (void)fputs(".\\\" Made from the tables of services/cli.\n.TH ", page);
    text(page, title);
    (void)fprintf(page, " 1 \"\" \"bulkhead %s\" \"Bulkhead\"\n", BH_VERSION);
    return page;
}

static void name_section(FILE *page, const char *name, const char *summary)
{
    section(page, "NAME");
    text(page, name);
    (void)fputs(" \\- ", page);
    text(page, summary);
    (void)fputc('\n', page);
}

static void example(FILE *page, const char *lines)
{
    section(page, "EXAMPLES");
    (void)fputs(".nf\n", page);
    text(page, lines);
    (void)fputs("\n.fi\n", page);
}

static void aliases(FILE *page, const struct command *command)
{
    (void)fputs(".PP\nThe same as ", page);
    for (const char *at = command->aliases; *at;) {
        size_t length = strcspn(at, ",");
        (void)fprintf(page, "%s\\fBbulkhead %.*s\\fR", at == command->aliases ? "" : ", ", (int)length, at);
        at += length;
        at += strspn(at, ", ");
    }
    (void)fputs(".\n", page);
}

static int command_page(const struct command *command, const char *folder, const char *prose_folder)
{
    char name[NAME_BYTES];
    page_name(command->name, name);
    bh_autofclose FILE *page = begin(folder, name);
    if (!page) {
        return -1;
    }
    name_section(page, name, command->summary);
    section(page, "SYNOPSIS");
    (void)fprintf(page, "\\fBbulkhead %s\\fR ", command->name);
    text(page, command->usage);
    (void)fputc('\n', page);
    section(page, "DESCRIPTION");
    text(page, command->summary);
    (void)fputs(".\n", page);
    if (command->details) {
        (void)fputs(".PP\n", page);
        text(page, command->details);
        (void)fputc('\n', page);
    }
    if (command->aliases) {
        aliases(page, command);
    }
    if (command->options && command->options->kind) {
        section(page, "OPTIONS");
        options(page, command->options);
    }
    if (command->example) {
        example(page, command->example);
    }
    prose(page, prose_folder, name);
    section(page, "SEE ALSO");
    (void)fputs("\\fBbulkhead\\fR(1), \\fBbulkheadd\\fR(8)\n", page);
    return ferror(page) ? -1 : 0;
}

/* bulkhead(1): every command in a line or two. */
static int overview_page(const char *folder, const char *prose_folder)
{
    char name[NAME_BYTES];
    bh_autofclose FILE *page = begin(folder, "bulkhead");
    if (!page) {
        return -1;
    }
    name_section(page, "bulkhead", "run containers in an engine whose parts are sealed off from each other");
    section(page, "SYNOPSIS");
    (void)fputs("\\fBbulkhead\\fR [OPTIONS] COMMAND [ARGUMENT...]\n", page);
    section(page, "OPTIONS");
    options(page, global_options);
    for (const struct command_section *part = command_sections; part->title; part++) {
        char title[NAME_BYTES];
        (void)snprintf(title, sizeof(title), "COMMANDS: %s", part->title);
        section(page, title);
        for (size_t i = 0; part->commands[i]; i++) {
            if (!part->commands[i]->hidden) {
                page_name(part->commands[i]->name, name);
                (void)fputs(".TP\n", page);
                bold(page, name);
                (void)fputs("(1)\n", page);
                text(page, part->commands[i]->summary);
                (void)fputc('\n', page);
            }
        }
    }
    prose(page, prose_folder, "bulkhead");
    section(page, "SEE ALSO");
    (void)fputs("\\fBbulkheadd\\fR(8), \\fBbulkhead.conf\\fR(5), \\fBbulkhead\\-policy\\fR(5)\n", page);
    return ferror(page) ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: bh_manual OUTPUT_FOLDER PROSE_FOLDER\n", stderr);
        return 2;
    }
    int result = overview_page(argv[1], argv[2]);
    for (const struct command_section *part = command_sections; part->title; part++) {
        for (size_t i = 0; part->commands[i]; i++) {
            if (!part->commands[i]->hidden && command_page(part->commands[i], argv[1], argv[2]) < 0) {
                result = -1;
            }
        }
    }
    return result < 0 ? 1 : 0;
}
