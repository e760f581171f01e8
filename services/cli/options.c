/* SPDX-License-Identifier: Apache-2.0
 *
 * The one parser of command-line options: long and short forms, `--name=value`, clusters of letters, as pflag reads
 * them (which Docker's clients use), so that a command line for one works for the other.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the parser stands in argv. */
struct reader {
    const struct option *options;
    void *values;
    int argc, at;
    char *const *argv;
};

static const struct option *find_long(const struct option *options, const char *name, size_t n_name)
{
    for (const struct option *row = options; row && row->kind; row++) {
        if (strlen(row->name) == n_name && strncmp(row->name, name, n_name) == 0) {
            return row;
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct option *options, char letter)
{
    for (const struct option *row = options; row && row->kind; row++) {
        if (row->letter == letter) {
            return row;
        }
    }
    return NULL;
}

bool option_is_flag(const struct option *option)
{
    return option->kind == OPTION_FLAG || option->kind == OPTION_ON;
}

static int parse_truth(const char *text, bool *ret_value)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *ret_value = strcmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return -1;
}

/* Stores `text` in the row's field. `shown` is the option as the user wrote it. */
static int store(const struct reader *reader, const struct option *row, const char *text, struct bh_error *error)
{
    void *field = (char *)reader->values + row->offset;
    char shown[96];
    char letter[] = {'-', row->letter, ',', ' ', '\0'};
    (void)snprintf(shown, sizeof(shown), "%s--%s", row->letter ? letter : "", row->name);
    switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_ON: {
        bool value = false;
        if (parse_truth(text, &value) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid argument \"%s\" for \"%s\" flag: want true or false", text, shown);
        }
        *(bool *)field = row->kind == OPTION_FLAG ? value : !value;
        return 0;
    }
    case OPTION_TEXT:
        *(const char **)field = text;
        return 0;
    case OPTION_LIST:
        return strings_add(field, text, error);
    case OPTION_INTEGER: {
        struct option_integer *integer = field;
        char *end = NULL;
        errno = 0;
        integer->value = strtoll(text, &end, 10);
        integer->given = true;
        if (errno != 0 || end == text || *end != '\0') {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid argument \"%s\" for \"%s\" flag: want a whole number", text, shown);
        }
        return 0;
    }
    case OPTION_END:
        break;
    }
    return bh_error_set(error, BH_INTERNAL, "option --%s has no kind", row->name);
}

/* `word` starts with two dashes and has a name behind them. */
static int read_long(struct reader *reader, const char *word, bool *ret_help, struct bh_error *error)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t n_name = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *row = find_long(reader->options, name, n_name);
    if (!row) {
        if (n_name == strlen("help") && strncmp(name, "help", n_name) == 0) {
            *ret_help = true;
            return 0;
        }
        return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown flag: --%.*s", (int)n_name, name);
    }
    if (equals) {
        return store(reader, row, equals + 1, error);
    }
    if (option_is_flag(row)) {
        return store(reader, row, "true", error);
    }
    if (reader->at >= reader->argc) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "flag needs an argument: --%s", row->name);
    }
    return store(reader, row, reader->argv[reader->at++], error);
}

/* `word` is one dash and at least one letter: flags may share it, the last may have its value behind it. */
static int read_letters(struct reader *reader, const char *word, bool *ret_help, struct bh_error *error)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct option *row = find_letter(reader->options, *letter);
        if (!row && *letter == 'h') {
            *ret_help = true;
            return 0;
        }
        if (!row) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown shorthand flag: '%c' in %s", *letter, word);
        }
        if (letter[1] == '=') {
            return store(reader, row, letter + 2, error);
        }
        if (!option_is_flag(row)) {
            if (letter[1] != '\0') {
                return store(reader, row, letter + 1, error);
            }
            if (reader->at >= reader->argc) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "flag needs an argument: '%c' in %s", *letter, word);
            }
            return store(reader, row, reader->argv[reader->at++], error);
        }
        if (store(reader, row, "true", error) < 0) {
            return -1;
        }
    }
    return 0;
}

int options_parse(const struct option *options, void *values, bool options_first, int argc, char *const *argv,
                  struct strings *ret_arguments, bool *ret_help, struct bh_error *error)
{
    struct reader reader = {.options = options, .values = values, .argc = argc, .argv = argv};
    bool only_arguments = false;
    *ret_help = false;
    while (reader.at < argc) {
        const char *word = argv[reader.at++];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            only_arguments = only_arguments || options_first;
            if (strings_add(ret_arguments, word, error) < 0) {
                return -1;
            }
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if ((word[1] == '-' ? read_long : read_letters)(&reader, word, ret_help, error) < 0) {
            return -1;
        }
    }
    return 0;
}

void options_free(const struct option *options, void *values)
{
    for (const struct option *row = options; row && row->kind; row++) {
        if (row->kind == OPTION_LIST) {
            strings_free((void *)((char *)values + row->offset));
        }
    }
}
