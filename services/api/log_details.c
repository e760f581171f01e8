/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_details.h.
 */
#include "log_details.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Go's url.QueryEscape. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-_.~", c)) {
            (void)fputc(c, out);
        } else if (c == ' ') {
            (void)fputc('+', out);
        } else {
            (void)fprintf(out, "%%%02X", c);
        }
    }
}

static int by_key(const void *left, const void *right)
{
    const Bulkhead__KeyValue *const *a = left;
    const Bulkhead__KeyValue *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

int log_details_make(Bulkhead__KeyValue *const *attributes, size_t n_attributes, char **ret_text,
                     struct bh_error *error)
{
    char *text = NULL;
    size_t n_bytes = 0;
    bh_autofree const Bulkhead__KeyValue **sorted = calloc(n_attributes + 1, sizeof(Bulkhead__KeyValue *));
    FILE *out = sorted ? open_memstream(&text, &n_bytes) : NULL;
    if (!out) {
        return bh_error_errno(error, ENOMEM, "read a log's details");
    }
    for (size_t i = 0; i < n_attributes; i++) {
        sorted[i] = attributes[i];
    }
    qsort(sorted, n_attributes, sizeof(*sorted), by_key);
    for (size_t i = 0; i < n_attributes; i++) {
        (void)fputs(i > 0 ? "," : "", out);
        put_escaped(out, sorted[i]->key);
        (void)fputc('=', out);
        put_escaped(out, sorted[i]->value);
    }
    (void)fputc(' ', out);
    if (fclose(out) != 0) {
        free(text);
        return bh_error_errno(error, ENOMEM, "read a log's details");
    }
    *ret_text = text;
    return 0;
}
