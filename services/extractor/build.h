/* SPDX-License-Identifier: Apache-2.0
 *
 * Building messages piece by piece, so that protobuf-c's own free_unpacked() can take them back at any moment. Used
 * by all parsers here.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "common/error.h"

/* Sets a string field to a copy. NULL leaves it empty. */
int build_string(char **field, const char *text, struct bh_error *error);
int build_bytes(ProtobufCBinaryData *field, const void *bytes, size_t n_bytes, struct bh_error *error);
/* Allocates the array of a repeated field with room for `n` elements (all zero); its count stays 0. */
int build_array(void *field, size_t n, size_t element_bytes, struct bh_error *error);
/* Appends a copy to a repeated string field that has room. */
int build_append(char **field, size_t *count, const char *text, struct bh_error *error);
/* Allocates a message and initializes it. NULL with `error` set if there is no memory. */
void *build_message(const ProtobufCMessageDescriptor *descriptor, struct bh_error *error);
