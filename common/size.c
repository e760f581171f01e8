/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes as people write them; see size.h.
 */
#include "common/size.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"

int bh_size_parse(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "bkmgt";
    uint64_t bytes = 0;
    const char *c = text;
    for (; isdigit((unsigned char)*c); c++) {
        if (__builtin_mul_overflow(bytes, 10, &bytes) || __builtin_add_overflow(bytes, (uint64_t)(*c - '0'), &bytes)) {
            return -1;
        }
    }
    if (c == text) {
        return -1;
    }
    if (*c) {
        const char *unit = strchr(units, tolower((unsigned char)*c));
        if (!unit || !*unit) {
            return -1;
        }
        for (; unit > units; unit--) {
            if (__builtin_mul_overflow(bytes, BH_KIB, &bytes)) {
                return -1;
            }
        }
        c++;
        c += strcasecmp(c, "ib") == 0 ? 2 : strcasecmp(c, "b") == 0 && tolower((unsigned char)c[-1]) != 'b' ? 1 : 0;
    }
    if (*c) {
        return -1;
    }
    *ret_bytes = bytes;
    return 0;
}
