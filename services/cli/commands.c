/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of commands and its dispatcher: find the command, parse its options, count its arguments, run it, and
 * turn an error into one line and an exit status.
 */
#include "commands.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "help.h"

static const struct command *const commands[] = {
    /* containers */
    &run_command, &create_command, &start_command, &attach_command, &stop_command, &restart_command, &kill_command,
    &pause_command, &unpause_command, &wait_command, &logs_command, &ps_command, &inspect_command, &rename_command,
    &rm_command,
    /* images */
    &pull_command, &load_command, &images_command, &tag_command, &rmi_command,
    /* the engine */
    &info_command, &version_command, &privileges_command, &audit_verify_command, &doctor_command, &dial_stdio_command,
    NULL};

/* Docker's management commands are other names for the same. */
static const struct {
    const char *group, *verb, *command;
} synonyms[] = {
    {"container", "ls", "ps"}, {"container", "list", "ps"}, {"container", "ps", "ps"}, {"container", "*", "*"},
    {"image", "ls", "images"}, {"image", "list", "images"}, {"image", "rm", "rmi"},    {"image", "remove", "rmi"},
    {"image", "*", "*"},       {"system", "info", "info"},
};

struct global_values {
    const char *host;
    bool version;
};

static const struct option global_options[] = {
    {OPTION_TEXT, "host", 'H', offsetof(struct global_values, host), "string",
     "The engine's socket (default unix:///run/bulkhead/bulkhead.sock)"},
    {OPTION_FLAG, "version", 'v', offsetof(struct global_values, version), NULL, "Print version and quit"},
    {0},
};

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

static const struct command *find_by_name(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

/* The command that `words` begin with: "run", "audit verify", "container ls". *ret_used is how many words named it. */
static const struct command *find_command(const struct strings *words, size_t *ret_used)
{
    char two[128];
    *ret_used = 1;
    const struct command *command = find_by_name(words->items[0]);
    if (command || words->count < 2) {
        return command;
    }
    *ret_used = 2;
    (void)snprintf(two, sizeof(two), "%s %s", words->items[0], words->items[1]);
    command = find_by_name(two);
    for (size_t i = 0; !command && i < sizeof(synonyms) / sizeof(*synonyms); i++) {
        bool any = *synonyms[i].verb == '*';
        if (strcmp(words->items[0], synonyms[i].group) == 0 &&
            (any || strcmp(words->items[1], synonyms[i].verb) == 0)) {
            command = find_by_name(any ? words->items[1] : synonyms[i].command);
        }
    }
    return command;
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
        return fail(cli, command, &error, failure_status);
    }
    if (fflush(stdout) != 0 && status == 0) {
        (void)fputs("bulkhead: write to standard output failed\n", stderr);
        return 1;
    }
    return status;
}

static int choose_and_run(struct cli *cli, const struct strings *words, char **argv_rest, int argc_rest)
{
    size_t used = 0;
    const struct command *command = find_command(words, &used);
    if (!command && strcmp(words->items[0], "help") == 0) {
        command = words->count > 1 ? find_by_name(words->items[1]) : NULL;
        if (command) {
            help_print(command, stdout);
        } else {
            help_print_all(commands, global_options, stdout);
        }
        return 0;
    }
    if (!command) {
        (void)fprintf(stderr, "bulkhead: unknown command: bulkhead %s\nSee 'bulkhead --help'.\n", words->items[0]);
        return 1;
    }
    return run_command_line(cli, command, argc_rest - (int)used, argv_rest + used);
}

int commands_run(int argc, char **argv)
{
    struct bh_error error = {0};
    struct global_values globals = {0};
    strings_auto struct strings words = {0};
    bool help = false;
    struct cli cli = {0};
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
        help_print_all(commands, global_options, stdout);
        return 0;
    }
    if (engine_new(globals.host, &cli.engine, &error) < 0) {
        cli_print_error(&error);
        return CLI_STATUS_FAILED;
    }
    int argc_rest = (int)words.count;
    int status = choose_and_run(&cli, &words, argv + argc - argc_rest, argc_rest);
    engine_free(cli.engine);
    return status;
}
