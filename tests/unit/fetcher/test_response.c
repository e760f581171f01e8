/* SPDX-License-Identifier: Apache-2.0
 *
 * Response heads, line by line; and when to try again.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/fetcher/response.h"
#include "services/fetcher/retry.h"

static int feed(struct response *response, const char *line)
{
    return response_line(response, line, strlen(line), NULL);
}

Test(response, a_usual_head)
{
    static struct response response;
    cr_assert_eq(feed(&response, "HTTP/1.1 206 Partial Content\r\n"), 0);
    cr_assert_eq(feed(&response, "content-length: 6\r\n"), 0);
    cr_assert_eq(feed(&response, "Content-Range: bytes 4-9/10\r\n"), 0);
    cr_assert_eq(feed(&response, "Content-Type: application/vnd.oci.image.index.v1+json; charset=utf-8\r\n"), 0);
    cr_assert_eq(feed(&response, "Docker-Content-Digest: "
                                 "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"),
                 0);
    cr_assert_eq(feed(&response, "Retry-After: 7\r\n"), 0);
    cr_assert_eq(feed(&response, "X-Unknown: anything: at all\r\n"), 0);
    cr_assert_eq(feed(&response, "\r\n"), 0);
    cr_expect_eq(response.status, 206);
    cr_expect(response.has_length && response.length == 6);
    cr_expect(response.has_range && response.range_first == 4 && response.range_last == 9 &&
              response.range_total == 10);
    cr_expect_eq(response.media_type, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_INDEX);
    cr_expect(response.has_digest);
    cr_expect_eq(response.retry_after_s, 7);
}

Test(response, an_interim_head_is_forgotten)
{
    static struct response response;
    cr_assert_eq(feed(&response, "HTTP/1.1 100 Continue\r\n"), 0);
    cr_assert_eq(feed(&response, "Content-Length: 5\r\n"), 0);
    cr_assert_eq(feed(&response, "HTTP/1.1 200 OK\r\n"), 0);
    cr_expect_not(response.has_length);
    cr_expect_eq(response.status, 200);
}

Test(response, malformed_fields)
{
    static const char *const bad[] = {
        "HTTP/1.1 99 x\r\n",
        "HTTP/1.1 600 x\r\n",
        "HTTP/1.1 x\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 1x\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length:\r\n",
        "Content-Range: bytes 9-4/10\r\n",
        "Content-Range: bytes 0-10/10\r\n",
        "Content-Range: 0-9/10\r\n",
        "Content-Range: bytes 0-9\r\n",
        "Content-Range: bytes 0-18446744073709551616/*\r\n",
        "Location:\r\n",
        "WWW-Authenticate: Bearer realm=\"\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct response response = {0};
        cr_expect_eq(feed(&response, bad[i]), -1, "%s", bad[i]);
    }
    static struct response twice;
    cr_assert_eq(feed(&twice, "Content-Length: 1\r\n"), 0);
    cr_expect_eq(feed(&twice, "Content-Length: 1\r\n"), 0);
    cr_expect_eq(feed(&twice, "Content-Length: 2\r\n"), -1, "which one is it?");
    static struct response nul;
    cr_expect_eq(response_line(&nul, "X: a\0b\r\n", 8, NULL), -1);
}

Test(response, tolerated)
{
    static struct response response;
    cr_expect_eq(feed(&response, "Content-Range: bytes */10\r\n"), 0);
    cr_expect_not(response.has_range);
    cr_expect_eq(feed(&response, "Docker-Content-Digest: md5:x\r\n"), 0);
    cr_expect_not(response.has_digest);
    cr_expect_eq(feed(&response, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n"), 0);
    cr_expect_eq(response.retry_after_s, 0);
    cr_expect_eq(feed(&response, "Retry-After: 999999999\r\n"), 0);
    cr_expect_eq(response.retry_after_s, RESPONSE_RETRY_AFTER_MAX_S);
}

Test(response, all_lines_together_are_bounded)
{
    static struct response response;
    char line[1024];
    memset(line, 'x', sizeof(line));
    int n = 0;
    while (response_line(&response, line, sizeof(line), NULL) == 0) {
        n++;
    }
    cr_expect_eq(n, RESPONSE_HEAD_BYTES_MAX / (int)sizeof(line));
}

Test(response, media_types)
{
    cr_expect_eq(response_media_type("application/vnd.docker.distribution.manifest.v2+json"),
                 BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST);
    cr_expect_eq(response_media_type("application/vnd.docker.distribution.manifest.list.v2+json ;x"),
                 BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST_LIST);
    cr_expect_eq(response_media_type("application/vnd.docker.distribution.manifest.v1+prettyjws"),
                 BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED);
    cr_expect_eq(response_media_type(""), BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED);
    cr_expect_not_null(strstr(response_accept_manifests, "application/vnd.oci.image.manifest.v1+json"));
}

Test(retry, doubles_and_stays_bounded)
{
    cr_expect_eq(retry_delay_ms(1, 0, 0), 400);
    cr_expect_eq(retry_delay_ms(2, 0, 0), 800);
    cr_expect_eq(retry_delay_ms(4, 0, 0), 3200);
    cr_expect_eq(retry_delay_ms(1000000, 0, 0), 8000);
    cr_expect_leq(retry_delay_ms(1000000, 0, UINT32_MAX), 12000);
    cr_expect_eq(retry_delay_ms(1, 60, 5), 60000, "the server's own wish");
    cr_expect_geq(retry_delay_ms(5, 1, 0), 6400, "never less than ours");
}

Test(response, how_much_of_an_upload_has_arrived)
{
    static const struct {
        const char *text;
        int result;
        uint64_t last;
    } cases[] = {
        {"0-0", 0, 0},
        {"0-1023", 0, 1023},
        {"bytes=0-1023", 0, 1023},
        {"0-18446744073709551615", 0, UINT64_MAX},
        {"0-18446744073709551616", -1, 0},
        {"1-5", -1, 0},
        {"0-", -1, 0},
        {"-5", -1, 0},
        {"0--1", -1, 0},
        {"0-5/10", -1, 0},
        {"", -1, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t last = 0;
        cr_expect_eq(response_parse_upload_range(cases[i].text, &last), cases[i].result, "%s", cases[i].text);
        cr_expect(cases[i].result < 0 || last == cases[i].last, "%s", cases[i].text);
    }
    static struct response response;
    cr_assert_eq(feed(&response, "HTTP/1.1 202 Accepted\r\n"), 0);
    cr_assert_eq(feed(&response, "Range: nonsense\r\n"), 0);
    cr_expect_not(response.has_upload_range);
    cr_assert_eq(feed(&response, "Range: 0-7\r\n"), 0);
    cr_expect(response.has_upload_range && response.upload_last == 7);
}

Test(response, where_a_list_goes_on)
{
    static const struct {
        const char *text, *target;
    } cases[] = {
        {"</v2/a/tags/list?n=1&last=b>; rel=\"next\"", "/v2/a/tags/list?n=1&last=b"},
        {"</x>;rel=next", "/x"},
        {"</x>; rel=\"prev\"", NULL},
        {"</x>; rel=nextish", NULL},
        {"</x>", NULL},
        {"<>; rel=\"next\"", NULL},
        {"/x; rel=\"next\"", NULL},
        {"</a-target-too-long-for-its-buffer>; rel=\"next\"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[28];
        cr_expect_eq(response_parse_next(cases[i].text, target, sizeof(target)), cases[i].target ? 0 : -1, "%s",
                     cases[i].text);
        cr_expect(!cases[i].target || strcmp(target, cases[i].target) == 0, "%s", cases[i].text);
    }
}
