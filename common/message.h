/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/channel: turning packets into bytes and back, by protobuf-c's own reflection, so that the rules of
 * channel.h hold for every channel without code per channel.
 */
#pragma once

#include "common/channel.h"

/* What header a packet gets when it is sent. */
struct bh_message_header {
    uint64_t id;
    uint32_t deadline_ms;
    uint64_t trace;
    bool more, cancel;
};

/* Packs `packet` (of `descriptor`, whose own header is ignored) with that header. Bytes beyond BH_MESSAGE_BYTES_MAX go
 * into a sealed memfd (*ret_memfd, else -1) and *ret_bytes holds the small packet that announces it. */
int bh_message_encode(const ProtobufCMessageDescriptor *descriptor, const ProtobufCMessage *packet,
                      const struct bh_message_header *header, uint8_t **ret_bytes, size_t *ret_n_bytes, int *ret_memfd,
                      struct bh_error *error);

/* Packs a packet whose body is `Error error = 2`. */
int bh_message_encode_error(const ProtobufCMessageDescriptor *descriptor, const struct bh_error *failure,
                            const struct bh_message_header *header, uint8_t **ret_bytes, size_t *ret_n_bytes,
                            struct bh_error *error);

/* If the body is `Error error = 2`, fills `ret_failure` and returns true. */
bool bh_message_is_error(const struct bh_message *message, struct bh_error *ret_failure);

/* The packet's memfd_bytes; 0 if it is not announced in one. */
uint64_t bh_message_memfd_bytes(const struct bh_message *message);
