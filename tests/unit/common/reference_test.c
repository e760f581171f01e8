/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/reference.h"

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

Test(reference, names_are_normalized_as_docker_does)
{
    static const struct {
        const char *text, *whole, *familiar, *host;
    } good[] = {
        {"busybox", "docker.io/library/busybox", "busybox", "registry-1.docker.io"},
        {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36", "registry-1.docker.io"},
        {"user/app", "docker.io/user/app", "user/app", "registry-1.docker.io"},
        {"docker.io/busybox", "docker.io/library/busybox", "busybox", "registry-1.docker.io"},
        {"index.docker.io/library/busybox", "docker.io/library/busybox", "busybox", "registry-1.docker.io"},
        {"localhost/a", "localhost/a", "localhost/a", "localhost"},
        {"localhost:5000/a/b:T_1", "localhost:5000/a/b:T_1", "localhost:5000/a/b:T_1", "localhost:5000"},
        {"127.0.0.1:5000/a__b/c-d/e.f", "127.0.0.1:5000/a__b/c-d/e.f", "127.0.0.1:5000/a__b/c-d/e.f", "127.0.0.1:5000"},
        {"[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a", "[::1]:5000"},
        {"Example.COM/a", "Example.COM/a", "Example.COM/a", "Example.COM"},
        {"a@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX, "registry-1.docker.io"},
        {"h.io/a:t@sha256:" HEX, "h.io/a:t@sha256:" HEX, "h.io/a:t@sha256:" HEX, "h.io"},
        {"docker.io/host.tld/a", "docker.io/host.tld/a", "docker.io/host.tld/a", "registry-1.docker.io"},
        {"docker.io/" HEX, "docker.io/library/" HEX, "docker.io/library/" HEX, "registry-1.docker.io"},
        {"a---b", "docker.io/library/a---b", "a---b", "registry-1.docker.io"},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct bh_reference reference;
        struct bh_error error;
        char buffer[1024];
        cr_assert_eq(bh_reference_parse(good[i].text, &reference, &error), 0, "%s: %s", good[i].text, error.message);
        cr_assert_str_eq(bh_reference_format(&reference, buffer, sizeof(buffer)), good[i].whole);
        cr_assert_str_eq(bh_reference_familiar(&reference, buffer, sizeof(buffer)), good[i].familiar);
        cr_assert_str_eq(bh_reference_registry_host(&reference), good[i].host);
    }
}

Test(reference, what_is_outside_the_grammar_is_refused)
{
    static const char *const bad[] = {
        "",           "Busybox",     "a/B",          "a:",    "a:b:c",         "a:-x",     "a//b",         "/a",
        "a/",         "../a",        "a/../b",       "a..b",  "a___b",         "-a",       "a b",          "a\nb",
        "a@",         "a@sha256:12", ("a@md5:" HEX), HEX,     "host:/a",       "h.io:0/a", "h.io:70000/a", ".h.io/a",
        "h..io/a",    "[::1/a",      "a%2e%2e/b",    "h.io/", "http://h.io/a", "a?b",      "a#b",          "a:t/../x",
        "host:12x/a", "-h.io/a",     "h-.io/a",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bh_reference reference;
        struct bh_error error;
        cr_assert_eq(bh_reference_parse(bad[i], &reference, &error), -1, "\"%s\" was accepted", bad[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}

Test(reference, lengths_have_ceilings)
{
    struct bh_reference reference;
    struct bh_error error;
    char text[2048];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    cr_assert_eq(bh_reference_parse(text, &reference, &error), -1);
    text[256] = '\0';
    cr_assert_eq(bh_reference_parse(text, &reference, &error), -1);
    (void)snprintf(text, sizeof(text), "a:%0129d", 1);
    cr_assert_eq(bh_reference_parse(text, &reference, &error), -1);
    (void)snprintf(text, sizeof(text), "a:%0128d", 1);
    cr_assert_eq(bh_reference_parse(text, &reference, &error), 0);
}
