/* SPDX-License-Identifier: Apache-2.0
 *
 * A parsed template: what template_parse.c builds and template_render.c walks. Everything in it is freed at once with
 * the template.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define TEMPLATE_ARGUMENTS_MAX 16
#define TEMPLATE_FIELDS_MAX    16
#define TEMPLATE_DEPTH_MAX     64 /* of nested actions and parentheses: the parser recurses */

enum expression_kind {
    EXPRESSION_LITERAL = 1,
    EXPRESSION_DOT,
    EXPRESSION_VARIABLE, /* name without "$"; "" is the root */
    EXPRESSION_CALL,
};

struct expression {
    enum expression_kind kind;
    const char *name;
    json_t *literal;
    const struct template_function *function;
    struct expression *arguments[TEMPLATE_ARGUMENTS_MAX];
    size_t n_arguments;
    const char *fields[TEMPLATE_FIELDS_MAX]; /* then applied to the value: .A.B */
    size_t n_fields;
};

enum node_kind { NODE_TEXT = 1, NODE_PRINT, NODE_IF, NODE_RANGE, NODE_WITH };

struct node {
    enum node_kind kind;
    const char *text;
    struct expression *expression;
    const char *variables[2]; /* declared by it: $x := ..., range $index, $element := ... */
    struct node *body, *otherwise;
    struct node *next;
};

/* A function: takes borrowed values, returns a new one, or NULL with `error` set. */
struct template_function {
    const char *name;
    size_t arguments_min, arguments_max;
    json_t *(*call)(json_t *const *arguments, size_t n_arguments, struct bh_error *error);
};

/* What the template owns. */
struct template
{
    struct node *first;
    void **blocks;
    size_t n_blocks;
    json_t *literals; /* an array that keeps them alive */
};

/* NULL if there is no function of that name. */
const struct template_function *template_function_find(const char *name, size_t n_name);

/* Go's way to print a value, and its notion of truth. */
void template_print_value(const json_t *value, FILE *stream);
bool template_truth(const json_t *value);

/* What was written to a memory stream, which it closes, as a JSON string; frees the text. NULL with `error` set. */
json_t *template_written(FILE *stream, char **text, struct bh_error *error);

/* Sets `error`; returns NULL. */
json_t *template_refuse(struct bh_error *error, const char *what);

/* Go's printf, as a function of templates: https://pkg.go.dev/fmt. */
json_t *template_printf(json_t *const *arguments, size_t n_arguments, struct bh_error *error);
