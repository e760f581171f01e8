/* SPDX-License-Identifier: Apache-2.0
 *
 * The pieces of the HTTP client: response heads and the chunked coding, whole, torn at every byte, and hostile.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "http_chunked.h"
#include "http_head.h"

static struct http_head head;
static struct bh_error error;

static int parse(const char *text)
{
    return http_head_parse(text, strlen(text), &head, &error);
}

Test(http_head, fields_are_read_whatever_their_case)
{
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\ncontent-LENGTH:  12 \r\nContent-Type: application/json\r\nApi-Version: "
                       "1.47\r\nServer: Bulkhead\r\n\r\n"),
                 0);
    cr_assert_eq(head.status, 200);
    cr_assert(head.has_length);
    cr_assert_eq(head.length, 12);
    cr_assert_not(head.chunked);
    cr_assert_str_eq(head.content_type, "application/json");
}

Test(http_head, upgrade_and_close)
{
    cr_assert_eq(parse("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"), 0);
    cr_assert(head.upgraded);
    cr_assert_eq(parse("HTTP/1.0 200 OK\r\n\r\n"), 0);
    cr_assert(head.close);
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), 0);
    cr_assert(head.close);
}

Test(http_head, its_end_is_found_only_when_it_is_whole)
{
    static const char text[] = "HTTP/1.1 204 No Content\r\nA: b\r\n\r\nbody";
    for (size_t n = 0; n < strlen(text) - 4; n++) {
        cr_assert_eq(http_head_length(text, n), 0);
    }
    cr_assert_eq(http_head_length(text, strlen(text)), strlen(text) - 4);
}

Test(http_head, what_is_not_http_is_refused)
{
    static const char *const bad[] = {
        "\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_assert_eq(parse(bad[i]), -1, "accepted: %s", bad[i]);
    }
    cr_assert_eq(http_head_parse("HTTP/1.1 200 O\0K\r\n\r\n", 20, &head, &error), -1);
}

/* Decodes `text`, handing over `step` bytes at a time. Returns -1 for an error; *ret_done tells whether it ended. */
static int decode(const char *text, size_t step, char *out, bool *ret_done)
{
    struct http_chunked decoder = {0};
    size_t length = strlen(text), at = 0, n_out = 0;
    while (at < length && decoder.state != HTTP_CHUNKED_DONE) {
        size_t used = 0, written = 0, n = length - at < step ? length - at : step;
        if (http_chunked_decode(&decoder, text + at, n, &used, out + n_out, 3, &written, &error) < 0) {
            return -1;
        }
        at += used;
        n_out += written;
    }
    out[n_out] = '\0';
    *ret_done = decoder.state == HTTP_CHUNKED_DONE;
    return 0;
}

Test(http_chunked, gives_the_same_bytes_however_it_is_torn)
{
    static const char text[] = "5\r\nhello\r\n1;name=value\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    char out[64];
    for (size_t step = 1; step <= sizeof(text); step++) {
        bool done = false;
        cr_assert_eq(decode(text, step, out, &done), 0);
        cr_assert(done);
        cr_assert_str_eq(out, "hello 0123456789");
    }
}

Test(http_chunked, is_not_done_before_its_end)
{
    char out[64];
    bool done = true;
    cr_assert_eq(decode("5\r\nhello\r\n0\r\n", 1, out, &done), 0);
    cr_assert_not(done);
    cr_assert_eq(decode("5\r\nhel", 1, out, &done), 0);
    cr_assert_not(done);
}

Test(http_chunked, what_is_not_well_chunked_is_refused)
{
    static const char *const bad[] = {
        "x\r\n",
        "\r\n",
        "5\n",
        "5\rhello",
        "-1\r\n",
        " 5\r\n",
        "5\r\nhelloX\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        ";x\r\n",
        "0x5\r\n",
        "5\r\nhello\n0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char out[64];
        bool done = false;
        cr_assert_eq(decode(bad[i], 1, out, &done), -1, "accepted: %s", bad[i]);
    }
}

Test(http_chunked, an_endless_extension_is_refused)
{
    struct http_chunked decoder = {0};
    size_t used = 0, written = 0;
    char out[8];
    int result = http_chunked_decode(&decoder, "1;", 2, &used, out, sizeof(out), &written, &error);
    for (int i = 0; result == 0 && i < 100000; i++) {
        result = http_chunked_decode(&decoder, "x", 1, &used, out, sizeof(out), &written, &error);
    }
    cr_assert_eq(result, -1);
}
