/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields; see journal_fields.h.
 */
#include "journal_fields.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/monitor_start.h"
#include "text.h"

#define NAME_BYTES_MAX  64 /* the journal's own limit */
#define SHORT_ID_DIGITS 12

struct fields {
    char *bytes;
    size_t n_bytes;
};

static int add(struct fields *fields, const char *name, const char *value, struct bh_error *error)
{
    size_t room = BH_JOURNAL_FIELDS_MAX - fields->n_bytes;
    if (!text_is_one_line(value, BH_JOURNAL_FIELDS_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the journal's field %s must hold no control characters", name);
    }
    int n = snprintf(fields->bytes + fields->n_bytes, room, "%s=%s\n", name, value);
    if (n < 0 || (size_t)n >= room) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the journal's fields have more than %u bytes",
                            BH_JOURNAL_FIELDS_MAX);
    }
    fields->n_bytes += (size_t)n;
    return 0;
}

/* A label's or variable's name as a field's: upper case, everything else an underscore, none in front (those are the
 * journal's own). */
static int add_attribute(struct fields *fields, const Bulkhead__KeyValue *attribute, struct bh_error *error)
{
    char name[NAME_BYTES_MAX + 1];
    size_t n = 0;
    for (const char *at = attribute->key; *at && n < NAME_BYTES_MAX; at++) {
        char c = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
        if (n > 0 || c != '_') {
            name[n++] = c;
        }
    }
    name[n] = '\0';
    if (n == 0 || isdigit((unsigned char)name[0])) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%.100s\" cannot name a field of the journal: one begins with a letter", attribute->key);
    }
    return add(fields, name, attribute->value, error);
}

int journal_fields_make(const Bulkhead__ContainerSpec *spec, char **ret_fields, size_t *ret_n_fields,
                        struct bh_error *error)
{
    char id[2 * sizeof(uint8_t[32]) + 1] = "", short_id[SHORT_ID_DIGITS + 1];
    for (size_t i = 0; i < spec->id.len && i < 32; i++) {
        (void)snprintf(id + 2 * i, 3, "%02x", spec->id.data[i]);
    }
    (void)snprintf(short_id, sizeof(short_id), "%.*s", SHORT_ID_DIGITS, id);
    bh_autofree char *bytes = malloc(BH_JOURNAL_FIELDS_MAX);
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the journal's fields");
    }
    struct fields fields = {.bytes = bytes};
    const char *tag = *spec->log->tag ? spec->log->tag : short_id;
    if (add(&fields, "CONTAINER_ID", short_id, error) < 0 || add(&fields, "CONTAINER_ID_FULL", id, error) < 0 ||
        add(&fields, "CONTAINER_NAME", spec->log->container_name, error) < 0 ||
        add(&fields, "CONTAINER_TAG", tag, error) < 0 || add(&fields, "SYSLOG_IDENTIFIER", tag, error) < 0 ||
        add(&fields, "IMAGE_NAME", spec->image_reference, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < spec->log->n_attributes; i++) {
        if (add_attribute(&fields, spec->log->attributes[i], error) < 0) {
            return -1;
        }
    }
    *ret_fields = bh_steal_pointer(&bytes);
    *ret_n_fields = fields.n_bytes;
    return 0;
}
