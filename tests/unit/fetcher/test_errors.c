/* SPDX-License-Identifier: Apache-2.0
 *
 * What registries say, in Docker's words and with the right codes.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/fetcher/registry_error.h"

#define ERROR(code, message) "{\"errors\":[{\"code\":\"" code "\",\"message\":\"" message "\",\"detail\":null}]}"

static const struct registry_subject manifest = {"127.0.0.1:5000", "a/b", "latest", NULL, false};
static const struct registry_subject hub = {"registry-1.docker.io", "library/busybox", "nope", NULL, false};
static const struct registry_subject blob = {"r.example.com", "a", NULL, "sha256:00", false};
static const struct registry_subject login = {"r.example.com", "", NULL, NULL, false};

Test(errors, words_and_codes)
{
    static const struct {
        const struct registry_subject *subject;
        unsigned status;
        const char *body;
        enum bh_code code;
        const char *message;
    } cases[] = {
        {&manifest, 404, ERROR("MANIFEST_UNKNOWN", "manifest unknown"), BH_NOT_FOUND,
         "manifest for 127.0.0.1:5000/a/b:latest not found: manifest unknown: manifest unknown"},
        {&hub, 404, ERROR("MANIFEST_UNKNOWN", "manifest unknown"), BH_NOT_FOUND,
         "manifest for busybox:nope not found: manifest unknown: manifest unknown"},
        {&manifest, 404, "<html>", BH_NOT_FOUND,
         "manifest for 127.0.0.1:5000/a/b:latest not found: manifest unknown: manifest unknown"},
        {&manifest, 404, ERROR("NAME_UNKNOWN", "repository name not known to registry"), BH_NOT_FOUND,
         "repository 127.0.0.1:5000/a/b not found: name unknown: repository name not known to registry"},
        {&hub, 401, ERROR("DENIED", "requested access to the resource is denied"), BH_NOT_FOUND,
         "pull access denied for busybox, repository does not exist or may require 'docker login': denied: requested "
         "access to the resource is denied"},
        {&manifest, 403, ERROR("DENIED", "no"), BH_NOT_FOUND,
         "pull access denied for 127.0.0.1:5000/a/b, repository does not exist or may require 'docker login': denied: "
         "no"},
        {&manifest, 403, "", BH_PERMISSION_DENIED,
         "127.0.0.1:5000/a/b: received unexpected HTTP status: 403 Forbidden"},
        {&manifest, 401, ERROR("UNAUTHORIZED", "authentication required"), BH_UNAUTHENTICATED,
         "unauthorized: authentication required"},
        {&manifest, 401, "", BH_UNAUTHENTICATED, "unauthorized: authentication required"},
        {&login, 401, "{\"details\":\"incorrect username or password\"}", BH_UNAUTHENTICATED,
         "unauthorized: incorrect username or password"},
        {&blob, 404, "", BH_NOT_FOUND,
         "blob sha256:00 of r.example.com/a not found: blob unknown: blob unknown to registry"},
        {&manifest, 429, ERROR("TOOMANYREQUESTS", "slow down"), BH_RESOURCE_EXHAUSTED, "toomanyrequests: slow down"},
        {&manifest, 500, "", BH_UNAVAILABLE,
         "127.0.0.1:5000/a/b: received unexpected HTTP status: 500 Internal Server Error"},
        {&manifest, 418, "", BH_UNKNOWN, "127.0.0.1:5000/a/b: received unexpected HTTP status: 418"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bh_error error = {0};
        cr_expect_eq(registry_error(cases[i].subject, cases[i].status, cases[i].body, strlen(cases[i].body), &error),
                     -1);
        cr_expect_eq(error.code, cases[i].code, "%s", cases[i].message);
        cr_expect_str_eq(error.message, cases[i].message);
    }
}

Test(errors, hostile_bodies)
{
    static const char *const bodies[] = {
        "{\"errors\":{}}",
        "{\"errors\":[]}",
        "{\"errors\":[1]}",
        "{\"errors\":[{\"code\":1,\"message\":[]}]}",
        "{\"errors\":[{\"code\":\"A\",\"code\":\"B\"}]}",
        "[[[[[[[[[[",
        "\xff\xfe",
        ERROR("X", "line\\nbreak \\u001b[31m"),
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct bh_error error = {0};
        cr_expect_eq(registry_error(&manifest, 400, bodies[i], strlen(bodies[i]), &error), -1);
        cr_expect_eq(error.code, BH_UNKNOWN);
        cr_expect_null(strpbrk(error.message, "\n\x1b"));
    }
}

/* Docker's clients look for these words. */
Test(errors, of_a_push_are_the_registrys_own_words)
{
    static const struct registry_subject pushed = {"r.example.com", "a", NULL, "sha256:00", true};
    static const struct {
        unsigned status;
        const char *body;
        enum bh_code code;
        const char *message;
    } cases[] = {
        {403, ERROR("DENIED", "requested access to the resource is denied"), BH_PERMISSION_DENIED,
         "denied: requested access to the resource is denied"},
        {403, "<html>", BH_PERMISSION_DENIED, "denied: requested access to the resource is denied"},
        {401, ERROR("UNAUTHORIZED", "authentication required"), BH_UNAUTHENTICATED,
         "unauthorized: authentication required"},
        {404, ERROR("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"), BH_NOT_FOUND,
         "blob upload unknown: blob upload unknown to registry"},
        {400, ERROR("DIGEST_INVALID", "provided digest did not match uploaded content"), BH_UNKNOWN,
         "digest invalid: provided digest did not match uploaded content"},
        {405, ERROR("UNSUPPORTED", "The operation is unsupported."), BH_UNKNOWN,
         "unsupported: The operation is unsupported."},
        {503, "", BH_UNAVAILABLE, "received unexpected HTTP status: 503 Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bh_error error = {0};
        cr_expect_eq(registry_error(&pushed, cases[i].status, cases[i].body, strlen(cases[i].body), &error), -1);
        cr_expect_eq(error.code, cases[i].code, "%s", cases[i].message);
        cr_expect_str_eq(error.message, cases[i].message);
    }
}
