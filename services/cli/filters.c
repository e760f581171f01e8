/* SPDX-License-Identifier: Apache-2.0
 *
 * {"status": {"running": true}}, percent-encoded.
 */
#include "filters.h"

#include <ctype.h>
#include <string.h>

#include "fields.h"
#include "query.h"

static int add(json_t *all, const char *filter, struct bh_error *error)
{
    const char *equals = strchr(filter, '=');
    if (!equals || equals == filter) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter '%s': want KEY=VALUE", filter);
    }
    bh_autofree char *key = strndup(filter, (size_t)(equals - filter));
    for (char *at = key; at && *at; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    json_t *values = key ? json_object_get(all, key) : NULL;
    if (!values && (!key || field_set(all, key, values = json_object(), error) < 0)) {
        return -1;
    }
    return field_set(values, equals + 1, json_true(), error);
}

int filters_append(char **path, const struct strings *filters, struct bh_error *error)
{
    if (filters->count == 0) {
        return 0;
    }
    json_auto json_t *all = json_object();
    for (size_t i = 0; i < filters->count; i++) {
        if (add(all, filters->items[i], error) < 0) {
            return -1;
        }
    }
    bh_autofree char *text = json_dumps(all, JSON_COMPACT);
    return text ? query_add(path, "filters", text, error) : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
}
