/* SPDX-License-Identifier: Apache-2.0
 *
 * Command-line options as data: one const table per command says what each option is called, what it takes, and which
 * field of the command's own struct it fills in. One parser reads them all, with the words of Docker's clients.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "string_list.h"

enum option_kind {
    OPTION_END = 0,
    OPTION_FLAG,    /* bool: --rm, --rm=false */
    OPTION_ON,      /* bool, on unless --sig-proxy=false: the field is true if it was turned off */
    OPTION_TEXT,    /* const char *: the last one given; NULL if none */
    OPTION_LIST,    /* struct strings: every one given, in order */
    OPTION_INTEGER, /* struct option_integer */
};

struct option_integer {
    bool given;
    int64_t value;
};

struct option {
    enum option_kind kind;
    const char *name;     /* long form, without dashes */
    char letter;          /* short form, or 0 */
    size_t offset;        /* of the field in the command's struct */
    const char *argument; /* shown in --help: "bytes", "list" */
    const char *help;
};

/* Parses argv (without the command's own name) into `values` and `ret_arguments` (borrowing argv). With
 * `options_first`, the first argument ends the options; otherwise they may stand anywhere before `--`. *ret_help tells
 * that --help was asked for. The caller frees the lists in `values` with options_free(). Errors are worded for the
 * user. */
int options_parse(const struct option *options, void *values, bool options_first, int argc, char *const *argv,
                  struct strings *ret_arguments, bool *ret_help, struct bh_error *error);

/* True if the option stands alone: a value for it must follow an equals sign. */
bool option_is_flag(const struct option *option);

/* Frees the lists that options_parse() filled in. */
void options_free(const struct option *options, void *values);
