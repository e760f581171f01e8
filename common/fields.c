/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of strings inside messages; see fields.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/fields.h"

int string_set(char **field, const char *text, struct bh_error *error)
{
    char *copy = strdup(text);
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    if (*field != protobuf_c_empty_string) {
        free(*field);
    }
    *field = copy;
    return 0;
}

int bytes_set(ProtobufCBinaryData *field, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    uint8_t *copy = malloc(n_bytes ? n_bytes : 1);
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "copy %zu bytes", n_bytes);
    }
    if (n_bytes > 0) {
        memcpy(copy, bytes, n_bytes);
    }
    free(field->data);
    *field = (ProtobufCBinaryData){.data = copy, .len = n_bytes};
    return 0;
}

int strings_append(char ***list, size_t *n_list, const char *text, struct bh_error *error)
{
    char **grown = reallocarray(*list, *n_list + 1, sizeof *grown);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "extend a list");
    }
    *list = grown;
    grown[*n_list] = strdup(text);
    if (!grown[*n_list]) {
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    (*n_list)++;
    return 0;
}

int strings_append_all(char ***list, size_t *n_list, char *const *more, size_t n_more, struct bh_error *error)
{
    for (size_t i = 0; i < n_more; i++) {
        if (strings_append(list, n_list, more[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int message_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy, struct bh_error *error)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    bh_autofree uint8_t *bytes = malloc(n_bytes ? n_bytes : 1);
    if (!bytes) {
        return bh_error_errno(error, ENOMEM, "copy a message of %zu bytes", n_bytes);
    }
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, n_bytes, bytes);
    if (!copy) {
        return bh_error_set(error, BH_INTERNAL, "a %s does not survive being packed", message->descriptor->short_name);
    }
    *ret_copy = copy;
    return 0;
}
