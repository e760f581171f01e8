/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, for all who read it: the dispatcher, --help, completion and the manual.
 */
#pragma once

#include "cli.h"

struct command_section {
    const char *title;
    const struct command *const *commands; /* ends with NULL */
};

/* The first word of commands with two: "volume". */
struct command_group {
    const char *name, *summary;
};

/* Both end with an empty row. */
extern const struct command_section command_sections[];
extern const struct command_group command_groups[];

/* What `bulkhead` itself takes. */
struct global_values {
    const char *host, *config;
    bool version;
};
extern const struct option global_options[];

/* By its name or one of its aliases; NULL if there is none. */
const struct command *command_find(const char *name);
/* The command that `words` begin with. *ret_used is how many words name it. */
const struct command *command_find_words(const struct strings *words, size_t *ret_used);
const struct command_group *command_group_find(const char *name);

/* The second word under which the group knows the command ("ls" for ps in "container"), with its length; NULL if it is
 * not in the group. */
const char *command_verb_in(const struct command *command, const char *group, size_t *ret_length);
