/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames: RFC 6455's own examples, pieces of any size, and what breaks the rules.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "websocket.h"

/* Feeds `bytes` in pieces of `piece` bytes; returns the data that came out. */
static size_t feed(struct websocket *websocket, const char *bytes, size_t n_bytes, size_t piece, char *out)
{
    size_t n_out = 0;
    for (size_t i = 0; i < n_bytes; i += piece) {
        unsigned char buffer[512];
        size_t n = n_bytes - i < piece ? n_bytes - i : piece;
        memcpy(buffer, bytes + i, n);
        n = websocket_read(websocket, buffer, n);
        memcpy(out + n_out, buffer, n);
        n_out += n;
    }
    return n_out;
}
#define FEED(websocket, text, piece, out) feed(websocket, text, sizeof(text) - 1, piece, out)

#define HELLO "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" /* section 5.7 */
#define PING  "\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"

Test(websocket, the_key_of_the_rfc)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct bh_error error = {0};
    cr_assert_eq(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept, &error), 0);
    cr_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    static const char *const wrong[] = {"",
                                        "short",
                                        "dGhlIHNhbXBsZSBub25jZQ=",
                                        "dGhlIHNhbXBsZSBub25jZQ==x",
                                        "!!!!IHNhbXBsZSBub25jZQ==",
                                        "AAAAAAAAAAAAAAAAAAAAAAAA"};
    cr_assert_eq(websocket_accept(NULL, accept, &error), -1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(websocket_accept(wrong[i], accept, &error), -1, "%s", wrong[i]);
    }
}

Test(websocket, data_in_pieces_of_any_size)
{
    for (size_t piece = 1; piece < 40; piece++) {
        struct websocket websocket = {0};
        char out[64];
        /* a fragmented message with a ping in its middle, then a whole one */
        size_t n = FEED(&websocket, "\x02\x83\0\0\0\0abc" PING "\x80\x82\0\0\0\0de" HELLO, piece, out);
        cr_assert_eq(n, 10);
        cr_assert_eq(memcmp(out, "abcdeHello", 10), 0);
        cr_assert_eq(websocket.n_reply, 7);
        cr_assert_eq(memcmp(websocket.reply, "\x8a\x05Hello", 7), 0);
        cr_assert_not(websocket.closed);
    }
}

Test(websocket, long_frames)
{
    static char frame[14 + 70000], out[70000];
    static const struct {
        size_t n_payload;
        const char *head;
        size_t n_head;
    } cases[] = {{300, "\x82\xfe\x01\x2c\0\0\0\0", 8}, {70000, "\x82\xff\0\0\0\0\0\x01\x11\x70\0\0\0\0", 14}};
    for (size_t i = 0; i < 2; i++) {
        struct websocket websocket = {0};
        memcpy(frame, cases[i].head, cases[i].n_head);
        memset(frame + cases[i].n_head, 'x', cases[i].n_payload);
        cr_assert_eq(feed(&websocket, frame, cases[i].n_head + cases[i].n_payload, 500, out), cases[i].n_payload);
        cr_assert_not(websocket.in_payload);
        cr_assert_not(websocket.closed);
    }
}

Test(websocket, what_breaks_the_rules_ends_it)
{
    static const struct {
        const char *bytes;
        size_t n_bytes;
    } cases[] = {
#define CASE(text) {text, sizeof(text) - 1}
        CASE("\x81\x05\0\0\0\0Hello"),                            /* not masked */
        CASE("\xc1\x85\0\0\0\0Hello"),                            /* a reserved bit */
        CASE("\x83\x85\0\0\0\0Hello"),                            /* an unknown opcode */
        CASE("\x80\x85\0\0\0\0Hello"),                            /* a continuation of nothing */
        CASE("\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b"),               /* a message inside another */
        CASE("\x09\x81\0\0\0\0a"),                                /* a control frame in fragments */
        CASE("\x89\xfe\x01\0\0\0\0\0"),                           /* one that is too long */
        CASE("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), /* 2^64 - 1 bytes */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct websocket websocket = {0};
        char out[64];
        (void)feed(&websocket, cases[i].bytes, cases[i].n_bytes, 1, out);
        cr_expect(websocket.closed, "case %zu", i);
        cr_expect_eq(memcmp(websocket.reply, "\x88\x02\x03\xea", 4), 0, "case %zu", i);
    }
}

Test(websocket, nothing_is_read_behind_a_close)
{
    struct websocket websocket = {0};
    char out[64];
    cr_assert_eq(FEED(&websocket, "\x88\x82\0\0\0\0\x03\xe8" HELLO, 100, out), 0);
    cr_assert(websocket.closed);
    cr_assert_eq(memcmp(websocket.reply, "\x88\x02\x03\xe8", 4), 0);
}

Test(websocket, heads_of_what_is_sent)
{
    unsigned char bytes[WEBSOCKET_HEAD_BYTES];
    cr_assert_eq(websocket_head(bytes + sizeof(bytes), 125), 2);
    cr_assert_eq(memcmp(bytes + 2, "\x82\x7d", 2), 0);
    cr_assert_eq(websocket_head(bytes + sizeof(bytes), 65535), 4);
    cr_assert_eq(memcmp(bytes, "\x82\x7e\xff\xff", 4), 0);
}
