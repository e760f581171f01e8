/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists as Docker's clients print them: aligned columns under a heading, or whatever --format asks for.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"

struct table {
    const char *format;  /* --format; NULL or "table": the columns below */
    const char *columns; /* "{{.ID}}\t{{.Image}}..." */
    bool quiet;          /* -q: `quiet_columns` without a heading */
    const char *quiet_columns;
    json_t *headings; /* object: field -> heading; borrowed */
};

/* A field and what its column is called. */
struct table_heading {
    const char *field, *heading;
};
/* As table.headings wants them; the list ends with an empty row. NULL without memory. */
json_t *table_headings(const struct table_heading *headings);

/* Prints `rows`, an array of objects, to `stream`. */
int table_print(const struct table *table, const json_t *rows, FILE *stream, struct bh_error *error);

/* Prints one object as --format says ("json", or a template), with a line end. For inspect, version and info. */
int table_print_object(const char *format, json_t *object, FILE *stream, struct bh_error *error);

/* Sorts an array of objects by a text field, so that what is shown does not depend on the engine's order. */
int table_sort(json_t *rows, const char *field, struct bh_error *error);

/* Aligns lines of tab-separated cells as Go's tabwriter does for Docker: at least ten wide, three spaces between. */
void table_align(const char *text, FILE *stream);
/* The same with columns of another width at least. */
void table_align_to(const char *text, size_t width_min, FILE *stream);
/* Prints text from outside with its control characters replaced. */
void table_print_clean(const char *text, FILE *stream);
