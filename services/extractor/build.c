/* SPDX-License-Identifier: Apache-2.0
 *
 * See build.h.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int build_string(char **field, const char *text, struct bh_error *error)
{
    if (!text || !*text) {
        return 0;
    }
    char *copy = strdup(text);
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    *field = copy;
    return 0;
}

int build_bytes(ProtobufCBinaryData *field, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    field->data = malloc(n_bytes);
    if (!field->data) {
        return bh_error_errno(error, ENOMEM, "copy bytes");
    }
    memcpy(field->data, bytes, n_bytes);
    field->len = n_bytes;
    return 0;
}

int build_array(void *field, size_t n, size_t element_bytes, struct bh_error *error)
{
    void *array = n > 0 ? calloc(n, element_bytes) : NULL;
    if (n > 0 && !array) {
        return bh_error_errno(error, ENOMEM, "allocate %zu elements", n);
    }
    memcpy(field, &array, sizeof(array));
    return 0;
}

int build_append(char **field, size_t *count, const char *text, struct bh_error *error)
{
    char *copy = strdup(text);
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    field[(*count)++] = copy;
    return 0;
}

void *build_message(const ProtobufCMessageDescriptor *descriptor, struct bh_error *error)
{
    void *message = malloc(descriptor->sizeof_message);
    if (!message) {
        bh_error_errno(error, ENOMEM, "allocate a message");
        return NULL;
    }
    protobuf_c_message_init(descriptor, message);
    return message;
}
