/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict reader of WWW-Authenticate (RFC 7235, 4.1 and 2.1); see challenge.h.
 */
#include "challenge.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *at;
    struct bh_error *error;
};

static int malformed(const struct reader *reader, const char *what)
{
    return bh_error_set(reader->error, BH_INVALID_ARGUMENT,
                        "the registry's WWW-Authenticate header is malformed: %s near \"%.32s\"", what, reader->at);
}

static void skip_space(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t");
}

static size_t token_length(const char *text)
{
    size_t length = 0;
    while (text[length] && (isalnum((unsigned char)text[length]) || strchr("!#$%&'*+-.^_`|~", text[length]))) {
        length++;
    }
    return length;
}

/* Reads a token or quoted string into `value`; NULL throws it away. */
static int read_value(struct reader *reader, char *value, size_t value_size)
{
    char ignored[CHALLENGE_HEADER_BYTES_MAX];
    if (!value) {
        value = ignored;
        value_size = sizeof(ignored);
    }
    size_t n = 0;
    if (*reader->at != '"') {
        n = token_length(reader->at);
        if (n == 0 || n >= value_size) {
            return malformed(reader, "a value is missing or too long");
        }
        memcpy(value, reader->at, n);
        value[n] = '\0';
        reader->at += n;
        return 0;
    }
    for (reader->at++; *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\') {
            reader->at++;
        }
        unsigned char byte = (unsigned char)*reader->at;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return malformed(reader, "a quoted string does not end");
        }
        if (n + 1 >= value_size) {
            return malformed(reader, "a value is too long");
        }
        value[n++] = (char)byte;
    }
    reader->at++;
    value[n] = '\0';
    return 0;
}

/* One auth-param of a challenge; `bearer` is NULL where the scheme is another. */
static int read_parameter(struct reader *reader, struct challenge *bearer, unsigned *seen)
{
    const struct {
        const char *name;
        char *value;
        size_t size;
    } known[] = {
        {"realm", bearer ? bearer->realm : NULL, CHALLENGE_REALM_SIZE},
        {"service", bearer ? bearer->service : NULL, CHALLENGE_SERVICE_SIZE},
        {"scope", bearer ? bearer->scope : NULL, CHALLENGE_SCOPE_SIZE},
    };
    const char *name = reader->at;
    size_t length = token_length(name);
    reader->at += length;
    skip_space(reader);
    if (length == 0 || *reader->at != '=') {
        return malformed(reader, "a parameter must be NAME=VALUE");
    }
    reader->at++;
    skip_space(reader);
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == length && strncasecmp(known[i].name, name, length) == 0) {
            if (*seen & (1u << i)) {
                return malformed(reader, "a parameter is named twice");
            }
            *seen |= 1u << i;
            return read_value(reader, known[i].value, known[i].size);
        }
    }
    return read_value(reader, NULL, 0);
}

/* True if what follows is `token "="`, a parameter, and not the next challenge's scheme. */
static bool at_parameter(const char *text)
{
    size_t length = token_length(text);
    length += strspn(text + length, " \t");
    return length > 0 && text[length] == '=';
}

static int read_challenge(struct reader *reader, struct challenge *challenge)
{
    const char *scheme = reader->at;
    size_t length = token_length(scheme);
    if (length == 0) {
        return malformed(reader, "a scheme is missing");
    }
    reader->at += length;
    bool bearer = length == 6 && strncasecmp(scheme, "Bearer", 6) == 0;
    if (bearer && challenge->bearer) {
        return malformed(reader, "Bearer is offered twice");
    }
    challenge->bearer = challenge->bearer || bearer;
    challenge->basic = challenge->basic || (length == 5 && strncasecmp(scheme, "Basic", 5) == 0);
    unsigned seen = 0;
    for (;;) {
        skip_space(reader);
        if (at_parameter(reader->at)) {
            if (read_parameter(reader, bearer ? challenge : NULL, &seen) < 0) {
                return -1;
            }
            skip_space(reader);
        }
        if (*reader->at != ',' && *reader->at != '\0') {
            return malformed(reader, "a comma is missing");
        }
        while (*reader->at == ',') {
            reader->at++;
            skip_space(reader);
        }
        if (!at_parameter(reader->at)) {
            return 0;
        }
    }
}

int challenge_parse(const char *value, struct challenge *challenge, struct bh_error *error)
{
    struct reader reader = {.at = value, .error = error};
    if (strlen(value) >= CHALLENGE_HEADER_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a WWW-Authenticate header longer than %d bytes is refused",
                            CHALLENGE_HEADER_BYTES_MAX);
    }
    skip_space(&reader);
    while (*reader.at != '\0') {
        if (read_challenge(&reader, challenge) < 0) {
            return -1;
        }
        skip_space(&reader);
    }
    return 0;
}
