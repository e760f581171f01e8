/* SPDX-License-Identifier: Apache-2.0
 *
 * See address_pool.h.
 */
#include "address_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BITS 2U /* the subnet's own address, the gateway's, the broadcast's, and one */

int address_pool_parse(const char *text, struct ip_pool *ret_pool, struct bh_error *error)
{
    static const char base_key[] = "base=", size_key[] = ",size=";
    char base[IP_SUBNET_TEXT_SIZE] = "";
    struct ip_pool pool = {.size = 0};
    const char *comma = strchr(text, ',');
    bool shaped = strncmp(text, base_key, sizeof(base_key) - 1) == 0 && comma &&
                  strncmp(comma, size_key, sizeof(size_key) - 1) == 0;
    if (shaped) {
        const char *digits = comma + sizeof(size_key) - 1;
        (void)snprintf(base, sizeof(base), "%.*s", (int)(comma - text - (int)sizeof(base_key) + 1),
                       text + sizeof(base_key) - 1);
        shaped = strspn(digits, "0123456789") == strlen(digits) && *digits && strlen(digits) <= 3;
        pool.size = shaped ? (uint32_t)strtoul(digits, NULL, 10) : 0;
    }
    if (!shaped || !ip_parse_subnet(base, &pool.base) || !ip_subnet_is_whole(&pool.base)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "address_pool \"%s\" must be base=NETWORK/PREFIX,size=PREFIX without a bit behind the "
                            "prefix: base=10.200.0.0/16,size=24",
                            text);
    }
    if (pool.size < pool.base.prefix || pool.size + ROOM_BITS > ip_bits(&pool.base.ip)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "address_pool \"%s\": the size must be from %u to %u", text,
                            pool.base.prefix, ip_bits(&pool.base.ip) - ROOM_BITS);
    }
    *ret_pool = pool;
    return 0;
}
