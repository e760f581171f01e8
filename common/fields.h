/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings and lists of strings inside messages that are freed with protobuf-c's *_free_unpacked(): every value is a
 * copy of its own. Knows nothing of what the messages mean.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <protobuf-c/protobuf-c.h>

#include "common/error.h"

/* Replaces a string field. `*field` may be protobuf-c's shared empty string. */
int string_set(char **field, const char *text, struct bh_error *error);
/* Replaces a bytes field. */
int bytes_set(ProtobufCBinaryData *field, const void *bytes, size_t n_bytes, struct bh_error *error);
/* Appends a copy. */
int strings_append(char ***list, size_t *n_list, const char *text, struct bh_error *error);
int strings_append_all(char ***list, size_t *n_list, char *const *more, size_t n_more, struct bh_error *error);
/* Deep copy of any message, by packing and unpacking it. */
int message_copy(const ProtobufCMessage *message, ProtobufCMessage **ret_copy, struct bh_error *error);
