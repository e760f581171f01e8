/* SPDX-License-Identifier: Apache-2.0
 *
 * The only URLs we follow: http or https, a host, a port, a target. Pure. Called with the registry's own name, and with
 * Location and realm values, which are hostile. What libcurl gets is always url_format()'s canonical text, so that two
 * parsers never read one URL in two ways.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define URL_HOST_SIZE      254                 /* RFC 1035's 253 and NUL */
#define URL_TARGET_SIZE    8192                /* path and query; presigned storage URLs reach 2 KiB */
#define URL_AUTHORITY_SIZE (URL_HOST_SIZE + 8) /* "[", "]", ":65535" */
#define URL_TEXT_SIZE      (URL_TARGET_SIZE + URL_AUTHORITY_SIZE + 8)

/* Scheme, host and port: what credentials are pinned to. */
struct origin {
    bool https;
    char host[URL_HOST_SIZE]; /* lower case, no brackets */
    uint16_t port;            /* never 0 */
};

struct url {
    struct origin origin;
    char target[URL_TARGET_SIZE]; /* begins with '/' */
};

bool origin_equal(const struct origin *a, const struct origin *b);

/* "host" or "host:port", the port only where it is not the scheme's own; IPv6 in brackets. Returns `buffer`. */
const char *origin_authority(const struct origin *origin, char buffer[static URL_AUTHORITY_SIZE]);

/* Parses a registry's name, "host" or "host:port" or "[v6]:port", for one scheme. *ret_has_port tells whether a port
 * was written. Refuses everything outside that grammar (INVALID_ARGUMENT). */
int origin_parse(const char *text, bool https, struct origin *ret_origin, bool *ret_has_port, struct bh_error *error);

/* Parses an absolute http or https URL (RFC 3986). Refuses other schemes (PERMISSION_DENIED), user names, control
 * characters, spaces, backslashes and what does not fit (INVALID_ARGUMENT). A fragment is dropped. */
int url_parse(const char *text, struct url *ret_url, struct bh_error *error);

/* Resolves a Location value against the URL that answered with it (RFC 3986, 5.2, without dot segments: those stay as
 * they are). */
int url_resolve(const struct url *base, const char *location, struct url *ret_url, struct bh_error *error);

/* Whether a redirect may be followed: never from https to http (PERMISSION_DENIED). */
int url_check_redirect(const struct url *from, const struct url *to, struct bh_error *error);

/* The canonical text. Returns `buffer`. */
const char *url_format(const struct url *url, char buffer[static URL_TEXT_SIZE]);

/* Whether two hosts belong to one registrable domain by the public suffix list ("auth.docker.io" and
 * "registry-1.docker.io" do, "a.github.io" and "b.github.io" do not). Numeric addresses only equal themselves. */
bool url_same_site(const char *host_a, const char *host_b);
