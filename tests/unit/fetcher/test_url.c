/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs: what is read, what is refused, where a Location leads.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/fetcher/url.h"

Test(url, canonical_form)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"https://Registry.Example.com/v2/", "https://registry.example.com/v2/"},
        {"https://a:443/x", "https://a/x"},
        {"http://a:443/x", "http://a:443/x"},
        {"HTTP://a:80", "http://a/"},
        {"https://a?x=1", "https://a/?x=1"},
        {"https://a/b?c=d%20e&f=%2F#fragment", "https://a/b?c=d%20e&f=%2F"},
        {"https://[::1]:5000/x", "https://[::1]:5000/x"},
        {"https://127.0.0.1/../x", "https://127.0.0.1/../x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;
        char text[URL_TEXT_SIZE];
        struct bh_error error;
        cr_assert_eq(url_parse(cases[i].text, &url, &error), 0, "%s: %s", cases[i].text, error.message);
        cr_expect_str_eq(url_format(&url, text), cases[i].canonical);
    }
}

Test(url, refused)
{
    static const char *const bad[] = {
        "",
        "file:///etc/passwd",
        "ftp://a/",
        "gopher://a/",
        "//a/",
        "/a",
        "https://",
        "https:///x",
        "https://user@a/",
        "https://user:password@a/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:/",
        "https://a:80:80/",
        "https://a b/",
        "https://a/ b",
        "https://a/\r\nX: y",
        "https://a/\x01",
        "https://a\\@b/",
        "https://a/\\b",
        "https://a/\"",
        "https://[::1/",
        "https://[a]/",
        "https://::1/",
        "https://-a/",
        "https://a..b/",
        "https://a_b/",
        "https://\xc3\xa9/",
        "https://a/\xc3\xa9",
        "https://a%2eb/",
        "https:/a",
        "https:a",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct url url;
        struct bh_error error;
        cr_expect_eq(url_parse(bad[i], &url, &error), -1, "%s", bad[i]);
        cr_expect(error.code == BH_INVALID_ARGUMENT || error.code == BH_PERMISSION_DENIED);
    }
    char endless[URL_TARGET_SIZE + 100] = "https://a/";
    memset(endless + 10, 'x', sizeof(endless) - 11);
    endless[sizeof(endless) - 1] = '\0';
    struct url url;
    cr_expect_eq(url_parse(endless, &url, NULL), -1);
}

Test(url, locations)
{
    static const struct {
        const char *location, *result; /* NULL: refused */
    } cases[] = {
        {"https://b/y", "https://b/y"},
        {"//b/y", "https://b/y"},
        {"/y?z", "https://a/y?z"},
        {"y", "https://a/v2/y"},
        {"?q", "https://a/v2/x?q"},
        {"../y", "https://a/v2/../y"},
        {"http://b/", "http://b/"},
        {"file:///etc/passwd", NULL},
        {"javascript:1", NULL},
        {"/a b", NULL},
        {"//user@b/", NULL},
    };
    struct url base;
    cr_assert_eq(url_parse("https://a/v2/x?old=1", &base, NULL), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;
        char text[URL_TEXT_SIZE];
        int result = url_resolve(&base, cases[i].location, &url, NULL);
        cr_expect_eq(result, cases[i].result ? 0 : -1, "%s", cases[i].location);
        if (result == 0 && cases[i].result) {
            cr_expect_str_eq(url_format(&url, text), cases[i].result);
        }
    }
}

Test(url, redirects_never_leave_https)
{
    struct url secure, plain;
    cr_assert_eq(url_parse("https://a/", &secure, NULL), 0);
    cr_assert_eq(url_parse("http://a/", &plain, NULL), 0);
    cr_expect_eq(url_check_redirect(&secure, &plain, NULL), -1);
    cr_expect_eq(url_check_redirect(&plain, &secure, NULL), 0);
    cr_expect_eq(url_check_redirect(&plain, &plain, NULL), 0);
    cr_expect_not(origin_equal(&secure.origin, &plain.origin));
}

Test(url, registries)
{
    struct origin origin;
    bool has_port;
    char authority[URL_AUTHORITY_SIZE];
    cr_assert_eq(origin_parse("127.0.0.1:5000", true, &origin, &has_port, NULL), 0);
    cr_expect(has_port);
    cr_expect_str_eq(origin_authority(&origin, authority), "127.0.0.1:5000");
    cr_assert_eq(origin_parse("registry-1.docker.io", true, &origin, &has_port, NULL), 0);
    cr_expect_not(has_port);
    cr_expect_eq(origin.port, 443);
    static const char *const bad[] = {"", "a/b", "a@b", "a:", "a:x", "a b", "..", "https://a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(origin_parse(bad[i], true, &origin, &has_port, NULL), -1, "%s", bad[i]);
    }
}

Test(url, sites)
{
    cr_expect(url_same_site("registry-1.docker.io", "auth.docker.io"));
    cr_expect(url_same_site("registry.gitlab.com", "gitlab.com"));
    cr_expect(url_same_site("10.0.0.1", "10.0.0.1"));
    cr_expect_not(url_same_site("10.0.0.1", "10.0.0.2"));
    cr_expect_not(url_same_site("1.0.0.1", "2.0.0.1"));
    cr_expect_not(url_same_site("docker.io", "docker.com"));
    cr_expect_not(url_same_site("a.github.io", "b.github.io"));
    cr_expect_not(url_same_site("a.co.uk", "b.co.uk"));
    cr_expect_not(url_same_site("evildocker.io", "docker.io"));
    cr_expect_not(url_same_site("com", "example.com"));
    cr_expect_not(url_same_site("::1", "::2"));
}
