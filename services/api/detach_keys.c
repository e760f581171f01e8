/* SPDX-License-Identifier: Apache-2.0
 *
 * See detach_keys.h.
 */
#include "detach_keys.h"

#include <string.h>

static int parse_key(const char *word, size_t length, unsigned char *ret_key)
{
    if (length == 1 && (unsigned char)*word < 0x80) {
        *ret_key = (unsigned char)*word;
        return 0;
    }
    if (length == strlen("ctrl-x") && strncmp(word, "ctrl-", 5) == 0) {
        char c = word[5];
        if (c >= 'a' && c <= 'z') {
            *ret_key = (unsigned char)(c - 'a' + 1);
            return 0;
        }
        static const char specials[] = "@[\\]^_";
        const char *special = strchr(specials, c);
        static const unsigned char codes[] = {0, 27, 28, 29, 30, 31};
        if (special && c) {
            *ret_key = codes[special - specials];
            return 0;
        }
    }
    return -1;
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct bh_error *error)
{
    struct detach_keys keys = {0};
    const char *word = text && *text ? text : "ctrl-p,ctrl-q";
    for (;;) {
        size_t length = strcspn(word, ",");
        if (keys.n_keys == DETACH_KEYS_MAX || parse_key(word, length, &keys.keys[keys.n_keys]) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "Invalid detach keys (%.64s) provided: they must be like ctrl-p,ctrl-q",
                                text ? text : "");
        }
        keys.n_keys++;
        if (word[length] == '\0') {
            break;
        }
        word += length + 1;
    }
    *ret_keys = keys;
    return 0;
}

bool detach_keys_filter(struct detach_keys *keys, const unsigned char *bytes, size_t n_bytes, unsigned char *ret_bytes,
                        size_t *ret_n_bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        if (bytes[i] != keys->keys[keys->matched] && keys->matched > 0) {
            memcpy(ret_bytes + n, keys->keys, keys->matched); /* it was not the sequence after all */
            n += keys->matched;
            keys->matched = 0;
        }
        if (bytes[i] != keys->keys[keys->matched]) {
            ret_bytes[n++] = bytes[i];
        } else if (++keys->matched == keys->n_keys) {
            *ret_n_bytes = n;
            return true;
        }
    }
    *ret_n_bytes = n;
    return false;
}
