/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting. Pure.
 */
#include "csv.h"

#include <stdlib.h>
#include <string.h>

/* The field at `text` without its quotes, into `buffer`. Returns what follows it; NULL if a quote does not end. */
static const char *take_field(const char *text, char *buffer)
{
    bool quoted = *text == '"';
    text += quoted;
    while (*text && (quoted || *text != ',')) {
        if (quoted && *text == '"') {
            if (text[1] != '"') {
                *buffer = '\0';
                return text[1] == ',' || text[1] == '\0' ? text + 1 : NULL;
            }
            text++;
        }
        *buffer++ = *text++;
    }
    *buffer = '\0';
    return quoted ? NULL : text;
}

int csv_split(const char *text, struct strings *fields, struct bh_error *error)
{
    bh_autofree char *buffer = malloc(strlen(text) + 1);
    if (!buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    for (const char *at = text;;) {
        at = take_field(at, buffer);
        if (!at) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid field in '%s': a quote is not closed", text);
        }
        if (strings_add_copy(fields, buffer, strlen(buffer), error) < 0) {
            return -1;
        }
        if (*at == '\0') {
            return 0;
        }
        at++;
    }
}
