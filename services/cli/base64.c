/* SPDX-License-Identifier: Apache-2.0
 *
 * base64 over NUL-terminated texts.
 */
#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* RFC 4648 section 5, with padding as Go's URLEncoding writes it. */
char *base64_encode(const char *text)
{
    size_t n_text = strlen(text);
    char *encoded = calloc(1, (n_text + 2) / 3 * 4 + 1), *out = encoded;
    for (size_t i = 0; encoded && i < n_text; i += 3) {
        size_t left = n_text - i;
        uint32_t group = (uint32_t)(unsigned char)text[i] << 16;
        group |= left > 1 ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(unsigned char)text[i + 2] : 0;
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
    return encoded;
}

/* Either alphabet of base64; what is not in it ends the text. */
char *base64_decode(const char *text)
{
    char *decoded = calloc(1, strlen(text) + 1), *out = decoded;
    uint32_t group = 0;
    int bits = 0;
    for (; decoded && *text && *text != '='; text++) {
        char digit = (char)(*text == '+' ? '-' : *text == '/' ? '_' : *text);
        const char *place = strchr(alphabet, digit);
        if (!place) {
            break;
        }
        group = (group << 6 | (uint32_t)(place - alphabet)) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (char)(group >> bits & 0xff);
        }
    }
    return decoded;
}
