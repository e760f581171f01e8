/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an HTTP/1.1 response: status line and the few fields this client acts on. Pure; called by http_client.c
 * with bytes from the engine's socket.
 */
#include "http_head.h"

#include <string.h>
#include <strings.h>

static int refuse(struct bh_error *error, const char *what)
{
    return bh_error_set(error, BH_INTERNAL, "the engine's answer is not HTTP/1.1: %s", what);
}

static bool name_is(const char *line, size_t n_name, const char *name)
{
    return strlen(name) == n_name && strncasecmp(line, name, n_name) == 0;
}

static bool value_is(const char *value, size_t n_value, const char *wanted)
{
    return name_is(value, n_value, wanted);
}

static int parse_length(const char *value, size_t n_value, uint64_t *ret_length)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n_value; i++) {
        if (value[i] < '0' || value[i] > '9' || __builtin_mul_overflow(length, 10U, &length) ||
            __builtin_add_overflow(length, (uint64_t)(value[i] - '0'), &length)) {
            return -1;
        }
    }
    *ret_length = length;
    return n_value == 0 ? -1 : 0;
}

static void copy_value(char *buffer, size_t buffer_bytes, const char *value, size_t n_value)
{
    size_t n_copy = n_value < buffer_bytes - 1 ? n_value : buffer_bytes - 1;
    memcpy(buffer, value, n_copy);
    buffer[n_copy] = '\0';
}

static int parse_field(const char *line, size_t n_line, struct http_head *head, struct bh_error *error)
{
    const char *colon = memchr(line, ':', n_line);
    if (!colon || colon == line || line[0] == ' ' || line[0] == '\t') {
        return refuse(error, "a header field without a name");
    }
    size_t n_name = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + n_line;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t n_value = (size_t)(end - value);
    if (name_is(line, n_name, "content-length")) {
        if (head->has_length || parse_length(value, n_value, &head->length) < 0) {
            return refuse(error, "Content-Length is not one number");
        }
        head->has_length = true;
    } else if (name_is(line, n_name, "transfer-encoding")) {
        if (!value_is(value, n_value, "chunked")) {
            return refuse(error, "a Transfer-Encoding other than chunked");
        }
        head->chunked = true;
    } else if (name_is(line, n_name, "connection")) {
        head->close = head->close || value_is(value, n_value, "close");
    } else if (name_is(line, n_name, "content-type")) {
        copy_value(head->content_type, sizeof(head->content_type), value, n_value);
    } else if (name_is(line, n_name, "api-version")) {
        copy_value(head->api_version, sizeof(head->api_version), value, n_value);
    } else if (name_is(line, n_name, "x-docker-container-path-stat")) {
        copy_value(head->path_stat, sizeof(head->path_stat), value, n_value);
    }
    return 0;
}

static int parse_status_line(const char *line, size_t n_line, struct http_head *head, struct bh_error *error)
{
    static const char version[] = "HTTP/1.";
    if (n_line < 12 || memcmp(line, version, sizeof(version) - 1) != 0 || (line[7] != '0' && line[7] != '1') ||
        line[8] != ' ') {
        return refuse(error, "no status line");
    }
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return refuse(error, "no status");
        }
        head->status = head->status * 10 + (line[i] - '0');
    }
    head->close = line[7] == '0';
    return 0;
}

size_t http_head_length(const char *bytes, size_t n_bytes)
{
    const char *end = memmem(bytes, n_bytes, "\r\n\r\n", 4);
    return end ? (size_t)(end - bytes) + 4 : 0;
}

int http_head_parse(const char *bytes, size_t n_bytes, struct http_head *ret_head, struct bh_error *error)
{
    struct http_head head = {0};
    const char *line = bytes, *end = bytes + n_bytes;
    for (bool first = true; line < end; first = false) {
        const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!stop || memchr(line, '\0', (size_t)(stop - line))) {
            return refuse(error, "a line that does not end, or holds a NUL");
        }
        if (stop == line) {
            break;
        }
        if ((first ? parse_status_line : parse_field)(line, (size_t)(stop - line), &head, error) < 0) {
            return -1;
        }
        line = stop + 2;
    }
    if (head.status == 0) {
        return refuse(error, "no status line");
    }
    if (head.chunked && head.has_length) {
        return refuse(error, "both Content-Length and Transfer-Encoding");
    }
    head.upgraded = head.status == 101;
    *ret_head = head;
    return 0;
}
