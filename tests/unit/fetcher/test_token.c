/* SPDX-License-Identifier: Apache-2.0
 *
 * Token requests: where credentials go, and where they don't; and what an answer may hold.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "services/fetcher/token.h"

static const struct token_credentials nobody = {"", "", ""};
static const struct token_credentials alice = {"alice", "secret", ""};
static const struct token_credentials identity = {"", "", "refresh&me"};

static bool trusts_everything(const struct origin *origin, void *argument)
{
    (void)origin;
    (void)argument;
    return true;
}

static int make(const char *registry, bool https, const char *realm, const struct token_credentials *credentials,
                bool trusted, struct token_request *request)
{
    struct origin origin;
    bool has_port;
    struct challenge challenge = {.bearer = true};
    (void)strcpy(challenge.realm, realm);
    (void)strcpy(challenge.service, "registry & co");
    cr_assert_eq(origin_parse(registry, https, &origin, &has_port, NULL), 0);
    const struct token_scope scope = {.repository = "library/busybox"};
    return token_request_make(&origin, &challenge, &scope, credentials, trusted ? trusts_everything : NULL, NULL,
                              request, NULL);
}

Test(token, where_credentials_may_go)
{
    static const struct {
        const char *registry;
        bool https;
        const char *realm;
        bool anonymous, with_credentials;
    } cases[] = {
        {"registry-1.docker.io", true, "https://auth.docker.io/token", true, true},
        {"ghcr.io", true, "https://ghcr.io/token", true, true},
        {"r.example.com:5000", true, "https://r.example.com/token", true, true},
        {"registry-1.docker.io", true, "https://evil.example.com/token", true, false},
        {"a.github.io", true, "https://b.github.io/token", true, false},
        {"10.0.0.1:5000", true, "https://10.0.0.2/token", true, false},
        {"registry-1.docker.io", true, "http://auth.docker.io/token", false, false},
        {"127.0.0.1:5000", false, "http://127.0.0.1:5000/token", true, true},
        {"127.0.0.1:5000", false, "http://127.0.0.1:5001/token", true, true},
        {"127.0.0.1:5000", true, "http://127.0.0.1:5000/token", false, false},
        {"127.0.0.1:5000", false, "http://127.0.0.2:5000/token", false, false},
        {"a.example.com", false, "http://b.example.com/token", false, false},
        {"a", true, "file:///etc/passwd", false, false},
        {"a", true, "https://alice@a/", false, false},
        {"a", true, "", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct token_request request;
        int result = make(cases[i].registry, cases[i].https, cases[i].realm, &nobody, false, &request);
        cr_expect_eq(result, cases[i].anonymous ? 0 : -1, "%s %s", cases[i].registry, cases[i].realm);
        cr_expect_null(request.authorization);
        token_request_clear(&request);
        result = make(cases[i].registry, cases[i].https, cases[i].realm, &alice, false, &request);
        cr_expect_eq(result, cases[i].with_credentials ? 0 : -1, "%s %s", cases[i].registry, cases[i].realm);
        cr_expect_eq(request.authorization != NULL, cases[i].with_credentials);
        token_request_clear(&request);
        result = make(cases[i].registry, cases[i].https, cases[i].realm, &identity, false, &request);
        cr_expect_eq(result, cases[i].with_credentials ? 0 : -1, "%s %s", cases[i].registry, cases[i].realm);
        token_request_clear(&request);
    }
}

Test(token, the_configuration_may_trust_another_host)
{
    struct token_request request;
    cr_expect_eq(make("10.0.0.1", true, "https://auth.example.com/", &alice, true, &request), 0);
    token_request_clear(&request);
    cr_expect_eq(make("10.0.0.1", true, "http://auth.example.com/", &alice, true, &request), -1, "never in plain HTTP");
    token_request_clear(&request);
}

Test(token, request_by_get)
{
    struct token_request request;
    char text[URL_TEXT_SIZE];
    cr_assert_eq(make("registry-1.docker.io", true, "https://auth.docker.io/token?x=y", &alice, false, &request), 0);
    cr_expect_str_eq(url_format(&request.url, text), "https://auth.docker.io/token?x=y&service=registry%20%26%20co&"
                                                     "scope=repository%3Alibrary%2Fbusybox%3Apull&account=alice");
    cr_expect_str_eq(request.authorization, "Basic YWxpY2U6c2VjcmV0");
    cr_expect_null(request.form);
    token_request_clear(&request);
}

Test(token, request_by_post)
{
    struct token_request request;
    cr_assert_eq(make("ghcr.io", true, "https://ghcr.io/token", &identity, false, &request), 0);
    cr_expect_null(request.authorization);
    cr_expect_str_eq(request.form, "grant_type=refresh_token&service=registry%20%26%20co&client_id=bulkhead&"
                                   "scope=repository%3Alibrary%2Fbusybox%3Apull&refresh_token=refresh%26me");
    token_request_clear(&request);
}

Test(token, only_pulling_is_asked_for)
{
    static const struct {
        const char *theirs, *ours;
    } cases[] = {
        {"", "repository%3Ab%3Apull"},
        {"repository:proxy/b:pull", "repository%3Aproxy%2Fb%3Apull"},
        {"repository:b:pull,push", "repository%3Ab%3Apull"},
        {"repository:b:push", "repository%3Ab%3Apull"},
        {"registry:catalog:*", "repository%3Ab%3Apull"},
        {"repository:a:pull repository:b:pull", "repository%3Ab%3Apull"},
    };
    struct origin origin;
    bool has_port;
    cr_assert_eq(origin_parse("ghcr.io", true, &origin, &has_port, NULL), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct challenge challenge = {.bearer = true, .realm = "https://ghcr.io/token"};
        (void)strcpy(challenge.scope, cases[i].theirs);
        struct token_request request;
        const struct token_scope scope = {.repository = "b"};
        cr_assert_eq(token_request_make(&origin, &challenge, &scope, &nobody, NULL, NULL, &request, NULL), 0);
        cr_expect_str_eq(request.url.target + strlen("/token?scope="), cases[i].ours, "%s", cases[i].theirs);
        token_request_clear(&request);
    }
}

Test(token, answers)
{
    static const struct {
        const char *body, *token, *refresh; /* NULL token: refused */
    } cases[] = {
        {"{\"token\":\"abc\"}", "abc", NULL},
        {"{\"access_token\":\"abc\",\"refresh_token\":\"r\",\"expires_in\":300}", "abc", "r"},
        {"{\"token\":\"\",\"access_token\":\"abc\"}", "abc", NULL},
        {"{\"token\":\"a\",\"access_token\":\"b\"}", "a", NULL},
        {"{}", NULL, NULL},
        {"", NULL, NULL},
        {"[]", NULL, NULL},
        {"{\"token\":1}", NULL, NULL},
        {"{\"token\":\"a b\"}", NULL, NULL},
        {"{\"token\":\"a\\r\\nHost: evil\"}", NULL, NULL},
        {"{\"token\":\"a\\u0000b\"}", NULL, NULL},
        {"{\"token\":\"\\u00e9\"}", NULL, NULL},
        {"{\"token\":\"a\",\"token\":\"b\"}", NULL, NULL},
        {"{\"token\":\"a\"", NULL, NULL},
        {"{\"token\":\"a\"} x", NULL, NULL},
        {"{\"token\":\"a\",\"refresh_token\":\"b c\"}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *token = NULL, *refresh = NULL;
        int result = token_reply_parse(cases[i].body, strlen(cases[i].body), &token, &refresh, NULL);
        cr_expect_eq(result, cases[i].token ? 0 : -1, "%s", cases[i].body);
        if (result == 0) {
            cr_expect_str_eq(token, cases[i].token);
            cr_expect_eq(refresh != NULL, cases[i].refresh != NULL);
        }
        free(token);
        free(refresh);
    }
}

Test(token, basic)
{
    char *value = token_basic("Aladdin", "open sesame"); /* RFC 7617 */
    cr_expect_str_eq(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    free(value);
}

Test(token, a_push_asks_for_its_own_scope_and_to_read_where_blobs_are_mounted_from)
{
    static const char *const also[] = {"team/a", "team/b"};
    const struct token_scope scope = {.repository = "mine", .push = true, .also_pull = also, .n_also_pull = 2};
    struct origin origin;
    bool has_port;
    struct challenge challenge = {.bearer = true, .realm = "https://ghcr.io/token"};
    (void)strcpy(challenge.scope, "repository:other:pull");
    cr_assert_eq(origin_parse("ghcr.io", true, &origin, &has_port, NULL), 0);
    struct token_request request;
    cr_assert_eq(token_request_make(&origin, &challenge, &scope, &nobody, NULL, NULL, &request, NULL), 0);
    cr_expect_str_eq(request.url.target,
                     "/token?scope=repository%3Amine%3Apull%2Cpush&scope=repository%3Ateam%2Fa%3Apull"
                     "&scope=repository%3Ateam%2Fb%3Apull");
    token_request_clear(&request);
    cr_assert_eq(token_request_make(&origin, &challenge, &scope, &identity, NULL, NULL, &request, NULL), 0);
    cr_expect(
        strstr(request.form, "&scope=repository%3Amine%3Apull%2Cpush%20repository%3Ateam%2Fa%3Apull%20repository"),
        "%s", request.form);
    token_request_clear(&request);
}
