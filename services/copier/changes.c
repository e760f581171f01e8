/* SPDX-License-Identifier: Apache-2.0
 *
 * See changes.h.
 */
#include "changes.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "compare.h"

#define CHANGES_MAX 512                        /* in one message */
#define TEXT_BYTES  (BH_MESSAGE_BYTES_MAX / 2) /* of their paths together; more than the longest one has */

struct batch {
    int (*send)(void *argument, Bulkhead__FileChanges *changes);
    void *argument;
    Bulkhead__FileChange changes[CHANGES_MAX], *pointers[CHANGES_MAX];
    size_t n, used;
    uint8_t text[TEXT_BYTES];
};

static int flush(struct batch *batch, struct bh_error *error)
{
    Bulkhead__FileChanges message = BULKHEAD__FILE_CHANGES__INIT;
    message.changes = batch->pointers;
    message.n_changes = batch->n;
    if (batch->n > 0 && batch->send(batch->argument, &message) < 0) {
        return bh_error_set(error, BH_CANCELLED, "nobody takes the changes");
    }
    batch->n = batch->used = 0;
    return 0;
}

static Bulkhead__ChangeKind kind_of(enum change_kind kind)
{
    switch (kind) {
    case CHANGE_ADDED:
        return BULKHEAD__CHANGE_KIND__CHANGE_KIND_ADDED;
    case CHANGE_DELETED:
        return BULKHEAD__CHANGE_KIND__CHANGE_KIND_DELETED;
    case CHANGE_MODIFIED:
        break;
    }
    return BULKHEAD__CHANGE_KIND__CHANGE_KIND_MODIFIED;
}

static int add(void *argument, const struct change *change, struct bh_error *error)
{
    struct batch *batch = argument;
    size_t n = strlen(change->path);
    if ((batch->n == CHANGES_MAX || batch->used + n + 1 > TEXT_BYTES) && flush(batch, error) < 0) {
        return -1;
    }
    uint8_t *path = batch->text + batch->used;
    path[0] = '/';
    memcpy(path + 1, change->path, n);
    batch->used += n + 1;
    Bulkhead__FileChange *message = &batch->changes[batch->n];
    bulkhead__file_change__init(message);
    message->kind = kind_of(change->kind);
    message->path = (ProtobufCBinaryData){.len = n + 1, .data = path};
    batch->pointers[batch->n++] = message;
    return 0;
}

int changes_find(const struct copier *copier, int (*send)(void *argument, Bulkhead__FileChanges *changes),
                 void *argument, struct bh_error *error)
{
    bh_autofree struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list of changes");
    }
    batch->send = send;
    batch->argument = argument;
    return compare_layer(copier, add, batch, error) < 0 ? -1 : flush(batch, error);
}
