/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict reader of the few URLs we follow; see url.h.
 */
#include "url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAFE_TARGET_EXTRA "-._~:/?[]@!$&'()*+,;=%|{}^" /* RFC 3986's, and what storage services send unescaped */

static bool parse_port(const char *text, uint16_t *ret_port)
{
    size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, "0123456789") != length) {
        return false;
    }
    unsigned long port = strtoul(text, NULL, 10);
    *ret_port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

static bool is_host(const char *text)
{
    struct in6_addr ignored;
    if (strchr(text, ':')) {
        return inet_pton(AF_INET6, text, &ignored) == 1;
    }
    return text[0] != '\0' && text[0] != '.' && text[0] != '-' && !strstr(text, "..") &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(text);
}

/* Reads host[:port] of exactly `length` bytes; the port keeps its value if none is written. */
static bool parse_authority(const char *text, size_t length, struct origin *origin, bool *ret_has_port)
{
    char copy[URL_AUTHORITY_SIZE];
    if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length)) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *host = copy;
    char *rest = copy + strcspn(copy, ":");
    if (copy[0] == '[') {
        host = copy + 1;
        rest = host + strcspn(host, "]");
        if (*rest != ']') {
            return false;
        }
        *rest++ = '\0';
        if (!strchr(host, ':')) {
            return false;
        }
    }
    *ret_has_port = *rest == ':';
    if (*rest != '\0' && *rest != ':') {
        return false;
    }
    if (*ret_has_port) {
        *rest = '\0';
        if (!parse_port(rest + 1, &origin->port)) {
            return false;
        }
    }
    size_t host_length = strlen(host);
    if (host_length >= sizeof(origin->host)) {
        return false;
    }
    for (size_t i = 0; i <= host_length; i++) {
        origin->host[i] = (char)tolower((unsigned char)host[i]);
    }
    return is_host(origin->host);
}

bool origin_equal(const struct origin *a, const struct origin *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

const char *origin_authority(const struct origin *origin, char buffer[static URL_AUTHORITY_SIZE])
{
    const char *open = strchr(origin->host, ':') ? "[" : "";
    const char *close = *open ? "]" : "";
    if (origin->port == (origin->https ? 443 : 80)) {
        (void)snprintf(buffer, URL_AUTHORITY_SIZE, "%s%s%s", open, origin->host, close);
    } else {
        (void)snprintf(buffer, URL_AUTHORITY_SIZE, "%s%s%s:%u", open, origin->host, close, origin->port);
    }
    return buffer;
}

int origin_parse(const char *text, bool https, struct origin *ret_origin, bool *ret_has_port, struct bh_error *error)
{
    *ret_origin = (struct origin){.https = https, .port = https ? 443 : 80};
    if (!parse_authority(text, strlen(text), ret_origin, ret_has_port)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "registry \"%.128s\" must be HOST or HOST:PORT", text);
    }
    return 0;
}

static int copy_target(const char *text, struct url *url, struct bh_error *error)
{
    size_t length = strcspn(text, "#");
    if (length + 2 > sizeof(url->target)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a URL longer than %d bytes is refused", URL_TARGET_SIZE);
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr(SAFE_TARGET_EXTRA, text[i])) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "URL \"%.128s\" holds a character that must be escaped",
                                text);
        }
    }
    size_t at = 0;
    if (length == 0 || text[0] != '/') {
        url->target[at++] = '/'; /* "https://host?query" */
    }
    memcpy(url->target + at, text, length);
    url->target[at + length] = '\0';
    return 0;
}

int url_parse(const char *text, struct url *ret_url, struct bh_error *error)
{
    bool https = strncasecmp(text, "https://", 8) == 0;
    if (!https && strncasecmp(text, "http://", 7) != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "URL \"%.128s\" refused: only http and https are followed",
                            text);
    }
    const char *authority = text + (https ? 8 : 7);
    size_t length = strcspn(authority, "/?#");
    struct origin origin = {.https = https, .port = https ? 443 : 80};
    bool has_port;
    if (!parse_authority(authority, length, &origin, &has_port)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "URL \"%.128s\" must name HOST or HOST:PORT and no user", text);
    }
    if (copy_target(authority + length, ret_url, error) < 0) {
        return -1;
    }
    ret_url->origin = origin;
    return 0;
}

int url_resolve(const struct url *base, const char *location, struct url *ret_url, struct bh_error *error)
{
    size_t scheme = strspn(location, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    if (scheme > 0 && location[scheme] == ':') {
        return url_parse(location, ret_url, error);
    }
    char text[URL_TEXT_SIZE];
    int length;
    if (strncmp(location, "//", 2) == 0) {
        length = snprintf(text, sizeof(text), "%s:%s", base->origin.https ? "https" : "http", location);
        if (length < 0 || (size_t)length >= sizeof(text)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a URL longer than %d bytes is refused", URL_TARGET_SIZE);
        }
        return url_parse(text, ret_url, error);
    }
    /* Below the base's folder, or from its root. */
    size_t kept = 0;
    if (location[0] != '/') {
        size_t path = strcspn(base->target, "?");
        kept = path;
        while (location[0] != '?' && kept > 0 && base->target[kept - 1] != '/') {
            kept--;
        }
    }
    length = snprintf(text, sizeof(text), "%.*s%s", (int)kept, base->target, location);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a URL longer than %d bytes is refused", URL_TARGET_SIZE);
    }
    struct origin origin = base->origin; /* `ret_url` may be `base` */
    if (copy_target(text, ret_url, error) < 0) {
        return -1;
    }
    ret_url->origin = origin;
    return 0;
}

int url_check_redirect(const struct url *from, const struct url *to, struct bh_error *error)
{
    if (from->origin.https && !to->origin.https) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "redirect from https://%s to plain http://%s refused",
                            from->origin.host, to->origin.host);
    }
    return 0;
}

const char *url_format(const struct url *url, char buffer[static URL_TEXT_SIZE])
{
    char authority[URL_AUTHORITY_SIZE];
    (void)snprintf(buffer, URL_TEXT_SIZE, "%s://%s%s", url->origin.https ? "https" : "http",
                   origin_authority(&url->origin, authority), url->target);
    return buffer;
}

bool url_same_site(const char *host_a, const char *host_b)
{
    if (strcmp(host_a, host_b) == 0) {
        return true;
    }
    struct in6_addr ignored;
    if (inet_pton(AF_INET, host_a, &ignored) == 1 || inet_pton(AF_INET, host_b, &ignored) == 1 || strchr(host_a, ':') ||
        strchr(host_b, ':')) {
        return false;
    }
    const psl_ctx_t *list = psl_builtin();
    if (!list) {
        return false;
    }
    const char *site_a = psl_registrable_domain(list, host_a);
    const char *site_b = psl_registrable_domain(list, host_b);
    return site_a && site_b && strcmp(site_a, site_b) == 0;
}
