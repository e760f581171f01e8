/* SPDX-License-Identifier: Apache-2.0
 *
 * What every command is handed, and what a command is: one const struct, exported by the file that implements it and
 * listed in command_table.c. The dispatcher parses options and counts arguments, so that a handler begins with what
 * the user meant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "engine.h"
#include "options.h"

/* Exit status of Docker's clients when they, or the engine, failed before the container's program ran. */
#define CLI_STATUS_FAILED 125

struct cli {
    struct engine *engine;
    bool misused;       /* the error is about how the command was written: point at its --help */
    int failure_status; /* of the error at hand, where that is not the command's */
};

/* What a command's arguments name: shell completion asks the engine for such names. */
enum complete {
    COMPLETE_NOTHING = 0,
    COMPLETE_CONTAINERS, /* all of them */
    COMPLETE_RUNNING,    /* containers that run */
    COMPLETE_IMAGES,
    COMPLETE_VOLUMES,
    COMPLETE_NETWORKS,
    COMPLETE_OBJECTS,         /* any of the above */
    COMPLETE_COMMANDS,        /* our own verbs */
    COMPLETE_FILES,           /* the shell's own business */
    COMPLETE_SHELLS,          /* those that `completion` knows */
    COMPLETE_CONTAINER_PATHS, /* CONTAINER:PATH or a local path */
};

struct command {
    const char *name;             /* "run", "volume create" */
    const char *aliases;          /* its other names, ", " between them; NULL if none */
    const char *usage;            /* what follows the name: "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
    const char *summary;          /* one line */
    const char *details;          /* more for --help and the man page; NULL if the summary says it all */
    const char *example;          /* command lines, a line each; NULL if none */
    const struct option *options; /* ends with an empty row; NULL if it has none */
    size_t values_bytes;          /* size of the struct that the options fill in */
    size_t arguments_min, arguments_max;
    bool options_first;           /* what follows the first argument is not ours to parse */
    bool hidden;                  /* for scripts of ours: neither listed nor completed */
    enum complete completes;      /* what its arguments are; with options_first, the first one */
    enum complete completes_next; /* what those after the first are, where that differs */
    int failure_status;           /* exit status when the handler fails; 0 means 1 */

    /* Returns the exit status, or -1 with `error` set. `values` is zeroed and then filled in by the options. */
    int (*run)(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error);
};

/* Marks the error as the user's way of writing the command. Returns -1. */
int cli_misuse(struct cli *cli, struct bh_error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints `bulkhead: ...` for an error that does not end the command (one of several arguments). */
void cli_print_error(const struct bh_error *error);
