/* SPDX-License-Identifier: Apache-2.0
 *
 * Recognizes the detach sequence among typed bytes. Pure.
 */
#include "detach_keys.h"

#include <string.h>

#include "common/cleanup.h"
#include "string_list.h"

static int parse_key(const char *word, char *ret_key)
{
    if (strlen(word) == 1) {
        *ret_key = *word;
        return 0;
    }
    if (strings_begins(word, "ctrl-") && strlen(word) == 6) {
        char key = word[5];
        bool letter = key >= 'a' && key <= 'z';
        if (letter || (key && strchr("@[\\]^_", key))) {
            *ret_key = (char)(key & 0x1f);
            return 0;
        }
    }
    return -1;
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct bh_error *error)
{
    struct detach_keys keys = {0};
    text = text ? text : "ctrl-p,ctrl-q";
    bh_autofree char *words = strdup(text);
    char *rest = words && *words ? words : NULL;
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        if (keys.count == DETACH_KEYS_MAX || parse_key(word, &keys.keys[keys.count++]) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid detach keys (%s): want letters or ctrl-LETTER, with commas between", text);
        }
    }
    *ret_keys = keys;
    return 0;
}

bool detach_keys_filter(struct detach_keys *keys, const char *bytes, size_t n_bytes, char *out, size_t *ret_bytes)
{
    size_t n_out = 0;
    for (size_t i = 0; i < n_bytes && keys->count > 0; i++) {
        if (bytes[i] == keys->keys[keys->matched]) {
            if (++keys->matched == keys->count) {
                *ret_bytes = n_out;
                return true;
            }
            continue;
        }
        memcpy(out + n_out, keys->keys, keys->matched);
        n_out += keys->matched;
        keys->matched = bytes[i] == keys->keys[0] && keys->count > 1 ? 1 : 0;
        if (keys->matched == 0) {
            out[n_out++] = bytes[i];
        }
    }
    if (keys->count == 0) {
        memcpy(out, bytes, n_bytes);
        n_out = n_bytes;
    }
    *ret_bytes = n_out;
    return false;
}
