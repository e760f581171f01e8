/* SPDX-License-Identifier: Apache-2.0
 *
 * Composing the record of an event; see event_record.h.
 */
#include "services/engine/event_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/limits.h"
#include "services/engine/database.h"
#include "common/fields.h"

#define ACTION_BYTES_MAX (4 * BH_KIB) /* "exec_create: ..." holds a whole command line */
#define OWN_BYTES_MAX    (4 * BH_KIB) /* one attribute of an action: a commit's comment */
#define ACTOR_BYTES_MAX  (1 * BH_KIB) /* the longest is an image's reference */

struct attribute {
    const char *key, *value;
    unsigned rank; /* of two with one key, the lower counts */
};

struct list {
    struct attribute *attributes;
    size_t n_attributes;
};

static void add(struct list *list, const char *key, const char *value, unsigned rank)
{
    list->attributes[list->n_attributes++] = (struct attribute){.key = key, .value = value, .rank = rank};
}

static void add_labels(struct list *list, Bulkhead__KeyValue *const *labels, size_t n_labels)
{
    for (size_t i = 0; i < n_labels; i++) {
        add(list, labels[i]->key, labels[i]->value, 2);
    }
}

static int by_key(const void *a, const void *b)
{
    const struct attribute *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : (int)left->rank - (int)right->rank;
}

/* What the action itself says counts for the bound first, so that labels are what is left out. */
static size_t bytes_of_own(const struct list *list)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < list->n_attributes; i++) {
        n_bytes +=
            list->attributes[i].rank < 2 ? strlen(list->attributes[i].key) + strlen(list->attributes[i].value) : 0;
    }
    return n_bytes;
}

/* A copy of at most `max_bytes`, not cut within a character. */
static int set_bounded(char **field, const char *text, size_t max_bytes, struct bh_error *error)
{
    size_t length = strnlen(text, max_bytes + 1);
    if (length > max_bytes) {
        for (length = max_bytes; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80; length--) {
        }
    }
    bh_autofree char *copy = strndup(text, length);
    return copy ? string_set(field, copy, error) : bh_error_errno(error, ENOMEM, "write down an event");
}

static int append(Bulkhead__Event *record, const struct attribute *attribute, struct bh_error *error)
{
    Bulkhead__KeyValue *pair = malloc(sizeof *pair);
    size_t max_bytes = attribute->rank == 0 ? OWN_BYTES_MAX : BH_EVENT_BYTES_MAX;
    if (!pair) {
        return bh_error_errno(error, ENOMEM, "write down an event");
    }
    bulkhead__key_value__init(pair);
    record->attributes[record->n_attributes++] = pair;
    return string_set(&pair->key, attribute->key, error) < 0 ||
                   set_bounded(&pair->value, attribute->value, max_bytes, error) < 0
               ? -1
               : 0;
}

static int fill_attributes(Bulkhead__Event *record, struct list *list, struct bh_error *error)
{
    size_t n_bytes = bytes_of_own(list);
    record->attributes = calloc(list->n_attributes + 1, sizeof(Bulkhead__KeyValue *));
    if (!record->attributes) {
        return bh_error_errno(error, ENOMEM, "write down an event");
    }
    if (list->n_attributes > 0) {
        qsort(list->attributes, list->n_attributes, sizeof *list->attributes, by_key);
    }
    for (size_t i = 0; i < list->n_attributes; i++) {
        const struct attribute *attribute = &list->attributes[i];
        bool repeated = i > 0 && strcmp(attribute->key, list->attributes[i - 1].key) == 0;
        size_t more = attribute->rank < 2 ? 0 : strlen(attribute->key) + strlen(attribute->value);
        if (repeated || n_bytes + more > BH_EVENT_BYTES_MAX) {
            continue;
        }
        n_bytes += more;
        if (append(record, attribute, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int fill(Bulkhead__Event *record, const struct engine_event *event, struct bh_error *error)
{
    const struct container_row *container = event->container;
    const Bulkhead__ContainerRequest *request = container ? container->request : NULL;
    char hex[BH_DIGEST_HEX_SIZE] = "";
    size_t n_max = event->n_attributes + event->n_labels + 2 + (request ? request->n_labels : 0);
    bh_autofree struct attribute *attributes = calloc(n_max, sizeof *attributes);
    if (!attributes) {
        return bh_error_errno(error, ENOMEM, "write down an event");
    }
    struct list list = {.attributes = attributes};
    for (size_t i = 0; i < event->n_attributes; i++) {
        add(&list, event->attributes[i].key, event->attributes[i].value, 0);
    }
    if (container) {
        struct bh_digest id;
        memcpy(id.bytes, container->id, sizeof id.bytes);
        (void)bh_digest_hex(&id, hex);
        add(&list, "name", container->name, 1);
        add(&list, "image", request->image, 1);
        add_labels(&list, request->labels, request->n_labels);
    }
    add_labels(&list, event->labels, event->n_labels);
    record->type = event->type;
    return set_bounded(&record->action, event->action, ACTION_BYTES_MAX, error) < 0 ||
                   set_bounded(&record->actor, event->actor ? event->actor : hex, ACTOR_BYTES_MAX, error) < 0 ||
                   fill_attributes(record, &list, error) < 0
               ? -1
               : 0;
}

int event_record(const struct engine_event *event, Bulkhead__Event **ret_record, struct bh_error *error)
{
    Bulkhead__Event *record = malloc(sizeof *record);
    if (!record) {
        return bh_error_errno(error, ENOMEM, "write down an event");
    }
    bulkhead__event__init(record);
    if (fill(record, event, error) < 0) {
        bulkhead__event__free_unpacked(record, NULL);
        return -1;
    }
    *ret_record = record;
    return 0;
}
