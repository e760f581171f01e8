/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatcher: find the command, parse its options, count its arguments, run it, and turn an error into one line and
 * an exit status.
 */
#include "commands.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_table.h"
#include "help.h"

int cli_misuse(struct cli *cli, struct bh_error *error, const char *format, ...)
{
    char message[BH_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    cli->misused = true;
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s", message);
}

void cli_print_error(const struct bh_error *error)
{
    char text[2048];
    (void)fflush(stdout);
    (void)fprintf(stderr, "bulkhead: %s\n", bh_error_format(error, text, sizeof(text)));
}

static int count_arguments(struct cli *cli, const struct command *command, size_t count, struct bh_error *error)
{
    bool exact = command->arguments_min == command->arguments_max;
    if (count >= command->arguments_min && count <= command->arguments_max) {
        return 0;
    }
    if (command->arguments_max == 0) {
        return cli_misuse(cli, error, "'bulkhead %s' accepts no arguments", command->name);
    }
    size_t wanted = count < command->arguments_min ? command->arguments_min : command->arguments_max;
    return cli_misuse(cli, error, "'bulkhead %s' requires %s %zu argument%s", command->name,
                      exact                            ? "exactly"
                      : count < command->arguments_min ? "at least"
                                                       : "at most",
                      wanted, wanted == 1 ? "" : "s");
}

/* What to print and how to exit for an error. A command line that is wrong exits like Docker's: 125 for options, 1 for
 * arguments. */
static int fail(const struct cli *cli, const struct command *command, const struct bh_error *error, int status)
{
    cli_print_error(error);
    if (cli->misused) {
        (void)fprintf(stderr, "See 'bulkhead %s --help'.\n", command->name);
    }
    return status;
}

static int run_command_line(struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct bh_error error = {0};
    strings_auto struct strings arguments = {0};
    bh_autofree void *values = calloc(1, command->values_bytes ? command->values_bytes : 1);
    bool help = false;
    int failure_status = command->failure_status ? command->failure_status : 1;
    if (!values) {
        (void)bh_error_set(&error, BH_RESOURCE_EXHAUSTED, "out of memory");
        return fail(cli, command, &error, failure_status);
    }
    int status = -1;
    if (options_parse(command->options, values, command->options_first, argc, argv, &arguments, &help, &error) < 0) {
        cli->misused = true;
        failure_status = CLI_STATUS_FAILED;
    } else if (help) {
        help_print(command, stdout);
        status = 0;
    } else if (count_arguments(cli, command, arguments.count, &error) == 0) {
        status = command->run(cli, values, &arguments, &error);
    } else {
        failure_status = 1;
    }
    options_free(command->options, values);
    if (status < 0) {
        return fail(cli, command, &error, cli->failure_status ? cli->failure_status : failure_status);
    }
    if (fflush(stdout) != 0 && status == 0) {
        (void)fputs("bulkhead: write to standard output failed\n", stderr);
        return 1;
    }
    return status;
}

/* `bulkhead help [COMMAND]` */
static int show_help(const struct strings *words)
{
    const struct strings rest = {.items = words->items + 1, .count = words->count - 1};
    size_t used = 0;
    const struct command *command = rest.count ? command_find_words(&rest, &used) : NULL;
    const struct command_group *group = rest.count ? command_group_find(rest.items[0]) : NULL;
    if (command) {
        help_print(command, stdout);
    } else if (group && rest.count == 1) {
        help_print_group(group, stdout);
    } else if (rest.count == 0) {
        help_print_all(stdout);
    } else {
        (void)fprintf(stderr, "bulkhead: unknown help topic: %s\nSee 'bulkhead --help'.\n", rest.items[0]);
        return 1;
    }
    return 0;
}

/* A word that is no command: a group's name by itself, or a mistake. */
static int explain(const struct strings *words)
{
    const struct command_group *group = command_group_find(words->items[0]);
    const char *second = words->count > 1 ? words->items[1] : "--help";
    if (!group) {
        (void)fprintf(stderr, "bulkhead: unknown command: bulkhead %s\nSee 'bulkhead --help'.\n", words->items[0]);
        return 1;
    }
    if (strcmp(second, "--help") != 0 && strcmp(second, "-h") != 0) {
        (void)fprintf(stderr, "bulkhead: unknown command: bulkhead %s %s\nSee 'bulkhead %s --help'.\n", group->name,
                      second, group->name);
        return 1;
    }
    help_print_group(group, stdout);
    return 0;
}

static int choose_and_run(struct cli *cli, const struct strings *words, char **argv_rest, int argc_rest)
{
    size_t used = 0;
    const struct command *command = command_find_words(words, &used);
    if (command) {
        return run_command_line(cli, command, argc_rest - (int)used, argv_rest + used);
    }
    return strcmp(words->items[0], "help") == 0 ? show_help(words) : explain(words);
}

/* A shell with standard descriptors closed would hand out 0 to 2 to sockets, and output would go to the engine. */
static void open_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
        }
    }
}

int commands_run(int argc, char **argv)
{
    struct bh_error error = {0};
    struct global_values globals = {0};
    strings_auto struct strings words = {0};
    bool help = false;
    struct cli cli = {0};
    open_standard_descriptors();
    int parsed = options_parse(global_options, &globals, true, argc - 1, argv + 1, &words, &help, &error);
    if (parsed < 0) {
        cli_print_error(&error);
        (void)fputs("See 'bulkhead --help'.\n", stderr);
        return CLI_STATUS_FAILED;
    }
    if (globals.version) {
        (void)printf("bulkhead version %s\n", BH_VERSION);
        return 0;
    }
    if (help || words.count == 0) {
        help_print_all(stdout);
        return 0;
    }
    if ((globals.config && setenv("DOCKER_CONFIG", globals.config, 1) < 0) ||
        engine_new(globals.host, &cli.engine, &error) < 0) {
        cli_print_error(&error);
        return CLI_STATUS_FAILED;
    }
    int argc_rest = (int)words.count;
    int status = choose_and_run(&cli, &words, argv + argc - argc_rest, argc_rest);
    engine_free(cli.engine);
    return status;
}
