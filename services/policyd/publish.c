/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of published ports; see publish.h. Pure.
 */
#include "publish.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t any_address[16]; /* of both families */

struct pattern {
    bool ipv4, ipv6;     /* what it is about */
    uint8_t address[16]; /* zeros: all of the family */
    unsigned long first, last;
};

static bool parse_ports(const char *text, struct pattern *pattern)
{
    char *end = NULL;
    if (strspn(text, "0123456789-") != strlen(text) || text[0] == '-') {
        return false;
    }
    pattern->first = pattern->last = strtoul(text, &end, 10);
    if (*end == '-' && end[1] != '-' && end[1] != '\0') {
        pattern->last = strtoul(end + 1, &end, 10);
    }
    return *end == '\0' && pattern->first >= 1 && pattern->first <= pattern->last && pattern->last <= 65535;
}

static bool parse(const char *text, struct pattern *ret_pattern)
{
    char address[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    *ret_pattern = (struct pattern){0};
    if (length == 0 || length >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, length);
    address[length] = '\0';
    if (strcmp(address, "*") == 0) {
        ret_pattern->ipv4 = ret_pattern->ipv6 = true;
    } else if (address[0] == '[' && address[length - 1] == ']') {
        address[length - 1] = '\0';
        ret_pattern->ipv6 = inet_pton(AF_INET6, address + 1, ret_pattern->address) == 1;
    } else {
        ret_pattern->ipv4 = inet_pton(AF_INET, address, ret_pattern->address) == 1;
    }
    return (ret_pattern->ipv4 || ret_pattern->ipv6) && parse_ports(colon + 1, ret_pattern);
}

bool publish_is_pattern(const char *text)
{
    struct pattern pattern;
    return parse(text, &pattern);
}

bool publish_allows(const struct rules_list *patterns, const Bulkhead__PublishedPort *port, bool ipv6)
{
    size_t size = ipv6 ? 16 : 4;
    const uint8_t *address = port->host_address.len == size ? port->host_address.data : any_address;
    for (size_t i = 0; i < patterns->n; i++) {
        struct pattern pattern;
        bool fits = parse(patterns->items[i], &pattern) && (ipv6 ? pattern.ipv6 : pattern.ipv4) &&
                    port->first_host_port >= pattern.first && port->last_host_port <= pattern.last;
        if (fits && (memcmp(pattern.address, any_address, size) == 0 || memcmp(pattern.address, address, size) == 0)) {
            return true;
        }
    }
    return false;
}

const char *publish_text(const Bulkhead__PublishedPort *port, bool ipv6, char buffer[static PUBLISH_TEXT_SIZE])
{
    char text[INET6_ADDRSTRLEN] = "";
    size_t size = ipv6 ? 16 : 4;
    const uint8_t *address = port->host_address.len == size ? port->host_address.data : any_address;
    (void)inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
    int n = snprintf(buffer, PUBLISH_TEXT_SIZE, ipv6 ? "[%s]:%u" : "%s:%u", text, port->first_host_port);
    if (n > 0 && port->last_host_port != port->first_host_port) {
        (void)snprintf(buffer + n, PUBLISH_TEXT_SIZE - (size_t)n, "-%u", port->last_host_port);
    }
    return buffer;
}
