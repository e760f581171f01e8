/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of Go's text/template that `--format` is used for, over JSON: fields, variables, pipelines, if/else, range,
 * with, and Docker's functions (json, join, split, upper, lower, title, pad, truncate, println) beside Go's own
 * (index, len, print, printf, eq, ne, lt, le, gt, ge, and, or, not). A field that does not exist is an error.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/error.h"

struct template;

/* Parses `text`. The error names what is wrong with it. */
int template_parse(const char *text, struct template **ret_template, struct bh_error *error);
void template_free(struct template *template);
void template_cleanup(struct template **template);
#define template_auto bh_cleanup(template_cleanup)

/* Writes what `template` makes of `data` to `stream`. */
int template_render(const struct template *template, json_t *data, FILE *stream, struct bh_error *error);
