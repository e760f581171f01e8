/* SPDX-License-Identifier: Apache-2.0
 *
 * What every command is handed, and what a command is: one const struct, exported by the file that implements it and
 * listed in commands.c. The dispatcher parses options and counts arguments, so that a handler begins with what
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
    bool misused; /* the error is about how the command was written: point at its --help */
};

struct command {
    const char *name;  /* "run", "audit verify" */
    const char *usage; /* what follows the name: "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
    const char *summary;
    const struct option *options; /* ends with an empty row; NULL if it has none */
    size_t values_bytes;          /* size of the struct that the options fill in */
    size_t arguments_min, arguments_max;
    bool options_first; /* what follows the first argument is not ours to parse */
    int failure_status; /* exit status when the handler fails; 0 means 1 */

    /* Returns the exit status, or -1 with `error` set. `values` is zeroed and then filled in by the options. */
    int (*run)(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error);
};

/* Marks the error as the user's way of writing the command. Returns -1. */
int cli_misuse(struct cli *cli, struct bh_error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prints `bulkhead: ...` for an error that does not end the command (one of several arguments). */
void cli_print_error(const struct bh_error *error);
