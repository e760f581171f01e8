/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip (RFC 1952) through ISA-L. Several members in a row are one stream, as gzip(1) and Docker read them; zeros may
 * follow the last member (tape padding), anything else is refused.
 */
#include <isa-l/igzip_lib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

struct gzip {
    struct inflate_state inflate;
    bool in_member;
    bool begun; /* at least one member was read */
};

static bool recognizes(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static int gzip_open(void **ret_state, struct bh_error *error)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (!gzip) {
        return bh_error_errno(error, ENOMEM, "allocate a gzip decoder");
    }
    isal_inflate_init(&gzip->inflate);
    *ret_state = gzip;
    return 0;
}

/* Begins the next member if there is one; *ret_end otherwise. */
static int next_member(struct gzip *gzip, struct input *input, bool *ret_end, struct bh_error *error)
{
    *ret_end = false;
    if (input_want(input, 2, error) < 0) {
        return -1;
    }
    if (recognizes(input_bytes(input), input_available(input))) {
        isal_inflate_reset(&gzip->inflate);
        gzip->inflate.crc_flag = ISAL_GZIP;
        gzip->in_member = gzip->begun = true;
        return 0;
    }
    while (input_available(input) > 0) {
        if (input_bytes(input)[0] != 0) {
            return bh_error_set(error, BH_DATA_LOSS, "bytes that are not gzip follow the end of the gzip stream");
        }
        input_consume(input, 1);
        if (input_want(input, 1, error) < 0) {
            return -1;
        }
    }
    *ret_end = true;
    return 0;
}

static const char *describe(int result)
{
    switch (result) {
    case ISAL_INCORRECT_CHECKSUM:
        return "its checksum does not match";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "its header is invalid";
    default:
        return "its deflate data is invalid";
    }
}

static int gzip_read(void *state, struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes,
                     struct bh_error *error)
{
    struct gzip *gzip = state;
    *ret_bytes = 0;
    uint32_t room = n_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)n_bytes;
    while (*ret_bytes == 0) {
        bool end = false;
        if (!gzip->in_member && next_member(gzip, input, &end, error) < 0) {
            return -1;
        }
        if (end) {
            return 0;
        }
        struct inflate_state *inflate = &gzip->inflate;
        uint32_t available = (uint32_t)input_available(input);
        inflate->next_in = input->buffer + input->first;
        inflate->avail_in = available;
        inflate->next_out = buffer;
        inflate->avail_out = room;
        int result = isal_inflate(inflate);
        uint32_t used = available - inflate->avail_in;
        input_consume(input, used);
        *ret_bytes = room - inflate->avail_out;
        if (result < 0) {
            return bh_error_set(error, BH_DATA_LOSS, "the gzip stream is damaged: %s", describe(result));
        }
        if (inflate->block_state == ISAL_BLOCK_FINISH) {
            gzip->in_member = false;
        } else if (*ret_bytes == 0 && used == 0) {
            size_t before = input_available(input);
            if (input_want(input, before + 1 <= 16 ? before + 1 : 16, error) < 0) {
                return -1;
            }
            if (input_available(input) == before) {
                return bh_error_set(error, BH_DATA_LOSS, "the gzip stream ends in the middle");
            }
        }
    }
    return 0;
}

const struct codec codec_gzip = {
    .name = "gzip", .recognizes = recognizes, .open = gzip_open, .read = gzip_read, .close = free};
