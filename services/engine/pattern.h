/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of clients (`ps --filter name=`), in time that grows with pattern times text and no faster: the C
 * library's can be made to run, or eat memory, for ever. Known are the usual . * + ? | ( ) [ ] ^ $ and \d \w \s;
 * counted repetition ({2,3}) is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define PATTERN_STEPS_MAX 256 /* a name has 128 characters: longer patterns mean nothing */

struct pattern_step {
    uint8_t kind;
    uint8_t byte;
    uint16_t next, other;
    uint8_t set[32]; /* of bytes */
};

struct pattern {
    struct pattern_step steps[PATTERN_STEPS_MAX];
    size_t n;
};

/* INVALID_ARGUMENT: it is none, or too long. */
int pattern_compile(const char *text, struct pattern *ret_pattern, struct bh_error *error);
/* Whether it matches anywhere in `text`. */
bool pattern_finds(const struct pattern *pattern, const char *text);
