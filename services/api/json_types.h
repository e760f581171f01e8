/* SPDX-License-Identifier: Apache-2.0
 *
 * How the types that images and containers share look in JSON.
 */
#pragma once

#include "container.pb-c.h"
#include "common/json_write.h"
#include "types.pb-c.h"

/* "sha256:<hex>" of 32 bytes; "" for anything else. */
void write_digest(struct json_writer *writer, const char *key, const ProtobufCBinaryData *digest);
/* 64 hex digits of an id. `buffer` holds 65 bytes; "" for anything else. Returns `buffer`. */
const char *id_hex(const ProtobufCBinaryData *id, char *buffer);
/* {"a":"b"} */
void write_map(struct json_writer *writer, const char *key, Bulkhead__KeyValue *const *pairs, size_t n_pairs);
/* {"80/tcp":{}}, or null when empty. */
void write_keys(struct json_writer *writer, const char *key, char *const *values, size_t n_values, bool null_if_empty);
void write_healthcheck(struct json_writer *writer, const Bulkhead__Healthcheck *healthcheck);
/* A container configuration as images carry it. */
void write_image_config(struct json_writer *writer, const char *key, const Bulkhead__ImageConfig *config);
/* RFC 3339; "0001-01-01T00:00:00Z" for 0. */
void write_time(struct json_writer *writer, const char *key, int64_t ns);
