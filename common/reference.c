/* SPDX-License-Identifier: Apache-2.0
 *
 * Image references; see reference.h. The grammar is that of the distribution project's reference package:
 *   reference  := name [":" tag] ["@" digest]
 *   name       := [domain "/"] component ("/" component)*
 *   domain     := host [":" port]; a first part is a domain if it has '.' or ':' or is "localhost"
 *   component  := [a-z0-9]+ ( (. | _ | __ | -+) [a-z0-9]+ )*
 *   tag        := [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}
 */
#include "common/reference.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_DOMAIN  "docker.io"
#define OFFICIAL_PREFIX "library/"

static bool is_alphanumeric_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int refuse(struct bh_error *error, const char *text, const char *why)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: \"%.200s\" %s", text, why);
}

/* One path component, up to '/' or the end. Returns its length, 0 if it is none. */
static size_t component_length(const char *text)
{
    size_t i = 0;
    if (!is_alphanumeric_lower(text[0])) {
        return 0;
    }
    while (text[i] && text[i] != '/') {
        if (is_alphanumeric_lower(text[i])) {
            i++;
            continue;
        }
        size_t run = 0;
        char separator = text[i];
        while (text[i + run] == separator) {
            run++;
        }
        bool allowed = (separator == '.' && run == 1) || (separator == '_' && run <= 2) || separator == '-';
        if (!allowed || !is_alphanumeric_lower(text[i + run])) {
            return 0;
        }
        i += run;
    }
    return i;
}

static bool repository_is_valid(const char *text)
{
    for (;;) {
        size_t length = component_length(text);
        if (length == 0) {
            return false;
        }
        if (!text[length]) {
            return true;
        }
        text += length + 1;
    }
}

/* host[:port], where host is letters, digits, '.', '-' (labels not starting or ending with '-'), or [ipv6]. */
static bool domain_is_valid(const char *text)
{
    size_t i = 0;
    if (text[0] == '[') {
        for (i = 1; isxdigit((unsigned char)text[i]) || text[i] == ':'; i++) {
        }
        if (i == 1 || text[i] != ']') {
            return false;
        }
        i++;
    } else {
        char previous = '.';
        for (; text[i] && text[i] != ':'; i++) {
            char c = text[i];
            if (c == '.'   ? previous == '.' || previous == '-'
                : c == '-' ? previous == '.'
                           : !isalnum((unsigned char)c)) {
                return false;
            }
            previous = c;
        }
        if (i == 0 || previous == '.' || previous == '-') {
            return false;
        }
    }
    if (!text[i]) {
        return true;
    }
    size_t digits = strspn(text + i + 1, "0123456789");
    unsigned long port = 0;
    for (size_t k = 0; k < digits && port <= 65535; k++) {
        port = port * 10 + (unsigned long)(text[i + 1 + k] - '0');
    }
    return text[i] == ':' && digits > 0 && port > 0 && port <= 65535 && !text[i + 1 + digits];
}

static bool tag_is_valid(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > BH_TAG_BYTES_MAX || text[0] == '.' || text[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i])) {
            return false;
        }
    }
    return true;
}

/* "host.tld/x", "host:1/x" and "localhost/x" name their registry. */
static bool names_domain(const char *name)
{
    const char *slash = strchr(name, '/');
    size_t first = slash ? (size_t)(slash - name) : 0;
    return slash &&
           (memchr(name, '.', first) || memchr(name, ':', first) || (first == 9 && memcmp(name, "localhost", 9) == 0));
}

/* What `docker` takes for an image's id. */
static bool is_hex_id(const char *name)
{
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* "busybox" belongs to docker.io/library. */
static int split_domain(const char *name, const char *text, struct bh_reference *reference, struct bh_error *error)
{
    const char *slash = strchr(name, '/');
    size_t first = slash ? (size_t)(slash - name) : 0;
    int n;
    if (!names_domain(name)) {
        (void)snprintf(reference->domain, sizeof(reference->domain), "%s", DEFAULT_DOMAIN);
        n = snprintf(reference->repository, sizeof(reference->repository), "%s%s", slash ? "" : OFFICIAL_PREFIX, name);
    } else {
        if (first >= sizeof(reference->domain)) {
            return refuse(error, text, "has a registry name longer than 255 characters");
        }
        memcpy(reference->domain, name, first);
        reference->domain[first] = '\0';
        if (!domain_is_valid(reference->domain)) {
            return refuse(error, text, "has no valid registry host[:port]");
        }
        if (strcmp(reference->domain, "index.docker.io") == 0) {
            (void)snprintf(reference->domain, sizeof(reference->domain), "%s", DEFAULT_DOMAIN);
        }
        bool official = strcmp(reference->domain, DEFAULT_DOMAIN) == 0 && !strchr(slash + 1, '/');
        n = snprintf(reference->repository, sizeof(reference->repository), "%s%s", official ? OFFICIAL_PREFIX : "",
                     slash + 1);
    }
    if (n < 0 || (size_t)n >= sizeof(reference->repository)) {
        return refuse(error, text, "has a repository name longer than 255 characters");
    }
    for (const char *c = reference->repository; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid reference format: repository name (%.200s) must be lowercase",
                                reference->repository);
        }
    }
    if (!repository_is_valid(reference->repository)) {
        return refuse(error, text, "is not of the form [registry/]repository[:tag][@sha256:digest]");
    }
    return 0;
}

int bh_reference_parse(const char *text, struct bh_reference *ret_reference, struct bh_error *error)
{
    char name[BH_REFERENCE_BYTES_MAX + BH_DIGEST_TEXT_SIZE];
    struct bh_reference reference = {0};
    size_t length = strnlen(text, sizeof(name));
    if (length == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: an image name must not be empty");
    }
    if (length == sizeof(name)) {
        return refuse(error, text, "is too long");
    }
    memcpy(name, text, length + 1);

    char *at = strchr(name, '@');
    if (at) {
        *at = '\0';
        reference.has_digest = true;
        if (bh_digest_parse(at + 1, &reference.digest, error) < 0) {
            return bh_error_wrap(error, "invalid reference format");
        }
    }
    char *slash = strrchr(name, '/');
    char *colon = strchr(slash ? slash : name, ':');
    if (colon) {
        *colon = '\0';
        if (!tag_is_valid(colon + 1)) {
            return refuse(error, text, "has no valid tag ([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}) after its colon");
        }
        (void)snprintf(reference.tag, sizeof(reference.tag), "%.*s", (int)BH_TAG_BYTES_MAX, colon + 1);
    }
    if (is_hex_id(name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid repository name (%.64s), cannot specify 64-byte hexadecimal strings", name);
    }
    if (split_domain(name, text, &reference, error) < 0) {
        return -1;
    }
    *ret_reference = reference;
    return 0;
}

static const char *format_from(const struct bh_reference *reference, const char *prefix, const char *repository,
                               char *buffer, size_t buffer_bytes)
{
    char digest[BH_DIGEST_TEXT_SIZE] = "";
    if (reference->has_digest) {
        (void)bh_digest_text(&reference->digest, digest);
    }
    (void)snprintf(buffer, buffer_bytes, "%s%s%s%s%s%s%s", prefix, *prefix ? "/" : "", repository,
                   reference->tag[0] ? ":" : "", reference->tag, reference->has_digest ? "@" : "", digest);
    return buffer;
}

const char *bh_reference_format(const struct bh_reference *reference, char *buffer, size_t buffer_bytes)
{
    return format_from(reference, reference->domain, reference->repository, buffer, buffer_bytes);
}

const char *bh_reference_familiar(const struct bh_reference *reference, char *buffer, size_t buffer_bytes)
{
    if (strcmp(reference->domain, DEFAULT_DOMAIN) != 0) {
        return bh_reference_format(reference, buffer, buffer_bytes);
    }
    const char *repository = reference->repository;
    size_t prefix = sizeof(OFFICIAL_PREFIX) - 1;
    if (strncmp(repository, OFFICIAL_PREFIX, prefix) == 0 && !strchr(repository + prefix, '/')) {
        repository += prefix;
    }
    if (names_domain(repository) || is_hex_id(repository)) { /* docker.io/host.tld/x is not host.tld's */
        return bh_reference_format(reference, buffer, buffer_bytes);
    }
    return format_from(reference, "", repository, buffer, buffer_bytes);
}

const char *bh_reference_registry_host(const struct bh_reference *reference)
{
    return strcmp(reference->domain, DEFAULT_DOMAIN) == 0 ? "registry-1.docker.io" : reference->domain;
}
