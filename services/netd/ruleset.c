/* SPDX-License-Identifier: Apache-2.0
 *
 * See ruleset.h. A word between @ and @ is filled in. What is ours is told by the sets alone, and nothing here looks at
 * a packet of anybody else's for longer than it takes to see that.
 *
 * A first packet for a published port is for the host, and stays so until the host's own rules have let it in: at the
 * end of `input` it is sent once more, through the ingress link that leads back into the host, and is translated where
 * it arrives there. What follows in its connection is translated by connection tracking.
 */
#include "ruleset.h"

#include <string.h>

static const char inet_text[] =
    "table @family@ @table@ {\n"
    "    set bridges { type ifname; }\n"
    "    set same { type ifname . ifname; }\n"
    "    set subnets { type ifname . @address@; flags interval; }\n"
    "    set internal { type ifname; }\n"
    "    set plain { type ifname; }\n"
    "    map ports { type @address@ . inet_proto . inet_service : @address@ . inet_service; }\n"
    "    map ports_any { type inet_proto . inet_service : @address@ . inet_service; }\n"
    "\n"
    "    chain sources {\n" /* before anything is tracked: addresses here are those on the wire */
    "        type filter hook prerouting priority raw; policy accept;\n"
    "        iifname != @bridges return\n"
    "        @family@ daddr @loopback@ drop\n"
    "@neighbours@"
    "        iifname . @family@ saddr != @subnets drop\n"
    "    }\n"
    "    chain errors {\n" /* who says that a connection failed is an end of it: others would only disturb it */
    "        type filter hook prerouting priority mangle; policy accept;\n"
    "        ct state != related return\n"
    "        iifname != @bridges return\n"
    "        iifname . ct original @family@ saddr @subnets return\n"
    "        iifname . ct reply @family@ saddr @subnets return\n"
    "        drop\n"
    "    }\n"
    "    chain published {\n"
    "        type nat hook prerouting priority -101; policy accept;\n"
    "        iifname != \"@prefix@i1\" return\n"
    "        dnat @family@ to @family@ daddr . meta l4proto . th dport map @ports\n"
    "        fib daddr type local dnat @family@ to meta l4proto . th dport map @ports_any\n"
    "    }\n"
    "    chain published_to_host {\n"
    "        type nat hook output priority -101; policy accept;\n"
    "        fib daddr type != local return\n"
    "@own@"
    "        dnat @family@ to @family@ daddr . meta l4proto . th dport map @ports\n"
    "        dnat @family@ to meta l4proto . th dport map @ports_any\n"
    "    }\n"
    "    chain input {\n"
    "        type filter hook input priority 300; policy accept;\n"
    "        ct state != new return\n"
    "        iifname @internal drop\n"
    "        iifname { \"lo\", \"@prefix@i1\" } return\n"
    "        @family@ daddr . meta l4proto . th dport @ports jump admitted\n"
    "        fib daddr type local meta l4proto . th dport @ports_any jump admitted\n"
    "    }\n"
    "    chain admitted {\n"
    "        dup to @ingress@ device \"@prefix@i0\"\n"
    "        drop\n"
    "    }\n"
    "    chain forward {\n"
    "        type filter hook forward priority filter; policy accept;\n"
    "        iifname @bridges jump from_container\n"
    "        oifname @bridges jump to_container\n"
    "@others@"
    "    }\n"
    "    chain from_container {\n"
    "        iifname . oifname @same accept\n"
    "        oifname \"@prefix@i0\" drop\n" /* by which the host alone sends */
    "        ct state established,related accept\n"
    "        ct state invalid drop\n"
    "        iifname @internal drop\n"
    "        oifname @bridges ct status dnat accept\n"
    "        oifname @bridges drop\n"
    "        accept\n"
    "    }\n"
    "    chain to_container {\n"
    "        ct state established,related accept\n"
    "        oifname @internal drop\n"
    "        ct status dnat accept\n"
    "        drop\n"
    "    }\n"
    "    chain postrouting {\n"
    "        type nat hook postrouting priority srcnat; policy accept;\n"
    "        oifname @bridges @family@ saddr @loopback@ masquerade\n"
    "        iifname \"@prefix@i1\" oifname . @family@ saddr @subnets masquerade\n"
    "        iifname @bridges oifname != @bridges iifname != @plain masquerade\n"
    "    }\n"
    "}\n";

/* What a container sends is what its endpoint has: MAC, addresses, no VLAN, no claim on somebody else's address. */
static const char bridge_text[] =
    "table bridge @table@ {\n"
    "    set macs { type ifname . ether_addr; }\n"
    "    set sources4 { type ifname . ipv4_addr; }\n"
    "    set sources6 { type ifname . ipv6_addr; }\n"
    "    set targets6 { typeof iifname . @th,64,128; }\n"
    "\n"
    "    chain ports {\n"
    "        type filter hook prerouting priority -300; policy accept;\n"
    "        iifname != \"@prefix@v*\" return\n"
    "        iifname . ether saddr != @macs drop\n"
    "        ether type arp jump claims\n"
    "        ether type ip iifname . ip saddr @sources4 accept\n"
    "        ether type ip6 jump ipv6\n"
    "        drop\n"
    "    }\n"
    "    chain claims {\n"
    "        iifname . arp saddr ether != @macs drop\n"
    "        iifname . arp saddr ip @sources4 accept\n"
    "        drop\n"
    "    }\n"
    "    chain ipv6 {\n"
    "        icmpv6 type { nd-router-advert, nd-redirect } drop\n"
    "        icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop\n"
    "        iifname . ip6 saddr @sources6 accept\n"
    "        ip6 saddr :: icmpv6 type { nd-neighbor-solicit, mld2-listener-report } accept\n"
    "        drop\n"
    "    }\n"
    "}\n";

struct word {
    const char *name, *value;
};

static void fill_in(const char *text, const struct word *words, FILE *stream)
{
    for (const char *at = text; *at;) {
        const struct word *word = NULL;
        for (const struct word *candidate = words; *at == '@' && candidate->name; candidate++) {
            size_t length = strlen(candidate->name);
            if (strncmp(at + 1, candidate->name, length) == 0 && at[length + 1] == '@') {
                word = candidate;
            }
        }
        if (word) {
            (void)fputs(word->value, stream);
            at += strlen(word->name) + 2;
        } else {
            (void)fputc(*at++, stream); /* also the @ before a set's name */
        }
    }
}

static void print_ip(const struct ruleset_options *options, enum family family, FILE *stream)
{
    static const char others[] = "        drop\n";
    /* The second: what a bridge passes from port to port comes by here where br_netfilter is loaded. */
    static const char neighbours[] =
        "        ip6 saddr { ::, fe80::/10 } meta l4proto 58 return\n"
        "        ip6 saddr fe80::/10 ip6 daddr fe80::/10 fib daddr . iif type != local return\n";
    /* The kernel delivers no answer to ::1 that comes by a link: who tries it is refused at once, and tries 127.0.0.1.
     */
    static const char own[] = "        ip6 daddr ::1 return\n";
    const struct word words[] = {
        {"own", family == IPV4 ? "" : own},
        {"family", family == IPV4 ? "ip" : "ip6"},
        {"table", options->table},
        {"prefix", options->prefix},
        {"address", family == IPV4 ? "ipv4_addr" : "ipv6_addr"},
        {"loopback", family == IPV4 ? "127.0.0.0/8" : "::1"},
        {"ingress", family == IPV4 ? "169.254.254.2" : "fe80::bb:2"},
        {"neighbours", family == IPV4 ? "" : neighbours},
        {"others", options->closed[family] ? others : ""},
        {NULL, NULL},
    };
    fill_in(inet_text, words, stream);
}

static void print_elements(const struct ruleset_options *options, const struct elements *elements, enum table table,
                           FILE *stream)
{
    for (enum set set = 0; set < SETS; set++) {
        size_t n = 0;
        for (size_t i = 0; i < elements->n; i++) {
            const struct element *element = &elements->list[i];
            if (element->table == table && element->set == set) {
                if (n++ == 0) {
                    (void)fprintf(stream, "add element %s %s %s { ", table_family_name(table), options->table,
                                  set_name(set));
                } else {
                    (void)fputs(", ", stream);
                }
                element_print(element, stream);
            }
        }
        (void)fputs(n ? " }\n" : "", stream);
    }
}

void ruleset_print_removal(const struct ruleset_options *options, FILE *stream)
{
    for (enum table table = 0; table < TABLES; table++) {
        if (table != TABLE_IP6 || options->ipv6) {
            const char *family = table_family_name(table);
            (void)fprintf(stream, "table %s %s\ndelete table %s %s\n", family, options->table, family, options->table);
        }
    }
}

void ruleset_print(const struct ruleset_options *options, const struct elements *elements, FILE *stream)
{
    const struct word words[] = {{"table", options->table}, {"prefix", options->prefix}, {NULL, NULL}};
    ruleset_print_removal(options, stream);
    print_ip(options, IPV4, stream);
    if (options->ipv6) {
        print_ip(options, IPV6, stream);
    }
    fill_in(bridge_text, words, stream);
    for (enum table table = 0; table < TABLES; table++) {
        if (table != TABLE_IP6 || options->ipv6) {
            print_elements(options, elements, table, stream);
        }
    }
}
