/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters; see filters.h.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "services/engine/filters.h"
#include "services/engine/pattern.h"

int filters_check(Bulkhead__Filter *const *filters, size_t n_filters, const char *const *known, struct bh_error *error)
{
    for (size_t i = 0; i < n_filters; i++) {
        bool is_known = false;
        for (size_t j = 0; known[j] && !is_known; j++) {
            is_known = strcmp(filters[i]->key, known[j]) == 0;
        }
        if (!is_known) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter '%s'", filters[i]->key);
        }
    }
    return 0;
}

const Bulkhead__Filter *filters_find(Bulkhead__Filter *const *filters, size_t n_filters, const char *key)
{
    for (size_t i = 0; i < n_filters; i++) {
        if (strcmp(filters[i]->key, key) == 0 && filters[i]->n_values > 0) {
            return filters[i];
        }
    }
    return NULL;
}

bool filters_match_exactly(const Bulkhead__Filter *filter, const char *text)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (strcmp(filter->values[i], text) == 0) {
            return true;
        }
    }
    return !filter;
}

bool filters_match_prefix(const Bulkhead__Filter *filter, const char *text)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (strncmp(filter->values[i], text, strlen(filter->values[i])) == 0) {
            return true;
        }
    }
    return !filter;
}

/* A regular expression that is found in "name" or in "/name", as Docker's clients write both. */
static bool match_one_name(const char *wanted, const char *name)
{
    char slashed[BH_NAME_BYTES_MAX + 2];
    struct pattern pattern;
    struct bh_error none; /* what is no pattern was refused before: it fits nothing */
    (void)snprintf(slashed, sizeof slashed, "/%s", name);
    return pattern_compile(wanted, &pattern, &none) == 0 &&
           (pattern_finds(&pattern, name) || pattern_finds(&pattern, slashed));
}

bool filters_match_name(const Bulkhead__Filter *filter, const char *name)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (match_one_name(filter->values[i], name)) {
            return true;
        }
    }
    return !filter;
}

static bool has_label(const char *wanted, Bulkhead__KeyValue *const *labels, size_t n_labels)
{
    size_t key_length = strcspn(wanted, "=");
    for (size_t i = 0; i < n_labels; i++) {
        if (strlen(labels[i]->key) == key_length && strncmp(labels[i]->key, wanted, key_length) == 0 &&
            (wanted[key_length] == '\0' || strcmp(labels[i]->value, wanted + key_length + 1) == 0)) {
            return true;
        }
    }
    return false;
}

bool filters_match_labels(const Bulkhead__Filter *filter, Bulkhead__KeyValue *const *labels, size_t n_labels)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (!has_label(filter->values[i], labels, n_labels)) {
            return false;
        }
    }
    return true;
}

int filters_boolean(const Bulkhead__Filter *filter, bool *ret_value, struct bh_error *error)
{
    const char *text = filter->values[0];
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0) {
        *ret_value = true;
        return 0;
    }
    if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0) {
        *ret_value = false;
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter '%s=[%s]': it is true or false", filter->key, text);
}

bool filters_match_reference(const Bulkhead__Filter *filter, const char *familiar)
{
    char repository[BH_REFERENCE_BYTES_MAX + 1];
    (void)snprintf(repository, sizeof repository, "%s", familiar);
    char *end = strchr(repository, '@');
    char *slash = strrchr(repository, '/');
    char *colon = strrchr(repository, ':');
    if (!end && colon && (!slash || colon > slash)) {
        end = colon;
    }
    if (end) {
        *end = '\0';
    }
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (fnmatch(filter->values[i], familiar, FNM_PATHNAME) == 0 ||
            fnmatch(filter->values[i], repository, FNM_PATHNAME) == 0) {
            return true;
        }
    }
    return !filter;
}
