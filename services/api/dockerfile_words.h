/* SPDX-License-Identifier: Apache-2.0
 *
 * The lexical half of Dockerfile instructions: lines, words in quotes, and variables. Pure functions on a client's
 * text; everything is bounded, for `ENV A=$A$A` doubles.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define DOCKERFILE_WORD_BYTES_MAX (128U * 1024U) /* what the kernel takes as one argument or environment entry */

/* One instruction: the word it begins with, and the rest with continuations joined and no white space around it. */
struct dockerfile_line {
    char *instruction; /* as written */
    char *rest;
};
void dockerfile_line_end(struct dockerfile_line *line);
#define dockerfile_line_auto __attribute__((cleanup(dockerfile_line_end))) struct dockerfile_line

/* Takes the next instruction from *cursor; comments and empty lines are passed over. 1 found, 0 at the end. */
int dockerfile_next_line(const char **cursor, struct dockerfile_line *ret_line, struct bh_error *error);

/* Splits at white space that is not quoted or escaped; quotes stay. The words and the array are the caller's (list of
 * strings as generated messages own them). */
int dockerfile_split(const char *text, char ***ret_words, size_t *ret_n_words, struct bh_error *error);

/* Takes quotes and escapes away and puts in variables ($name, ${name}, ${name:-word}, ${name:+word}) from `env`
 * ("name=value"). The caller frees *ret_word. */
int dockerfile_expand(const char *text, char *const *env, size_t n_env, char **ret_word, struct bh_error *error);
