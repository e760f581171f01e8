/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices. Pure functions over the user's own words.
 */
#include "value_device.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "string_list.h"
#include "values.h"

static int out_of_memory(struct bh_error *error)
{
    return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
}

/* Letters of rwm, none twice. */
static bool is_mode(const char *text)
{
    return *text && strspn(text, "rwm") == strlen(text) && strlen(text) <= 3;
}

int value_device(const char *text, json_t **ret_device, struct bh_error *error)
{
    bh_autofree char *copy = strdup(text);
    const char *words[3] = {copy, copy, "rwm"};
    if (!copy) {
        return out_of_memory(error);
    }
    char *first = strchr(copy, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (first) {
        *first = '\0';
        words[1] = first + 1;
    }
    if (second) {
        *second = '\0';
        words[2] = second + 1;
    } else if (first && is_mode(first + 1)) {
        words[1] = copy;
        words[2] = first + 1;
    }
    if (!*words[0] || words[1][0] != '/' || !is_mode(words[2])) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid device \"%s\": want /dev/host[:/dev/container][:MODE] with a MODE of r, w and m",
                            text);
    }
    *ret_device = json_pack("{s:s, s:s, s:s}", "PathOnHost", words[0], "PathInContainer", words[1], "CgroupPermissions",
                            words[2]);
    return *ret_device ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "device \"%s\" is not valid UTF-8", text);
}

/* "/dev/sda:VALUE": the path's length, and the value. */
static int split(const char *text, size_t *ret_path, const char **ret_value, struct bh_error *error)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || !colon[1]) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format: %s: want /dev/NAME:VALUE", text);
    }
    if (!strings_begins(text, "/dev/")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for device path: %s: want /dev/NAME:VALUE", text);
    }
    *ret_path = (size_t)(colon - text);
    *ret_value = colon + 1;
    return 0;
}

static int limit_of(const char *text, size_t n_path, const char *key, int64_t value, json_t **ret_device,
                    struct bh_error *error)
{
    *ret_device = json_pack("{s:s%, s:I}", "Path", text, n_path, key, (json_int_t)value);
    return *ret_device ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "device \"%s\" is not valid UTF-8", text);
}

static bool parse_number(const char *text, int64_t *ret_number)
{
    char *end = NULL;
    *ret_number = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : -1;
    return end && *end == '\0' && strlen(text) < 19;
}

int value_device_weight(const char *text, json_t **ret_device, struct bh_error *error)
{
    size_t n_path = 0;
    const char *value = NULL;
    int64_t weight = 0;
    if (split(text, &n_path, &value, error) < 0) {
        return -1;
    }
    if (!parse_number(value, &weight) || (weight != 0 && (weight < 10 || weight > 1000))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid weight for device: %s: want 10 to 1000, or 0", text);
    }
    return limit_of(text, n_path, "Weight", weight, ret_device, error);
}

int value_device_bytes(const char *text, json_t **ret_device, struct bh_error *error)
{
    size_t n_path = 0;
    const char *value = NULL;
    int64_t rate = 0;
    if (split(text, &n_path, &value, error) < 0) {
        return -1;
    }
    if (value_bytes(value, &rate, NULL) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid rate for device: %s. The correct format is <device-path>:<number>[<unit>]. Number "
                            "must be a positive integer. Unit is optional and can be kb, mb, or gb",
                            text);
    }
    return limit_of(text, n_path, "Rate", rate, ret_device, error);
}

int value_device_rate(const char *text, json_t **ret_device, struct bh_error *error)
{
    size_t n_path = 0;
    const char *value = NULL;
    int64_t rate = 0;
    if (split(text, &n_path, &value, error) < 0) {
        return -1;
    }
    if (!parse_number(value, &rate)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid rate for device: %s. The correct format is <device-path>:<number>. Number must be "
                            "a positive integer",
                            text);
    }
    return limit_of(text, n_path, "Rate", rate, ret_device, error);
}

/* A number or a star. Returns what follows; NULL if it is neither. */
static const char *skip_number(const char *text)
{
    size_t length = *text == '*' ? 1 : strspn(text, "0123456789");
    return length ? text + length : NULL;
}

int value_device_rule_check(const char *text, struct bh_error *error)
{
    const char *at = *text && strchr("acb", *text) && text[1] == ' ' ? skip_number(text + 2) : NULL;
    at = at && *at == ':' ? skip_number(at + 1) : NULL;
    if (!at || *at != ' ' || !is_mode(at + 1)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid device cgroup format '%s': want TYPE MAJOR:MINOR MODE, as in c 1:3 rwm", text);
    }
    return 0;
}

/* "device=0,1", with or without the quotes that keep a shell's comma together. */
static json_t *device_ids(const char *text)
{
    json_t *ids = json_array();
    for (const char *at = text; ids;) {
        size_t length = strcspn(at, ",\"");
        (void)json_array_append_new(ids, json_stringn(at, length));
        if (at[length] != ',') {
            break;
        }
        at += length + 1;
    }
    return ids;
}

int value_gpus(const char *text, json_t **ret_request, struct bh_error *error)
{
    int64_t count = 0;
    json_t *ids = NULL;
    const char *word = text + (*text == '"');
    if (strings_begins(word, "count=")) {
        word += strlen("count=");
    }
    if (strings_begins(word, "device=")) {
        ids = device_ids(word + strlen("device="));
    } else if (strcmp(word, "all") == 0) {
        count = -1;
    } else if (!parse_number(word, &count)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid --gpus \"%s\": want all, a number, or device=ID,...",
                            text);
    }
    *ret_request = json_pack("{s:s, s:I, s:o*, s:[[s]], s:{}}", "Driver", "", "Count", (json_int_t)count, "DeviceIDs",
                             ids, "Capabilities", "gpu", "Options");
    return *ret_request ? 0 : out_of_memory(error);
}
