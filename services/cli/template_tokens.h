/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a template's actions, for template_parse.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum token_kind {
    TOKEN_CLOSE = 1, /* }}, or -}} behind a space: `length` tells which */
    TOKEN_DOT,
    TOKEN_FIELD,    /* .Name: `start` is at the name */
    TOKEN_VARIABLE, /* $name: `start` is behind the dollar */
    TOKEN_NAME,
    TOKEN_STRING, /* with its quotes */
    TOKEN_NUMBER,
    TOKEN_PIPE,
    TOKEN_OPEN_PARENTHESIS,
    TOKEN_CLOSE_PARENTHESIS,
    TOKEN_COMMA,
    TOKEN_DECLARE,
};

struct token {
    enum token_kind kind;
    const char *start;
    size_t length;
    bool spaced; /* white space stands before it */
};

/* Reads the next word at `*at`, inside an action, and moves `*at` behind it. The end of the text is an error. */
int template_next_token(const char **at, struct token *ret_token, struct bh_error *error);

/* True for the bare word `name`. */
bool template_token_is(const struct token *token, const char *name);
