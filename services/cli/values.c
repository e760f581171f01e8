/* SPDX-License-Identifier: Apache-2.0
 *
 * Option values. Pure functions over the user's own words.
 */
#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "string_list.h"

int value_bytes(const char *text, int64_t *ret_bytes, struct bh_error *error)
{
    static const char letters[] = "bkmgtp";
    char *end = NULL;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : -1;
    if (!end || strspn(text, "0123456789.") != (size_t)(end - text)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid size: '%s': want a number with b, k, m or g behind it",
                            text);
    }
    end += *end == ' ';
    double scale = 1;
    if (*end) {
        const char *letter = strchr(letters, tolower((unsigned char)*end));
        const char *rest = end + 1;
        if (letter && *letter != 'b') {
            rest += tolower((unsigned char)*rest) == 'i' ? 1 : 0;
            rest += tolower((unsigned char)*rest) == 'b' ? 1 : 0;
        }
        if (!letter || *rest) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid size: '%s': want a number with b, k, m or g behind it", text);
        }
        scale = ldexp(1.0, 10 * (int)(letter - letters));
    }
    if (number * scale >= 9.2e18) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid size: '%s': too large", text);
    }
    *ret_bytes = (int64_t)(number * scale);
    return 0;
}

int value_nano_cpus(const char *text, int64_t *ret_nano_cpus, struct bh_error *error)
{
    const char *point = strchr(text, '.');
    size_t n_whole = point ? (size_t)(point - text) : strlen(text);
    size_t n_fraction = point ? strlen(point + 1) : 0;
    if (n_whole + n_fraction == 0 || n_whole > 6 || n_fraction > 9 || strspn(text, "0123456789") != n_whole ||
        (point && strspn(point + 1, "0123456789") != n_fraction)) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid number of CPUs \"%s\": want a decimal like 1.5, with at most nine digits behind the point", text);
    }
    int64_t nano = n_whole ? strtoll(text, NULL, 10) * 1000000000 : 0, scale = 100000000;
    for (size_t i = 0; i < n_fraction; i++, scale /= 10) {
        nano += (point[1 + i] - '0') * scale;
    }
    *ret_nano_cpus = nano;
    return 0;
}

static int parse_limit(const char *text, int64_t *ret_limit, const char **ret_rest)
{
    char *end = NULL;
    errno = 0;
    *ret_limit = strtoll(text, &end, 10);
    *ret_rest = end;
    return errno != 0 || end == text || *ret_limit < -1 ? -1 : 0;
}

int value_ulimit(const char *text, json_t **ret_ulimit, struct bh_error *error)
{
    static const char *const names[] = {"as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
                                        "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
    const char *equals = strchr(text, '='), *rest = NULL;
    int64_t soft = 0, hard = 0;
    if (!equals || parse_limit(equals + 1, &soft, &rest) < 0 || (*rest != '\0' && *rest != ':') ||
        (*rest == ':' && (parse_limit(rest + 1, &hard, &rest) < 0 || *rest != '\0'))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid ulimit argument: %s: want NAME=SOFT[:HARD]", text);
    }
    hard = strchr(equals, ':') ? hard : soft;
    bool known = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        known =
            known || (strlen(names[i]) == (size_t)(equals - text) && strncmp(names[i], text, strlen(names[i])) == 0);
    }
    if (!known) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid ulimit type: %.*s", (int)(equals - text), text);
    }
    if (hard != -1 && (soft == -1 || soft > hard)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "ulimit soft limit must be less than or equal to hard limit: %lld > %lld", (long long)soft,
                            (long long)hard);
    }
    *ret_ulimit = json_pack("{s:s%, s:I, s:I}", "Name", text, (size_t)(equals - text), "Soft", (json_int_t)soft, "Hard",
                            (json_int_t)hard);
    return *ret_ulimit ? 0 : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
}

int value_bind(const char *text, const char *folder, char **ret_bind, struct bh_error *error)
{
    *ret_bind = NULL;
    const char *colon = strchr(text, ':');
    if (!colon) {
        return text[0] == '/' ? 0
                              : bh_error_set(error, BH_INVALID_ARGUMENT,
                                             "invalid volume specification: '%s': want SOURCE:TARGET[:ro]", text);
    }
    const char *target = colon + 1, *mode = strchr(target, ':');
    size_t n_target = mode ? (size_t)(mode - target) : strlen(target);
    if (colon == text || n_target == 0 || (mode && strchr(mode + 1, ':'))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%s': want SOURCE:TARGET[:ro]",
                            text);
    }
    if (*target != '/') {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid volume specification: '%s': invalid mount path: '%.*s' mount path must be absolute", text,
            (int)n_target, target);
    }
    if (text[0] == '.' && (text[1] == '/' || text + 1 == colon)) {
        return strings_format(ret_bind, error, "%s%s", folder, text + 1);
    }
    if (text[0] == '.' && text[1] == '.' && (text[2] == '/' || text + 2 == colon)) {
        return strings_format(ret_bind, error, "%s/%s", folder, text);
    }
    return strings_format(ret_bind, error, "%s", text);
}

int value_tmpfs(const char *text, char **ret_path, const char **ret_options, struct bh_error *error)
{
    if (text[0] != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid tmpfs '%s': want an absolute path, then :OPTIONS if any", text);
    }
    if (strings_format(ret_path, error, "%s", text) < 0) {
        return -1;
    }
    char *colon = strchr(*ret_path, ':');
    *ret_options = colon ? colon + 1 : "";
    if (colon) {
        *colon = '\0';
    }
    return 0;
}

static bool is_one_of(const char *word, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(word, *names) == 0) {
            return true;
        }
    }
    return false;
}

int value_restart_policy(const char *text, json_t **ret_policy, struct bh_error *error)
{
    static const char *const names[] = {"no", "always", "unless-stopped", "on-failure", NULL};
    bh_autofree char *name = NULL;
    const char *count = strchr(text, ':');
    char *end = NULL;
    long retries = count ? strtol(count + 1, &end, 10) : 0;
    if (strings_format(&name, error, "%.*s", count ? (int)(count - text) : (int)strlen(text), text) < 0) {
        return -1;
    }
    bool counted = !count || (strcmp(name, "on-failure") == 0 && end != count + 1 && *end == '\0' && retries >= 0);
    if (!is_one_of(name, names) || !counted) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid restart policy '%s': want no, always, unless-stopped or on-failure[:RETRIES]",
                            text);
    }
    *ret_policy = json_pack("{s:s, s:I}", "Name", name, "MaximumRetryCount", (json_int_t)retries);
    return *ret_policy ? 0 : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
}

void value_pair(const char *text, char **ret_name, const char **ret_value)
{
    const char *equals = strchr(text, '=');
    *ret_name = equals ? strndup(text, (size_t)(equals - text)) : strdup(text);
    *ret_value = equals ? equals + 1 : "";
}
