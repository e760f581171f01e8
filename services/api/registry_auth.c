/* SPDX-License-Identifier: Apache-2.0
 *
 * See registry_auth.h. Nothing of what is read here ever stands in an error or a log line: it is somebody's password.
 */
#include "registry_auth.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "json_read.h"

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(const char *text, char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '=') {
        length--;
    }
    bh_autofree char *bytes = malloc(length * 3 / 4 + 1);
    if (!bytes) {
        return out_of_memory(error);
    }
    size_t n_bytes = 0;
    unsigned bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid X-Registry-Auth header: it must be base64url-encoded JSON");
        }
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[n_bytes++] = (char)(bits >> n_bits & 0xff);
        }
    }
    if (length % 4 == 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid X-Registry-Auth header: it is cut off");
    }
    bytes[n_bytes] = '\0';
    *ret_bytes = bh_steal_pointer(&bytes);
    *ret_n_bytes = n_bytes;
    return 0;
}

int registry_auth_read(const json_t *object, Bulkhead__Credentials *credentials, char **ret_address,
                       struct bh_error *error)
{
    char *ignored = NULL;
    char **address = ret_address ? ret_address : &ignored;
    const struct {
        const char *name;
        char **slot;
    } fields[] = {
        {"username", &credentials->username},
        {"password", &credentials->password},
        {"identitytoken", &credentials->identity_token},
        {"registrytoken", &credentials->registry_token},
        {"serveraddress", address},
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof(fields) / sizeof(fields[0]); i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (value) {
            result = take_string(value, fields[i].name, fields[i].slot, error);
        }
    }
    free(ignored);
    return result;
}

static bool says_nothing(const Bulkhead__Credentials *credentials)
{
    return !*credentials->username && !*credentials->password && !*credentials->identity_token &&
           !*credentials->registry_token;
}

int registry_auth_parse(const char *field, Bulkhead__Credentials **ret_credentials, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    auto_json *object = NULL;
    size_t n_bytes;
    *ret_credentials = NULL;
    if (!field || *field == '\0') {
        return 0;
    }
    if (base64_decode(field, &text, &n_bytes, error) < 0) {
        return -1;
    }
    if (n_bytes == 0 || strcmp(text, "null") == 0) {
        return 0;
    }
    if (json_parse_object(text, n_bytes, "the X-Registry-Auth header", &object, error) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid X-Registry-Auth header: it must be base64url-encoded JSON");
    }
    Bulkhead__Credentials *credentials = malloc(sizeof(*credentials));
    if (!credentials) {
        return out_of_memory(error);
    }
    bulkhead__credentials__init(credentials);
    int result = registry_auth_read(object, credentials, NULL, error);
    if (result < 0 || says_nothing(credentials)) {
        bulkhead__credentials__free_unpacked(credentials, NULL);
        return result;
    }
    *ret_credentials = credentials;
    return 0;
}
