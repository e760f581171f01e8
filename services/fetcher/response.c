/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict readers of the header fields we understand; see response.h.
 */
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_V2   "application/vnd.docker.distribution.manifest.v2+json"
#define MANIFEST_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_MANIFEST  "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX     "application/vnd.oci.image.index.v1+json"

const char response_accept_manifests[] = MANIFEST_V2 ", " MANIFEST_LIST ", " OCI_INDEX ", " OCI_MANIFEST;

static const struct {
    const char *name;
    Bulkhead__MediaType type;
} types[] = {
    {MANIFEST_V2, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST},
    {MANIFEST_LIST, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST_LIST},
    {OCI_MANIFEST, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST},
    {OCI_INDEX, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_INDEX},
};

const char *response_media_type_name(Bulkhead__MediaType type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type) {
            return types[i].name;
        }
    }
    return NULL;
}

Bulkhead__MediaType response_media_type(const char *content_type)
{
    size_t length = strcspn(content_type, "; \t");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i].name) == length && strncasecmp(types[i].name, content_type, length) == 0) {
            return types[i].type;
        }
    }
    return BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
}

/* Reads decimal digits from *text on and moves it behind them. */
static bool read_number(const char **text, uint64_t *ret_value)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return false;
        }
    }
    bool any = at != *text;
    *text = at;
    *ret_value = value;
    return any;
}

int response_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total)
{
    if (strncasecmp(text, "bytes ", 6) != 0) {
        return -1;
    }
    text += 6;
    if (!read_number(&text, ret_first) || *text++ != '-' || !read_number(&text, ret_last) || *text++ != '/') {
        return -1;
    }
    if (strcmp(text, "*") == 0) {
        *ret_total = UINT64_MAX;
    } else if (!read_number(&text, ret_total) || *text != '\0' || *ret_last >= *ret_total) {
        return -1;
    }
    return *ret_first <= *ret_last ? 0 : -1;
}

int response_parse_upload_range(const char *text, uint64_t *ret_last)
{
    uint64_t first;
    if (strncasecmp(text, "bytes=", 6) == 0) {
        text += 6;
    }
    return read_number(&text, &first) && first == 0 && *text++ == '-' && read_number(&text, ret_last) && *text == '\0'
               ? 0
               : -1;
}

int response_parse_next(const char *text, char *ret_target, size_t target_size)
{
    const char *end = strchr(text, '>');
    if (text[0] != '<' || !end || end == text + 1 || (size_t)(end - text) > target_size) {
        return -1;
    }
    const char *relation = strstr(end, "rel=");
    if (!relation || (strncmp(relation + 4, "\"next\"", 6) != 0 && strcmp(relation + 4, "next") != 0)) {
        return -1;
    }
    size_t length = (size_t)(end - text) - 1;
    memcpy(ret_target, text + 1, length);
    ret_target[length] = '\0';
    return 0;
}

static int take_length(struct response *response, const char *value)
{
    uint64_t length;
    if (!read_number(&value, &length) || *value != '\0' || (response->has_length && response->length != length)) {
        return -1;
    }
    response->has_length = true;
    response->length = length;
    return 0;
}

static int take_range(struct response *response, const char *value)
{
    if (response->has_range) {
        return -1;
    }
    /* On a 416 it is "bytes *" and a total, and says nothing we need. */
    response->has_range =
        response_parse_range(value, &response->range_first, &response->range_last, &response->range_total) == 0;
    return response->has_range || strncasecmp(value, "bytes */", 8) == 0 ? 0 : -1;
}

/* One that we cannot read is as good as none: the upload then begins anew. */
static int take_upload_range(struct response *response, const char *value)
{
    response->has_upload_range = response_parse_upload_range(value, &response->upload_last) == 0;
    return 0;
}

/* One of several Links may be another relation's. */
static int take_link(struct response *response, const char *value)
{
    response->has_next = response->has_next || response_parse_next(value, response->next, sizeof(response->next)) == 0;
    return 0;
}

static int take_location(struct response *response, const char *value)
{
    size_t length = strlen(value);
    if (response->has_location || length == 0 || length >= sizeof(response->location)) {
        return -1;
    }
    memcpy(response->location, value, length + 1);
    response->has_location = true;
    return 0;
}

static int take_media_type(struct response *response, const char *value)
{
    response->media_type = response_media_type(value);
    return 0;
}

/* A claim only: one that is no sha256 digest is treated as absent. */
static int take_digest(struct response *response, const char *value)
{
    response->has_digest = bh_digest_parse(value, &response->digest, NULL) == 0;
    return 0;
}

static int take_challenge(struct response *response, const char *value)
{
    response->has_challenge = true;
    return challenge_parse(value, &response->challenge, NULL);
}

/* Seconds only: a date is as good as none, and our own back-off serves. */
static int take_retry_after(struct response *response, const char *value)
{
    uint64_t seconds;
    if (read_number(&value, &seconds) && *value == '\0') {
        response->retry_after_s = seconds > RESPONSE_RETRY_AFTER_MAX_S ? RESPONSE_RETRY_AFTER_MAX_S : (unsigned)seconds;
    }
    return 0;
}

static const struct {
    const char *name;
    int (*take)(struct response *response, const char *value);
} fields[] = {
    {"Content-Length", take_length},        {"Content-Range", take_range}, {"Content-Type", take_media_type},
    {"Docker-Content-Digest", take_digest}, {"Location", take_location},   {"Retry-After", take_retry_after},
    {"WWW-Authenticate", take_challenge},   {"Range", take_upload_range},  {"Link", take_link},
};

static int take_field(struct response *response, const char *name, size_t name_bytes, const char *value,
                      struct bh_error *error)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strlen(fields[i].name) == name_bytes && strncasecmp(fields[i].name, name, name_bytes) == 0) {
            if (fields[i].take(response, value) < 0) {
                return bh_error_set(error, BH_DATA_LOSS, "the server's %s header \"%.128s\" is malformed",
                                    fields[i].name, value);
            }
            return 0;
        }
    }
    return 0;
}

int response_line(struct response *response, const char *line, size_t n_bytes, struct bh_error *error)
{
    char text[CHALLENGE_HEADER_BYTES_MAX + 256];
    if (n_bytes > RESPONSE_HEAD_BYTES_MAX - response->head_bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the server's response head is longer than %d bytes",
                            RESPONSE_HEAD_BYTES_MAX);
    }
    size_t head_bytes = response->head_bytes + n_bytes;
    response->head_bytes = head_bytes;
    while (n_bytes > 0 && strchr("\r\n \t", line[n_bytes - 1])) {
        n_bytes--;
    }
    if (n_bytes >= sizeof(text) || memchr(line, '\0', n_bytes)) {
        return bh_error_set(error, BH_DATA_LOSS, "the server sent a header line that is too long or holds NUL");
    }
    memcpy(text, line, n_bytes);
    text[n_bytes] = '\0';
    if (strncmp(text, "HTTP/1.", 7) == 0) {
        *response = (struct response){.head_bytes = head_bytes};
        const char *digits = text + strcspn(text, " ");
        digits += strspn(digits, " ");
        uint64_t status;
        if (!read_number(&digits, &status) || status < 100 || status > 599) {
            return bh_error_set(error, BH_DATA_LOSS, "the server's status line \"%.64s\" is malformed", text);
        }
        response->status = (unsigned)status;
        return 0;
    }
    size_t name_bytes = strcspn(text, ":");
    if (text[name_bytes] != ':') {
        return 0; /* the empty line at the end; libcurl has refused anything else */
    }
    const char *value = text + name_bytes + 1;
    return take_field(response, text, name_bytes, value + strspn(value, " \t"), error);
}
