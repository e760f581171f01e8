/* SPDX-License-Identifier: Apache-2.0
 *
 * WWW-Authenticate.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/fetcher/challenge.h"

Test(challenge, bearer_as_docker_hub_sends_it)
{
    struct challenge challenge = {0};
    cr_assert_eq(challenge_parse("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                                 "scope=\"repository:library/busybox:pull\",error=\"invalid_token\"",
                                 &challenge, NULL),
                 0);
    cr_expect(challenge.bearer && !challenge.basic);
    cr_expect_str_eq(challenge.realm, "https://auth.docker.io/token");
    cr_expect_str_eq(challenge.service, "registry.docker.io");
    cr_expect_str_eq(challenge.scope, "repository:library/busybox:pull");
}

Test(challenge, forms_of_the_grammar)
{
    static const struct {
        const char *value;
        bool basic, bearer;
        const char *realm;
    } cases[] = {
        {"Basic realm=\"x\"", true, false, ""},
        {"basic", true, false, ""},
        {"BEARER Realm = \"a\" , service = b", false, true, "a"},
        {"Basic realm=\"x\", Bearer realm=\"y\"", true, true, "y"},
        {"Bearer realm=\"y\", Basic realm=\"x\"", true, true, "y"},
        {"Negotiate, Basic", true, false, ""},
        {"Digest realm=\"d\", nonce=\"n\", qop=\"auth,auth-int\", Bearer realm=\"y\"", false, true, "y"},
        {"Bearer realm=\"a \\\"quoted\\\" \\\\ name\"", false, true, "a \"quoted\" \\ name"},
        {"Bearer realm=\"a,b=c\"", false, true, "a,b=c"},
        {"", false, false, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct challenge challenge = {0};
        struct bh_error error;
        cr_assert_eq(challenge_parse(cases[i].value, &challenge, &error), 0, "%s: %s", cases[i].value, error.message);
        cr_expect_eq(challenge.basic, cases[i].basic, "%s", cases[i].value);
        cr_expect_eq(challenge.bearer, cases[i].bearer, "%s", cases[i].value);
        cr_expect_str_eq(challenge.realm, cases[i].realm);
    }
}

Test(challenge, refused)
{
    static const char *const bad[] = {
        "Bearer realm=\"a",
        "Bearer realm=\"a\\",
        "Bearer realm=",
        "Bearer realm=\"a\",realm=\"b\"",
        "Bearer realm=\"a\" service=\"b\"",
        "Bearer realm=\"a\", Bearer realm=\"b\"",
        "Bearer realm=\"a\nb\"",
        "=\"a\"",
        "Bearer \"a\"",
        "\"a\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct challenge challenge = {0};
        cr_expect_eq(challenge_parse(bad[i], &challenge, NULL), -1, "%s", bad[i]);
    }
    char endless[CHALLENGE_HEADER_BYTES_MAX + 10];
    memset(endless, 'a', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    struct challenge challenge = {0};
    cr_expect_eq(challenge_parse(endless, &challenge, NULL), -1);
    memcpy(endless, "Bearer realm=\"", 14);
    memcpy(endless + CHALLENGE_REALM_SIZE + 20, "\"", 2);
    cr_expect_eq(challenge_parse(endless, &challenge, NULL), -1, "a realm that does not fit");
}
