/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of field tables, and small helpers for the rows.
 */
#include "create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHERE_BYTES 96

void create_warn(struct create *create, const char *warning)
{
    if (create->n_warnings < CREATE_WARNINGS_MAX) {
        create->warnings[create->n_warnings++] = warning;
    }
}

int set_string(char **slot, const char *text, struct bh_error *error)
{
    char *copy = strdup(text);
    if (!copy) {
        return out_of_memory(error);
    }
    if (*slot && *slot != (char *)(uintptr_t)protobuf_c_empty_string) {
        free(*slot);
    }
    *slot = copy;
    return 0;
}

static int read_bool(struct create *create, const struct field *row, const json_t *value, const char *where,
                     struct bh_error *error)
{
    int on = 0;
    if (take_bool(value, where, &on, error) < 0) {
        return -1;
    }
    *(protobuf_c_boolean *)((char *)create->request + row->offset) = on;
    return 0;
}

static int read_row(struct create *create, const struct field *row, const json_t *value, const char *where,
                    struct bh_error *error)
{
    char *base = (char *)create->request;
    size_t *count = (size_t *)(void *)(base + row->count);
    void *slot = base + row->offset;
    switch (row->kind) {
    case FIELD_STRING:
        return take_string(value, where, slot, error);
    case FIELD_BOOL:
        return read_bool(create, row, value, where, error);
    case FIELD_STRINGS:
        return take_strings(value, where, count, slot, error);
    case FIELD_MAP:
        return take_map(value, where, count, slot, error);
    case FIELD_KEYS:
        return take_keys(value, where, count, slot, error);
    case FIELD_READ:
        return row->read(create, value, where, error);
    case FIELD_MEANS_NOTHING:
        return 0;
    case FIELD_REFUSED:
        return json_is_empty(value) ? 0 : bh_error_set(error, BH_UNIMPLEMENTED, "%s: %s", where, row->without);
    }
    return bh_error_set(error, BH_INTERNAL, "the table row of %s has no kind", where);
}

static const struct field *find_row(const struct field *table, const char *name)
{
    for (; table->name; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

static bool is_skipped(const char *const *skip, const char *name)
{
    for (; skip && *skip; skip++) {
        if (strcmp(*skip, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A field nobody knows may mean something to the client. In the outermost object client libraries have words of their
 * own. */
static int refuse_unknown(const struct field *table, const json_t *object, const char *prefix, const char *const *skip,
                          struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = object};
    for (void *i = json_object_iter(walk.plain); i; i = json_object_iter_next(walk.plain, i)) {
        const char *name = json_object_iter_key(i);
        bool is_own = *prefix == '\0' && json_is_clients_own(name);
        if (!find_row(table, name) && !is_skipped(skip, name) && !is_own && !json_is_empty(json_object_iter_value(i))) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown field \"%s%.64s\"", prefix, name);
        }
    }
    return 0;
}

int read_fields(struct create *create, const struct field *table, const json_t *object, const char *prefix,
                const char *const *skip, struct bh_error *error)
{
    for (const struct field *row = table; row->name; row++) {
        if (json_settle_field(object, row->name, error) < 0) {
            return -1;
        }
    }
    if (refuse_unknown(table, object, prefix, skip, error) < 0) {
        return -1;
    }
    for (const struct field *row = table; row->name; row++) {
        char where[WHERE_BYTES];
        const json_t *value = json_object_get(object, row->name);
        snprintf(where, sizeof(where), "%s%s", prefix, row->name);
        if (value && read_row(create, row, value, where, error) < 0) {
            return -1;
        }
    }
    return 0;
}
