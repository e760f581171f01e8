/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_resolvers.h.
 */
#include "dns_resolvers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define PATH      "/etc/resolv.conf"
#define BYTES_MAX 16384
#define LOOK_MS   5000

int dns_server_set(union dns_server *server, const uint8_t *address, size_t n_bytes)
{
    memset(server, 0, sizeof(*server));
    if (n_bytes == 4) {
        server->ipv4.sin_family = AF_INET;
        server->ipv4.sin_port = htons(DNS_PORT);
        memcpy(&server->ipv4.sin_addr, address, 4);
        return 0;
    }
    if (n_bytes == 16) {
        server->ipv6.sin6_family = AF_INET6;
        server->ipv6.sin6_port = htons(DNS_PORT);
        memcpy(&server->ipv6.sin6_addr, address, 16);
        return 0;
    }
    return -1;
}

socklen_t dns_server_bytes(const union dns_server *server)
{
    return server->any.sa_family == AF_INET6 ? sizeof(server->ipv6) : sizeof(server->ipv4);
}

/* "fe80::1%eth0" has its link behind the sign. */
static int parse_address(union dns_server *server, char *word)
{
    uint8_t address[16];
    char *link = strchr(word, '%');
    if (link) {
        *link++ = '\0';
    }
    if (!link && inet_pton(AF_INET, word, address) == 1) {
        return dns_server_set(server, address, 4);
    }
    if (inet_pton(AF_INET6, word, address) != 1) {
        return -1;
    }
    (void)dns_server_set(server, address, 16);
    server->ipv6.sin6_scope_id = link ? (uint32_t)strtoul(link, NULL, 10) : 0;
    return 0;
}

void dns_resolvers_parse(struct dns_resolvers *resolvers, const char *text)
{
    static const char keyword[] = "nameserver";
    resolvers->n = 0;
    while (*text && resolvers->n < DNS_RESOLVERS_MAX) {
        size_t length = strcspn(text, "\n");
        char line[128];
        char *rest = NULL;
        (void)snprintf(line, sizeof(line), "%.*s", length < sizeof(line) ? (int)length : 0, text);
        char *word = strtok_r(line, " \t\r", &rest);
        char *address = word && strcmp(word, keyword) == 0 ? strtok_r(NULL, " \t\r", &rest) : NULL;
        if (address && parse_address(&resolvers->servers[resolvers->n], address) == 0) {
            resolvers->n++;
        }
        text += length + (text[length] == '\n');
    }
}

void dns_resolvers_refresh(struct dns_resolvers *resolvers)
{
    struct stat status;
    uint64_t now_ms = bh_now_ms();
    if (resolvers->looked_at_ms != 0 && now_ms - resolvers->looked_at_ms < LOOK_MS) {
        return;
    }
    resolvers->looked_at_ms = now_ms ? now_ms : 1;
    bh_autoclose int fd = open(PATH, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        resolvers->n = 0;
        return;
    }
    if (resolvers->changed.tv_sec == status.st_mtim.tv_sec && resolvers->changed.tv_nsec == status.st_mtim.tv_nsec) {
        return;
    }
    bh_autofree char *text = calloc(1, BYTES_MAX + 1);
    ssize_t n = text ? read(fd, text, BYTES_MAX) : -1;
    if (n >= 0) {
        text[n] = '\0';
        dns_resolvers_parse(resolvers, text);
        resolvers->changed = status.st_mtim;
    }
}
