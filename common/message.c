/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets to bytes and back; see message.h and channel.h. Everything that arrives is hostile until bh_message_decode()
 * has accepted it.
 */
#include "common/message.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "types.pb-c.h"

#define HEADER_FIELD 1
#define ERROR_FIELD  2

/* ---- reflection ------------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *header_field(const ProtobufCMessageDescriptor *descriptor)
{
    return protobuf_c_message_descriptor_get_field(descriptor, HEADER_FIELD);
}

/* The oneof's case of a packet: every member of a oneof shares one quantifier. */
static uint32_t *body_case(const ProtobufCMessageDescriptor *descriptor, const ProtobufCMessage *packet)
{
    for (unsigned int i = 0; i < descriptor->n_fields; i++) {
        if (descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            return (uint32_t *)((uintptr_t)packet + descriptor->fields[i].quantifier_offset);
        }
    }
    return NULL;
}

static void *member(const ProtobufCMessage *packet, const ProtobufCFieldDescriptor *field)
{
    return (void *)((uintptr_t)packet + field->offset);
}

static const Bulkhead__Header *header_of(const ProtobufCMessage *packet)
{
    return *(const Bulkhead__Header *const *)member(packet, header_field(packet->descriptor));
}

/* ---- checking --------------------------------------------------------------------------------- */

static int check_message(const ProtobufCMessage *message, struct bh_error *error);

static int check_value(const ProtobufCFieldDescriptor *field, const void *value, struct bh_error *error)
{
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        int number = *(const int *)value;
        if (number == 0 || !protobuf_c_enum_descriptor_get_value(field->descriptor, number)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "field %s has the unknown value %d", field->name, number);
        }
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)value;
        return inner ? check_message(inner, error) : 0;
    }
    return 0;
}

static int check_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct bh_error *error)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t set = *(const uint32_t *)((uintptr_t)message + field->quantifier_offset);
        return set == field->id ? check_value(field, member(message, field), error) : 0;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return check_value(field, member(message, field), error);
    }
    size_t n = *(const size_t *)((uintptr_t)message + field->quantifier_offset);
    size_t step = field->type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *) : sizeof(int);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_ENUM) {
        return 0;
    }
    const char *values = *(const char *const *)member(message, field);
    for (size_t i = 0; i < n; i++) {
        if (check_value(field, values + i * step, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Recursion is bounded by the protos: no message type contains itself. */
static int check_message(const ProtobufCMessage *message, struct bh_error *error)
{
    if (message->n_unknown_fields > 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s has the unknown field %u", message->descriptor->short_name,
                            message->unknown_fields[0].tag);
    }
    for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
        if (check_field(message, &message->descriptor->fields[i], error) < 0) {
            return bh_error_wrap(error, "%s", message->descriptor->short_name);
        }
    }
    return 0;
}

/* One reading only: what we understood, written down again, must be the very bytes that came. Catches strings with NUL,
 * fields given twice, and numbers in longer forms than needed. */
static int check_canonical(const ProtobufCMessage *packet, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    size_t packed = protobuf_c_message_get_packed_size(packet);
    bh_autofree uint8_t *again = packed == n_bytes ? malloc(packed + 1) : NULL;
    if (!again || protobuf_c_message_pack(packet, again) != n_bytes || memcmp(again, bytes, n_bytes) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s is not in canonical form", packet->descriptor->short_name);
    }
    return 0;
}

/* ---- decoding --------------------------------------------------------------------------------- */

/* Unpacking allocates through this; beyond the budget it finds no memory. Freed by protobuf-c's default (free). */
static void *budget_alloc(void *data, size_t size)
{
    size_t *left = data;
    if (size > *left) {
        return NULL;
    }
    *left -= size;
    return malloc(size);
}

static void budget_free(void *data, void *pointer)
{
    (void)data;
    free(pointer);
}

int bh_message_decode(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t n_bytes,
                      struct bh_message **ret_message, struct bh_error *error)
{
    size_t left = BH_MESSAGE_BUDGET_BYTES;
    ProtobufCAllocator allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = &left};
    bh_automessage struct bh_message *message = calloc(1, sizeof(*message));
    if (!message) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a message");
    }
    message->packet = protobuf_c_message_unpack(descriptor, &allocator, n_bytes, bytes);
    if (!message->packet) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu bytes are no %s", n_bytes, descriptor->short_name);
    }
    const Bulkhead__Header *header = header_of(message->packet);
    if (!header) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s without a header", descriptor->short_name);
    }
    if (check_message(message->packet, error) < 0 || check_canonical(message->packet, bytes, n_bytes, error) < 0) {
        return -1;
    }
    message->kind = *body_case(descriptor, message->packet);
    message->id = header->id;
    message->deadline_ms = header->deadline_ms;
    message->trace = header->trace;
    message->more = header->more;
    message->cancel = header->cancel;
    if ((message->kind == 0) != (message->cancel || header->memfd_bytes > 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s without a body", descriptor->short_name);
    }
    *ret_message = bh_steal_pointer(&message);
    return 0;
}

uint64_t bh_message_memfd_bytes(const struct bh_message *message)
{
    return header_of(message->packet)->memfd_bytes;
}

const void *bh_message_body(const struct bh_message *message)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(message->packet->descriptor, message->kind);
    return field ? *(void *const *)member(message->packet, field) : NULL;
}

int bh_message_take_fd(struct bh_message *message, size_t index)
{
    return index < message->n_fds ? bh_steal_fd(&message->fds[index]) : -1;
}

void bh_message_free(struct bh_message *message)
{
    if (!message) {
        return;
    }
    for (size_t i = 0; i < message->n_fds; i++) {
        bh_close(&message->fds[i]);
    }
    if (message->packet) {
        protobuf_c_message_free_unpacked(message->packet, NULL);
    }
    free(message);
}

void bh_cleanup_message(struct bh_message **message)
{
    bh_message_free(*message);
}

bool bh_message_is_error(const struct bh_message *message, struct bh_error *ret_failure)
{
    if (message->kind != ERROR_FIELD) {
        return false;
    }
    const Bulkhead__Error *failure = bh_message_body(message);
    if (!failure || failure->base.descriptor != &bulkhead__error__descriptor) {
        return false;
    }
    (void)bh_error_set(ret_failure, (enum bh_code)failure->code, "%s", failure->message);
    ret_failure->sys_errno = failure->sys_errno;
    for (size_t i = 0; i < failure->n_context; i++) {
        (void)bh_error_wrap(ret_failure, "%s", failure->context[i]);
    }
    return true;
}

/* ---- encoding --------------------------------------------------------------------------------- */

static int pack(const ProtobufCMessage *packet, uint8_t **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(packet);
    uint8_t *bytes = n_bytes <= BH_MESSAGE_MEMFD_BYTES_MAX ? malloc(n_bytes + 1) : NULL;
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a message of %zu bytes is larger than the limit of %llu",
                            n_bytes, BH_MESSAGE_MEMFD_BYTES_MAX);
    }
    (void)protobuf_c_message_pack(packet, bytes);
    *ret_bytes = bytes;
    *ret_n_bytes = n_bytes;
    return 0;
}

int bh_message_encode(const ProtobufCMessageDescriptor *descriptor, const ProtobufCMessage *packet,
                      const struct bh_message_header *header, uint8_t **ret_bytes, size_t *ret_n_bytes, int *ret_memfd,
                      struct bh_error *error)
{
    Bulkhead__Header wire = BULKHEAD__HEADER__INIT;
    wire.id = header->id;
    wire.deadline_ms = header->deadline_ms;
    wire.trace = header->trace;
    wire.more = header->more;
    wire.cancel = header->cancel;

    /* A shallow copy of the packet carries the header, so that the caller's stays as it was. */
    bh_autofree ProtobufCMessage *copy = malloc(descriptor->sizeof_message);
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a message");
    }
    if (packet) {
        memcpy(copy, packet, descriptor->sizeof_message);
    } else {
        descriptor->message_init(copy);
    }
    *(Bulkhead__Header **)member(copy, header_field(descriptor)) = &wire;

    *ret_memfd = -1;
    bh_autofree uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    if (pack(copy, &bytes, &n_bytes, error) < 0) {
        return -1;
    }
    if (n_bytes > BH_MESSAGE_BYTES_MAX) {
        if (bh_memfd_sealed("message", bytes, n_bytes, ret_memfd, error) < 0) {
            return -1;
        }
        free(bh_steal_pointer(&bytes));
        descriptor->message_init(copy);
        *(Bulkhead__Header **)member(copy, header_field(descriptor)) = &wire;
        wire.memfd_bytes = n_bytes;
        if (pack(copy, &bytes, &n_bytes, error) < 0) {
            bh_close(ret_memfd);
            return -1;
        }
    }
    *ret_bytes = bh_steal_pointer(&bytes);
    *ret_n_bytes = n_bytes;
    return 0;
}

int bh_message_encode_error(const ProtobufCMessageDescriptor *descriptor, const struct bh_error *failure,
                            const struct bh_message_header *header, uint8_t **ret_bytes, size_t *ret_n_bytes,
                            struct bh_error *error)
{
    struct bh_error text = *failure;
    char *context[BH_ERROR_CONTEXT_MAX];
    Bulkhead__Error wire = BULKHEAD__ERROR__INIT;
    bool known = protobuf_c_enum_descriptor_get_value(&bulkhead__code__descriptor, (int)failure->code) != NULL;
    wire.code = known && failure->code != BH_OK ? (Bulkhead__Code)failure->code : BULKHEAD__CODE__CODE_INTERNAL;
    wire.message = text.message;
    wire.sys_errno = failure->sys_errno;
    wire.n_context = failure->n_context;
    wire.context = context;
    for (size_t i = 0; i < failure->n_context; i++) {
        context[i] = text.context[i];
    }
    bh_autofree ProtobufCMessage *packet = malloc(descriptor->sizeof_message);
    if (!packet) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a message");
    }
    descriptor->message_init(packet);
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, ERROR_FIELD);
    *(Bulkhead__Error **)member(packet, field) = &wire;
    *body_case(descriptor, packet) = ERROR_FIELD;
    int memfd = -1;
    return bh_message_encode(descriptor, packet, header, ret_bytes, ret_n_bytes, &memfd, error);
}
