/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict parser behind http_head.h. It sees a client's raw bytes and trusts none of them.
 */
#include "http_head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_token_character(unsigned char c)
{
    return isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static int refuse(struct bh_error *error, const char *why)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "malformed HTTP request: %s", why);
}

/* Takes one line off the head, ends it with NUL and moves `*cursor` behind its CRLF. */
static char *take_line(char **cursor, const char *end, size_t *ret_length)
{
    char *line = *cursor;
    char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop || stop == line || stop[-1] != '\r') {
        return NULL;
    }
    size_t length = (size_t)(stop - line) - 1;
    if (memchr(line, '\r', length) || memchr(line, '\0', length)) {
        return NULL;
    }
    line[length] = '\0';
    *cursor = stop + 1;
    *ret_length = length;
    return line;
}

static int parse_request_line(char *line, struct http_head *head, struct bh_error *error)
{
    char *first = strchr(line, ' ');
    char *second = first ? strchr(first + 1, ' ') : NULL;
    if (!second || first == line || second == first + 1 || strchr(second + 1, ' ')) {
        return refuse(error, "the first line must be \"METHOD target HTTP/1.1\"");
    }
    *first = *second = '\0';
    for (const char *c = line; *c; c++) {
        if (!is_token_character((unsigned char)*c)) {
            return refuse(error, "the method contains a character that is not allowed");
        }
    }
    for (const char *c = first + 1; *c; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f) {
            return refuse(error, "the target contains a character that is not allowed");
        }
    }
    if (strcmp(second + 1, "HTTP/1.1") == 0) {
        head->minor = 1;
    } else if (strcmp(second + 1, "HTTP/1.0") == 0) {
        head->minor = 0;
    } else {
        return refuse(error, "the version must be HTTP/1.1 or HTTP/1.0");
    }
    head->method = line;
    head->target = first + 1;
    return 0;
}

static int parse_field(char *line, struct http_head *head, struct bh_error *error)
{
    if (*line == ' ' || *line == '\t') {
        return refuse(error, "folded header fields are not accepted");
    }
    char *colon = strchr(line, ':');
    if (!colon || colon == line) {
        return refuse(error, "a header field must be \"name: value\"");
    }
    *colon = '\0';
    for (const char *c = line; *c; c++) {
        if (!is_token_character((unsigned char)*c)) {
            return refuse(error, "a header field's name contains a character that is not allowed");
        }
    }
    char *value = colon + 1;
    while (*value == ' ' || *value == '\t') {
        value++;
    }
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
        value[--length] = '\0';
    }
    for (const char *c = value; *c; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || (unsigned char)*c == 0x7f) {
            return refuse(error, "a header field's value contains a control character");
        }
    }
    if (head->n_fields == HTTP_FIELDS_MAX) {
        return refuse(error, "more than 64 header fields");
    }
    head->fields[head->n_fields++] = (struct http_field){.name = line, .value = value};
    return 0;
}

const char *http_head_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0) {
            return head->fields[i].value;
        }
    }
    return NULL;
}

bool http_list_has(const char *list, const char *token)
{
    size_t length = strlen(token);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, ",");
        size_t trimmed = item;
        while (trimmed > 0 && (list[trimmed - 1] == ' ' || list[trimmed - 1] == '\t')) {
            trimmed--;
        }
        if (trimmed == length && strncasecmp(list, token, length) == 0) {
            return true;
        }
        list += item;
    }
    return false;
}

/* Fields of which a second one would make the message ambiguous. */
static int refuse_doubles(const struct http_head *head, struct bh_error *error)
{
    static const char *const single[] = {"Host",         "Content-Length", "Transfer-Encoding",
                                         "Content-Type", "Expect",         "X-Registry-Auth"};
    for (size_t s = 0; s < sizeof(single) / sizeof(single[0]); s++) {
        size_t seen = 0;
        for (size_t i = 0; i < head->n_fields; i++) {
            seen += strcasecmp(head->fields[i].name, single[s]) == 0;
        }
        if (seen > 1) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "malformed HTTP request: %s is given %zu times", single[s],
                                seen);
        }
    }
    return 0;
}

static int parse_length(const char *text, struct http_head *head, struct bh_error *error)
{
    uint64_t length = 0;
    if (*text == '\0') {
        return refuse(error, "Content-Length is empty");
    }
    for (const char *c = text; *c; c++) {
        if (!isdigit((unsigned char)*c) || __builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(*c - '0'), &length) || length > INT64_MAX) {
            return refuse(error, "Content-Length must be a decimal number");
        }
    }
    head->has_length = true;
    head->content_length = length;
    return 0;
}

static int read_framing(struct http_head *head, struct bh_error *error)
{
    const char *coding = http_head_field(head, "Transfer-Encoding");
    const char *length = http_head_field(head, "Content-Length");
    if (coding && length) {
        return refuse(error, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (coding) {
        if (head->minor == 0) {
            return refuse(error, "Transfer-Encoding needs HTTP/1.1");
        }
        if (strcasecmp(coding, "chunked") != 0) {
            return bh_error_set(error, BH_UNIMPLEMENTED, "transfer coding \"%s\" is not supported, only \"chunked\"",
                                coding);
        }
        head->chunked = true;
    }
    if (length && parse_length(length, head, error) < 0) {
        return -1;
    }
    return 0;
}

static int interpret(struct http_head *head, struct bh_error *error)
{
    if (refuse_doubles(head, error) < 0 || read_framing(head, error) < 0) {
        return -1;
    }
    if (head->minor == 1 && !http_head_field(head, "Host")) {
        return refuse(error, "HTTP/1.1 needs a Host field");
    }
    const char *connection = http_head_field(head, "Connection");
    head->keep_alive = head->minor == 1 ? !http_list_has(connection, "close") : false;
    /* Docker asks for no more, and there are clients that leave `Connection: Upgrade` out. */
    head->upgrade = head->minor == 1 && http_list_has(http_head_field(head, "Upgrade"), "tcp");
    const char *expect = http_head_field(head, "Expect");
    head->expect_continue = expect && head->minor == 1 && strcasecmp(expect, "100-continue") == 0;
    return 0;
}

int http_head_parse(char *bytes, size_t n_bytes, struct http_head *ret_head, struct bh_error *error)
{
    struct http_head head = {0};
    char *cursor = bytes;
    const char *end = bytes + n_bytes;
    size_t length;
    char *line = take_line(&cursor, end, &length);
    if (!line) {
        return refuse(error, "lines must end with CRLF and contain no other control character");
    }
    if (parse_request_line(line, &head, error) < 0) {
        return -1;
    }
    for (;;) {
        line = take_line(&cursor, end, &length);
        if (!line) {
            return refuse(error, "lines must end with CRLF and contain no other control character");
        }
        if (length == 0) {
            break;
        }
        if (parse_field(line, &head, error) < 0) {
            return -1;
        }
    }
    if (cursor != end) {
        return refuse(error, "bytes follow the empty line");
    }
    if (interpret(&head, error) < 0) {
        return -1;
    }
    *ret_head = head;
    return 0;
}

/* "127.0.0.1", "[::1]" or a name, without its port. */
static bool is_local_name(const char *name, size_t length)
{
    static const char below[] = ".localhost";
    /* the last is what docker's client says over ssh; example.com is nobody's (RFC 2606), so no page is served under it
     */
    static const char *const literal[] = {"127.0.0.1", "[::1]", "::1", "docker.example.com"};
    if (!memchr(name, '.', length) && !memchr(name, ':', length)) {
        return true; /* a public name has a dot, so no page of the web can be served under this one */
    }
    for (size_t i = 0; i < sizeof(literal) / sizeof(literal[0]); i++) {
        if (strlen(literal[i]) == length && strncmp(name, literal[i], length) == 0) {
            return true;
        }
    }
    if (length >= sizeof(below) && strncasecmp(name + length - (sizeof(below) - 1), below, sizeof(below) - 1) == 0) {
        return true;
    }
    /* No top-level domain is a number. */
    return length > 3 && strncmp(name, "v1.", 3) == 0 && strspn(name + 3, "0123456789") == length - 3;
}

int http_host_check(const char *host, struct bh_error *error)
{
    if (!host || *host == '\0' || *host == '/' || strncasecmp(host, "%2f", 3) == 0) {
        return 0;
    }
    size_t length = strlen(host);
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : host, ':');
    if (colon) {
        if (strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid Host \"%s\"", host);
        }
        length = (size_t)(colon - host);
    }
    if (!is_local_name(host, length)) {
        return bh_error_set(
            error, BH_PERMISSION_DENIED,
            "Host \"%s\" is not local: this engine answers \"localhost\", \"docker\" or a loopback address", host);
    }
    return 0;
}
