/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list of strings, for option values, arguments and lines of files.
 */
#include "string_list.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int strings_add(struct strings *list, const char *item, struct bh_error *error)
{
    const char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    list->items = items;
    list->items[list->count++] = item;
    return 0;
}

int strings_add_copy(struct strings *list, const char *item, size_t n_bytes, struct bh_error *error)
{
    bh_autofree char *copy = strndup(item, n_bytes);
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    list->owned = true;
    if (strings_add(list, copy, error) < 0) {
        return -1;
    }
    (void)bh_steal_pointer(&copy);
    return 0;
}

void strings_free(struct strings *list)
{
    for (size_t i = 0; list->owned && i < list->count; i++) {
        free((void *)(uintptr_t)list->items[i]);
    }
    free(list->items);
    *list = (struct strings){0};
}

bool strings_begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int strings_format(char **ret_text, struct bh_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vasprintf(ret_text, format, arguments);
    va_end(arguments);
    if (written < 0) {
        *ret_text = NULL;
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    return 0;
}
