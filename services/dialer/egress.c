/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses this host's engine may be made to connect to: the tables, and the one function that applies them.
 * Pure, so that every row is tested without a network.
 */
#include "egress.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A network that is not the public Internet. The first row that contains the address decides. */
struct special_network {
    const char *network;
    enum egress_class class;
};

static const struct special_network special_networks[] = {
    {"169.254.169.254/32", EGRESS_METADATA}, /* AWS, Azure, Google, OpenStack and most others */
    {"169.254.170.2/32", EGRESS_METADATA},   /* AWS container credentials */
    {"169.254.170.23/32", EGRESS_METADATA},  /* AWS pod identity */
    {"100.100.100.200/32", EGRESS_METADATA}, /* Alibaba */
    {"168.63.129.16/32", EGRESS_METADATA},   /* Azure's host channel, in public space */
    {"192.0.0.192/32", EGRESS_METADATA},     /* Oracle */
    {"fd00:ec2::254/128", EGRESS_METADATA},  /* AWS over IPv6 */
    {"fd20:ce::254/128", EGRESS_METADATA},   /* Google over IPv6 */
    {"0.0.0.0/8", EGRESS_UNUSABLE},          /* Linux connects 0.0.0.0 to loopback */
    {"127.0.0.0/8", EGRESS_LOOPBACK},
    {"10.0.0.0/8", EGRESS_PRIVATE},
    {"172.16.0.0/12", EGRESS_PRIVATE},
    {"192.168.0.0/16", EGRESS_PRIVATE},
    {"169.254.0.0/16", EGRESS_LINK_LOCAL},
    {"100.64.0.0/10", EGRESS_PRIVATE},   /* carrier-grade NAT */
    {"192.0.0.0/24", EGRESS_PRIVATE},    /* IETF protocol assignments */
    {"192.0.2.0/24", EGRESS_PRIVATE},    /* documentation */
    {"192.88.99.0/24", EGRESS_PRIVATE},  /* 6to4 relays */
    {"198.18.0.0/15", EGRESS_PRIVATE},   /* benchmarking */
    {"198.51.100.0/24", EGRESS_PRIVATE}, /* documentation */
    {"203.0.113.0/24", EGRESS_PRIVATE},  /* documentation */
    {"224.0.0.0/4", EGRESS_UNUSABLE},    /* multicast */
    {"240.0.0.0/4", EGRESS_UNUSABLE},    /* reserved, broadcast */
    {"::/128", EGRESS_UNUSABLE},
    {"::1/128", EGRESS_LOOPBACK},
    {"64:ff9b:1::/48", EGRESS_PRIVATE}, /* local-use NAT64: its embedding is the operator's own choice */
    {"100::/64", EGRESS_UNUSABLE},      /* discard */
    {"2001:db8::/32", EGRESS_PRIVATE},  /* documentation */
    {"2001::/23", EGRESS_PRIVATE},      /* IETF protocol assignments, Teredo among them */
    {"3fff::/20", EGRESS_PRIVATE},      /* documentation */
    {"5f00::/16", EGRESS_PRIVATE},      /* segment routing */
    {"fc00::/7", EGRESS_PRIVATE},       /* unique local */
    {"fe80::/10", EGRESS_LINK_LOCAL},
    {"fec0::/10", EGRESS_PRIVATE}, /* the old site-local */
    {"ff00::/8", EGRESS_UNUSABLE}, /* multicast */
};

/* IPv6 forms that carry an IPv4 address, and where in the 16 bytes it lies. */
struct embedding {
    const char *network;
    size_t offset;
};

static const struct embedding embeddings[] = {
    {"::ffff:0:0:0/96", 12}, /* translated (SIIT) */
    {"::/96", 12},           /* compatible, deprecated */
    {"64:ff9b::/96", 12},    /* NAT64 */
    {"2002::/16", 2},        /* 6to4 */
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct egress_address *address)
{
    return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static void from_ipv4(const uint8_t bytes[static 4], struct egress_address *ret_address)
{
    memcpy(ret_address->bytes, mapped_prefix, sizeof(mapped_prefix));
    memcpy(ret_address->bytes + sizeof(mapped_prefix), bytes, 4);
}

/* Reads a numeric address; *ret_offset is where its own bits begin in the 128. */
static bool numeric(const char *text, struct egress_address *ret_address, unsigned *ret_offset)
{
    uint8_t ipv4[4];
    if (inet_pton(AF_INET, text, ipv4) == 1) {
        from_ipv4(ipv4, ret_address);
        *ret_offset = 96;
        return true;
    }
    *ret_offset = 0;
    return inet_pton(AF_INET6, text, ret_address->bytes) == 1;
}

/* Reads decimal digits and nothing else. */
static bool decimal(const char *text, unsigned long max, unsigned long *ret_value)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5) {
        return false;
    }
    *ret_value = strtoul(text, NULL, 10);
    return *ret_value <= max;
}

static bool parse_network(const char *text, struct egress_address *ret_network, unsigned *ret_bits)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, length);
    address[length] = '\0';
    unsigned offset;
    if (!numeric(address, ret_network, &offset)) {
        return false;
    }
    unsigned long bits = 128 - offset;
    if (slash && !decimal(slash + 1, 128 - offset, &bits)) {
        return false;
    }
    *ret_bits = offset + (unsigned)bits;
    return true;
}

static bool contains(const struct egress_address *network, unsigned bits, const struct egress_address *address)
{
    size_t whole = bits / 8;
    if (memcmp(network->bytes, address->bytes, whole) != 0) {
        return false;
    }
    if (bits % 8 == 0) {
        return true;
    }
    uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
    return ((network->bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool contains_text(const char *network_text, const struct egress_address *address)
{
    struct egress_address network;
    unsigned bits;
    return parse_network(network_text, &network, &bits) && contains(&network, bits, address);
}

enum egress_class egress_classify(const struct egress_address *address)
{
    for (size_t i = 0; i < sizeof(special_networks) / sizeof(special_networks[0]); i++) {
        if (contains_text(special_networks[i].network, address)) {
            return special_networks[i].class;
        }
    }
    if (is_ipv4(address)) {
        return EGRESS_PUBLIC;
    }
    static const uint8_t isatap[4] = {0x00, 0x00, 0x5e, 0xfe};
    size_t offset = 0;
    for (size_t i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]) && offset == 0; i++) {
        offset = contains_text(embeddings[i].network, address) ? embeddings[i].offset : 0;
    }
    if (offset == 0 && (address->bytes[8] & 0xfd) == 0 && memcmp(address->bytes + 9, isatap + 1, 3) == 0) {
        offset = 12; /* RFC 5214: the interface identifier ends with the IPv4 address */
    }
    if (offset == 0) {
        return EGRESS_PUBLIC;
    }
    struct egress_address inner;
    from_ipv4(address->bytes + offset, &inner);
    return egress_classify(&inner);
}

const char *egress_class_name(enum egress_class class)
{
    static const char *const names[] = {
        [EGRESS_PUBLIC] = "public",         [EGRESS_LOOPBACK] = "loopback", [EGRESS_PRIVATE] = "private",
        [EGRESS_LINK_LOCAL] = "link-local", [EGRESS_METADATA] = "metadata", [EGRESS_UNUSABLE] = "unusable",
    };
    return names[class];
}

int egress_address(const struct sockaddr *address, struct egress_address *ret_address, struct bh_error *error)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof(ipv4));
        uint8_t bytes[4];
        memcpy(bytes, &ipv4.sin_addr, sizeof(bytes));
        from_ipv4(bytes, ret_address);
        return 0;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, address, sizeof(ipv6));
        memcpy(ret_address->bytes, &ipv6.sin6_addr, sizeof(ret_address->bytes));
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "address family %d is neither IPv4 nor IPv6", address->sa_family);
}

int egress_host(const char *text, char ret_host[static EGRESS_HOST_BYTES_MAX + 1], struct bh_error *error)
{
    struct in6_addr ignored;
    size_t length = strlen(text);
    bool ipv6 = strchr(text, ':') != NULL;
    bool sound = length > 0 && length <= EGRESS_HOST_BYTES_MAX;
    if (ipv6) {
        sound = sound && inet_pton(AF_INET6, text, &ignored) == 1;
    } else {
        sound = sound && text[0] != '-' && text[0] != '.' && !strstr(text, "..") &&
                strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == length;
    }
    if (!sound) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "host \"%.64s\" must be a DNS name or a numeric address", text);
    }
    for (size_t i = 0; i <= length; i++) {
        ret_host[i] = (char)tolower((unsigned char)text[i]);
    }
    return 0;
}

int egress_split(const char *text, char ret_host[static EGRESS_HOST_BYTES_MAX + 1], uint16_t *ret_port,
                 struct bh_error *error)
{
    char host[EGRESS_HOST_BYTES_MAX + 1];
    bool brackets = text[0] == '[';
    const char *begin = brackets ? text + 1 : text;
    size_t length = strcspn(begin, brackets ? "]" : ":");
    const char *rest = begin + length + (brackets && begin[length] == ']');
    unsigned long port = 0;
    bool sound = length <= EGRESS_HOST_BYTES_MAX && (!brackets || begin[length] == ']') &&
                 (*rest == '\0' || (*rest == ':' && decimal(rest + 1, UINT16_MAX, &port) && port > 0));
    if (!sound) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.64s\" must be HOST or HOST:PORT", text);
    }
    memcpy(host, begin, length);
    host[length] = '\0';
    if (brackets && !strchr(host, ':')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.64s\": only an IPv6 address stands in brackets", text);
    }
    if (egress_host(host, ret_host, error) < 0) {
        return -1;
    }
    *ret_port = (uint16_t)port;
    return 0;
}

int egress_rules_add(struct egress_rules *rules, const char *entry, bool insecure, struct bh_error *error)
{
    if (rules->n_rules == EGRESS_RULES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "more than %d registries are configured", EGRESS_RULES_MAX);
    }
    struct egress_rule *rule = &rules->rules[rules->n_rules];
    *rule = (struct egress_rule){.insecure = insecure};
    if (parse_network(entry, &rule->network, &rule->prefix_bits)) {
        rule->kind = EGRESS_RULE_NETWORK;
    } else if (egress_split(entry, rule->host, &rule->port, error) == 0) {
        rule->kind = rule->port != 0 ? EGRESS_RULE_HOST_PORT : EGRESS_RULE_HOST;
    } else {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "registry \"%.128s\" must be HOST, HOST:PORT, an address or a network such as 10.0.0.0/8",
                            entry);
    }
    rules->n_rules++;
    return 0;
}

static bool rule_matches(const struct egress_rule *rule, const struct egress_question *question)
{
    switch (rule->kind) {
    case EGRESS_RULE_HOST:
        return strcmp(rule->host, question->host) == 0;
    case EGRESS_RULE_HOST_PORT:
        return rule->port == question->port && strcmp(rule->host, question->host) == 0;
    case EGRESS_RULE_NETWORK:
        return contains(&rule->network, rule->prefix_bits, &question->address);
    }
    return false;
}

static bool is_own_registry(const struct egress_question *question)
{
    bool same_port = question->registry_port != 0 ? question->port == question->registry_port
                                                  : question->port == 443 || question->port == 80;
    return same_port && strcmp(question->host, question->registry_host) == 0;
}

int egress_judge(const struct egress_rules *rules, const struct egress_question *question, bool *ret_insecure,
                 struct bh_error *error)
{
    bool own = is_own_registry(question);
    bool insecure = false, named = false;
    for (size_t i = 0; i < rules->n_rules; i++) {
        const struct egress_rule *rule = &rules->rules[i];
        if (!rule_matches(rule, question)) {
            continue;
        }
        insecure = insecure || rule->insecure;
        named = named || own || rule->kind == EGRESS_RULE_HOST_PORT;
    }
    enum egress_class class = egress_classify(&question->address);
    char text[INET6_ADDRSTRLEN] = "?";
    if (is_ipv4(&question->address)) {
        (void)inet_ntop(AF_INET, question->address.bytes + 12, text, sizeof(text));
    } else {
        (void)inet_ntop(AF_INET6, question->address.bytes, text, sizeof(text));
    }
    if (class == EGRESS_METADATA || class == EGRESS_UNUSABLE) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "connection to %s:%u refused: %s is a%s %s address",
                            question->host, question->port, text, class == EGRESS_UNUSABLE ? "n" : "",
                            egress_class_name(class));
    }
    if (class != EGRESS_PUBLIC && !named) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "connection to %s:%u refused: %s is a %s address; only a host and port that "
                            "private_registries or insecure_registries names may lie there",
                            question->host, question->port, text, egress_class_name(class));
    }
    *ret_insecure = insecure;
    return 0;
}
