/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding of request targets: one pass, in place, on the client's bytes.
 */
#include "http_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "http_head.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX (and, in a query, '+') in place. */
static int decode(char *text, bool query, struct bh_error *error)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        int c = (unsigned char)*from;
        if (c == '%') {
            int high = hex_value(from[1]);
            int low = high < 0 ? -1 : hex_value(from[2]);
            if (low < 0) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid URL escape in the request's target");
            }
            c = high * 16 + low;
            from += 2;
        } else if (query && c == '+') {
            c = ' ';
        }
        if (c == 0 || (!query && (c < 0x20 || c == 0x7f))) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "the request's target contains a control character");
        }
        *to++ = (char)c;
    }
    *to = '\0';
    return 0;
}

static int check_segments(const char *path, struct bh_error *error)
{
    for (const char *segment = path; *segment == '/';) {
        segment++;
        size_t length = strcspn(segment, "/");
        bool last = segment[length] == '\0';
        if (length == 0 && !last) { /* the last one may be: what that means is the route's */
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid path \"%s\": it has an empty segment", path);
        }
        if ((length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.')) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid path \"%s\": \".\" and \"..\" are not allowed",
                                path);
        }
        segment += length;
    }
    return 0;
}

/* Takes "/v1.NN" off the front. */
static int take_version(struct http_target *target, struct bh_error *error)
{
    const char *path = target->path;
    target->version = API_VERSION_MINOR_MAX;
    if (strncmp(path, "/v", 2) != 0 || path[2] < '0' || path[2] > '9') {
        return 0;
    }
    size_t length = strcspn(path + 1, "/");
    if (strspn(path + 2, "0123456789.") != length - 1 || length > 8) {
        return 0;
    }
    char *end;
    unsigned long major = strtoul(path + 2, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
    if (*end != '/' && *end != '\0') {
        return 0;
    }
    if (major > 1 || (major == 1 && minor > API_VERSION_MINOR_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "client version %.*s is too new. Maximum supported API version is 1.%d", (int)length - 1,
                            path + 2, API_VERSION_MINOR_MAX);
    }
    if (major < 1 || minor < API_VERSION_MINOR_MIN) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "client version %.*s is too old. Minimum supported API version is 1.%d, please upgrade your "
            "client to a newer version",
            (int)length - 1, path + 2, API_VERSION_MINOR_MIN);
    }
    target->has_version = true;
    target->version = (unsigned)minor;
    target->path = path[1 + length] ? path + 1 + length : "/";
    return 0;
}

static int parse_query(char *query, struct http_target *target, struct bh_error *error)
{
    char *rest = query;
    for (char *pair; (pair = strsep(&rest, "&"));) {
        if (*pair == '\0') {
            continue;
        }
        if (target->n_parameters == HTTP_PARAMETERS_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d query parameters", HTTP_PARAMETERS_MAX);
        }
        char *value = strchr(pair, '=');
        if (value) {
            *value++ = '\0';
        }
        if (decode(pair, true, error) < 0 || (value && decode(value, true, error) < 0)) {
            return -1;
        }
        target->parameters[target->n_parameters++] = (struct http_parameter){pair, value ? value : ""};
    }
    return 0;
}

static int parse_in_place(struct http_target *target, struct bh_error *error)
{
    char *path = target->memory;
    if (*path != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the request's target must be a path");
    }
    char *query = strchr(path, '?');
    if (query) {
        *query++ = '\0';
    }
    target->path = path;
    if (decode(path, false, error) < 0 || check_segments(path, error) < 0 || take_version(target, error) < 0) {
        return -1;
    }
    return query ? parse_query(query, target, error) : 0;
}

/* "http://docker/containers/json" (absolute form, RFC 9112 3.2.2) is read as its path; its host counts like a Host. */
static int skip_authority(const char *text, const char **ret_path, struct bh_error *error)
{
    if (strncasecmp(text, "http://", 7) != 0) {
        *ret_path = text;
        return 0;
    }
    size_t length = strcspn(text + 7, "/");
    bh_autofree char *host = strndup(text + 7, length);
    *ret_path = text[7 + length] ? text + 7 + length : "/";
    return host ? http_host_check(host, error) : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a target");
}

int http_target_parse(const char *text, struct http_target *ret_target, struct bh_error *error)
{
    const char *path = NULL;
    if (skip_authority(text, &path, error) < 0) {
        return -1;
    }
    struct http_target target = {.memory = strdup(path)};
    if (!target.memory) {
        return bh_error_errno(error, ENOMEM, "read the request's target");
    }
    if (parse_in_place(&target, error) < 0) {
        http_target_free(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}

void http_target_free(struct http_target *target)
{
    free(target->memory);
    *target = (struct http_target){0};
}

const char *http_parameter(const struct http_target *target, const char *name)
{
    for (size_t i = 0; i < target->n_parameters; i++) {
        if (strcmp(target->parameters[i].name, name) == 0) {
            return target->parameters[i].value;
        }
    }
    return NULL;
}

bool http_parameter_bool(const struct http_target *target, const char *name, bool fallback)
{
    static const char *const no[] = {"", "0", "no", "false", "none"};
    const char *value = http_parameter(target, name);
    if (!value) {
        return fallback;
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (strcasecmp(value, no[i]) == 0) {
            return false;
        }
    }
    return true;
}

int http_parameter_int(const struct http_target *target, const char *name, int64_t min, int64_t max, int64_t *ret_value,
                       struct bh_error *error)
{
    const char *value = http_parameter(target, name);
    if (!value || *value == '\0') {
        return 0;
    }
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || *end != '\0' || *value == ' ' || *value == '+' || number < min || number > max) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "parameter %s=\"%s\" must be a whole number from %lld to %lld",
                            name, value, (long long)min, (long long)max);
    }
    *ret_value = number;
    return 0;
}
