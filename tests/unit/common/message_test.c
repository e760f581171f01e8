/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "engine_extractor.pb-c.h"
#include "engine_store.pb-c.h"

static uint8_t *encode(const Bulkhead__EngineToStore *packet, size_t *ret_n_bytes)
{
    const struct bh_message_header header = {.id = 7, .deadline_ms = 100, .trace = 0xabc};
    struct bh_error error;
    uint8_t *bytes = NULL;
    int memfd = -1;
    cr_assert_eq(bh_message_encode(&bulkhead__engine_to_store__descriptor, packet ? &packet->base : NULL, &header,
                                   &bytes, ret_n_bytes, &memfd, &error),
                 0);
    cr_assert_eq(memfd, -1);
    return bytes;
}

static int decode(const void *bytes, size_t n_bytes, struct bh_message **ret_message)
{
    struct bh_error error;
    return bh_message_decode(&bulkhead__engine_to_store__descriptor, bytes, n_bytes, ret_message, &error);
}

static uint8_t *open_blob(size_t *ret_n_bytes)
{
    static uint8_t digest[32] = {1, 2, 3};
    Bulkhead__OpenBlob body = BULKHEAD__OPEN_BLOB__INIT;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    body.digest = (ProtobufCBinaryData){.data = digest, .len = sizeof(digest)};
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB;
    packet.open_blob = &body;
    return encode(&packet, ret_n_bytes);
}

Test(message, round_trip_keeps_header_and_body)
{
    size_t n_bytes;
    bh_autofree uint8_t *bytes = open_blob(&n_bytes);
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(decode(bytes, n_bytes, &message), 0);
    cr_assert_eq(message->kind, (uint32_t)BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB);
    cr_assert_eq(message->id, 7u);
    cr_assert_eq(message->trace, 0xabcu);
    const Bulkhead__OpenBlob *body = bh_message_body(message);
    cr_assert_eq(body->digest.len, 32u);
    cr_assert_eq(body->digest.data[2], 3);
}

Test(message, every_truncation_and_every_flipped_bit_is_survived)
{
    size_t n_bytes;
    bh_autofree uint8_t *bytes = open_blob(&n_bytes);
    for (size_t length = 0; length < n_bytes; length++) {
        bh_automessage struct bh_message *message = NULL;
        cr_assert_eq(decode(bytes, length, &message), -1, "truncated to %zu", length);
    }
    for (size_t bit = 0; bit < n_bytes * 8; bit++) {
        bh_automessage struct bh_message *message = NULL;
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        (void)decode(bytes, n_bytes, &message);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

Test(message, unknown_fields_are_refused)
{
    size_t n_bytes;
    bh_autofree uint8_t *bytes = open_blob(&n_bytes);
    uint8_t longer[256];
    memcpy(longer, bytes, n_bytes);
    const uint8_t extra[] = {0xf8, 0x3f, 0x01}; /* field 1023, varint 1 */
    memcpy(longer + n_bytes, extra, sizeof(extra));
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(decode(longer, n_bytes + sizeof(extra), &message), -1);
}

Test(message, a_field_given_twice_is_refused)
{
    size_t n_bytes;
    bh_autofree uint8_t *bytes = open_blob(&n_bytes);
    uint8_t twice[512];
    memcpy(twice, bytes, n_bytes);
    memcpy(twice + n_bytes, bytes, n_bytes);
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(decode(twice, 2 * n_bytes, &message), -1);
}

Test(message, a_body_is_required_unless_it_cancels)
{
    size_t n_bytes;
    bh_autofree uint8_t *bytes = encode(NULL, &n_bytes);
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(decode(bytes, n_bytes, &message), -1);
}

Test(message, unknown_and_unspecified_enum_values_are_refused)
{
    for (int value = -1; value <= 100; value++) {
        const struct bh_message_header header = {.id = 1};
        Bulkhead__ParseManifest body = BULKHEAD__PARSE_MANIFEST__INIT;
        Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
        struct bh_error error;
        bh_autofree uint8_t *bytes = NULL;
        size_t n_bytes;
        int memfd;
        body.announced_presence_case = BULKHEAD__PARSE_MANIFEST__ANNOUNCED_PRESENCE_ANNOUNCED;
        body.announced = (Bulkhead__MediaType)value;
        packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_MANIFEST;
        packet.parse_manifest = &body;
        cr_assert_eq(bh_message_encode(&bulkhead__engine_to_extractor__descriptor, &packet.base, &header, &bytes,
                                       &n_bytes, &memfd, &error),
                     0);
        bh_automessage struct bh_message *message = NULL;
        int decoded = bh_message_decode(&bulkhead__engine_to_extractor__descriptor, bytes, n_bytes, &message, &error);
        cr_assert_eq(decoded, value >= 1 && value <= 8 ? 0 : -1, "value %d", value);
    }
}

Test(message, a_string_with_nul_is_refused)
{
    /* Header{id:1}, Error{code:1, message:"a\0b"} of StoreToEngine, written by hand. */
    const uint8_t bytes[] = {0x0a, 0x02, 0x08, 0x01, 0x12, 0x07, 0x08, 0x01, 0x12, 0x03, 'a', 0x00, 'b'};
    const uint8_t honest[] = {0x0a, 0x02, 0x08, 0x01, 0x12, 0x07, 0x08, 0x01, 0x12, 0x03, 'a', 'x', 'b'};
    struct bh_error error;
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_message_decode(&bulkhead__store_to_engine__descriptor, honest, sizeof(honest), &message, &error),
                 0);
    bh_automessage struct bh_message *second = NULL;
    cr_assert_eq(bh_message_decode(&bulkhead__store_to_engine__descriptor, bytes, sizeof(bytes), &second, &error), -1);
}

Test(message, errors_travel_with_their_context)
{
    const struct bh_message_header header = {.id = 3};
    struct bh_error sent, received, error;
    (void)bh_error_set(&sent, BH_NOT_FOUND, "no blob");
    (void)bh_error_wrap(&sent, "open it");
    uint8_t *packed = NULL;
    size_t n_bytes;
    cr_assert_eq(
        bh_message_encode_error(&bulkhead__store_to_engine__descriptor, &sent, &header, &packed, &n_bytes, &error), 0);
    bh_autofree uint8_t *bytes = packed;
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_message_decode(&bulkhead__store_to_engine__descriptor, bytes, n_bytes, &message, &error), 0);
    cr_assert(bh_message_is_error(message, &received));
    cr_assert_eq(received.code, BH_NOT_FOUND);
    char text[64];
    cr_assert_str_eq(bh_error_format(&received, text, sizeof(text)), "open it: no blob");
}
